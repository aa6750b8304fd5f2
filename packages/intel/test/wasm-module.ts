/** @module WebAssembly written by hand for tests: each part of a guard's module can be right, or wrong in one place. */

export function leb(value: number): readonly number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return out;
}

/** A signed constant. */
export function i32(value: number): readonly number[] {
  const out: number[] = [0x41];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    out.push(done ? low : low | 0x80);
    if (done) return out;
  }
}

function text(value: string): readonly number[] {
  const bytes = [...Buffer.from(value)];
  return [...leb(bytes.length), ...bytes];
}

export function section(id: number, ...items: readonly (readonly number[])[]): readonly number[] {
  const content = [...leb(items.length), ...items.flat()];
  return [id, ...leb(content.length), ...content];
}

const HEAD = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I32 = 0x7f;
/** (i32, i32) -> i32; i32 -> i32; () -> i32. */
export const TYPES = section(1, [0x60, 2, I32, I32, 1, I32], [0x60, 1, I32, 1, I32], [0x60, 0, 1, I32]);
const fun = (from: string, name: string, type: number): readonly number[] => [...text(from), ...text(name), 0, type];

export interface GuardParts {
  /** Limits of the memory as bytes. */
  readonly memory?: readonly number[];
  readonly imports?: readonly (readonly number[])[];
  /** Bodies without locals and `end`; `call 0` is set_output, `call 1` request_capability. */
  readonly init?: readonly number[];
  readonly handles?: readonly number[];
  readonly check?: readonly number[];
  /** Texts of the memory by their places. */
  readonly data?: Readonly<Record<number, string>>;
  /** Exports that are left out. */
  readonly without?: readonly string[];
  readonly sections?: { readonly types?: readonly number[]; readonly table?: readonly number[]; readonly memory?: readonly number[] };
}

export const RETURN_0 = i32(0);
export const RETURN_1 = i32(1);
export const DROP = [0x1a];
/** Writes `length` bytes at `at` as the output. */
export const output = (at: number, length: number): readonly number[] => [...i32(at), ...i32(length), 0x10, 0, ...DROP];
export const capability = (kind: number): readonly number[] => [...i32(kind), 0x10, 1, ...DROP];
export const FOREVER = [0x03, 0x40, 0x0c, 0, 0x0b];
export const TRAP = [0x00];
/** What `check` was given, as it stands: the two parameters handed to set_output. */
export const ECHO = [0x20, 0, 0x20, 1, 0x10, 0, ...DROP];

export const IMPORTS = [fun('clawdstrike_host', 'set_output', 0), fun('clawdstrike_host', 'request_capability', 1)];
export const importOf = fun;

function body(code: readonly number[]): readonly number[] {
  const whole = [0, ...code, 0x0b];
  return [...leb(whole.length), ...whole];
}

/** A module of a guard; without anything said it handles everything and writes nothing. */
export function guardModule(parts: GuardParts = {}): Uint8Array {
  const imports = parts.imports ?? IMPORTS;
  const own = imports.length;
  const exported: readonly (readonly [string, readonly number[]])[] = [
    ['memory', [2, 0]],
    ['clawdstrike_guard_init', [0, ...leb(own)]],
    ['clawdstrike_guard_handles', [0, ...leb(own + 1)]],
    ['clawdstrike_guard_check', [0, ...leb(own + 2)]],
  ];
  const kept = exported.filter(([name]) => parts.without?.includes(name) !== true);
  const data = Object.entries(parts.data ?? {}).map(([at, value]) => [0, ...i32(Number(at)), 0x0b, ...text(value)]);
  return Uint8Array.from([
    ...HEAD,
    ...(parts.sections?.types ?? TYPES),
    ...section(2, ...imports),
    ...section(3, [2], [0], [0]),
    ...(parts.sections?.table ?? []),
    ...(parts.sections?.memory ?? section(5, parts.memory ?? [0, 1])),
    ...section(7, ...kept.map(([name, what]) => [...text(name), ...what])),
    ...section(10, body(parts.init ?? RETURN_1), body(parts.handles ?? RETURN_1), body([...(parts.check ?? []), ...RETURN_0])),
    ...section(11, ...data),
  ]);
}

/** A guard that says the same of everything. */
export function sayingModule(said: string, parts: GuardParts = {}): Uint8Array {
  return guardModule({ ...parts, data: { 64: said }, check: [...(parts.check ?? []), ...output(64, Buffer.byteLength(said))] });
}
