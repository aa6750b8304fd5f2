/**
 * @module The life of one action, in seven verbs. Nobody adds a branch here, only inside a verb.
 *
 * A passage that a verb refuses goes through the rest untouched: it is recorded as a deny (from `identify` on) and answered.
 */
import { CodedError, uuidv7 } from '@countersign/kernel';
import { act } from './act.ts';
import type { ActionRequest, Answer } from './action-request.ts';
import { admit } from './admit.ts';
import { answer } from './answer.ts';
import { identify } from './identify.ts';
import { judge } from './judge.ts';
import { PIPELINE_LIMITS } from './limits.ts';
import type { Passage } from './passage.ts';
import type { Ports } from './ports.ts';
import { record } from './record.ts';
import { understand } from './understand.ts';

/**
 * Judges one action, records the verdict, releases what is allowed, and answers. Total: whatever fails, the answer is a deny.
 * When it resolves, the receipt it names is durable; `receipt: null` means that nothing was released either.
 */
export async function countersignAction(request: ActionRequest, ports: Ports): Promise<Answer> {
  const { passage, close } = openPassage(request, ports);
  try {
    await admit(passage, ports); //      1 is there room, is it well formed?
    await identify(passage, ports); //   2 who acts, for whom, in which session?
    await understand(passage, ports); // 3 what does it mean?
    await judge(passage, ports); //      4 may it happen?
    await record(passage, ports); //     5 the receipt is durable before any effect
    await act(passage, ports); //        6 release or forward what was allowed
    return await answer(passage, ports); // 7 fence, record and hand back what came of it
  } finally {
    close();
  }
}

/** A passage with its deadline; `close` gives back the place at the gate and the timer. */
function openPassage(request: ActionRequest, ports: Ports): { readonly passage: Passage; readonly close: () => void } {
  const budgetMs = PIPELINE_LIMITS.decisionTimeoutMs + (request.mode === 'forward' ? PIPELINE_LIMITS.forwardTimeoutMs : 0);
  let cancel = (): void => undefined;
  const deadline = new Promise<never>((_, reject) => {
    cancel = ports.timer.after(budgetMs, () => reject(new CodedError({ code: 'decision_timeout', message: 'the decision took too long' })));
  });
  deadline.catch(() => undefined); // Whoever races it hears of it; nobody else needs to.
  const passage: Passage = { request, requestId: uuidv7(ports.clock, ports.random), startedMs: ports.clock.nowMs(), deadline };
  const close = (): void => {
    cancel();
    passage.endTurn?.();
    if (passage.admitted === true) ports.gate.leave();
  };
  return { passage, close };
}
