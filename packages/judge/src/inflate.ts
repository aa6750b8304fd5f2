/**
 * @module Inflate (RFC 1951), for what the engine file carries compressed because most policies never need it. The engine imports
 * nothing, so it brings its own; the bytes are its own too, and anything that is not a whole stream is refused.
 */
import { CodedError } from '@countersign/kernel';

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const CODE_BITS_MAX = 15;

function distanceBase(symbol: number): number {
  return symbol < 4 ? symbol + 1 : (2 + (symbol & 1)) * 2 ** ((symbol >> 1) - 1) + 1;
}

function distanceExtra(symbol: number): number {
  return symbol < 4 ? 0 : (symbol >> 1) - 1;
}

function invalid(): CodedError {
  return new CodedError({ code: 'inflate_invalid', message: 'the compressed bytes are not whole' });
}

/** By the bits of a code as they arrive, of the longest code's length: symbol times 16 plus the length of the code. */
interface Codes {
  readonly table: Uint16Array;
  readonly bits: number;
}

function reversed(code: number, bits: number): number {
  let out = 0;
  for (let i = 0; i < bits; i += 1) out |= ((code >> i) & 1) << (bits - 1 - i);
  return out;
}

/** Canonical codes from their lengths. */
function codesOf(lengths: readonly number[]): Codes {
  const bits = Math.max(1, ...lengths);
  const table = new Uint16Array(1 << bits);
  let code = 0;
  for (let length = 1; length <= bits; length += 1) {
    for (const [symbol, of] of lengths.entries()) {
      if (of !== length) continue;
      if (code >= 1 << length) throw invalid();
      for (let at = reversed(code, length); at < table.length; at += 1 << length) table[at] = symbol * 16 + length;
      code += 1;
    }
    code *= 2;
  }
  return { table, bits };
}

const FIXED_LITERALS = codesOf(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
const FIXED_DISTANCES = codesOf(Array.from({ length: 30 }, () => 5));

class Inflater {
  readonly #bytes: Uint8Array;
  readonly out: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;
  written = 0;

  constructor(bytes: Uint8Array, length: number) {
    this.#bytes = bytes;
    this.out = new Uint8Array(length);
  }

  #fill(bits: number): void {
    while (this.#count < bits) {
      this.#held |= (this.#bytes[this.#at] ?? 0) << this.#count;
      this.#at += 1;
      this.#count += 8;
    }
    // A code may be looked up past the end; only what is taken must be there.
    if (this.#at > this.#bytes.length + 2) throw invalid();
  }

  bits(count: number): number {
    this.#fill(count);
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }

  symbol({ table, bits }: Codes): number {
    this.#fill(bits);
    const entry = table[this.#held & ((1 << bits) - 1)] ?? 0;
    const length = entry & CODE_BITS_MAX;
    if (length === 0) throw invalid();
    this.#held >>>= length;
    this.#count -= length;
    return entry >> 4;
  }

  put(byte: number): void {
    if (this.written >= this.out.length) throw invalid();
    this.out[this.written] = byte;
    this.written += 1;
  }

  copy(distance: number, length: number): void {
    const from = this.written - distance;
    if (from < 0 || this.written + length > this.out.length) throw invalid();
    // Byte by byte: a copy may read what it has just written.
    for (let i = 0; i < length; i += 1) this.out[this.written + i] = this.out[from + i] ?? 0;
    this.written += length;
  }

  stored(): void {
    this.bits(this.#count & 7);
    const length = this.bits(8) | (this.bits(8) << 8);
    const check = this.bits(8) | (this.bits(8) << 8);
    if (length !== (check ^ 0xff_ff)) throw invalid();
    for (let i = 0; i < length; i += 1) this.put(this.bits(8));
  }
}

function dynamicCodes(from: Inflater): readonly [literals: Codes, distances: Codes] {
  const [literals, distances, described] = [from.bits(5) + 257, from.bits(5) + 1, from.bits(4) + 4];
  const own: number[] = Array.from({ length: 19 }, () => 0);
  for (const place of ORDER.slice(0, described)) own[place] = from.bits(3);
  const codes = codesOf(own);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = from.symbol(codes);
    if (symbol < 16) lengths.push(symbol);
    else {
      const value = symbol === 16 ? (lengths.at(-1) ?? 0) : 0;
      const times = symbol === 16 ? 3 + from.bits(2) : symbol === 17 ? 3 + from.bits(3) : 11 + from.bits(7);
      for (let i = 0; i < times; i += 1) lengths.push(value);
    }
  }
  return [codesOf(lengths.slice(0, literals)), codesOf(lengths.slice(literals, literals + distances))];
}

function inflateBlock(into: Inflater, [literals, distances]: readonly [literals: Codes, distances: Codes]): void {
  for (;;) {
    const symbol = into.symbol(literals);
    if (symbol === 256) return;
    if (symbol < 256) into.put(symbol);
    else {
      const length = (LENGTH_BASE[symbol - 257] ?? 0) + into.bits(LENGTH_EXTRA[symbol - 257] ?? 0);
      const far = into.symbol(distances);
      into.copy(distanceBase(far) + into.bits(distanceExtra(far)), length);
    }
  }
}

/**
 * The bytes behind a raw DEFLATE stream.
 * @param length How many there are.
 * @throws {CodedError} `inflate_invalid` where the stream is damaged or gives another number of bytes.
 */
export function inflate(bytes: Uint8Array, length: number): Uint8Array {
  const into = new Inflater(bytes, length);
  for (let last = 0; last === 0;) {
    last = into.bits(1);
    const form = into.bits(2);
    if (form === 0) into.stored();
    else if (form === 1) inflateBlock(into, [FIXED_LITERALS, FIXED_DISTANCES]);
    else if (form === 2) inflateBlock(into, dynamicCodes(into));
    else throw invalid();
  }
  if (into.written !== length) throw invalid();
  return into.out;
}
