/**
 * @module What a command is: one entry of a table. The table makes the parser, the help, the completions and the tests.
 */
import type { Outcome } from './outcome.ts';
import type { Paint } from './render.ts';
import type { World } from './world.ts';

/** What was typed: arguments by position, options by name. */
export interface Input {
  readonly args: readonly string[];
  /** Arguments of the last, repeatable position. */
  readonly rest: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

export interface Context {
  readonly world: World;
  readonly paint: Paint;
  /** Absolute path of the data directory. */
  readonly dataDir: string;
  readonly json: boolean;
  /** Shows `text` on stderr when `work` takes longer than a second. */
  progress<T>(text: string, work: () => Promise<T>): Promise<T>;
  /** Writes a line at once: for commands that go on and on. */
  line(text: string): void;
}

export interface CommandOption {
  /** As commander reads it, e.g. `--key <vkey...>`. */
  readonly flags: string;
  readonly summary: string;
}

export interface Command {
  /** Words, e.g. `policy validate`. */
  readonly path: string;
  /** As commander reads it, e.g. `<file>`; `[host...]` repeats. */
  readonly args?: string;
  readonly summary: string;
  readonly options?: readonly CommandOption[];
  readonly examples: readonly string[];
  run(input: Input, context: Context): Outcome | Promise<Outcome>;
}

/** The text of an option, or undefined where it was not given. */
export function textOption(input: Input, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** All texts of a repeatable option. */
export function listOption(input: Input, name: string): readonly string[] {
  const value = input.options[name];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** True where a flag was given. */
export function flag(input: Input, name: string): boolean {
  return input.options[name] === true;
}
