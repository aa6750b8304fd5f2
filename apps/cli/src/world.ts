/** @module What the command line is given of the world, so that every command runs the same under test. */
import type { Clock } from '@countersign/kernel';

export interface Sink {
  write(text: string): void;
  /** True for a terminal: colour and progress make sense. */
  readonly isTerminal: boolean;
  /** Characters of a line. */
  readonly columns: number;
}

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's home directory; user-level configuration lives below it. */
  readonly home: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Reads all of standard input. */
  readonly stdin: () => Promise<Uint8Array>;
  /** The same, as it comes. */
  readonly stdinChunks: () => AsyncIterable<Uint8Array>;
  readonly clock: Clock;
  /** Runs `work` after `ms`; returns a canceller. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Aborted by Ctrl-C or a kill, with the name of the signal as its reason: long-running commands end. */
  readonly stop: AbortSignal;
}
