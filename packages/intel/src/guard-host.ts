/**
 * @module One guard in WebAssembly: a thread that lives on from call to call and is killed when a call does not end in time. Whatever goes
 * wrong is a coded error, and the next call finds a fresh thread. Nothing that a guard does can be mistaken for a permission.
 */
import { Worker } from 'node:worker_threads';
import { CodedError, err, type Fault, ok, type Result } from '@countersign/kernel';
import type { AskingWorld } from './asking.ts';
import type { ThreadCall, ThreadReady, ThreadReply, ThreadSetup } from './guard-thread.ts';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

export interface HostedGuard {
  /** Fenced (`fenceModule`). */
  readonly module: Uint8Array;
  /** Numbers of the capabilities that were granted. */
  readonly granted: readonly number[];
  /** Of one call, the wait for earlier ones included. */
  readonly timeoutMs: number;
  /** Processor time of one call. */
  readonly cpuMs: number;
}

export interface GuardHost {
  /** Has the module compiled and held against the ABI. */
  start(): Promise<Result<undefined, Fault>>;
  /**
   * What the guard wrote; undefined where it does not handle the action.
   * @throws {CodedError} `guard_timeout`, `guard_cpu_exceeded`, `guard_trap`, `guard_bad_output`, `guard_capability_denied`, `guard_abi_mismatch`,
   * `guard_memory_exceeded`, `guard_died`, `guard_busy`.
   */
  check(call: { readonly action: string; readonly input: string }, signal: AbortSignal): Promise<string | undefined>;
  /**
   * The thread goes as soon as nobody waits for it. Whoever asks later, because his action began before, is still answered, by a thread that
   * goes after him.
   */
  close(): Promise<void>;
}

const THREAD_FILE = new URL(import.meta.url.endsWith('.ts') ? './guard-thread.ts' : './guard-thread.js', import.meta.url);

const CODES: Readonly<Record<Extract<ThreadReply, { ok: false }>['why'], string>> = {
  abi_mismatch: 'guard_abi_mismatch',
  sandbox_fault: 'guard_trap',
  capability_denied: 'guard_capability_denied',
  memory_exceeded: 'guard_memory_exceeded',
  bad_output: 'guard_bad_output',
};

function failure(code: string): CodedError {
  return new CodedError({ code, message: `the guard gave no answer: ${code}` });
}

/** A thread that has said that it is ready, or will. */
interface Seat {
  readonly worker: Worker;
  readonly ready: Promise<Result<undefined, Fault>>;
  /** Settles the call under way; undefined between calls. */
  settle: ((reply: ThreadReply | CodedError) => void) | undefined;
}

function openSeat({ module, granted }: HostedGuard, died: () => void): Seat {
  const setup: ThreadSetup = { module, granted, outputBytesMax: LIMITS.guardOutputBytesMax };
  const worker = new Worker(THREAD_FILE, {
    workerData: setup,
    // It gets nothing of this process.
    env: {},
    argv: [],
    resourceLimits: { maxOldGenerationSizeMb: LIMITS.guardHeapMb, stackSizeMb: LIMITS.guardStackMb },
  });
  worker.unref();
  const { promise: ready, resolve } = Promise.withResolvers<Result<undefined, Fault>>();
  const seat: Seat = { worker, ready, settle: undefined };
  const refuse = (message: string): void => resolve(err({ code: 'guard_module', message: `the module is refused: ${message}` }));
  const die = (): void => {
    refuse('its thread died before it was ready');
    seat.settle?.(failure('guard_died'));
    died();
  };
  worker.on('message', (message: ThreadReady | ThreadReply) => {
    if (!('ready' in message)) seat.settle?.(message);
    else if (message.ready) resolve(ok(undefined));
    else refuse(message.message);
  });
  worker.on('error', die);
  worker.on('exit', die);
  return seat;
}

class ThreadHost implements GuardHost {
  readonly #guard: HostedGuard;
  readonly #world: Pick<AskingWorld, 'timer'>;
  #seat: Seat | undefined;
  /** Ends when the last call that was let in has ended. */
  #turn: Promise<unknown> = Promise.resolve();
  #calls = 0;
  #nextId = 1;
  #closed = false;

  constructor(guard: HostedGuard, world: Pick<AskingWorld, 'timer'>) {
    this.#guard = guard;
    this.#world = world;
  }

  #sit(): Seat {
    const seat = (this.#seat ??= openSeat(this.#guard, () => {
      if (this.#seat === seat) this.#seat = undefined;
    }));
    return seat;
  }

  /** The thread goes, whatever it is doing. */
  async #dismiss(seat: Seat, code: string): Promise<void> {
    if (this.#seat === seat) this.#seat = undefined;
    seat.settle?.(failure(code));
    await seat.worker.terminate();
  }

  /** Rejects when the time is over or the caller lets go; `cancel` when neither matters any more. */
  #late(ms: number, signal: AbortSignal | undefined): { readonly late: Promise<never>; readonly cancel: () => void } {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const end = (): void => reject(failure('guard_timeout'));
    const stop = this.#world.timer.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted === true) end();
    // Nobody may be waiting for it any more.
    late.catch(() => undefined);
    const cancel = (): void => {
      stop();
      signal?.removeEventListener('abort', end);
    };
    return { late, cancel };
  }

  async start(): Promise<Result<undefined, Fault>> {
    if (this.#closed) return err({ code: 'guard_closed', message: 'the guard was closed' });
    const seat = this.#sit();
    const { late, cancel } = this.#late(LIMITS.guardStartMs, undefined);
    try {
      const ready = await Promise.race([seat.ready, late]);
      if (!ready.ok) await this.#dismiss(seat, 'guard_died');
      return ready;
    } catch {
      await this.#dismiss(seat, 'guard_timeout');
      return err({ code: 'guard_module', message: 'the module is refused: it takes too long to compile' });
    } finally {
      cancel();
    }
  }

  async check(call: { readonly action: string; readonly input: string }, signal: AbortSignal): Promise<string | undefined> {
    if (this.#calls >= LIMITS.guardCallsMax) throw failure('guard_busy');
    this.#calls += 1;
    const { late, cancel } = this.#late(this.#guard.timeoutMs, signal);
    const before = this.#turn;
    const { promise: over, resolve: leave } = Promise.withResolvers<undefined>();
    this.#turn = before.then(() => over);
    try {
      await Promise.race([before, late]);
      return await this.#run(call, late);
    } finally {
      leave(undefined);
      cancel();
      this.#calls -= 1;
      await this.#goIfDone();
    }
  }

  async #run(call: { readonly action: string; readonly input: string }, late: Promise<never>): Promise<string | undefined> {
    const seat = this.#sit();
    const ready = await Promise.race([seat.ready, late]);
    if (!ready.ok) throw failure('guard_died');
    const { promise: answered, resolve } = Promise.withResolvers<ThreadReply | CodedError>();
    seat.settle = resolve;
    try {
      seat.worker.postMessage({ id: this.#nextId++, ...call } satisfies ThreadCall);
      return outputOf(await Promise.race([answered, late]), this.#guard.cpuMs);
    } catch (error) {
      // It may still be running, and what it would say would be taken for the answer to the next call.
      if (error instanceof CodedError && error.code === 'guard_timeout') await this.#dismiss(seat, 'guard_timeout');
      throw error;
    } finally {
      seat.settle = undefined;
    }
  }

  async #goIfDone(): Promise<void> {
    if (this.#closed && this.#calls === 0 && this.#seat !== undefined) await this.#dismiss(this.#seat, 'guard_died');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#goIfDone();
  }
}

function outputOf(reply: ThreadReply | CodedError, cpuMs: number): string | undefined {
  if (reply instanceof CodedError) throw reply;
  if (!reply.ok) throw failure(CODES[reply.why]);
  if (reply.cpuMs > cpuMs) throw failure('guard_cpu_exceeded');
  return reply.output;
}

/** A guard whose thread starts with `start` or the first call. */
export function openGuardHost(guard: HostedGuard, world: Pick<AskingWorld, 'timer'>): GuardHost {
  return new ThreadHost(guard, world);
}
