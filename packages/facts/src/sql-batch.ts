/**
 * @module Batches: statements that no semicolon parts. T-SQL ends them where the next begins (`SELECT 1 DROP TABLE t`), at `GO`, and
 * puts them behind `IF`, `WHILE` and `BEGIN`. Read as one they would hide all but the first.
 */
import { plainAt, type Token } from './sql-tokens.ts';

/** Words behind which `update`, `delete` and their kin are part of what is being said. */
const JOINED: ReadonlySet<string> = new Set(
  'for on then key of by no before after instead or and , . ( as with grant revoke deny when do raise set = @'.split(' '),
);
/** Statements whose own text holds others that do not run: definitions, and what is only explained or granted. */
const HOLDS: ReadonlySet<string> = new Set([
  'create',
  'alter',
  'explain',
  'describe',
  'grant',
  'revoke',
  'deny',
  'merge',
  'with',
  'declare',
  'comment',
]);
const DROPPED = /^(?:table|database|schema|view|login|user|role|procedure|function)$/;
const ALTERED = /^(?:table|login|user|role|database|server|system)$/;
const FROM_OR_TOP = /^(?:from|top)$/;
const CALLED = /^(?:xp_|sp_|master|@|\(|immediate|dbo|msdb|sys)/;

function setsSoon(tokens: readonly Token[], at: number): boolean {
  return plainAt(tokens, at + 1) !== 'set' && [2, 3, 4, 5, 6].some((ahead) => plainAt(tokens, at + ahead) === 'set');
}

/** Whether the word at `at` begins a statement of its own. */
const BEGINS: ReadonlyMap<string, (tokens: readonly Token[], at: number) => boolean> = new Map([
  ['drop', (tokens: readonly Token[], at: number) => DROPPED.test(plainAt(tokens, at + 1))],
  ['truncate', (tokens: readonly Token[], at: number) => plainAt(tokens, at + 1) === 'table'],
  ['delete', (tokens: readonly Token[], at: number) => FROM_OR_TOP.test(plainAt(tokens, at + 1))],
  ['insert', (tokens: readonly Token[], at: number) => plainAt(tokens, at + 1) === 'into'],
  ['update', setsSoon],
  ['alter', (tokens: readonly Token[], at: number) => ALTERED.test(plainAt(tokens, at + 1))],
  ['exec', (tokens: readonly Token[], at: number) => CALLED.test(plainAt(tokens, at + 1))],
  ['execute', (tokens: readonly Token[], at: number) => CALLED.test(plainAt(tokens, at + 1))],
  ['shutdown', (tokens: readonly Token[], at: number) => plainAt(tokens, at + 1) === 'with'],
]);

function beginsAt(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  if (token?.kind !== 'word' || JOINED.has(plainAt(tokens, at - 1))) return false;
  return BEGINS.get(token.text)?.(tokens, at) === true;
}

function isBatchEnd(tokens: readonly Token[], at: number): boolean {
  return (
    tokens[at]?.kind === 'word' &&
    plainAt(tokens, at) === 'go' &&
    at > 0 &&
    /^(?:drop|truncate|delete|insert|update|alter|exec|execute|select|create|use|)$/.test(plainAt(tokens, at + 1))
  );
}

/** Where the statement that began at `from` ends before `at`: not, at a word of its own (`GO`), or at the first word of the next. */
function endOf(tokens: readonly Token[], from: number, at: number): 'no' | 'word' | 'next' {
  if (isBatchEnd(tokens, at)) return 'word';
  return !HOLDS.has(plainAt(tokens, from)) && beginsAt(tokens, at) ? 'next' : 'no';
}

function depthAfter(token: Token | undefined, depth: number): number {
  if (token?.kind !== 'punctuation') return depth;
  return Math.max(0, depth + (token.text === '(' ? 1 : token.text === ')' ? -1 : 0));
}

/** Tokens of one statement (comments removed), cut where the next one begins outside parentheses. */
export function splitBatch(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: (readonly Token[])[] = [];
  let [from, depth] = [0, 0];
  for (let i = 1; i < tokens.length; i += 1) {
    depth = depthAfter(tokens[i], depth);
    const end = depth > 0 ? 'no' : endOf(tokens, from, i);
    if (end === 'no') continue;
    parts.push(tokens.slice(from, i));
    from = end === 'word' ? i + 1 : i;
  }
  parts.push(tokens.slice(from));
  return parts.filter((part) => part.length > 0);
}

/** Words that run the text they are given. */
const RUNS: ReadonlySet<string> = new Set([
  'exec',
  'execute',
  'immediate',
  'sp_executesql',
  'sp_msforeachtable',
  'sp_msforeachdb',
  'prepare',
  'do',
  'unload',
]);
const RUN_TOKENS_MAX = 16;

const VARIABLE_TYPE = /^(?::?=|nvarchar|varchar|text)$/;

/** Whether strings behind the token at `at` may be run: it runs them, or keeps them in a variable. */
function runsFrom(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  if (token?.kind === 'word') return RUNS.has(token.text);
  return token?.kind === 'variable' ? VARIABLE_TYPE.test(plainAt(tokens, at + 1)) : token?.text === ':=';
}

/** The inside of a string as the text that it is. */
function insideOf(token: Token): string {
  return token.quote === "'" ? token.text.replaceAll("''", "'") : token.text;
}

/** Statements given as text to something that runs it: `EXEC('..')`, `EXECUTE IMMEDIATE '..'`, `DO $$..$$`, a variable that is run later. */
export function textsThatRun(tokens: readonly Token[]): readonly string[] {
  const found: string[] = [];
  if (!tokens.some(({ kind, text }) => kind === 'word' && RUNS.has(text))) return found;
  let left = 0;
  let last = -3;
  for (const [i, token] of tokens.entries()) {
    if (runsFrom(tokens, i)) left = RUN_TOKENS_MAX;
    else if (token.text === ';') left = 0;
    if (left > 0 && token.kind === 'string') {
      const joins = i - last === 2 && /^(?:\+|\|\|)$/.test(plainAt(tokens, i - 1));
      const before = joins ? (found.pop() ?? '') : '';
      found.push(before + insideOf(token));
      last = i;
    }
    left -= 1;
  }
  return found;
}
