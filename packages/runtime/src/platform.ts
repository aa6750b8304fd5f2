/** @module The real clock, randomness and timer. Composition roots make them here and nowhere else. */
import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';

/** The wall clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };

const POOL_BYTES = 8192;

/** Random bytes of the system, drawn in blocks: a fresh one is filled whenever the last is used up, and used bytes are wiped. */
export function createSystemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    bytes(length: number): Uint8Array {
      if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length));
      if (used + length > POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + length);
      pool.fill(0, used, used + length);
      used += length;
      return bytes;
    },
  };
}

/** Timers of the event loop; a pending one does not keep the process alive. */
export const systemTimer: Ports['timer'] = {
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
