/**
 * @module The other side of a guard's host: a thread with one module, compiled once, of which every call gets an instance of its own. The
 * module sees two functions of ours and nothing else of this process. Functions and imports are made once, so that the engine makes its
 * wrappers for them once.
 */
import { parentPort, workerData } from 'node:worker_threads';

export interface ThreadSetup {
  readonly module: Uint8Array;
  /** Numbers of the capabilities that were granted. */
  readonly granted: readonly number[];
  readonly outputBytesMax: number;
}

export interface ThreadCall {
  readonly id: number;
  readonly action: string;
  /** JSON. */
  readonly input: string;
}

/** What became of a call; `output` is the text that the guard wrote, undefined where it does not handle the action. */
export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly output: string | undefined; readonly cpuMs: number }
  | { readonly id: number; readonly ok: false; readonly why: ThreadFault };

export type ThreadFault = 'abi_mismatch' | 'sandbox_fault' | 'capability_denied' | 'memory_exceeded' | 'bad_output';

/** Sent once: that it can be called, or why not. */
export type ThreadReady = { readonly ready: true } | { readonly ready: false; readonly message: string };

interface WasmModule {
  readonly brand: 'module';
}
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface WasmPort {
  readonly name: string;
  readonly kind: string;
}
/** What of WebAssembly is used here; its types belong to the DOM, which Node's do not bring. */
interface WasmHost {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): readonly (WasmPort & { readonly module: string })[];
    exports(module: WasmModule): readonly WasmPort[];
  };
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: GuardExports };
}
type GuardFunction = (...values: readonly number[]) => unknown;
/** Checked when the module was compiled. */
type GuardExports = Readonly<Record<(typeof GUARD_FUNCTIONS)[number], GuardFunction>> & { readonly memory: WasmMemory };

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WasmHost };

const ABI_VERSION = 1;
const NAMESPACE = 'clawdstrike_host';
const HOST_FUNCTIONS: ReadonlySet<string> = new Set(['set_output', 'request_capability']);
const GUARD_FUNCTIONS = ['clawdstrike_guard_init', 'clawdstrike_guard_handles', 'clawdstrike_guard_check'] as const;
const PAGE_BYTES = 65_536;
/** Where the original puts what it gives. */
const [ACTION_PLACE, INPUT_PLACE] = [1024, 8192] as const;

class CallStop extends Error {
  readonly why: ThreadFault;

  constructor(why: ThreadFault) {
    super(why);
    this.why = why;
  }
}

const setup = workerData as ThreadSetup;
const granted: ReadonlySet<number> = new Set(setup.granted);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Of the call under way. */
const call: { memory: WasmMemory | undefined; output: Uint8Array | undefined; fault: ThreadFault | undefined } = {
  memory: undefined,
  output: undefined,
  fault: undefined,
};

function setOutput(at: unknown, length: unknown): number {
  const [place, bytes] = [unsigned(at), unsigned(length)];
  const { memory } = call;
  const fits = memory !== undefined && place !== undefined && bytes !== undefined && place + bytes <= memory.buffer.byteLength;
  if (!fits || bytes > setup.outputBytesMax) {
    call.fault ??= 'bad_output';
    return -1;
  }
  call.output = new Uint8Array(memory.buffer, place, bytes).slice();
  return 0;
}

/** Positions come as signed numbers of 32 bits; the upper half of a memory is no different from the lower. */
function unsigned(value: unknown): number | undefined {
  return typeof value === 'number' ? value >>> 0 : undefined;
}

function requestCapability(kind: unknown): number {
  if (typeof kind === 'number' && granted.has(kind)) return 0;
  call.fault ??= 'capability_denied';
  return -1;
}

const IMPORTS = { [NAMESPACE]: { set_output: setOutput, request_capability: requestCapability } };

/** What is wrong with a module as a guard. */
function problemOf(module: WasmModule): string | undefined {
  const strange = WebAssembly.Module.imports(module).find(
    ({ module: from, name, kind }) => from !== NAMESPACE || kind !== 'function' || !HOST_FUNCTIONS.has(name),
  );
  if (strange !== undefined) return 'it imports something other than `set_output` and `request_capability`';
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  if (exported.get('memory') !== 'memory') return 'it does not export `memory`';
  const missing = GUARD_FUNCTIONS.find((name) => exported.get(name) !== 'function');
  return missing === undefined ? undefined : `it does not export \`${missing}\``;
}

/** Where a text was put. */
interface Placed {
  readonly at: number;
  readonly length: number;
}

/**
 * Puts a text behind everything that the module has, in pages of its own, so that it lies on nothing. A module that cannot grow gets it where
 * the original puts it; what does not fit is not cut.
 */
function put(memory: WasmMemory, text: string, otherwise: number): Placed {
  const bytes = encoder.encode(text);
  let at = memory.buffer.byteLength;
  try {
    memory.grow(Math.max(1, Math.ceil(bytes.length / PAGE_BYTES)));
  } catch {
    at = otherwise;
  }
  if (at + bytes.length > memory.buffer.byteLength) throw new CallStop('memory_exceeded');
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  return { at, length: bytes.length };
}

function status(run: GuardFunction, ...values: readonly number[]): number {
  const answer = run(...values);
  if (call.fault !== undefined) throw new CallStop(call.fault);
  if (typeof answer !== 'number') throw new CallStop('abi_mismatch');
  return answer;
}

function runCall(module: WasmModule, { action, input }: ThreadCall): string | undefined {
  call.memory = undefined;
  call.output = undefined;
  call.fault = undefined;
  const instance = new WebAssembly.Instance(module, IMPORTS).exports;
  const { memory } = instance;
  call.memory = memory;
  if (status(instance.clawdstrike_guard_init) !== ABI_VERSION) throw new CallStop('abi_mismatch');
  const named = put(memory, action, ACTION_PLACE);
  if (status(instance.clawdstrike_guard_handles, named.at, named.length) === 0) return undefined;
  const given = put(memory, input, INPUT_PLACE);
  call.output = undefined;
  if (status(instance.clawdstrike_guard_check, given.at, given.length) !== 0) throw new CallStop('sandbox_fault');
  if (call.output === undefined) throw new CallStop('bad_output');
  return decode(call.output);
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new CallStop('bad_output');
  }
}

/** Of this thread; where Node cannot tell, the time that has passed, which is more. */
function cpuMs(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function reply(module: WasmModule, request: ThreadCall): ThreadReply {
  const before = cpuMs();
  try {
    const output = runCall(module, request);
    return { id: request.id, ok: true, output, cpuMs: cpuMs() - before };
  } catch (thrown) {
    // A trap, a stack that is too deep, a function with another signature: all the guard's fault.
    return { id: request.id, ok: false, why: thrown instanceof CallStop ? thrown.why : 'sandbox_fault' };
  } finally {
    call.memory = undefined;
  }
}

function start(): void {
  let module: WasmModule;
  try {
    module = new WebAssembly.Module(setup.module);
  } catch {
    parentPort?.postMessage({ ready: false, message: 'it does not compile' } satisfies ThreadReady);
    return;
  }
  const problem = problemOf(module);
  parentPort?.postMessage((problem === undefined ? { ready: true } : { ready: false, message: problem }) satisfies ThreadReady);
  if (problem === undefined) parentPort?.on('message', (request: ThreadCall) => parentPort?.postMessage(reply(module, request)));
}

start();
