/**
 * @module The two ways a program can stop: the world failed (`CodedError`) or we did (`InvariantError`).
 * Callers switch on `code`, never on the message or across packages on the class.
 */

/** What a fault says: a stable code, where it was found, and what to do next. Never a secret, never a stack. */
export interface Fault<Code extends string = string> {
  readonly code: Code;
  /** Lower-case sentence without a period; input in backticks, capped by the caller. */
  readonly message: string;
  /** JSON pointer, file path or field name of the fault, where there is one. */
  readonly path?: string;
  /** Zero-based half-open span in the input, where there is one. */
  readonly span?: { readonly start: number; readonly end: number };
  /** The next thing a person can do. */
  readonly hint?: string;
}

/** The world failed: a disk, a peer, a document on it. Carries a stable `code`. */
export class CodedError<Code extends string = string> extends Error {
  override readonly name = 'CodedError';
  readonly code: Code;
  readonly fault: Fault<Code>;

  constructor(fault: Fault<Code>, options?: { cause?: unknown }) {
    super(fault.message, options);
    this.code = fault.code;
    this.fault = fault;
  }
}

/** Our own bug. Stays on in production; the door answers deny. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly code = 'invariant';
}

/**
 * States what must be true here whatever the input was.
 * @throws {InvariantError} when the condition is false.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The stable code of anything thrown; `unexpected` where it has none. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return 'unexpected';
}
