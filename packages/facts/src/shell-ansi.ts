/** @module Backslash escapes as `$'...'`, `echo -e` and `printf` know them (Bash 5.2, ANSI-C quoting). */

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['a', '\u0007'],
  ['b', '\b'],
  ['e', '\u001b'],
  ['E', '\u001b'],
  ['f', '\f'],
  ['v', '\v'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['?', '?'],
]);
const NUMERIC = /\\(?:x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|0?[0-7]{1,3}|c[\s\S]|[\s\S])/g;

function decodeOne(escape: string): string {
  const kind = escape[1] ?? '';
  if ('xuU'.includes(kind) && escape.length > 2) {
    const code = Number.parseInt(escape.slice(2), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  if (kind >= '0' && kind <= '7') return String.fromCodePoint(Number.parseInt(escape.slice(1), 8) & 0xff);
  if (kind === 'c' && escape.length > 2) return String.fromCodePoint((escape.codePointAt(2) ?? 0) & 0x1f);
  return SIMPLE.get(kind) ?? escape;
}

/** Text with its escapes decoded; an unknown escape stays as written. */
export function decodeAnsi(text: string): string {
  return text.includes('\\') ? text.replaceAll(NUMERIC, decodeOne) : text;
}
