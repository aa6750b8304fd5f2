/**
 * @module The other side of the pool: a thread with the same engine bytes and the same documents, for actions too large for the main loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { JudgingEngine } from '@countersign/judge';
import { type Action, type Facts, type Signal, type StateSlice, withGuardAnswers } from '@countersign/protocol';
import { engineUrl } from './engine-url.ts';

export interface WorkerSetup {
  /** Bytes of the engine file. */
  readonly engine: Uint8Array;
  /** Policy and rules as text: bytes and text are copied over at once, an object of many parts is taken apart on the main loop. */
  readonly documents: string;
}

export type WorkerRequest =
  /** The action is text: a copy of an object with many keys costs the thread that sends it several times as much as writing it does. */
  | { readonly op: 'understand'; readonly id: number; readonly action: string; readonly signals: readonly Signal[] }
  | { readonly op: 'questions'; readonly id: number }
  | { readonly op: 'answers'; readonly id: number; readonly signals: readonly Signal[] }
  | { readonly op: 'judge'; readonly id: number; readonly now: string; readonly state: StateSlice }
  | { readonly op: 'release'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly output?: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };

async function load(setup: WorkerSetup): Promise<JudgingEngine> {
  const module = (await import(engineUrl(setup.engine))) as {
    openEngine: () => Promise<{ load: (documents: unknown) => { ok: boolean; value: JudgingEngine } }>;
  };
  const engine = await module.openEngine();
  const loaded = engine.load(JSON.parse(setup.documents));
  if (!loaded.ok) throw new Error('the documents that the main thread loaded are refused here');
  return loaded.value;
}

const engine = load(workerData as WorkerSetup);
const held = new Map<number, { readonly action: Action; readonly facts: Facts }>();

async function handle(request: WorkerRequest): Promise<unknown> {
  const judging = await engine;
  if (request.op === 'understand') {
    const action = JSON.parse(request.action) as Action;
    held.set(request.id, { action, facts: judging.understand(action, request.signals) });
    return undefined;
  }
  const kept = held.get(request.id);
  if (request.op === 'release' || kept === undefined) {
    held.delete(request.id);
    return undefined;
  }
  if (request.op === 'questions') return judging.questions?.(kept.action, kept.facts) ?? [];
  if (request.op === 'answers') {
    held.set(request.id, { ...kept, facts: withGuardAnswers(kept.facts, request.signals) });
    return undefined;
  }
  return judging.judge({ now: request.now, state: request.state, ...kept });
}

parentPort?.on('message', (request: WorkerRequest) => {
  handle(request).then(
    (output) => request.op !== 'release' && parentPort?.postMessage({ id: request.id, ok: true, output } satisfies WorkerReply),
    (error: unknown) =>
      parentPort?.postMessage({ id: request.id, ok: false, message: error instanceof Error ? error.name : 'error' } satisfies WorkerReply),
  );
});
