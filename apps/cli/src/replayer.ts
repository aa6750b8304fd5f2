/** @module Running recorded decisions again, each under the engine its receipt names or under one to compare with, where it is trusted. */
import {
  compareVerdicts,
  type Engine,
  findDeEscalation,
  firstDifference,
  judgeAgain,
  type JudgingEngine,
  type RecordedDecision,
  replay,
} from '@countersign/judge';
import { canonicalize, codeOf, err, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { ReceiptBody } from '@countersign/protocol';
import type { Bundle, CheckedReceipt, ReceiptDisclosure } from '@countersign/receipts';
import { openEngineFile } from '@countersign/runtime';
import type { KeptDocuments } from './kept-documents.ts';
import { CLI_LIMITS } from './limits.ts';
import { createRecentMap, type RecentMap } from './recent-map.ts';
import type { FindEngine } from './replay-trust.ts';

/** `erased`: there is nothing left to judge, and that is nobody's fault. */
export const STATUSES = ['equal', 'different', 'de-escalated', 'refused', 'unknown-engine', 'erased'] as const;

export interface Replayed {
  readonly status: (typeof STATUSES)[number];
  /** One plain sentence. */
  readonly sentence: string;
  /** JSON pointer of the first field that differs. */
  readonly path?: string;
  /** That field as it was, and as it would be; canonical JSON, cut. Only where two engines are compared. */
  readonly from?: string;
  readonly to?: string;
  /** `from->to`, where the other engine decides otherwise. */
  readonly direction?: string;
}

/** What belongs to a receipt and is not in it. */
export interface KeptDecision {
  readonly documents: KeptDocuments;
  /** The recorded change of state; undefined: it was not recorded here. */
  readonly delta?: JsonValue;
}

export interface Replayer {
  /** The caller has checked that the inputs are those that the receipt commits to. */
  replay(receipt: CheckedReceipt, kept: KeptDecision): Promise<Replayed>;
}

export interface ReplayerOptions {
  readonly find: FindEngine;
  /** Hash of an engine to judge with instead of the one that a receipt names; what it says otherwise is named. */
  readonly under?: string;
}

export function isReceiptDisclosure(inputs: Bundle['inputs']): inputs is ReceiptDisclosure {
  return inputs !== undefined && 'action' in inputs;
}

interface Loaded extends ReplayerOptions {
  readonly engines: Map<string, Promise<Engine | undefined>>;
  readonly judging: RecentMap<Promise<Judging>>;
}

type Judging = { readonly ok: true; readonly engine: JudgingEngine } | { readonly ok: false; readonly replayed: Replayed };

function refused(sentence: string): Replayed {
  return { status: 'refused', sentence };
}

function engineFor(loaded: Loaded, hash: string): Promise<Engine | undefined> {
  const known = loaded.engines.get(hash);
  if (known !== undefined) return known;
  const opening = loaded.find(hash).then((file) => (file === undefined ? undefined : openEngineFile(file)));
  loaded.engines.set(hash, opening);
  return opening;
}

function documentsOf({ inputs }: ReceiptBody, documents: KeptDocuments): Result<{ policy: JsonValue; rules: JsonValue }, string> {
  const policy = documents('policy', inputs.policy);
  if (!policy.ok) return err(policy.error);
  const rules = documents('rules', inputs.rules);
  return rules.ok ? ok({ policy: policy.value, rules: rules.value }) : err(rules.error);
}

async function openJudging(loaded: Loaded, hash: string, documents: ReturnType<typeof documentsOf>): Promise<Judging> {
  const engine = await engineFor(loaded, hash);
  if (engine === undefined) {
    const sentence = `engine ${hash.slice(0, 16)} is not one that this machine trusts; nothing was run`;
    return { ok: false, replayed: { status: 'unknown-engine', sentence } };
  }
  if (!documents.ok) return { ok: false, replayed: refused(documents.error) };
  const judging = engine.load(documents.value);
  if (!judging.ok) return { ok: false, replayed: refused(`the engine refuses the documents: ${judging.error[0]?.message ?? ''}`) };
  return { ok: true, engine: judging.value };
}

/** The engine with the documents that the receipt names: by their hashes, so whatever came with another receipt is the same. */
function judgingFor(loaded: Loaded, body: ReceiptBody, { documents }: KeptDecision): Promise<Judging> {
  const { engine, policy, rules } = body.inputs;
  const hash = loaded.under ?? engine;
  return loaded.judging.get(`${hash} ${policy} ${rules}`, () => openJudging(loaded, hash, documentsOf(body, documents)));
}

function differs(path: string, recorded: string, recomputed: string): Replayed {
  return { status: 'different', sentence: `${path} is ${recorded} in the receipt, and ${recomputed} when computed again`, path };
}

const SHOWN_MAX = 120;

/** Undefined where both are the same, byte for byte. */
function compareDelta(recomputed: JsonValue, recorded: JsonValue): Replayed | undefined {
  const [before, after] = [canonicalize(recorded), canonicalize(recomputed)];
  if (before === after) return undefined;
  const path = `/delta${firstDifference(recorded, recomputed) ?? ''}`;
  return differs(path, before.slice(0, SHOWN_MAX), after.slice(0, SHOWN_MAX));
}

function lowered(engine: JudgingEngine, recorded: RecordedDecision): Replayed | undefined {
  const change = findDeEscalation(engine, recorded);
  if (change === undefined) return undefined;
  const { path, from, to } = change;
  return { status: 'de-escalated', sentence: `${path} is ${to} with outside opinions, and ${from} without them`, path };
}

/** The same engine again: every byte must be the same, and outside opinions must have lowered nothing. */
function again(engine: JudgingEngine, { body, inputs }: CheckedReceipt, delta: JsonValue | undefined): Replayed {
  const { action, signals, state } = inputs;
  const recorded = { time: body.time, action, signals, state, verdict: body.verdict };
  const result = replay(engine, recorded);
  if (!result.equal) return differs(result.path, result.recorded, result.recomputed);
  // A delta is plain JSON, which its interface does not say.
  const changed = 'delta' in result && delta !== undefined ? compareDelta(result.delta as unknown as JsonValue, delta) : undefined;
  const sentence = `${body.verdict.decision}, byte for byte the same`;
  return changed ?? lowered(engine, recorded) ?? { status: 'equal', sentence };
}

/** A refusal of the pipeline: no engine was asked, so only its form can be checked. It changes nothing. */
function byPipeline({ verdict }: ReceiptBody, delta: JsonValue | undefined): Replayed {
  if (verdict.decision !== 'deny') return differs('/verdict/decision', canonicalize(verdict.decision), '"deny"');
  const changed = delta === undefined ? undefined : compareDelta({}, delta);
  return changed ?? { status: 'equal', sentence: 'a refusal of the pipeline, of the right form' };
}

/** Another engine on the same inputs: what would it say? */
function otherwise(engine: JudgingEngine, { body, inputs }: CheckedReceipt): Replayed {
  const { verdict, time } = body;
  const { action, signals, state } = inputs;
  const other = judgeAgain(engine, { time, action, signals, state }).verdict;
  const change = compareVerdicts(verdict, other);
  if (change === undefined) return { status: 'equal', sentence: `${verdict.decision} under both engines` };
  const { path, from, to } = change;
  const sentence = `${path} is ${from} in the receipt, and ${to} under the other engine`;
  const direction = verdict.decision === other.decision ? {} : { direction: `${verdict.decision}->${other.decision}` };
  return { status: 'different', sentence, path, from, to, ...direction };
}

async function replayOne(loaded: Loaded, receipt: CheckedReceipt, kept: KeptDecision): Promise<Replayed> {
  if (receipt.body.verdict.by === 'pipeline') return byPipeline(receipt.body, kept.delta);
  const judging = await judgingFor(loaded, receipt.body, kept);
  if (!judging.ok) return judging.replayed;
  try {
    return loaded.under === undefined ? again(judging.engine, receipt, kept.delta) : otherwise(judging.engine, receipt);
  } catch (error) {
    // An engine is total over what it was made for; inputs of a later one may be another thing.
    return refused(`the engine failed on these inputs (${codeOf(error)})`);
  }
}

/** Engines and documents are loaded once each, and kept as long as they are used. */
export function createReplayer(options: ReplayerOptions): Replayer {
  const loaded: Loaded = { ...options, engines: new Map(), judging: createRecentMap(CLI_LIMITS.replayKeptMax) };
  return { replay: (receipt, kept) => replayOne(loaded, receipt, kept) };
}
