/**
 * @module SQL expressions in tokens: how far one reaches and what it is made of. One walk with a count of open parentheses and no
 * recursion; words that stand next to each other, as they do in a sentence, end it.
 */
import { plainAt, type Token } from './sql-tokens.ts';

/** An expression that starts where it was asked for. */
export interface Expression {
  /** Index of the first token that is no part of it. */
  readonly next: number;
  /** It could end here: no operand is missing, no parenthesis open. */
  readonly whole: boolean;
  readonly constants: number;
  readonly names: number;
  readonly calls: number;
}

interface Walk {
  readonly tokens: readonly Token[];
  at: number;
  /** True where an operand must come, false where an operator may. */
  operand: boolean;
  depth: number;
  constants: number;
  names: number;
  calls: number;
}

const PREFIXES: ReadonlySet<string> = new Set('not binary all distinct any some exists select interval case when row'.split(' '));
const PREFIX_SIGNS: ReadonlySet<string> = new Set(['-', '+', '!', '~', '(']);
/** Words between two operands; the ones that need a second word have it in `PAIRED`. */
const INFIXES: ReadonlySet<string> = new Set(
  (
    'or and xor div mod like ilike rlike regexp glob in is between escape collate union having where limit offset from as when then else ' +
    'intersect except eqv imp'
  ).split(' '),
);
const PAIRED: Readonly<Record<string, RegExp>> = {
  not: /^(?:like|ilike|rlike|regexp|in|between|glob)$/,
  sounds: /^like$/,
  similar: /^to$/,
  order: /^by$/,
  group: /^by$/,
};
const CONSTANT_KINDS: ReadonlySet<string> = new Set(['string', 'number', 'quoted', 'variable']);
const CONSTANT_WORDS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'unknown']);
const SIGNS = /^(?:<=>|<>|<=|>=|!=|==|\|\||&&|:=|[=<>!|&^%*/+~-])$/;

/** How many tokens the infix at `at` has; 0 where there is none. */
export function infixLength(tokens: readonly Token[], at: number): number {
  const token = tokens[at];
  if (token?.kind === 'operator') return SIGNS.test(token.text) ? 1 : 0;
  if (token?.kind !== 'word') return 0;
  if (INFIXES.has(token.text)) return 1;
  const second = Object.hasOwn(PAIRED, token.text) ? PAIRED[token.text] : undefined;
  return second?.test(plainAt(tokens, at + 1)) === true ? 2 : 0;
}

function closeAt(walk: Walk): boolean {
  if (plainAt(walk.tokens, walk.at) !== ')' || walk.depth === 0) return false;
  walk.depth -= 1;
  walk.at += 1;
  walk.operand = false;
  return true;
}

function takeName(walk: Walk): void {
  walk.at += 1;
  while (plainAt(walk.tokens, walk.at) === '.' && /^(?:word|quoted)$/.test(walk.tokens[walk.at + 1]?.kind ?? '')) walk.at += 2;
}

function takeWord(walk: Walk, word: string): boolean {
  if (infixLength(walk.tokens, walk.at) > 0) return false;
  takeName(walk);
  if (plainAt(walk.tokens, walk.at) === '(') {
    walk.calls += 1;
    walk.depth += 1;
    walk.at += 1;
    closeAt(walk);
    return true;
  }
  if (CONSTANT_WORDS.has(word)) walk.constants += 1;
  else walk.names += 1;
  walk.operand = false;
  return true;
}

function takePrefix(walk: Walk, token: Token, word: string): boolean {
  if (!PREFIX_SIGNS.has(word) && !(token.kind === 'word' && PREFIXES.has(word))) return false;
  if (word === '(') walk.depth += 1;
  walk.at += 1;
  return true;
}

/** A string, a number, `\\N`; the star of `count(*)`. */
function takeValue(walk: Walk, token: Token, word: string): boolean {
  const { tokens, at } = walk;
  const nothing = word === '\\' && plainAt(tokens, at + 1) === 'n';
  const star = word === '*' && /^[(,]$|^(?:select|distinct|all)$/.test(plainAt(tokens, at - 1));
  if (!nothing && !star && !CONSTANT_KINDS.has(token.kind)) return false;
  walk.at += nothing ? 2 : 1;
  if (!star) walk.constants += 1;
  walk.operand = false;
  return true;
}

function takeOperand(walk: Walk): boolean {
  const token = walk.tokens[walk.at];
  if (token === undefined) return false;
  const word = plainAt(walk.tokens, walk.at);
  if (takePrefix(walk, token, word)) return true;
  return token.kind === 'word' ? takeWord(walk, word) : takeValue(walk, token, word);
}

function takeOperator(walk: Walk): boolean {
  const { tokens } = walk;
  if (closeAt(walk)) return true;
  const word = plainAt(tokens, walk.at);
  if (word === 'end' || (word === '::' && tokens[walk.at + 1]?.kind === 'word')) {
    walk.at += word === 'end' ? 1 : 2;
    return true;
  }
  const length = word === ',' && walk.depth > 0 ? 1 : infixLength(tokens, walk.at);
  if (length === 0) return false;
  walk.at += length;
  walk.operand = true;
  return true;
}

/** The expression at `at`; with `continues`, what goes on behind a value that stands before it. */
export function readExpression(tokens: readonly Token[], at: number, continues = false): Expression {
  const walk: Walk = { tokens, at, operand: !continues, depth: 0, constants: 0, names: 0, calls: 0 };
  while (walk.at < tokens.length && (walk.operand ? takeOperand(walk) : takeOperator(walk)));
  const { constants, names, calls } = walk;
  return { next: walk.at, whole: !walk.operand && walk.depth === 0, constants, names, calls };
}
