/**
 * @module What constant SQL is worth: sums, parentheses, `char()`, `concat()`, hexadecimal strings, folded in counted steps, so that
 * `(1+2)*3 = 9` and `char(97) = 'a'` are read as the comparisons of constants they are.
 */
import { SQL_LIMITS } from './sql-limits.ts';
import { plainAt, type Token } from './sql-tokens.ts';

/** A folded operand and the index after it. */
export interface Constant {
  readonly value: number | string;
  readonly next: number;
  /** It was written as more than one token. */
  readonly folded: boolean;
}

const CHARS: ReadonlySet<string> = new Set(['char', 'chr', 'nchar', 'concat', 'unhex']);

interface Fold {
  readonly tokens: readonly Token[];
  readonly stop: number;
  at: number;
}

function take(fold: Fold, text: string): boolean {
  if (fold.at >= fold.stop || plainAt(fold.tokens, fold.at) !== text) return false;
  fold.at += 1;
  return true;
}

function fromHex(digits: string): string {
  let text = '';
  for (let i = 0; i + 1 < digits.length; i += 2) text += String.fromCharCode(Number.parseInt(digits.slice(i, i + 2), 16));
  return text;
}

function callOf(name: string, values: readonly (number | string)[]): number | string | undefined {
  const text = values.join('');
  if (name === 'concat') return text;
  if (name === 'unhex') return /^(?:[0-9a-f]{2}){1,64}$/.test(text) ? fromHex(text) : undefined;
  return values.every((value) => typeof value === 'number' && value >= 0 && value < 65_536)
    ? String.fromCharCode(...values.map(Number)).toLowerCase()
    : undefined;
}

function readCall(fold: Fold, name: string, depth: number): number | string | undefined {
  const values: (number | string)[] = [];
  do {
    const value = readSum(fold, depth + 1);
    if (value === undefined) return undefined;
    values.push(value);
  } while (take(fold, ','));
  return take(fold, ')') ? callOf(name, values) : undefined;
}

function readEnclosed(fold: Fold, depth: number): number | string | undefined {
  const value = readSum(fold, depth + 1);
  return take(fold, ')') ? value : undefined;
}

function readNegative(fold: Fold, depth: number): number | undefined {
  const value = readUnit(fold, depth + 1);
  return typeof value === 'number' ? -value : undefined;
}

function readUnit(fold: Fold, depth: number): number | string | undefined {
  const token = fold.tokens[fold.at];
  if (token === undefined || fold.at >= fold.stop || depth > SQL_LIMITS.foldDepthMax) return undefined;
  if (take(fold, '-')) return readNegative(fold, depth);
  if (take(fold, '(')) return readEnclosed(fold, depth);
  fold.at += 1;
  if (token.kind === 'number') return Number(token.text);
  if (token.kind === 'string') return token.text;
  return token.kind === 'word' && CHARS.has(token.text) && take(fold, '(') ? readCall(fold, token.text, depth) : undefined;
}

function readProduct(fold: Fold, depth: number): number | string | undefined {
  let value = readUnit(fold, depth);
  for (;;) {
    const operator = plainAt(fold.tokens, fold.at);
    if (fold.at >= fold.stop || !/^[*/%]$/.test(operator)) return value;
    fold.at += 1;
    const right = readUnit(fold, depth);
    if (typeof value !== 'number' || typeof right !== 'number') return undefined;
    value = operator === '*' ? value * right : operator === '/' ? value / right : value % right;
  }
}

function readSum(fold: Fold, depth: number): number | string | undefined {
  let value = readProduct(fold, depth);
  for (;;) {
    const operator = plainAt(fold.tokens, fold.at);
    if (fold.at >= fold.stop || (operator !== '+' && operator !== '-')) return value;
    fold.at += 1;
    const right = readProduct(fold, depth);
    if (value === undefined || right === undefined) return undefined;
    // T-SQL adds strings with a plus sign.
    if (typeof value === 'number' && typeof right === 'number') value = operator === '+' ? value + right : value - right;
    else if (operator === '+') value = `${value}${right}`;
    else return undefined;
  }
}

/** The constant at `at`, or undefined where a name, an unknown call or a bound is met. */
export function constantAt(tokens: readonly Token[], at: number): Constant | undefined {
  const fold: Fold = { tokens, stop: Math.min(tokens.length, at + SQL_LIMITS.foldTokensMax), at };
  const value = readSum(fold, 0);
  return value === undefined || Number.isNaN(value) ? undefined : { value, next: fold.at, folded: fold.at > at + 1 };
}
