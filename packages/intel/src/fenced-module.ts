/**
 * @module A guard's module before it is compiled: its memory and tables get the maximum that the operator allows, written into the module
 * itself, so that the engine refuses to grow them further. What could allocate elsewhere (garbage-collected types, 64-bit or shared memory,
 * several memories) is refused. The engine validates the rest. One pass, linear; nothing is run here.
 */
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

const PAGES_PER_MB = 16;
const HEAD = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] as const;
const [TYPES, TABLES, MEMORIES] = [1, 4, 5] as const;
const FUNCTION_TYPE = 0x60;
/** i32, i64, f32, f64, v128, funcref, externref. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);
const TABLE_TYPES: ReadonlySet<number> = new Set([0x70, 0x6f]);

class ModuleStop extends Error {}

function stop(message: string): never {
  throw new ModuleStop(message);
}

class ModuleReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) stop('it ends too early');
    const byte = this.bytes[this.at] ?? 0;
    this.at += 1;
    return byte;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value <= 0xff_ff_ff_ff ? value : stop('a number is too large');
    }
    return stop('a number is too long');
  }

  /** How many of something follow. */
  items(): number {
    const count = this.u32();
    return count <= LIMITS.moduleItemsMax ? count : stop(`more than ${String(LIMITS.moduleItemsMax)} parts of one kind`);
  }

  /** The next `length` bytes, for a reader of their own. */
  part(length: number): ModuleReader {
    const start = this.at;
    if (length > this.end - start) stop('it ends too early');
    this.at += length;
    return new ModuleReader(this.bytes, start, this.at);
  }

  done(): void {
    if (this.at !== this.end) stop('a section is longer than what it holds');
  }
}

function leb(value: number): readonly number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return out;
}

/** Parameters or results of a function. */
function checkValues(section: ModuleReader): void {
  for (let left = section.items(); left > 0; left -= 1)
    if (!VALUE_TYPES.has(section.byte())) stop('it has types other than functions of plain values');
}

function checkTypes(section: ModuleReader): void {
  for (let left = section.items(); left > 0; left -= 1) {
    if (section.byte() !== FUNCTION_TYPE) stop('it has types other than functions of plain values');
    checkValues(section);
    checkValues(section);
  }
  section.done();
}

/** Minimum and maximum, the maximum no greater than `max`. */
function fencedLimits(section: ModuleReader, max: number, what: string): readonly number[] {
  const flags = section.byte();
  if (flags > 1) stop(`its ${what} is shared or counted in 64 bits`);
  const least = section.u32();
  const most = flags === 1 ? section.u32() : max;
  if (least > max) stop(`its ${what} is larger than allowed from the start`);
  if (most < least) stop(`its ${what} has a maximum below its minimum`);
  return [0x01, ...leb(least), ...leb(Math.min(most, max))];
}

function fencedTables(section: ModuleReader): readonly number[] {
  const count = section.items();
  const out = [...leb(count)];
  // Shared out, so that all tables together stay below the limit.
  const each = Math.floor(LIMITS.tableElementsMax / Math.max(1, count));
  for (let left = count; left > 0; left -= 1) {
    const type = section.byte();
    if (!TABLE_TYPES.has(type)) stop('it has a table of a kind that is not read here');
    out.push(type, ...fencedLimits(section, each, 'table'));
  }
  section.done();
  return out;
}

function fencedMemory(section: ModuleReader, pagesMax: number): readonly number[] {
  if (section.items() !== 1) stop('it has more than one memory');
  const limits = fencedLimits(section, pagesMax, 'memory');
  section.done();
  return [0x01, ...limits];
}

function fencedSections(bytes: Uint8Array, pagesMax: number): Uint8Array {
  const module = new ModuleReader(bytes, 0, bytes.length);
  for (const byte of HEAD) if (module.byte() !== byte) stop('it is no WebAssembly module of version 1');
  const out: Uint8Array[] = [bytes.subarray(0, HEAD.length)];
  let memories = 0;
  while (module.at < module.end) {
    const start = module.at;
    const id = module.byte();
    const section = module.part(module.u32());
    if (id === TYPES) checkTypes(section);
    if (id === MEMORIES) memories += 1;
    const changed = id === TABLES ? fencedTables(section) : id === MEMORIES ? fencedMemory(section, pagesMax) : undefined;
    out.push(changed === undefined ? bytes.subarray(start, module.at) : Uint8Array.from([id, ...leb(changed.length), ...changed]));
  }
  if (memories !== 1) stop('it has no memory of its own');
  return new Uint8Array(Buffer.concat(out));
}

/** The module with its maximums written in. */
export function fenceModule(bytes: Uint8Array, memoryMb: number): Result<Uint8Array, Fault> {
  if (bytes.length > LIMITS.moduleBytesMax)
    return err({ code: 'guard_module', message: `the module is larger than ${String(LIMITS.moduleBytesMax)} bytes` });
  try {
    return ok(fencedSections(bytes, memoryMb * PAGES_PER_MB));
  } catch (thrown) {
    if (!(thrown instanceof ModuleStop)) throw thrown;
    return err({ code: 'guard_module', message: `the module is refused: ${thrown.message}` });
  }
}
