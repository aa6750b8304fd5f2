/**
 * @module Judge, number and stage run one at a time per session, in order of arrival. The wait for the disk is outside the turn.
 */
import { PIPELINE_LIMITS } from './limits.ts';

/** Gives the turn back. Idempotent. */
export type EndTurn = () => void;

export interface SessionTurns {
  /** Resolves when it is this caller's turn; undefined at once when too many already wait. */
  take(session: string): Promise<EndTurn> | undefined;
}

interface Queue {
  waiting: (() => void)[];
}

/** Turns for any number of sessions; memory is held only for sessions with a turn under way. */
export function createSessionTurns(queueMax: number = PIPELINE_LIMITS.sessionQueueMax): SessionTurns {
  const queues = new Map<string, Queue>();

  function endTurn(session: string, queue: Queue): EndTurn {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = queue.waiting.shift();
      if (next === undefined) queues.delete(session);
      else next();
    };
  }

  return {
    take(session: string): Promise<EndTurn> | undefined {
      const queue = queues.get(session);
      if (queue === undefined) {
        const fresh: Queue = { waiting: [] };
        queues.set(session, fresh);
        return Promise.resolve(endTurn(session, fresh));
      }
      if (queue.waiting.length >= queueMax) return undefined;
      return new Promise((resolve) => queue.waiting.push(() => resolve(endTurn(session, queue))));
    },
  };
}
