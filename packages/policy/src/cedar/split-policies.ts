/**
 * @module Cedar text to single policies with the place of each: a `;` outside strings, comments and brackets ends one.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { POLICY_LIMITS } from '../limits.ts';

export interface CedarPiece {
  readonly text: string;
  /** Offset of its first character in the whole text. */
  readonly start: number;
}

export interface SplitFault {
  readonly message: string;
  readonly at: number;
}

/** Behind the string that begins at `at`; the end of the text where it is not closed. */
function afterString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function afterLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

/** Behind whatever begins at `at` and holds no syntax: a string, a comment; else `at`. */
function afterOpaque(text: string, at: number): number {
  if (text[at] === '"') return afterString(text, at);
  return text.startsWith('//', at) ? afterLine(text, at) : at;
}

/** Behind blanks and comments. */
function afterBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && text.charCodeAt(at) <= 32) at += 1;
    if (!text.startsWith('//', at)) return at;
    at = afterLine(text, at);
  }
}

/** The policies of a text, in order. Linear; what stands behind the last `;` is a piece too, so that Cedar refuses it. */
export function splitPolicies(text: string): Result<readonly CedarPiece[], SplitFault> {
  const pieces: CedarPiece[] = [];
  let start = afterBlank(text, 0);
  let depth = 0;
  for (let at = start; at < text.length;) {
    const after = afterOpaque(text, at);
    if (after > at) {
      at = after;
      continue;
    }
    const char = text[at] ?? '';
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char)) depth -= 1;
    if (depth > POLICY_LIMITS.cedarDepthMax)
      return err({ message: `brackets stand more than ${String(POLICY_LIMITS.cedarDepthMax)} deep`, at });
    at += 1;
    if (char !== ';' || depth > 0) continue;
    pieces.push({ text: text.slice(start, at), start });
    if (pieces.length > POLICY_LIMITS.cedarPoliciesMax)
      return err({ message: `more than ${String(POLICY_LIMITS.cedarPoliciesMax)} policies`, at });
    start = afterBlank(text, at);
    at = start;
    depth = 0;
  }
  if (start < text.length) pieces.push({ text: text.slice(start), start });
  return ok(pieces);
}

const ANNOTATION = /@[A-Za-z_][A-Za-z0-9_]*[ \t\r\n]*(?:\([ \t\r\n]*"(?:[^"\\]|\\.)*"[ \t\r\n]*\))?/sy;
const FORBID = /forbid\b/y;

/** True for the text of one policy that begins, behind its annotations, with `forbid`. */
export function isForbid(piece: string): boolean {
  let at = afterBlank(piece, 0);
  while (piece[at] === '@') {
    ANNOTATION.lastIndex = at;
    if (!ANNOTATION.test(piece)) return false;
    at = afterBlank(piece, ANNOTATION.lastIndex);
  }
  FORBID.lastIndex = at;
  return FORBID.test(piece);
}
