/** @module String literals of inline code: Python, Perl, Ruby, JavaScript and PHP alike, read well enough for the words of a call. */
import { decodeAnsi } from './shell-ansi.ts';

/** The string literal at `at` and where it ends, or undefined. */
function readLiteral(code: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const quote = code[at] ?? '';
  if (quote !== '"' && quote !== "'") return undefined;
  const triple = quote.repeat(3);
  if (code.startsWith(triple, at)) {
    const close = code.indexOf(triple, at + 3);
    return close === -1 ? undefined : { text: decodeAnsi(code.slice(at + 3, close)), end: close + 3 };
  }
  let close = at + 1;
  while (close < code.length && code[close] !== quote) close += code[close] === '\\' ? 2 : 1;
  return { text: decodeAnsi(code.slice(at + 1, close)), end: Math.min(close + 1, code.length) };
}

/** Literals one after another, as the arguments of a call or the items of a list, and where they end. */
export function readLiterals(code: string, from: number): { readonly literals: readonly string[]; readonly end: number } {
  const literals: string[] = [];
  let at = from;
  for (;;) {
    const literal = readLiteral(code, at);
    if (literal === undefined) break;
    literals.push(literal.text);
    at = literal.end;
    const gap = /[\s,[]{0,16}/y;
    gap.lastIndex = at;
    at += gap.exec(code)?.[0].length ?? 0;
  }
  return { literals, end: at };
}
