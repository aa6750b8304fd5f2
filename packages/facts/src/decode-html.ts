/** @module HTML character references: numeric ones and the named ones that matter to a payload (HTML Living Standard, 13.5). */
import { hexValue } from './decode-escapes.ts';

const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['tab', '\t'],
  ['newline', '\n'],
  ['colon', ':'],
  ['semi', ';'],
  ['comma', ','],
  ['period', '.'],
  ['excl', '!'],
  ['num', '#'],
  ['dollar', '$'],
  ['percnt', '%'],
  ['lpar', '('],
  ['rpar', ')'],
  ['ast', '*'],
  ['midast', '*'],
  ['plus', '+'],
  ['sol', '/'],
  ['bsol', '\\'],
  ['equals', '='],
  ['quest', '?'],
  ['commat', '@'],
  ['lsqb', '['],
  ['lbrack', '['],
  ['rsqb', ']'],
  ['rbrack', ']'],
  ['hat', '^'],
  ['lowbar', '_'],
  ['grave', '`'],
  ['lcub', '{'],
  ['lbrace', '{'],
  ['rcub', '}'],
  ['rbrace', '}'],
  ['verbar', '|'],
  ['vert', '|'],
  ['hyphen', '-'],
  ['shy', ''],
  ['zwj', ''],
  ['zwnj', ''],
]);

/** Longest name in the table, and most digits of a number that are read (leading zeros included). */
const NAME_MAX = 8;
const DIGITS_MAX = 12;

interface Reference {
  readonly text: string;
  readonly end: number;
}

/** Windows-1252 is not applied to 128..159: such a reference stays what it says. */
function numeric(text: string, at: number): Reference | undefined {
  const hex = (text.charCodeAt(at + 2) | 0x20) === 0x78;
  const first = at + (hex ? 3 : 2);
  let end = first;
  let value = 0;
  while (end - first < DIGITS_MAX) {
    const digit = hexValue(text.charCodeAt(end));
    if (digit < 0 || (!hex && digit > 9)) break;
    value = value * (hex ? 16 : 10) + digit;
    end += 1;
  }
  if (end === first || value > 0x10ffff || value === 0) return undefined;
  if (text.charCodeAt(end) === 0x3b) end += 1;
  return { text: String.fromCodePoint(value), end };
}

function named(text: string, at: number): Reference | undefined {
  const end = text.slice(at + 1, at + 2 + NAME_MAX).indexOf(';');
  if (end <= 0) return undefined;
  const value = NAMED.get(text.slice(at + 1, at + 1 + end).toLowerCase());
  return value === undefined ? undefined : { text: value, end: at + 2 + end };
}

/** Decodes character references once; undefined where there was none. The semicolon is optional after a number only. */
export function decodeHtml(text: string): string | undefined {
  let out = '';
  let from = 0;
  let at = text.indexOf('&');
  while (at >= 0) {
    const found = text.charCodeAt(at + 1) === 0x23 ? numeric(text, at) : named(text, at);
    if (found !== undefined) {
      out += text.slice(from, at) + found.text;
      from = found.end;
    }
    at = text.indexOf('&', found === undefined ? at + 1 : found.end);
  }
  return from === 0 ? undefined : out + text.slice(from);
}
