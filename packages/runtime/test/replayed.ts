/** @module A receipt judged again from its bundle alone, by the built engine: no store, no network, no package. */
import { type EngineDocuments, type RecordedDecision, replay, type ReplayResult } from '@countersign/judge';
import type { Answer } from '@countersign/pipeline';
import { openEngineFile, readEngineFile, type Runtime } from '../src/index.ts';
import { unwrap } from './directory.ts';

interface Disclosed {
  readonly entry: { readonly body: Pick<RecordedDecision, 'time' | 'verdict'> };
  readonly inputs: Pick<RecordedDecision, 'action' | 'state' | 'signals'>;
  readonly documents: EngineDocuments;
}

export async function replayed(runtime: Runtime, answer: Answer): Promise<ReplayResult> {
  const bundle = unwrap(await runtime.bundle(answer.receipt?.id ?? '', { inputs: true }));
  const { entry, inputs, documents } = JSON.parse(new TextDecoder().decode(bundle)) as Disclosed;
  const engine = await openEngineFile(await readEngineFile());
  const judging = unwrap(engine.load(documents));
  const { time, verdict } = entry.body;
  return replay(judging, { ...inputs, time, verdict });
}
