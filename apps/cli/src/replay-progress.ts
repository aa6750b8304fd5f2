/** @module How far a replay is, how fast it goes and how long it will take, said on standard error. */
import type { World } from './world.ts';

export interface Progress {
  /** So many entries are done, of all. */
  reached(done: number): void;
  /** Leaves a terminal clean. */
  end(): void;
}

const TERMINAL_EVERY_MS = 1000;
const FILE_EVERY_MS = 5000;

function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Says `replaying: entry 3 of 10, 2 a second, 4 s left ...`; nothing where all is done before the first interval has passed. */
export function createProgress(world: Pick<World, 'stderr' | 'clock'>, { start, end }: { start: number; end: number }): Progress {
  const { stderr, clock } = world;
  const every = stderr.isTerminal ? TERMINAL_EVERY_MS : FILE_EVERY_MS;
  const beganMs = clock.nowMs();
  let [saidMs, hasSaid] = [beganMs, false];
  return {
    reached(done) {
      const nowMs = clock.nowMs();
      if (nowMs - saidMs < every) return;
      [saidMs, hasSaid] = [nowMs, true];
      const rate = ((done - start) * 1000) / (nowMs - beganMs);
      const left = rate > 0 ? `, ${durationText(Math.ceil((end - done) / rate))} left` : '';
      const line = `replaying: entry ${done} of ${end}, ${Math.round(rate)} a second${left} ...`;
      stderr.write(stderr.isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
    },
    end() {
      if (hasSaid && stderr.isTerminal) stderr.write('\r\u001b[K');
    },
  };
}
