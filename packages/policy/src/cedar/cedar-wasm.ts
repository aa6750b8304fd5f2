/**
 * @module Cedar (`@cedar-policy/cedar-wasm` 4.13.0, WebAssembly) without its JavaScript glue: that glue keeps one instance for a whole
 * process, whose prepared sets are never forgotten and which a trap leaves broken. Here every compiled policy has an instance of its own,
 * so that what is judged depends on nothing that was loaded before. The six imports belong to this exact build; a test pins them.
 */
import { CodedError } from '@countersign/kernel';

/** A policy, entity or context as Cedar's JSON has it. */
export type CedarJson = string | number | boolean | readonly CedarJson[] | { readonly [key: string]: CedarJson };

/** What Cedar has to object to; `start` counts UTF-8 bytes of the text. */
export interface CedarError {
  readonly message: string;
  readonly help?: string | null;
  readonly sourceLocations?: readonly { readonly start: number; readonly label?: string | null }[];
}

/** One question to a prepared set. */
export interface CedarCall {
  readonly principal: CedarJson;
  readonly action: CedarJson;
  readonly resource: CedarJson;
  readonly context: CedarJson;
  readonly entities: CedarJson;
}

export type CedarAnswer =
  | {
      readonly type: 'success';
      readonly response: {
        readonly decision: 'allow' | 'deny';
        readonly diagnostics: {
          readonly reason: readonly string[];
          readonly errors: readonly { readonly policyId: string; readonly error: CedarError }[];
        };
      };
    }
  | { readonly type: 'failure'; readonly errors: readonly CedarError[] };

export type Parsed =
  | { readonly type: 'success'; readonly json: CedarJson }
  | { readonly type: 'failure'; readonly errors: readonly CedarError[] };

export type Validated =
  | {
      readonly type: 'success';
      readonly validationErrors: readonly { readonly policyId: string; readonly error: CedarError }[];
      readonly validationWarnings: readonly { readonly policyId: string; readonly error: CedarError }[];
    }
  | { readonly type: 'failure'; readonly errors: readonly CedarError[] };

/** Policy texts by id. */
export type CedarTexts = Readonly<Record<string, string>>;

/** One instance. Synchronous; a call that traps throws, and the instance is not to be asked again. */
export interface CedarInstance {
  parse(policy: string): Parsed;
  validate(schema: string, policies: CedarTexts): Validated;
  /** Keeps a parsed set under a name. */
  prepare(
    name: string,
    policies: CedarTexts,
  ): { readonly type: 'success' } | { readonly type: 'failure'; readonly errors: readonly CedarError[] };
  ask(name: string, call: CedarCall): CedarAnswer;
}

/** Where instances come from. Nothing is read or compiled before the first one is wanted. */
export interface Cedar {
  open(): CedarInstance;
}

type WasmFunction = (...values: unknown[]) => unknown;

interface WasmHost {
  readonly Module: (new (bytes: Uint8Array) => object) & {
    imports(module: object): readonly { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
}

interface WasmTable {
  grow(count: number): number;
  set(index: number, value: unknown): void;
}

interface Runtime {
  readonly call: (name: string, ...values: unknown[]) => unknown;
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly table: WasmTable;
}

// ES2024 without the platform: the two that every host of this engine has.
const { TextEncoder, TextDecoder, WebAssembly } = globalThis as unknown as {
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (label: string, options: { readonly fatal: boolean }) => { decode(bytes: Uint8Array): string };
  readonly WebAssembly?: WasmHost;
};

function number(value: unknown): number {
  if (typeof value !== 'number') throw new CodedError({ code: 'cedar_wasm_invalid', message: 'the Cedar module answered out of form' });
  return value;
}

/** Writes a text into the module's memory. */
function put({ call, memory }: Runtime, text: string): readonly [start: number, bytes: number] {
  const bytes = new TextEncoder().encode(text);
  const start = number(call('__wbindgen_malloc', bytes.length, 1)) >>> 0;
  new Uint8Array(memory.buffer, start, bytes.length).set(bytes);
  return [start, bytes.length];
}

function take({ memory }: Runtime, start: number, bytes: number): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(memory.buffer, start >>> 0, bytes >>> 0));
}

/** A throw that the module wants to see as an error of its own. */
function guarded(runtime: () => Runtime, work: WasmFunction): WasmFunction {
  return (...values) => {
    try {
      return work(...values);
    } catch (thrown) {
      const { call, table } = runtime();
      const index = number(call('__externref_table_alloc'));
      table.set(index, thrown);
      return call('__wbindgen_exn_store', index);
    }
  };
}

/** What the module calls back, by the plain part of the import's name. */
function callbacks(runtime: () => Runtime): ReadonlyMap<string, WasmFunction> {
  return new Map<string, WasmFunction>([
    ['parse', guarded(runtime, (start, bytes): unknown => JSON.parse(take(runtime(), number(start), number(bytes))))],
    ['stringify', guarded(runtime, (value) => JSON.stringify(value))],
    [
      '__wbindgen_throw',
      (start, bytes) => {
        throw new Error(take(runtime(), number(start), number(bytes)));
      },
    ],
    [
      '__wbindgen_string_get',
      (place, value) => {
        const [start, bytes] = typeof value === 'string' ? put(runtime(), value) : [0, 0];
        const view = new DataView(runtime().memory.buffer);
        view.setUint32(number(place), start, true);
        view.setUint32(number(place) + 4, bytes, true);
      },
    ],
    ['__wbindgen_is_undefined', (value) => value === undefined],
    [
      'init_externref_table',
      () => {
        const { table } = runtime();
        const first = table.grow(4);
        table.set(0, undefined);
        for (const [i, value] of [undefined, null, true, false].entries()) table.set(first + i, value);
      },
    ],
  ]);
}

/** `__wbg_parse_545d...` is `parse`: what stands behind the last `_` is a hash of the build. */
function plainName(name: string): string {
  return name === '__wbindgen_init_externref_table' ? 'init_externref_table' : name.replace(/^__wbg_/, '').replace(/_[0-9a-f]{16}$/, '');
}

function instantiate(host: WasmHost, module: object): Runtime {
  const holder: { runtime?: Runtime } = {};
  const known = callbacks(() => {
    if (holder.runtime === undefined)
      throw new CodedError({ code: 'cedar_wasm_invalid', message: 'the Cedar module calls back before it is ready' });
    return holder.runtime;
  });
  const imports: Record<string, Record<string, unknown>> = {};
  for (const { module: from, name } of host.Module.imports(module)) {
    const callback = known.get(plainName(name));
    if (callback === undefined) throw new CodedError({ code: 'cedar_wasm_invalid', message: 'these bytes are not Cedar 4.13.0' });
    imports[from] = { ...imports[from], [name]: callback };
  }
  const { exports } = new host.Instance(module, imports);
  holder.runtime = {
    call: (name, ...values) => (exports[name] as WasmFunction)(...values),
    memory: exports['memory'] as Runtime['memory'],
    table: exports['__wbindgen_externrefs'] as WasmTable,
  };
  holder.runtime.call('__wbindgen_start');
  return holder.runtime;
}

function instanceOf(runtime: Runtime): CedarInstance {
  // The answers are those of the typed interface of this build, made by its own serialiser.
  return {
    parse: (policy) => runtime.call('policyToJson', policy) as Parsed,
    validate: (schema, policies) =>
      runtime.call('validate', { schema, policies: { staticPolicies: policies }, validationSettings: { mode: 'strict' } }) as Validated,
    prepare: (name, policies) =>
      runtime.call('preparsePolicySet', ...put(runtime, name), { staticPolicies: policies }) as ReturnType<CedarInstance['prepare']>,
    ask: (name, call) =>
      runtime.call('statefulIsAuthorized', { ...call, preparsedPolicySetId: name, validateRequest: false }) as CedarAnswer,
  };
}

/**
 * Cedar from its bytes, compiled when the first instance is wanted.
 * @param bytes `cedar_wasm_bg.wasm` of 4.13.0; asked once.
 * @throws {CodedError} (from `open`) `wasm_missing` or `cedar_wasm_invalid`.
 */
export function createCedar(bytes: () => Uint8Array): Cedar {
  let module: object | undefined;
  return {
    open() {
      if (WebAssembly === undefined)
        throw new CodedError({ code: 'wasm_missing', message: 'this host has no WebAssembly', hint: 'run on Node 22.13 or later' });
      try {
        module ??= new WebAssembly.Module(bytes());
        return instanceOf(instantiate(WebAssembly, module));
      } catch (cause) {
        throw new CodedError({ code: 'cedar_wasm_invalid', message: 'Cedar could not be started from these bytes' }, { cause });
      }
    },
  };
}
