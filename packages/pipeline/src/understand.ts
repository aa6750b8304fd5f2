/**
 * @module 3 understand: the outside questions are asked and their answers written down, then the action becomes facts.
 */
import { invariant } from '@countersign/kernel';
import { type Passage, refuse, step } from './passage.ts';
import type { Ports } from './ports.ts';

/** Chooses the engine in force for the org and turns the action into facts behind a handle. */
export async function understand(passage: Passage, ports: Ports): Promise<Passage> {
  await step(passage, 'understand', async () => {
    const { action } = passage;
    invariant(action !== undefined, 'an action that was not identified cannot be understood');
    const engine = ports.engines.engineFor(action.org);
    if (engine === undefined) {
      return refuse(passage, {
        code: 'policy_unavailable',
        message: ports.engines.problem ?? 'no policy is loaded: every action is denied',
        hint: 'check it with `countersign policy validate FILE`',
      });
    }
    passage.engine = engine;
    passage.signals = await ports.signals.signalsFor(action);
    const understood = await engine.understand(action, passage.signals);
    // A deadline that has passed meanwhile has already answered: give the facts back at once.
    if (passage.refusal !== undefined) return understood.release();
    passage.understood = understood;
    if (understood.ask !== undefined) passage.signals = [...passage.signals, ...(await understood.ask())];
    return undefined;
  });
  return passage;
}
