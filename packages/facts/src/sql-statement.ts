/** @module Statements read from tokens: every dialect the PostgreSQL grammar does not know, and texts too long for it. */
import type { StatementKind } from '@countersign/protocol';
import { hasTautology } from './sql-features.ts';
import { SQL_LIMITS } from './sql-limits.ts';
import { plainAt, textAt, type Token } from './sql-tokens.ts';

/** What the tokens of one statement say. */
export interface TokenStatement {
  readonly kind: StatementKind;
  readonly tables: readonly string[];
  readonly object?: string;
  readonly hasWhere: boolean;
  readonly tautology: boolean;
  readonly hasLimit: boolean;
  readonly star: boolean;
}

const HEADS: ReadonlyMap<string, StatementKind> = new Map<string, StatementKind>([
  ['select', 'select'],
  ['values', 'select'],
  ['with', 'select'],
  ['insert', 'insert'],
  ['replace', 'insert'],
  ['upsert', 'insert'],
  ['update', 'update'],
  ['delete', 'delete'],
  ['merge', 'merge'],
  ['drop', 'drop'],
  ['truncate', 'truncate'],
  ['alter', 'alter'],
  ['rename', 'alter'],
  ['create', 'create'],
  ['grant', 'grant'],
  ['revoke', 'grant'],
  ['deny', 'grant'],
  ['copy', 'copy'],
  ['bulk', 'copy'],
  ['load', 'copy'],
  ['call', 'call'],
  ['exec', 'call'],
  ['execute', 'call'],
  ['do', 'call'],
  ['declare', 'call'],
  ['prepare', 'call'],
  ['handler', 'select'],
  ['export', 'copy'],
  ['unload', 'copy'],
  ['while', 'other'],
  ['install', 'other'],
  ['purge', 'other'],
  ['set', 'set'],
  ['reset', 'set'],
  ['begin', 'transaction'],
  ['start', 'transaction'],
  ['commit', 'transaction'],
  ['rollback', 'transaction'],
  ['savepoint', 'transaction'],
  ['explain', 'explain'],
  ['describe', 'explain'],
  ['desc', 'explain'],
  ['show', 'other'],
  ['pragma', 'other'],
  ['use', 'other'],
  ['attach', 'other'],
  ['detach', 'other'],
  ['vacuum', 'other'],
  ['analyze', 'other'],
  ['waitfor', 'other'],
  ['shutdown', 'other'],
  ['backup', 'other'],
  ['restore', 'other'],
  ['lock', 'other'],
  ['kill', 'other'],
  ['flush', 'other'],
  ['dbcc', 'other'],
  ['if', 'other'],
  ['print', 'other'],
  ['comment', 'other'],
  ['cluster', 'other'],
  ['reindex', 'other'],
  ['refresh', 'other'],
  ['listen', 'other'],
  ['notify', 'other'],
]);
const OBJECTS: ReadonlySet<string> = new Set(
  'table database schema view index role user function procedure trigger sequence type tablespace column policy extension login server event keyspace collection package synonym'.split(
    ' ',
  ),
);
const TABLE_WORDS: ReadonlySet<string> = new Set(['from', 'join', 'into', 'update', 'table', 'truncate']);
/** Table words at the head only: `on delete cascade` names none. */
const HEAD_WORDS: ReadonlySet<string> = new Set(['merge', 'delete']);
const SKIPPED: ReadonlySet<string> = new Set([
  'if',
  'exists',
  'not',
  'only',
  'ignore',
  'low_priority',
  'quick',
  'table',
  'lateral',
  'or',
  'replace',
  'temporary',
  'temp',
  'into',
  'from',
  'top',
  'partition',
  'overwrite',
]);
const NOT_NAMES: ReadonlySet<string> = new Set([
  'select',
  'set',
  'values',
  'where',
  'outfile',
  'dumpfile',
  'unnest',
  'dual',
  'of',
  'nowait',
  'skip',
]);

/** Kind of the statement that starts with this word, or undefined when no statement does. */
export function headKind(token: Token | undefined): StatementKind | undefined {
  return token?.kind === 'word' ? HEADS.get(token.text) : undefined;
}

function isName(token: Token | undefined): token is Token {
  return token !== undefined && (token.kind === 'quoted' || (token.kind === 'word' && !NOT_NAMES.has(token.text)));
}

/** A dotted name at `from`, and the index after it. */
function readName(tokens: readonly Token[], from: number): { readonly name: string; readonly next: number } {
  let next = from;
  let name = '';
  while (isName(tokens[next])) {
    name += tokens[next]?.text ?? '';
    next += 1;
    if (tokens[next]?.text !== '.' || !isName(tokens[next + 1])) break;
    name += '.';
    next += 1;
  }
  return { name, next };
}

function skipWords(tokens: readonly Token[], from: number): number {
  let i = from;
  while (tokens[i]?.kind === 'word' && SKIPPED.has(tokens[i]?.text ?? '')) {
    const counted = tokens[i]?.text === 'top' && plainAt(tokens, i + 1) === '(' && plainAt(tokens, i + 3) === ')';
    i += counted ? 4 : 1;
  }
  return i;
}

/** Index of the comma behind a name and its alias, or -1. */
function commaAfter(tokens: readonly Token[], from: number): number {
  let i = plainAt(tokens, from) === 'as' ? from + 1 : from;
  if (plainAt(tokens, i) !== ',' && isName(tokens[i]) && plainAt(tokens, i + 1) === ',') i += 1;
  return plainAt(tokens, i) === ',' ? i : -1;
}

/** Names after a table word: `from a x, b as y`. */
function readNames(tokens: readonly Token[], from: number, tables: Set<string>): number {
  const word = plainAt(tokens, from - 1);
  let i = skipWords(tokens, from);
  for (;;) {
    const { name, next } = readName(tokens, i);
    if (name === '' || (word === 'from' && /^[(=]$/.test(plainAt(tokens, next)))) return Math.max(next, from);
    if (tables.size < SQL_LIMITS.tablesMax) tables.add(name);
    const comma = word === 'into' ? -1 : commaAfter(tokens, next);
    if (comma === -1) return next;
    i = comma + 1;
  }
}

function commonNames(tokens: readonly Token[]): ReadonlySet<string> {
  const found = new Set<string>();
  if (tokens[0]?.text !== 'with') return found;
  for (let i = 1; i + 2 < tokens.length; i += 1) {
    if (tokens[i + 1]?.text === 'as' && tokens[i + 2]?.text === '(' && isName(tokens[i])) found.add(tokens[i]?.text ?? '');
  }
  return found;
}

/** Whether names of tables follow the word at `at`. */
function startsNames(tokens: readonly Token[], at: number): boolean {
  const word = plainAt(tokens, at);
  if (TABLE_WORDS.has(word)) return !(word === 'update' && plainAt(tokens, at - 1) === 'key');
  if (at > 0 || !HEAD_WORDS.has(word)) return false;
  return plainAt(tokens, readName(tokens, skipWords(tokens, 1)).next) !== 'from';
}

function readTables(tokens: readonly Token[], object: string | undefined): readonly string[] {
  const tables = new Set<string>();
  let i = 0;
  while (i < tokens.length) {
    const token = tokens[i];
    i += 1;
    if (token?.kind !== 'word') continue;
    const isTarget = i - 1 < 6 && object !== undefined && object !== 'database' && token.text === object;
    if (startsNames(tokens, i - 1) || isTarget) i = readNames(tokens, i, tables);
  }
  const commons = commonNames(tokens);
  return [...tables].filter((name) => !commons.has(name));
}

function readObject(tokens: readonly Token[], kind: StatementKind): string | undefined {
  if (kind === 'truncate') return 'table';
  if (kind !== 'drop' && kind !== 'create' && kind !== 'alter') return undefined;
  const objects = tokens.slice(1, 7).filter((token) => token.kind === 'word' && OBJECTS.has(token.text));
  // A role of the server is a role.
  return (objects[0]?.text === 'server' ? (objects[1] ?? objects[0]) : objects[0])?.text;
}

/** `with ... delete` is a delete: the first head at parenthesis depth zero. */
function mainKind(tokens: readonly Token[], head: StatementKind): StatementKind {
  if (tokens[0]?.text !== 'with') return head;
  let depth = 0;
  for (const token of tokens) {
    if (token.text === '(' && token.kind === 'punctuation') depth += 1;
    else if (token.text === ')' && token.kind === 'punctuation') depth -= 1;
    else if (depth === 0 && token.text !== 'with' && /^(?:select|insert|update|delete|merge)$/.test(token.text))
      return HEADS.get(token.text) ?? head;
  }
  return head;
}

function isStar(tokens: readonly Token[]): boolean {
  const at = tokens.findIndex((token) => token.kind === 'word' && token.text === 'select');
  if (at === -1) return false;
  let i = at + 1;
  while (/^(?:all|distinct|top|percent|\(|\)|\d{1,9})$/.test(tokens[i]?.text ?? '')) i += 1;
  return textAt(tokens, i) === '*' || (isName(tokens[i]) && textAt(tokens, i + 1) === '.' && textAt(tokens, i + 2) === '*');
}

function hasWord(tokens: readonly Token[], words: ReadonlySet<string>): boolean {
  return tokens.some((token) => token.kind === 'word' && words.has(token.text));
}

const WHERE: ReadonlySet<string> = new Set(['where']);
const LIMIT: ReadonlySet<string> = new Set(['limit', 'top', 'fetch', 'rownum']);

/** Procedures that give rights, as words behind `exec`. */
const GIVES = /^sp_(?:addsrvrolemember|addrolemember|addlogin|grantlogin|grantdbaccess|password)$/;

/** Kind by what is done, where the head says something wider: a procedure that gives rights, a member added, rows changed by `alter`. */
function realKind(tokens: readonly Token[], kind: StatementKind): StatementKind {
  if (kind === 'call') return tokens.slice(1, 6).some((token) => GIVES.test(token.text)) ? 'grant' : kind;
  return kind === 'alter' ? (alteredKind(tokens.slice(1, 12)) ?? kind) : kind;
}

function alteredKind(words: readonly Token[]): StatementKind | undefined {
  const at = words.findIndex((token, i) => i >= 2 && token.kind === 'word' && /^(?:add|delete|update)$/.test(token.text));
  const act = textAt(words, at);
  if (act === 'add') return textAt(words, at + 1) === 'member' ? 'grant' : undefined;
  const rows = at !== -1 && textAt(words, 0) === 'table' && words.slice(at).some((token) => token.text === 'where');
  if (!rows) return undefined;
  return act === 'delete' ? 'delete' : 'update';
}

/** What a statement's tokens (comments removed) say. */
export function readStatement(tokens: readonly Token[]): TokenStatement {
  const first = tokens.findIndex((token) => token.text !== '(');
  const body = first > 0 ? tokens.slice(first) : tokens;
  const kind = realKind(body, mainKind(body, headKind(body[0]) ?? 'unknown'));
  const object = readObject(body, kind);
  return {
    kind,
    tables: readTables(body, object),
    ...(object === undefined ? {} : { object }),
    hasWhere: hasWord(body, WHERE),
    tautology: hasTautology(body),
    hasLimit: hasWord(body, LIMIT),
    star: kind === 'select' && isStar(body),
  };
}

/** Tokens cut into statements at `;` outside parentheses; T-SQL batches at `go`. */
export function splitStatements(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: Token[][] = [];
  let open: Token[] = [];
  for (const token of tokens) {
    if (token.kind === 'punctuation' && token.text === ';') {
      if (open.length > 0) statements.push(open);
      open = [];
    } else open.push(token);
  }
  if (open.length > 0) statements.push(open);
  return statements;
}
