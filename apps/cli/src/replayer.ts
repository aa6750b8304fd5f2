/** @module Running recorded decisions again, each under the engine its receipt names, where this machine trusts that engine. */
import type { Engine, JudgingEngine } from '@countersign/judge';
import { firstDifference, replay } from '@countersign/judge';
import { canonicalize, err, type JsonValue, ok, type Result } from '@countersign/kernel';
import { type ReceiptBody, RECEIPT_TYPE } from '@countersign/protocol';
import type { Bundle, ReceiptDisclosure } from '@countersign/receipts';
import { type EngineFile, openEngineFile, openEngineStore, readEngineFile } from '@countersign/runtime';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './command.ts';
import type { KeptDocuments } from './kept-documents.ts';
import { CLI_LIMITS } from './limits.ts';
import { createRecentMap, type RecentMap } from './recent-map.ts';

export interface Replayed {
  /** `erased`: there is nothing left to replay, and that is nobody's fault. */
  readonly status: 'equal' | 'different' | 'refused' | 'unknown-engine' | 'erased';
  /** One plain sentence. */
  readonly sentence: string;
  /** JSON pointer of the first field that differs. */
  readonly path?: string;
}

/** What a data directory keeps beside a bundle. */
export interface KeptDecision {
  readonly documents: KeptDocuments;
  /** The recorded change of state. */
  readonly delta: JsonValue;
}

export interface Replayer {
  /** The caller has checked that inputs and documents are the committed ones. */
  replay(bundle: Bundle): Promise<Replayed>;
  /** The same with kept documents, and the change of state is compared too. The caller has checked the inputs. */
  replayKept(bundle: Bundle, kept: KeptDecision): Promise<Replayed>;
}

function isReceiptDisclosure(inputs: Bundle['inputs']): inputs is ReceiptDisclosure {
  return inputs !== undefined && 'action' in inputs;
}

interface Loaded {
  readonly engines: Map<string, Promise<Engine | undefined>>;
  readonly judging: RecentMap<Promise<Judging>>;
  readonly find: (hash: string) => Promise<EngineFile | undefined>;
}

function engineFor(loaded: Loaded, hash: string): Promise<Engine | undefined> {
  const known = loaded.engines.get(hash);
  if (known !== undefined) return known;
  const opening = loaded.find(hash).then((file) => (file === undefined ? undefined : openEngineFile(file)));
  loaded.engines.set(hash, opening);
  return opening;
}

type Judging = { readonly ok: true; readonly engine: JudgingEngine } | { readonly ok: false; readonly replayed: Replayed };

type Documents = () => Result<{ readonly policy: JsonValue; readonly rules: JsonValue }, string>;

function refused(sentence: string): Replayed {
  return { status: 'refused', sentence };
}

async function openJudging(loaded: Loaded, engineHash: string, documents: Documents): Promise<Judging> {
  const engine = await engineFor(loaded, engineHash);
  if (engine === undefined) {
    const sentence = `engine ${engineHash.slice(0, 16)} is not one that this machine trusts; nothing was run`;
    return { ok: false, replayed: { status: 'unknown-engine', sentence } };
  }
  const found = documents();
  if (!found.ok) return { ok: false, replayed: refused(found.error) };
  const judging = engine.load(found.value);
  if (!judging.ok) return { ok: false, replayed: refused(`the engine refuses the documents: ${judging.error[0]?.message ?? ''}`) };
  return { ok: true, engine: judging.value };
}

/** The engine with the documents that the receipt names: by its three hashes, so whatever came with another receipt is the same. */
function judgingFor(loaded: Loaded, { inputs }: ReceiptBody, documents: Documents): Promise<Judging> {
  const key = `${inputs.engine} ${inputs.policy} ${inputs.rules}`;
  return loaded.judging.get(key, () => openJudging(loaded, inputs.engine, documents));
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

interface Decision {
  readonly documents: Documents;
  /** Undefined: it was not recorded here. */
  readonly delta?: JsonValue;
}

async function replayOne(loaded: Loaded, bundle: Bundle, decision: Decision): Promise<Replayed> {
  const { body } = bundle.entry;
  if (body.type !== RECEIPT_TYPE) return refused('this is not a receipt');
  const { inputs } = bundle;
  if (!isReceiptDisclosure(inputs)) return refused('the bundle does not disclose its inputs');
  const judging = await judgingFor(loaded, body, decision.documents);
  if (!judging.ok) return judging.replayed;
  const { action, signals, state } = inputs;
  const result = replay(judging.engine, { time: body.time, action, signals, state, verdict: body.verdict });
  if (!result.equal) return differs(result.path, result.recorded, result.recomputed);
  if (decision.delta !== undefined) {
    // A refusal of the pipeline changes nothing. A delta is plain JSON, which its interface does not say.
    const delta = ('delta' in result ? result.delta : {}) as unknown as JsonValue;
    const different = compareDelta(delta, decision.delta);
    if (different !== undefined) return different;
  }
  const by = 'byPipeline' in result ? 'a refusal of the pipeline, of the right form' : `${body.verdict.decision}, byte for byte the same`;
  return { status: 'equal', sentence: by };
}

async function replayWithin(loaded: Loaded, bundle: Bundle): Promise<Replayed> {
  const { documents } = bundle;
  if (documents === undefined) return refused('the bundle does not disclose its inputs');
  return replayOne(loaded, bundle, { documents: () => ok(documents) });
}

function keptDocuments({ entry: { body } }: Bundle, { documents }: KeptDecision): Documents {
  return () => {
    if (body.type !== RECEIPT_TYPE) return err('this is not a receipt');
    const policy = documents('policy', body.inputs.policy);
    if (!policy.ok) return policy;
    const rules = documents('rules', body.inputs.rules);
    return rules.ok ? ok({ policy: policy.value, rules: rules.value }) : rules;
  };
}

/** The trust list is the engine built here, and every engine that the data directory's own gateway has run. */
export async function createReplayer(context: Context): Promise<Replayer> {
  const built = await readEngineFile();
  const kept = existsSync(join(context.dataDir, 'engines')) ? await openEngineStore(context.dataDir) : undefined;
  const loaded: Loaded = {
    engines: new Map(),
    judging: createRecentMap(CLI_LIMITS.replayKeptMax),
    find: async (hash) => (hash === built.hash ? built : kept?.read(hash)),
  };
  return {
    replay: (bundle) => replayWithin(loaded, bundle),
    replayKept: (bundle, decision) => replayOne(loaded, bundle, { documents: keptDocuments(bundle, decision), delta: decision.delta }),
  };
}
