/** @module RFC 3339 times as milliseconds, by the calendar: this room has no clock and no library of one. */

const DATE = /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T/;
const CLOCK = /T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})?(?:Z|([+-](?:[01]\d|2[0-3])):([0-5]\d))$/;

/** Days from 1970-01-01, in the proleptic Gregorian calendar; years are counted from March. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

function daysIn(year: number, month: number): number {
  return month === 12 ? 31 : daysOf(year, month + 1, 1) - daysOf(year, month, 1);
}

/** Whole seconds, as milliseconds; undefined for what is no time, or names no zone. A leap second is the second after it. */
export function writtenMs(text: string): number | undefined {
  const [date, clock] = [DATE.exec(text), CLOCK.exec(text)];
  if (date === null || clock === null || date[0].length + clock[0].length !== text.length + 1) return undefined;
  const [year, month, day] = [Number(date[1]), Number(date[2]), Number(date[3])];
  if (day > daysIn(year, month)) return undefined;
  const seconds = Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
  const hours = clock[4] ?? '+00';
  const offset = Number(hours.slice(1)) * 3600 + Number(clock[5] ?? 0) * 60;
  return (daysOf(year, month, day) * 86_400 + seconds - (hours.startsWith('-') ? -offset : offset)) * 1000;
}
