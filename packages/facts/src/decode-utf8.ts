/**
 * @module UTF-8, read as carelessly as the programs attackers aim at: overlong forms decode to the character they stand for,
 * bytes that are no UTF-8 become the Latin-1 character. `strictUtf8` is the careful sibling, for guessing whether bytes are text.
 */

const REPLACEMENT = '\ufffd';

function sequenceLength(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf7) return 4;
  if (lead >= 0xe0) return lead <= 0xef ? 3 : 1;
  return lead >= 0xc0 ? 2 : 1;
}

/** Text of `bytes`; overlong forms are accepted (`c0 af` is `/`), stray bytes become Latin-1. Total and linear. */
export function looseUtf8(bytes: readonly number[]): string {
  let text = '';
  let i = 0;
  while (i < bytes.length) {
    const lead = bytes[i] ?? 0;
    const length = sequenceLength(lead);
    let point = length === 1 ? lead : lead & (0xff >> (length + 1));
    let used = 1;
    while (used < length) {
      const next = bytes[i + used];
      if (next === undefined || (next & 0xc0) !== 0x80) break;
      point = (point << 6) | (next & 0x3f);
      used += 1;
    }
    if (used < length) {
      point = lead;
      used = 1;
    }
    text += point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? REPLACEMENT : String.fromCodePoint(point);
    i += used;
  }
  return text;
}

/**
 * Text of `bytes` where they are well-formed UTF-8 (RFC 3629) without control characters other than tab, line feed and carriage
 * return, and at least three of five characters are ASCII; else undefined. Reads at most `bytes.length` bytes and stops at the first bad one.
 */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  let text = '';
  let ascii = 0;
  let count = 0;
  let i = 0;
  while (i < bytes.length) {
    const lead = bytes[i] ?? 0;
    if (lead < 0x80) {
      if ((lead < 32 && lead !== 9 && lead !== 10 && lead !== 13) || lead === 127) return undefined;
      text += String.fromCharCode(lead);
      ascii += 1;
      i += 1;
    } else {
      const point = strictPoint(bytes, i);
      if (point < 0) return undefined;
      text += String.fromCodePoint(point);
      i += sequenceLength(lead);
    }
    count += 1;
  }
  return ascii * 5 >= count * 3 ? text : undefined;
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000] as const;

/** Code point of the multi-byte sequence at `i`, or -1 where there is none. */
function strictPoint(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] ?? 0;
  const length = sequenceLength(lead);
  if (length === 1) return -1;
  let point = lead & (0xff >> (length + 1));
  for (let k = 1; k < length; k += 1) {
    const next = bytes[i + k];
    if (next === undefined || (next & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (next & 0x3f);
  }
  if (point < (SMALLEST[length] ?? 0) || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return -1;
  return point < 0xa0 ? -1 : point;
}
