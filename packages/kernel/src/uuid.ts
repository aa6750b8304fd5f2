/**
 * @module UUID version 7 (RFC 9562): time-ordered ids from a clock and a source of randomness.
 */
import type { Clock, Random } from './ports.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for any UUID in lower-case canonical form. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID_SHAPE.test(text);
}

/** A fresh UUIDv7: 48 bits of milliseconds, 74 random bits. */
export function uuidv7(clock: Clock, random: Random): string {
  const bytes = random.bytes(16);
  const ms = clock.nowMs();
  bytes[0] = Math.floor(ms / 2 ** 40) & 0xff;
  bytes[1] = Math.floor(ms / 2 ** 32) & 0xff;
  bytes[2] = (ms / 2 ** 24) & 0xff;
  bytes[3] = (ms / 2 ** 16) & 0xff;
  bytes[4] = (ms / 2 ** 8) & 0xff;
  bytes[5] = ms & 0xff;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  let text = '';
  for (let i = 0; i < 16; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[bytes[i] ?? 0] ?? '00';
  }
  return text;
}
