/** @module What SQL tokens give away whatever the dialect: time and file functions, operating-system access, unions, constant conditions. */
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
]);
const ONE_WORD: readonly (readonly [ReadonlySet<string>, string])[] = [
  [SLEEPS, 'sleep'],
  [FILES, 'file'],
  [OS, 'os'],
  [ERRORS, 'error'],
];
const EQUAL: ReadonlySet<string> = new Set(['=', '==', '<=>', 'like', 'ilike', 'rlike', 'regexp', 'is', 'sounds', '~']);
const UNEQUAL: ReadonlySet<string> = new Set(['<>', '!=']);
const SELECTS: ReadonlySet<string> = new Set(['select', 'values', 'table', 'selectt']);

/** Features told by two words in a row. */
const PAIRS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  waitfor: { delay: ['sleep'], time: ['sleep'] },
  into: { outfile: ['into-outfile', 'file'], dumpfile: ['into-dumpfile', 'file'] },
  load: { data: ['file'] },
  attach: { database: ['file'] },
  load_file: { '(': ['load-file'] },
};

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

/** `copy t to program 'cmd'`. */
function runsProgram(tokens: readonly Token[], at: number): boolean {
  return /^(?:to|from)$/.test(textAt(tokens, at)) && tokens[at + 2]?.kind === 'string';
}

function wordFeatures(tokens: readonly Token[], at: number): readonly string[] {
  const text = textAt(tokens, at);
  const next = textAt(tokens, at + 1);
  const found = nameFeatures(text, next === '(' || next === '.');
  const pairs = Object.hasOwn(PAIRS, text) ? PAIRS[text] : undefined;
  if (pairs !== undefined && Object.hasOwn(pairs, next)) found.push(...(pairs[next] ?? []));
  if (text === 'union' && isUnion(tokens, at)) found.push('union');
  if (next === 'program' && runsProgram(tokens, at)) found.push('copy-program', 'os');
  return found;
}

/** Feature names of a run of tokens, distinct and sorted. `tokens` may hold comments. */
export function featuresOf(tokens: readonly Token[]): readonly string[] {
  const found = new Set<string>();
  const plain: Token[] = [];
  for (const token of tokens) {
    if (token.kind === 'comment') found.add('comment');
    else plain.push(token);
  }
  for (let i = 0; i < plain.length; i += 1) {
    const kind = plain[i]?.kind;
    if (kind === 'word' || kind === 'quoted') for (const name of wordFeatures(plain, i)) found.add(name);
    else if (i > 0 && plainAt(plain, i) === '(' && plainAt(plain, i + 1) === 'select' && plainAt(plain, i - 1) !== 'as')
      found.add('subquery');
  }
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

function signed(tokens: readonly Token[], at: number): Token | undefined {
  const token = tokens[at];
  return token?.kind === 'number' && textAt(tokens, at - 1) === '-' ? { ...token, text: `-${token.text}` } : token;
}

function skipClosing(tokens: readonly Token[], from: number): number {
  let i = from;
  while (plainAt(tokens, i) === ')' && i < from + 8) i += 1;
  return i;
}

/** A comparison at `at`, parentheses around its sides passed over: its truth, and the index after it. */
export function compareAt(tokens: readonly Token[], at: number): { readonly result: boolean | undefined; readonly next: number } {
  const operator = skipClosing(tokens, at + 1);
  const right = skipPrefix(tokens, operator + 1);
  const [a, b] = [signed(tokens, at), signed(tokens, right)];
  const result = a === undefined || b === undefined ? undefined : holds(a, plainAt(tokens, operator), b);
  return { result, next: skipClosing(tokens, right + 1) };
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

/** Whether a condition in the tokens is always true: `or 1=1`, `where 'a'='a'`, `or true`, `having x=x`. */
export function hasTautology(tokens: readonly Token[]): boolean {
  return tokens.some((_, i) => OPENS.has(plainAt(tokens, i)) && isTrueFrom(tokens, i));
}
