/**
 * @module A text read as it lands in a query, and the shapes of whole expressions in it: one that goes on behind a quote, one that a comment
 * cuts off, a call that takes the rest of the query for its arguments, a call that is cast.
 */
import { compareAt } from './sql-features.ts';
import { infixLength, readExpression } from './sql-expression.ts';
import { isCall } from './sql-heads.ts';
import { plainAt, type Context, type Token } from './sql-tokens.ts';

/** A text read in one context: `body` is what follows the quote it broke out of. */
export interface Landing {
  readonly context: Context;
  readonly tokens: readonly Token[];
  readonly body: readonly Token[];
  readonly broke: boolean;
  /** A comment directly behind the quote, or at the end. */
  readonly comments: boolean;
  readonly commentFirst: boolean;
  /** The text ends in a comment with nothing in it. */
  readonly commentLast: boolean;
}

/** The text ends in a comment with nothing in it: what follows in the query is cut off. */
export function endsInBlankComment(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  return last?.kind === 'comment' && last.text.trim() === '';
}

/** The last string is left for the query around it to close, and holds next to nothing: `'0`, `' b`. */
export function leavesQuote(body: readonly Token[], context: Context): boolean {
  const last = body.at(-1);
  if (last === undefined || last.closed || (last.kind !== 'string' && last.kind !== 'quoted')) return false;
  return last.quote === context && /^(?:[\s\d]{0,6}|\s?[a-z]{0,2}\s?)$/.test(last.text);
}

/** `x' * id - '0`, `' and (1+2)=3 --`: behind the quote an expression goes on to the end, and the query's own quote is taken care of. */
export function continuesExpression({ body, broke, comments, context }: Landing): boolean {
  if (!broke || infixLength(body, 0) === 0) return false;
  const { next, whole, constants, calls } = readExpression(body, 0, true);
  if (!whole || next < body.length || constants + calls === 0) return false;
  return comments || leavesQuote(body, context);
}

/** Whether tokens that begin outside a string are an expression in parentheses and nothing else. */
export function isEnclosed(body: readonly Token[]): boolean {
  if (plainAt(body, 0) !== '(') return false;
  const { next, whole, constants } = readExpression(body, 0);
  return whole && next === body.length && constants > 0;
}

/** `(1 or 'b') --`: nothing but an expression in parentheses, and a comment for what follows. */
export function cutsExpression({ body, context, commentLast }: Landing): boolean {
  return context === '' && commentLast && isEnclosed(body);
}

/** `charset(user())`, `mid(@@hostname, 1, 1)`: nothing but calls that ask the server about itself. */
export function asksServer({ body, context }: Landing, features: ReadonlySet<string>): boolean {
  if (context !== '' || !features.has('asks')) return false;
  const { next, whole, calls } = readExpression(body, 0);
  return whole && next === body.length && (calls > 1 || (calls > 0 && body.some((token) => token.kind === 'variable')));
}

const JOINTS: ReadonlySet<string> = new Set(['or', 'and', '||', '&&', 'xor', 'having', 'where']);
const COMPARING = /^(?:=|==|<=>|<>|!=|<|>|<=|>=)$/;

/** `x and cos(3) = sin(4)`: behind the last joint, to the end, a comparison in which nothing is named. */
export function comparesNothingNamed({ body }: Landing): boolean {
  const joint = body.findLastIndex((token) => token.kind !== 'string' && JOINTS.has(token.text));
  if (joint < 1) return false;
  const { next, whole, names, calls } = readExpression(body, joint + 1);
  return whole && next === body.length && names === 0 && calls > 0 && body.some(({ text }, at) => at > joint && COMPARING.test(text));
}

/** T-SQL needs no `;` between statements: right behind the quote, one that no sentence starts with. */
export function followsQuote({ body, broke }: Landing): boolean {
  const second = plainAt(body, 1);
  switch (broke ? plainAt(body, 0) : '') {
    case 'waitfor':
      return second === 'delay' || second === 'time';
    case 'declare':
      return second.startsWith('@');
    case 'exec':
    case 'execute':
      return /^(?:xp_|sp_|@|\(|master$)/.test(second);
    default:
      return false;
  }
}

/** `group_concat(`: the arguments are what the query goes on with. `, find_in_set('22', c)`: one more column. */
export function opensCall({ body, context }: Landing): boolean {
  if (context !== '') return false;
  if (body.length === 2) return isCall(body, 0);
  return plainAt(body, 0) === ',' && isCall(body, 1) && readExpression(body, 1).next === body.length;
}

const TYPES =
  /^(?:int[248]?|integer|bigint|smallint|text|varchar|char|numeric|float[48]?|bool|boolean|date|jsonb?|regclass|name|bytea|xml|money)$/;

/** `f(x)::int`: what a call gives is cast, so that the error tells it. */
export function castsCall({ body, context }: Landing): boolean {
  return (
    context === '' && body.some((token, at) => token.text === '::' && plainAt(body, at - 1) === ')' && TYPES.test(plainAt(body, at + 1)))
  );
}

/** `'x'!='y`: nothing but a comparison of two strings, the last one for the query to close. */
export function comparesStrings({ body, context }: Landing): boolean {
  if (context !== '' || body.length !== 3 || body[0]?.kind !== 'string' || body[2]?.kind !== 'string') return false;
  return !body[2].closed && compareAt(body, 0).result !== undefined;
}
