/**
 * @module The way in: how many decisions may be under way, and whether new ones are taken at all.
 */
import { PIPELINE_LIMITS } from './limits.ts';

export interface Gate {
  /** Takes a place; undefined when taken, else why not. */
  enter(): 'overloaded' | 'shutting_down' | undefined;
  leave(): void;
  /** Refuses newcomers from now on; resolves when the last decision under way has left. Idempotent. */
  close(): Promise<void>;
  readonly inFlight: number;
}

/** A gate for `inFlightMax` decisions at once. */
export function createGate(inFlightMax: number = PIPELINE_LIMITS.inFlightMax): Gate {
  let inFlight = 0;
  let closed = false;
  const waiting: (() => void)[] = [];
  return {
    enter(): 'overloaded' | 'shutting_down' | undefined {
      if (closed) return 'shutting_down';
      if (inFlight >= inFlightMax) return 'overloaded';
      inFlight += 1;
      return undefined;
    },
    leave(): void {
      inFlight -= 1;
      if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve();
    },
    close(): Promise<void> {
      closed = true;
      if (inFlight === 0) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
    get inFlight(): number {
      return inFlight;
    },
  };
}
