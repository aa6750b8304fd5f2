/** @module Running recorded decisions again, each under the engine its receipt names, where this machine trusts that engine. */
import type { Engine, JudgingEngine } from '@countersign/judge';
import { replay } from '@countersign/judge';
import type { JsonValue } from '@countersign/kernel';
import { type ReceiptBody, RECEIPT_TYPE } from '@countersign/protocol';
import type { Bundle, ReceiptDisclosure } from '@countersign/receipts';
import { type EngineFile, openEngineFile, openEngineStore, readEngineFile } from '@countersign/runtime';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './command.ts';

export interface Replayed {
  readonly status: 'equal' | 'different' | 'refused' | 'unknown-engine';
  /** One plain sentence. */
  readonly sentence: string;
  /** JSON pointer of the first field that differs. */
  readonly path?: string;
}

export interface Replayer {
  /** The caller has checked that inputs and documents are the committed ones. */
  replay(bundle: Bundle): Promise<Replayed>;
}

function isReceiptDisclosure(inputs: Bundle['inputs']): inputs is ReceiptDisclosure {
  return inputs !== undefined && 'action' in inputs;
}

interface Loaded {
  readonly engines: Map<string, Promise<Engine | undefined>>;
  readonly judging: Map<string, JudgingEngine>;
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

async function judgingFor(
  loaded: Loaded,
  body: ReceiptBody,
  documents: { readonly policy: JsonValue; readonly rules: JsonValue },
): Promise<Judging> {
  const key = `${body.inputs.engine} ${body.inputs.policy} ${body.inputs.rules}`;
  const known = loaded.judging.get(key);
  if (known !== undefined) return { ok: true, engine: known };
  const engine = await engineFor(loaded, body.inputs.engine);
  if (engine === undefined) {
    const sentence = `engine ${body.inputs.engine.slice(0, 16)} is not one that this machine trusts; nothing was run`;
    return { ok: false, replayed: { status: 'unknown-engine', sentence } };
  }
  const judging = engine.load(documents);
  if (!judging.ok)
    return { ok: false, replayed: { status: 'refused', sentence: `the engine refuses the documents: ${judging.error[0]?.message ?? ''}` } };
  loaded.judging.set(key, judging.value);
  return { ok: true, engine: judging.value };
}

async function replayOne(loaded: Loaded, bundle: Bundle): Promise<Replayed> {
  const { body } = bundle.entry;
  if (body.type !== RECEIPT_TYPE) return { status: 'refused', sentence: 'this is not a receipt' };
  const { inputs, documents } = bundle;
  if (!isReceiptDisclosure(inputs) || documents === undefined)
    return { status: 'refused', sentence: 'the bundle does not disclose its inputs' };
  const judging = await judgingFor(loaded, body, documents);
  if (!judging.ok) return judging.replayed;
  const { action, signals, state } = inputs;
  const result = replay(judging.engine, { time: body.time, action, signals, state, verdict: body.verdict });
  if (!result.equal) {
    const sentence = `${result.path} is ${result.recorded} in the receipt, and ${result.recomputed} when computed again`;
    return { status: 'different', sentence, path: result.path };
  }
  const by = 'byPipeline' in result ? 'a refusal of the pipeline, of the right form' : `${body.verdict.decision}, byte for byte the same`;
  return { status: 'equal', sentence: by };
}

/** The trust list is the engine built here, and every engine that the data directory's own gateway has run. */
export async function createReplayer(context: Context): Promise<Replayer> {
  const built = await readEngineFile();
  const kept = existsSync(join(context.dataDir, 'engines')) ? await openEngineStore(context.dataDir) : undefined;
  const loaded: Loaded = {
    engines: new Map(),
    judging: new Map(),
    find: async (hash) => (hash === built.hash ? built : kept?.read(hash)),
  };
  return { replay: (bundle) => replayOne(loaded, bundle) };
}
