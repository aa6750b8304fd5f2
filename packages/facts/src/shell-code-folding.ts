/**
 * @module Strings that inline code puts together from constants: joined literals, `chr(114)`, reversed text, base64 and hex. What comes out
 * stands as a literal where the call stood, and once more on a line of its own, for it may be code that is then run.
 */
import { outputOf } from './shell-output.ts';

/** Rounds of folding: base64 of code that joins its strings, and so on. */
const ROUNDS_MAX = 3;
const DECODED_MAX = 32;

const JOIN = /(['"])\s{0,4}[+.]\s{0,4}\1/g;
const CHAR =
  /\b(?:chr|String\.fromCharCode)\(\s{0,2}((?:\d{1,3}|0x[0-9a-f]{2})(?:\s{0,2},\s{0,2}(?:\d{1,3}|0x[0-9a-f]{2})){0,128})\s{0,2}\)/gi;
const REVERSED = /b?(['"])([^'"\\\n]{1,2048})\1\s{0,2}(?:\[::-1\]|\.reverse(?:!|\b(?:\(\))?))/g;
const BASE64 =
  /\b(?:[\w.]{1,24}\.)?(?:b64decode|urlsafe_b64decode|decode_base64|base64_decode|decode64|strict_decode64|decodestring|atob)\(\s{0,4}b?(['"])([A-Za-z0-9+/_=\s-]{4,16384})\1\s{0,4}\)(?:\.(?:decode|toString)\([^)]{0,24}\))?/g;
const BUFFER =
  /\bBuffer\.from\(\s{0,4}(['"])([A-Za-z0-9+/_=-]{4,16384})\1\s{0,4},\s{0,4}['"](base64|hex)['"]\s{0,4}\)(?:\.toString\([^)]{0,24}\))?/g;
const HEX =
  /\b(?:[\w.]{1,24}\.)?(?:fromhex|unhexlify|hex2bin)\(\s{0,4}b?(['"])([0-9A-Fa-f\s]{4,16384})\1\s{0,4}\)(?:\.decode\([^)]{0,24}\))?/g;
const FOLDS =
  /b64|base64|decode64|decodestring|atob|fromhex|unhexlify|hex2bin|chr\(|fromCharCode|\[::-1\]|\.reverse|['"]\s{0,4}[+.]\s{0,4}['"]/i;

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fromCodes(list: string): string {
  return String.fromCharCode(...list.split(',').map(Number));
}

/** One round; what was decoded is put into `decoded`. */
function foldOnce(code: string, decoded: string[]): string {
  const literal = (text: string | undefined, whole: string): string => {
    if (text === undefined || decoded.length >= DECODED_MAX) return whole;
    decoded.push(text);
    return quoted(text);
  };
  return code
    .replaceAll(BASE64, (whole: string, _quote: string, text: string) => literal(outputOf('base64', ['-d'], text), whole))
    .replaceAll(BUFFER, (whole, ...[, text, how]: string[]) =>
      literal(how === 'hex' ? outputOf('xxd', ['-r', '-p'], text) : outputOf('base64', ['-d'], text), whole),
    )
    .replaceAll(HEX, (whole: string, _quote: string, text: string) => literal(outputOf('xxd', ['-r', '-p'], text), whole))
    .replaceAll(CHAR, (_whole: string, list: string) => quoted(fromCodes(list)))
    .replaceAll(REVERSED, (_whole: string, _quote: string, text: string) => quoted(Array.from(text).reverse().join('')))
    .replaceAll(JOIN, '');
}

/** The code with its constant strings folded; the code itself where there is nothing to fold. Linear: a bounded number of rounds. */
export function foldCode(code: string): string {
  if (!FOLDS.test(code)) return code;
  let folded = code;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const decoded: string[] = [];
    const next = [foldOnce(folded, decoded), ...decoded].join('\n');
    if (next === folded) break;
    folded = next;
  }
  return folded;
}
