/** @module How far a long piece of work is, said on standard error: one line that is written over on a terminal, else one now and then. */
import type { World } from './world.ts';

export interface Counter {
  /** One more is done. */
  add(): void;
  /** Leaves a terminal clean. */
  end(): void;
}

const TERMINAL_EVERY_MS = 1000;
const FILE_EVERY_MS = 5000;

/** Says `text 3 of 10 ...`; nothing where all is done before the first interval has passed. */
export function createCounter(world: Pick<World, 'stderr' | 'clock'>, text: string, total: number): Counter {
  const { stderr, clock } = world;
  const every = stderr.isTerminal ? TERMINAL_EVERY_MS : FILE_EVERY_MS;
  let [done, saidMs, hasSaid] = [0, clock.nowMs(), false];
  return {
    add() {
      done += 1;
      const nowMs = clock.nowMs();
      if (nowMs - saidMs < every) return;
      [saidMs, hasSaid] = [nowMs, true];
      const line = `${text} ${done} of ${total} ...`;
      stderr.write(stderr.isTerminal ? `\r${line}` : `${line}\n`);
    },
    end() {
      if (hasSaid && stderr.isTerminal) stderr.write('\r\u001b[K');
    },
  };
}
