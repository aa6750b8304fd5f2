/**
 * @module Spaced letters: `i g n o r e`, `i.g.n.o.r.e`, `i-g-n-o-r-e`. A run of single characters with one separator between them is
 * drawn together; two separators or a blank more are the space between words. Shorter runs are initials, lists and formulas.
 */
import { FACTS_LIMITS } from './limits.ts';

const SEPARATORS: ReadonlySet<string> = new Set(' .-_*/|~+');
const GAP_MAX = 8;

function isBlank(sign: string): boolean {
  return sign === ' ' || sign === '\n' || sign === '\t' || sign === '\r';
}

function isLetter(code: number): boolean {
  const low = code | 0x20;
  return (low >= 0x61 && low <= 0x7a) || code >= 0xc0;
}

function isWordSign(sign: string): boolean {
  const code = sign.charCodeAt(0);
  return isLetter(code) || (code >= 0x30 && code <= 0x39);
}

interface Run {
  readonly end: number;
  readonly text: string;
  readonly letters: number;
}

/** True where one character stands before a separator, a blank, a sign or the end. */
function isSingle(text: string, at: number, separator: string): boolean {
  const sign = text.charAt(at);
  if (sign === '' || isBlank(sign) || sign === separator) return false;
  const next = text.charAt(at + 1);
  return next === '' || next === separator || !isWordSign(next);
}

/** End of the separators and blanks from `at` on. */
function gapEnd(text: string, at: number, separator: string): number {
  let end = at;
  while (end < at + GAP_MAX && (text.charAt(end) === separator || isBlank(text.charAt(end)))) end += 1;
  return end;
}

/** The run of single characters from `start` on, drawn together. */
function runAt(text: string, start: number, separator: string): Run {
  let out = '';
  let letters = 0;
  let at = start;
  for (;;) {
    out += text.charAt(at);
    if (isLetter(text.charCodeAt(at))) letters += 1;
    at += 1;
    const next = gapEnd(text, at, separator);
    if (next === at || !isSingle(text, next, separator)) return { end: at, text: out, letters };
    if (next > at + 1 || text.charAt(at) !== separator) out += ' ';
    at = next;
  }
}

/** `text` with its runs of spaced letters drawn together; undefined where there is none. Each character is looked at a fixed number of times. */
export function drawTogether(text: string): string | undefined {
  const pieces: string[] = [];
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const separator = text.charAt(at + 1);
    const sign = text.charAt(at);
    if (!SEPARATORS.has(separator) || SEPARATORS.has(sign) || isBlank(sign) || (at > 0 && isWordSign(text.charAt(at - 1)))) {
      at += 1;
      continue;
    }
    const run = runAt(text, at, separator);
    if (run.letters >= FACTS_LIMITS.spacedLettersMin) {
      pieces.push(text.slice(from, at), run.text);
      from = run.end;
    }
    at = run.end;
  }
  if (pieces.length === 0) return undefined;
  return pieces.join('') + text.slice(from);
}
