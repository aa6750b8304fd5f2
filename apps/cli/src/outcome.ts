/**
 * @module How a command ends: an exit code, a value for machines and a text for people. Exit codes are those of Clawdstrike's
 * command line, so that scripts keep working.
 */
import { CodedError, codeOf, type Fault, InvariantError, type JsonObject, type JsonValue } from '@countersign/kernel';

/** `ok` is also allow, `deny` is also every check that failed. */
export const EXIT = { ok: 0, warn: 1, deny: 2, config: 3, runtime: 4, usage: 5 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Outcome {
  /** One of `EXIT`, or a code of `verify --exit-codes`. */
  readonly exitCode: number;
  /** Properties of the JSON answer. */
  readonly json: JsonObject;
  /** What a person reads; ends without a newline. Empty: nothing is printed. */
  readonly text: string;
}

/** The command could not do what it was asked; `hint` is the next thing to try. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly faults: readonly Fault[];

  constructor(exitCode: ExitCode, faults: readonly Fault[], options?: { cause?: unknown }) {
    super(faults[0]?.message ?? 'failed', options);
    this.exitCode = exitCode;
    this.faults = faults;
  }
}

/** Wrong arguments: exit 5. */
export function usageError(message: string, hint: string): CliError {
  return new CliError(EXIT.usage, [{ code: 'invalid_arguments', message, hint }]);
}

/** A document or setting is wrong: exit 3. */
export function configError(faults: readonly Fault[]): CliError {
  return new CliError(EXIT.config, faults);
}

/** The world failed: exit 4. */
export function runtimeError(fault: Fault, cause?: unknown): CliError {
  return new CliError(EXIT.runtime, [fault], { cause });
}

/** Codes of thrown errors that are about what the user configured. */
const CONFIG_CODES = /_invalid$|^invalid_|_unknown$|^settings_|_too_large$/;

/** Turns anything thrown into faults and an exit code; our own bugs are named as such, without a stack. */
export function describeError(thrown: unknown): { readonly exitCode: ExitCode; readonly faults: readonly Fault[] } {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof CodedError) {
    const { fault } = thrown as CodedError;
    return { exitCode: CONFIG_CODES.test(fault.code) ? EXIT.config : EXIT.runtime, faults: [fault] };
  }
  if (thrown instanceof InvariantError) {
    return {
      exitCode: EXIT.runtime,
      faults: [{ code: 'invariant', message: `this is a bug of ours: ${thrown.message}`, hint: 'please report it' }],
    };
  }
  const message = thrown instanceof Error ? thrown.message : 'something failed';
  return { exitCode: EXIT.runtime, faults: [{ code: codeOf(thrown), message }] };
}

/** A fault as JSON: only what is known. */
export function faultJson(fault: Fault): JsonObject {
  const { code, message, path, hint } = fault;
  const place = 'line' in fault && typeof fault.line === 'number' ? { line: fault.line } : {};
  const column = 'column' in fault && typeof fault.column === 'number' ? { column: fault.column } : {};
  const entries: [string, JsonValue | undefined][] = Object.entries({ kind: code, message, path, ...place, ...column, hint });
  return Object.fromEntries(entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
}
