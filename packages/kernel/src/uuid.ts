/**
 * @module UUID version 7 (RFC 9562): time-ordered ids from a clock and a source of randomness.
 */
import { invariant } from './errors.ts';
import type { Clock, Random } from './ports.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for any UUID in lower-case canonical form. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID_SHAPE.test(text);
}

/**
 * A fresh UUIDv7: 48 bits of milliseconds, 74 random bits. Takes over the bytes it was given.
 * @throws {InvariantError} when the source of randomness gives another number of bytes than it was asked for.
 */
export function uuidv7(clock: Clock, random: Random): string {
  const bytes = random.bytes(16);
  invariant(bytes.length === 16, 'a UUID takes 16 random bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const ms = clock.nowMs();
  view.setUint16(0, Math.floor(ms / 2 ** 32));
  view.setUint32(2, ms % 2 ** 32);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  let text = '';
  for (let i = 0; i < 16; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[view.getUint8(i)];
  }
  return text;
}
