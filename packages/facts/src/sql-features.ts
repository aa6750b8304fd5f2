/** @module What SQL tokens give away whatever the dialect: time and file functions, operating-system access, unions, constant conditions. */
import { constantAt, type Constant } from './sql-constants.ts';
import { neighbourFeatures } from './sql-neighbours.ts';
import { SQL_LIMITS } from './sql-limits.ts';
import { plainAt, textAt, type Token } from './sql-tokens.ts';

const SLEEPS: ReadonlySet<string> = new Set([
  'sleep',
  'benchmark',
  'pg_sleep',
  'pg_sleep_for',
  'pg_sleep_until',
  'receive_message',
  'dbms_pipe',
  'dbms_lock',
  'randomblob',
  'generate_series_sleep',
]);
const FILES: ReadonlySet<string> = new Set([
  'load_file',
  'pg_read_file',
  'pg_read_binary_file',
  'pg_ls_dir',
  'pg_stat_file',
  'lo_import',
  'lo_export',
  'utl_file',
  'readfile',
  'writefile',
  'load_extension',
  'openrowset',
  'opendatasource',
  'openquery',
  'external_query',
  'bfilename',
]);
const OS: ReadonlySet<string> = new Set([
  'xp_cmdshell',
  'xp_dirtree',
  'xp_fileexist',
  'xp_regread',
  'xp_regwrite',
  'xp_servicecontrol',
  'xp_availablemedia',
  'sp_oacreate',
  'sp_oamethod',
  'sys_exec',
  'sys_eval',
  'dbms_scheduler',
  'dbms_java',
]);
const ERRORS: ReadonlySet<string> = new Set([
  'extractvalue',
  'updatexml',
  'utl_inaddr',
  'utl_http',
  'httpuritype',
  'ctxsys',
  'xmltype',
  'dbms_xmlgen',
  'query_to_xml',
  'database_to_xml',
  'gtid_subset',
  'dblink_connect',
  'dblink_send_query',
]);
const CATALOGS: ReadonlySet<string> = new Set([
  'information_schema',
  'pg_catalog',
  'pg_shadow',
  'pg_authid',
  'pg_user',
  'sqlite_master',
  'sqlite_schema',
  'sysobjects',
  'syscolumns',
  'sysdatabases',
  'sysusers',
  'syslogins',
  'msysobjects',
  'msysaces',
  'all_tables',
  'user_tables',
  'all_tab_columns',
  'user_tab_columns',
  'rdb$relations',
  'rdb$fields',
  'sysibm',
  'syscat',
  'all_users',
  'dba_users',
  'pg_group',
  'pg_database',
  'pg_roles',
  'sysservers',
]);
/** What a server says of itself: everyday words where they are called without arguments, some names without being called. */
const EMPTY_QUESTIONS: ReadonlySet<string> = new Set(['version', 'user', 'database', 'schema']);
const QUESTIONS: ReadonlySet<string> = new Set(
  (
    'current_user session_user system_user current_database current_schema current_setting db_name ' +
    'host_name suser_name suser_sname user_name is_srvrolemember is_member serverproperty sqlite_version connection_id'
  ).split(' '),
);
const UNCALLED: ReadonlySet<string> = new Set(['current_user', 'session_user', 'system_user']);
const ONE_WORD: readonly (readonly [ReadonlySet<string>, string])[] = [
  [SLEEPS, 'sleep'],
  [FILES, 'file'],
  [OS, 'os'],
  [ERRORS, 'error'],
];
const EQUAL: ReadonlySet<string> = new Set(['=', '==', '<=>', 'like', 'ilike', 'rlike', 'regexp', 'is', 'sounds', '~']);
const UNEQUAL: ReadonlySet<string> = new Set(['<>', '!=']);
const SELECTS: ReadonlySet<string> = new Set(['select', 'values', 'table', 'selectt']);

/** Features told by two words in a row; `` where the statement ends. */
const PAIRS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  waitfor: { delay: ['sleep'], time: ['sleep'] },
  into: { outfile: ['into-outfile', 'file'], dumpfile: ['into-dumpfile', 'file'] },
  load: { data: ['file'] },
  attach: { database: ['file'] },
  bulk: { insert: ['file'] },
  vacuum: { into: ['file'] },
  install: { plugin: ['os'], component: ['os'] },
  purge: { binary: ['log-loss'], master: ['log-loss'] },
  reset: { master: ['log-loss'], binary: ['log-loss'] },
  restore: { database: ['restores'], log: ['restores'] },
  backup: { database: ['export'], log: ['export'] },
  export: { data: ['export'] },
  set: { global: ['server-setup'], persist: ['server-setup'] },
  alter: { system: ['server-setup'] },
  pragma: { writable_schema: ['server-setup'] },
  pg_terminate_backend: { '(': ['stops'] },
  shutdown: { with: ['stops'], '': ['stops'] },
  load_file: { '(': ['load-file'] },
};

const NOTHING: readonly string[] = [];
/** Every word by which a feature is told: without one of them there is none, but for what is called or quoted. */
export const FEATURE_WORDS: readonly string[] = [
  ...ONE_WORD.flatMap(([names]) => [...names]),
  ...CATALOGS,
  ...Object.keys(PAIRS),
  ...UNCALLED,
  'union',
];

function isUnion(tokens: readonly Token[], at: number): boolean {
  const all = /^(?:all|distinct|distinctrow)$/.test(plainAt(tokens, at + 1));
  const next = plainAt(tokens, at + (all ? 2 : 1));
  return SELECTS.has(next) || next === '(';
}

/** Features of a name by itself, or by being called. */
function nameFeatures(text: string, called: boolean): string[] {
  const found: string[] = [];
  for (const [names, feature] of ONE_WORD) if (names.has(text) && (called || feature === 'os')) found.push(feature);
  if (CATALOGS.has(text)) found.push('catalog');
  if (text === 'xp_cmdshell') found.push('xp-cmdshell');
  return found;
}

function asksAt(tokens: readonly Token[], at: number): boolean {
  const text = textAt(tokens, at);
  if (UNCALLED.has(text)) return true;
  if (plainAt(tokens, at + 1) !== '(') return false;
  return QUESTIONS.has(text) || (EMPTY_QUESTIONS.has(text) && plainAt(tokens, at + 2) === ')');
}

/** `copy t to program 'cmd'`. */
function runsProgram(tokens: readonly Token[], at: number): boolean {
  return /^(?:to|from)$/.test(textAt(tokens, at)) && tokens[at + 2]?.kind === 'string';
}

function pairFeatures(text: string, next: string): readonly string[] {
  const pairs = Object.hasOwn(PAIRS, text) ? PAIRS[text] : undefined;
  return pairs !== undefined && Object.hasOwn(pairs, next) ? (pairs[next] ?? NOTHING) : NOTHING;
}

function wordFeatures(tokens: readonly Token[], at: number): readonly string[] {
  const text = textAt(tokens, at);
  const next = textAt(tokens, at + 1);
  const found = nameFeatures(text, next === '(' || next === '.');
  found.push(...pairFeatures(text, next));
  if (asksAt(tokens, at)) found.push('asks');
  if (text === 'union' && isUnion(tokens, at)) found.push('union');
  found.push(...neighbourFeatures(tokens, at));
  if (next === 'program' && runsProgram(tokens, at)) found.push('copy-program', 'os');
  return found;
}

const SUBQUERY: readonly string[] = ['subquery'];
const ASKS: readonly string[] = ['asks'];

function isSubquery(tokens: readonly Token[], at: number): boolean {
  return at > 0 && plainAt(tokens, at) === '(' && plainAt(tokens, at + 1) === 'select' && plainAt(tokens, at - 1) !== 'as';
}

function tokenFeatures(tokens: readonly Token[], at: number): readonly string[] {
  const token = tokens[at];
  if (token?.kind === 'word' || token?.kind === 'quoted') return wordFeatures(tokens, at);
  if (token?.kind === 'variable') return token.text.startsWith('@@') ? ASKS : NOTHING;
  return isSubquery(tokens, at) ? SUBQUERY : NOTHING;
}

const RUNS_TEXT: ReadonlySet<string> = new Set(['execute', 'exec', 'prepare', 'sp_executesql']);
const TEXT_REACHES = /\bto\s{1,8}program\b|\bfrom\s{1,8}program\b|\bxp_cmdshell\b|\bsys_exec\b/;

/** Statements that are kept as text or run from it: what the text reaches for counts as if it stood there. */
function runFeatures(tokens: readonly Token[]): readonly string[] {
  const runs = tokens.some(({ kind, text }) => (kind === 'word' && RUNS_TEXT.has(text)) || (kind === 'operator' && text === ':='));
  if (!runs) return [];
  return tokens.some((token) => token.kind === 'string' && TEXT_REACHES.test(token.text)) ? ['os'] : [];
}

/** Feature names of a run of tokens, distinct and sorted. `tokens` may hold comments. */
export function featuresOf(tokens: readonly Token[]): readonly string[] {
  const found = new Set<string>();
  const plain: Token[] = [];
  for (const token of tokens) {
    if (token.kind === 'comment') found.add('comment');
    else plain.push(token);
  }
  if (hasConstantOr(plain)) found.add('or-constant');
  for (const name of runFeatures(plain)) found.add(name);
  for (let i = 0; i < plain.length; i += 1) for (const name of tokenFeatures(plain, i)) found.add(name);
  return [...found].sort();
}

const VALUES: ReadonlySet<string> = new Set(['string', 'number', 'quoted']);

/** A value: string, number, quoted name or variable. */
export function isOperand(token: Token | undefined): boolean {
  return token !== undefined && (VALUES.has(token.kind) || token.kind === 'variable');
}

function isConstant(token: Token): boolean {
  return VALUES.has(token.kind);
}

function sameValue(left: Token, right: Token): boolean {
  if (left.kind === 'number' && right.kind === 'number') return Number(left.text) === Number(right.text);
  if (left.kind === 'word' || right.kind === 'word') return left.kind === right.kind && left.text === right.text;
  // The last string of an injected parameter is closed by the query around it.
  return left.text === right.text || (!right.closed && right.text === '');
}

function ordered(operator: string, a: number, b: number): boolean | undefined {
  switch (operator) {
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    default:
      return undefined;
  }
}

function compares(operator: string): boolean {
  return EQUAL.has(operator) || UNEQUAL.has(operator) || ordered(operator, 0, 0) !== undefined;
}

/** Whether `left op right` over constants, or over one name twice, holds; undefined when that is not known. */
function holds(left: Token, operator: string, right: Token): boolean | undefined {
  const named = left.kind === 'word' && right.kind === 'word' && left.text === right.text;
  if (!named && !(isConstant(left) && isConstant(right))) return undefined;
  if (EQUAL.has(operator)) return sameValue(left, right) || (operator.endsWith('like') && right.text.startsWith('%'));
  if (UNEQUAL.has(operator)) return !sameValue(left, right);
  return left.kind === 'number' && right.kind === 'number' ? ordered(operator, Number(left.text), Number(right.text)) : undefined;
}

/** Index after `(`, `not`, `!` and signs in front of an operand. */
export function skipPrefix(tokens: readonly Token[], from: number): number {
  let i = from;
  while (i < tokens.length && /^(?:\(|not|!|~|\+|-|binary|all)$/.test(tokens[i]?.text ?? '') && tokens[i]?.kind !== 'string') i += 1;
  return i;
}

interface Operand {
  readonly token: Token | undefined;
  readonly next: number;
}

/** The constant that stands at `at`, or that the parentheses and the sign in front of it open. */
function foldedAt(tokens: readonly Token[], at: number): Constant | undefined {
  let from = at;
  while (from > at - SQL_LIMITS.foldDepthMax && /^[(-]$/.test(plainAt(tokens, from - 1))) from -= 1;
  for (; from <= at; from += 1) {
    const constant = constantAt(tokens, from);
    if (constant !== undefined && constant.next > at) return constant;
  }
  return undefined;
}

/** What stands at `at`, sums and calls of constants folded, with the sign before it. */
function operandAt(tokens: readonly Token[], at: number): Operand {
  const token = tokens[at];
  const constant = token === undefined || token.kind === 'quoted' ? undefined : foldedAt(tokens, at);
  if (token === undefined || constant?.folded !== true) return { token, next: at + 1 };
  const kind = typeof constant.value === 'number' ? 'number' : 'string';
  return { token: { ...token, kind, text: String(constant.value), closed: true }, next: constant.next };
}

function skipClosing(tokens: readonly Token[], from: number): number {
  let i = from;
  while (plainAt(tokens, i) === ')' && i < from + 8) i += 1;
  return i;
}

/** A comparison at `at`, parentheses around its sides passed over: its truth, and the index after it. */
export function compareAt(tokens: readonly Token[], at: number): { readonly result: boolean | undefined; readonly next: number } {
  const left = operandAt(tokens, at);
  const operator = skipClosing(tokens, left.next);
  // Nothing is folded behind a token that compares nothing.
  if (!compares(plainAt(tokens, operator))) return { result: undefined, next: skipClosing(tokens, operator + 2) };
  const right = operandAt(tokens, skipPrefix(tokens, operator + 1));
  const result =
    left.token === undefined || right.token === undefined ? undefined : holds(left.token, plainAt(tokens, operator), right.token);
  return { result, next: skipClosing(tokens, right.next) };
}

const OPENS: ReadonlySet<string> = new Set(['or', '||', 'where', 'having', 'on', 'xor', 'when', 'if']);
const ENDS: ReadonlySet<string> = new Set([')', ';', 'or', 'limit', 'order', 'group', 'union', 'and', 'then']);

function isTruth(tokens: readonly Token[], at: number, opener: string): boolean {
  const token = tokens[at];
  if (token === undefined || opener === '||' || (at + 1 < tokens.length && !ENDS.has(plainAt(tokens, at + 1)))) return false;
  return token.kind === 'word' ? token.text === 'true' : token.kind === 'number' && Number(token.text) !== 0 && opener !== 'on';
}

/** Whether the condition behind the opener at `at` is always true. */
function isTrueFrom(tokens: readonly Token[], at: number): boolean {
  const opener = plainAt(tokens, at);
  const start = skipPrefix(tokens, at + 1);
  const negated = tokens.slice(at + 1, start).some((skipped) => skipped.text === 'not' || skipped.text === '!');
  const { result, next } = compareAt(tokens, start);
  if (result === undefined) return !negated && isTruth(tokens, start, opener);
  const narrowed = plainAt(tokens, next) === 'and' && opener !== 'or' && opener !== '||' && opener !== 'xor';
  return result !== negated && !narrowed;
}

/** `or 1=1`, `or 'a'='a'`: what a query asks for does not matter any more. Nobody writes that; it is what an injected value leaves. */
export function hasConstantOr(tokens: readonly Token[]): boolean {
  return tokens.some((token, at) => {
    if (token.kind !== 'word' || token.text !== 'or') return false;
    const start = skipPrefix(tokens, at + 1);
    const constant = tokens[start]?.kind !== 'word' || plainAt(tokens, start + 1) === '(';
    return constant && compareAt(tokens, start).result === true;
  });
}

/** Whether a condition in the tokens is always true: `or 1=1`, `where 'a'='a'`, `or true`, `having x=x`. */
export function hasTautology(tokens: readonly Token[]): boolean {
  return tokens.some((_, i) => OPENS.has(plainAt(tokens, i)) && isTrueFrom(tokens, i));
}
