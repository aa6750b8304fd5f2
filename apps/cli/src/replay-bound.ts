/** @module Where a replay begins or ends: the number of an entry, or a time in UTC. */
import { usageError } from './outcome.ts';
import type { Bound } from './replay-log.ts';

const INDEX = /^(?:0|[1-9][0-9]{0,15})$/;
const TIME = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?Z)?$/;

/** `2026-01-31`, `2026-01-31T12:30Z`, `2026-01-31T12:30:05.5Z`; as receipts write times, so that texts compare as times do. */
function readTime(text: string): string | undefined {
  const [, day = '', minute = '00:00', second = '00', fraction = '0'] = TIME.exec(text) ?? [];
  const time = `${day}T${minute}:${second}.${fraction.padEnd(3, '0')}Z`;
  // A day that no month has would compare as something else.
  const read = new Date(time);
  return Number.isNaN(read.getTime()) || read.toISOString() !== time ? undefined : time;
}

/** @throws {CliError} exit 5 for what is neither. */
export function readBound(text: string | undefined, option: string): Bound | undefined {
  if (text === undefined) return undefined;
  if (INDEX.test(text)) {
    const index = Number(text);
    if (Number.isSafeInteger(index)) return { index };
  }
  const time = readTime(text);
  if (time !== undefined) return { time };
  throw usageError(`${option} takes the number of an entry or a time like 2026-01-31T12:00Z`, 'countersign replay --help');
}
