/**
 * @module The PostgreSQL grammar (libpg-query 18.1.5, WebAssembly) without its JavaScript loader: that loader reads a file, wants
 * `require` and `__dirname`, and starts work on import, so it neither bundles nor fits a room without I/O. The 25 imports the module
 * asks for are small; their one-letter names belong to this exact build, which the test of `createParsers` pins.
 */
import { CodedError } from '@countersign/kernel';

/** What the grammar said about a text: its parse tree as JSON text, or that it is not PostgreSQL. */
export type SqlParse = { readonly ok: true; readonly json: string } | { readonly ok: false; readonly message: string };

/** The PostgreSQL grammar. Synchronous and stateless from the outside. */
export interface SqlParser {
  /** The raw parse tree of every statement in `text` (`{"stmts":[...]}`), or the grammar's complaint. Never throws for what the text is. */
  parse(text: string): SqlParse;
}

type WasmFunction = (...values: number[]) => number;

interface WasmHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
}

/** Thrown through the module where C would `longjmp`; only `guarded` catches it. */
class LongJump extends Error {}

interface Runtime {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly table: { get(index: number): WasmFunction };
  readonly call: (name: string, ...values: number[]) => number;
}

/** Export names of libpg-query 18.1.5. */
const EXPORTS = {
  memory: 'z',
  table: 'D',
  start: 'A',
  malloc: 'C',
  free: 'E',
  parse: 'F',
  freeResult: 'G',
  setThrew: 'P',
  stackRestore: 'Q',
  stackSave: 'R',
} as const;
/** Import names under which C calls back through the function table. */
const INVOKES = ['g', 'b', 'a', 'd', 'k', 'l', 'e', 'f', 'h', 'j', 'i', 'y', 'n'] as const;
const PAGE_BYTES = 65_536;
const PAGES_MAX = 4096;

function wasmHost(): WasmHost {
  const found = (globalThis as unknown as { readonly WebAssembly?: WasmHost }).WebAssembly;
  if (found === undefined)
    throw new CodedError({ code: 'wasm_missing', message: 'this host has no WebAssembly', hint: 'run on Node 22.13 or later' });
  return found;
}

function guarded(runtime: () => Runtime): (index: number, ...values: number[]) => number {
  return (index, ...values) => {
    const { call, table } = runtime();
    const stack = call(EXPORTS.stackSave);
    try {
      return table.get(index)(...values);
    } catch (thrown) {
      call(EXPORTS.stackRestore, stack);
      if (!(thrown instanceof LongJump)) throw thrown;
      call(EXPORTS.setThrew, 1, 0);
      return 0;
    }
  };
}

function guardedLong(runtime: () => Runtime): (index: number, ...values: number[]) => bigint {
  const call = guarded(runtime);
  return (index, ...values) => {
    const answer: unknown = call(index, ...values);
    return typeof answer === 'bigint' ? answer : 0n;
  };
}

/** Grows by what was asked; refuses beyond the cap, which the grammar answers with "out of memory". */
function growBy(runtime: () => Runtime): (bytes: number) => number {
  return (bytes) => {
    const { memory } = runtime();
    const pages = Math.ceil(((bytes >>> 0) - memory.buffer.byteLength) / PAGE_BYTES);
    if (memory.buffer.byteLength / PAGE_BYTES + pages > PAGES_MAX) return 0;
    memory.grow(Math.max(pages, 1));
    return 1;
  };
}

/** Swallows what C writes to stderr: counts the bytes of all vectors, as POSIX writev does. */
function swallow(runtime: () => Runtime): (...values: readonly [file: number, vectors: number, count: number, written: number]) => number {
  return (...[, vectors, count, written]) => {
    const view = new DataView(runtime().memory.buffer);
    let total = 0;
    for (let i = 0; i < count; i += 1) total += view.getUint32(vectors + i * 8 + 4, true);
    view.setUint32(written, total, true);
    return 0;
  };
}

function importsFor(runtime: () => Runtime): Record<string, unknown> {
  const stop = (): never => {
    throw new Error('the grammar aborted');
  };
  const imports: Record<string, unknown> = {
    c: stop,
    x: stop,
    m: stop,
    v: stop,
    w: () => undefined,
    o: () => 0,
    p: () => {
      throw new LongJump('longjmp');
    },
    q: growBy(runtime),
    r: () => 8,
    s: () => 8,
    t: swallow(runtime),
    u: () => 0,
  };
  for (const name of INVOKES) imports[name] = name === 'l' ? guardedLong(runtime) : guarded(runtime);
  return imports;
}

function instantiate(host: WasmHost, module: object): Runtime {
  let runtime: Runtime | undefined;
  const current = (): Runtime => {
    if (runtime === undefined) throw new Error('the grammar called back before it started');
    return runtime;
  };
  const { exports } = new host.Instance(module, { a: importsFor(current) });
  runtime = {
    memory: exports[EXPORTS.memory] as Runtime['memory'],
    table: exports[EXPORTS.table] as Runtime['table'],
    call: (name, ...values) => (exports[name] as WasmFunction)(...values),
  };
  runtime.call(EXPORTS.start);
  return runtime;
}

function readString(memory: Runtime['memory'], at: number, decoder: TextDecoder): string {
  const bytes = new Uint8Array(memory.buffer);
  return decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

function parseWith(runtime: Runtime, bytes: Uint8Array, decoder: TextDecoder): SqlParse {
  const { call, memory } = runtime;
  const query = call(EXPORTS.malloc, bytes.length + 1);
  const target = new Uint8Array(memory.buffer);
  target.set(bytes, query);
  target[query + bytes.length] = 0;
  const result = call(EXPORTS.parse, query);
  const view = new DataView(memory.buffer);
  const tree = view.getUint32(result, true);
  const fault = view.getUint32(result + 8, true);
  const answer: SqlParse =
    fault === 0 && tree !== 0
      ? { ok: true, json: readString(memory, tree, decoder) }
      : { ok: false, message: fault === 0 ? 'no parse tree' : readString(memory, view.getUint32(fault, true), decoder) };
  call(EXPORTS.free, query);
  call(EXPORTS.freeResult, result);
  return answer;
}

/**
 * Compiles and starts the grammar from its bytes.
 * @throws {CodedError} `wasm_missing` without WebAssembly, `sql_grammar_invalid` when the bytes are not libpg-query 18.1.5.
 */
export function createSqlParser(wasm: Uint8Array): SqlParser {
  const host = wasmHost();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let module: object;
  let runtime: Runtime;
  try {
    module = new host.Module(new Uint8Array(wasm));
    runtime = instantiate(host, module);
  } catch (cause) {
    const message = 'the SQL grammar could not be started from these bytes';
    throw new CodedError({ code: 'sql_grammar_invalid', message, hint: 'pass libpg-query 18.1.5 `libpg-query.wasm`' }, { cause });
  }
  return {
    parse(text: string): SqlParse {
      if (text.includes('\0')) return { ok: false, message: 'NUL in the text' };
      try {
        return parseWith(runtime, encoder.encode(text), decoder);
      } catch {
        // The module's memory is not to be trusted after a trap: a fresh instance of the compiled module costs a millisecond.
        runtime = instantiate(host, module);
        return { ok: false, message: 'the grammar gave up on this text' };
      }
    },
  };
}
