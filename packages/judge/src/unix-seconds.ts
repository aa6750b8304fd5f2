/** @module Unix seconds of a time as receipts write it, by the calendar: the judge has no clock and no library of one. */

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}Z$/;

/** Days from 1970-01-01, in the proleptic Gregorian calendar; years are counted from March. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** Seconds since the Unix epoch; 0 for what is no time, so that everything lies in its future. */
export function secondsOf(time: string): number {
  const found = TIME.exec(time);
  if (found === null) return 0;
  const [, year, month, day, hour, minute, second] = found.map(Number);
  return daysOf(year ?? 0, month ?? 1, day ?? 1) * 86_400 + (hour ?? 0) * 3600 + (minute ?? 0) * 60 + (second ?? 0);
}
