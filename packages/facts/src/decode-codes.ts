/**
 * @module Codes for single letters: bytes written as numbers with something between them (`01101001 01100111`, `105 103`, `69:67`), and
 * Morse. Long runs only, for short ones are addresses, versions and ornaments.
 */
import { strictUtf8 } from './decode-utf8.ts';

const BINARY = /\b[01]{8}(?:[\s,]{0,2}[01]{8}){3,}\b/g;
const DECIMAL = /\b\d{2,3}(?:[\s,;]{1,2}\d{2,3}){3,}\b/g;
const HEXADECIMAL = /\b(?:0x)?[0-9a-f]{2}(?:[\s:,]{1,2}(?:0x)?[0-9a-f]{2}){3,}\b/gi;

function textOfBytes(run: string, radix: 2 | 10 | 16): string | undefined {
  const groups = radix === 2 ? (run.match(/[01]{8}/g) ?? []) : run.split(/[\s,;:]{1,2}/);
  const bytes = new Uint8Array(groups.length);
  for (const [i, group] of groups.entries()) {
    const byte = Number.parseInt(group, radix);
    if (byte > 255 || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)) return undefined;
    bytes[i] = byte;
  }
  return strictUtf8(bytes);
}

function replaceRuns(text: string, pattern: RegExp, decode: (run: string) => string | undefined): string | undefined {
  const out = text.replace(pattern, (run) => decode(run) ?? run);
  return out === text ? undefined : out;
}

/** Runs of bytes in base 2, 10 or 16 as text; undefined where none reads as text. */
export function decodeOctets(text: string): string | undefined {
  return (
    replaceRuns(text, BINARY, (run) => textOfBytes(run, 2)) ??
    replaceRuns(text, DECIMAL, (run) => textOfBytes(run, 10)) ??
    replaceRuns(text, HEXADECIMAL, (run) => textOfBytes(run, 16))
  );
}

/** ITU-R M.1677, letters and digits. */
const MORSE: ReadonlyMap<string, string> = new Map(
  (
    'a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- w.-- x-..- y-.-- z--.. ' +
    '0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----.'
  )
    .split(' ')
    .map((entry) => [entry.slice(1), entry.charAt(0)]),
);
const CODE_OF: ReadonlyMap<string, string> = new Map(Array.from(MORSE, ([code, sign]) => [sign, code]));
const MORSE_RUN = /[.-]{1,5}(?:(?: {1,3}| ?\/ ?)[.-]{1,5}){5,}/g;

/** A word of letters in Morse, a blank between two letters. */
export function morseOf(word: string): string {
  return Array.from(word, (sign) => CODE_OF.get(sign) ?? '/').join(' ');
}

/** Runs of Morse as letters; undefined where there is none. A code that is no letter stays out. */
export function decodeMorse(text: string): string | undefined {
  return replaceRuns(text, MORSE_RUN, (run) =>
    run
      .split(/ ?\/ ?| {2,3}/)
      .map((word) =>
        word
          .split(' ')
          .map((code) => MORSE.get(code) ?? '')
          .join(''),
      )
      .join(' '),
  );
}
