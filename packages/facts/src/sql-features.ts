/** @module What SQL tokens give away whatever the dialect: time and file functions, operating-system access, unions, constant conditions. */
import type { Token } from './sql-tokens.ts';

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

function isCalled(next: Token | undefined): boolean {
  return next !== undefined && (next.text === '(' || next.text === '.');
}

function wordFeatures(token: Token, next: Token | undefined, after: Token | undefined): readonly string[] {
  const found: string[] = [];
  const { text } = token;
  for (const [names, feature] of ONE_WORD) if (names.has(text) && (isCalled(next) || feature === 'os')) found.push(feature);
  if (CATALOGS.has(text)) found.push('catalog');
  if (text === 'xp_cmdshell') found.push('xp-cmdshell');
  if (text === 'load_file' && isCalled(next)) found.push('load-file');
  if (text === 'waitfor' && (next?.text === 'delay' || next?.text === 'time')) found.push('sleep');
  if (text === 'into' && next?.text === 'outfile') found.push('into-outfile', 'file');
  if (text === 'into' && next?.text === 'dumpfile') found.push('into-dumpfile', 'file');
  if (text === 'load' && next?.text === 'data') found.push('file');
  if (text === 'attach' && next?.text === 'database') found.push('file');
  if (text === 'union' && isUnion(next, after)) found.push('union');
  if ((text === 'to' || text === 'from') && next?.text === 'program' && after?.kind === 'string') found.push('copy-program', 'os');
  return found;
}

function isUnion(next: Token | undefined, after: Token | undefined): boolean {
  if (next === undefined) return false;
  if (SELECTS.has(next.text) || next.text === '(') return true;
  return (
    (next.text === 'all' || next.text === 'distinct' || next.text === 'distinctrow') &&
    after !== undefined &&
    (SELECTS.has(after.text) || after.text === '(')
  );
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
    const token = plain[i];
    const next = plain[i + 1];
    if (token === undefined) continue;
    if (token.kind === 'word' || token.kind === 'quoted') for (const name of wordFeatures(token, next, plain[i + 2])) found.add(name);
    else if (token.text === '(' && next?.text === 'select' && i > 0) found.add('subquery');
  }
  return [...found].sort();
}

export function isOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return token.kind === 'string' || token.kind === 'number' || token.kind === 'quoted' || token.kind === 'variable';
}

function isConstant(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return (
    token.kind === 'string' ||
    token.kind === 'number' ||
    (token.kind === 'quoted' && token.closed) ||
    (token.kind === 'quoted' && !token.closed)
  );
}

function sameValue(left: Token, right: Token): boolean {
  if (left.kind === 'number' && right.kind === 'number') return Number(left.text) === Number(right.text);
  if (left.kind === 'word' || right.kind === 'word') return left.kind === right.kind && left.text === right.text;
  // The last string of an injected parameter is closed by the query around it.
  return left.text === right.text || (!right.closed && right.text === '');
}

/** Whether `left op right` over constants, or over one name twice, holds; undefined when that is not known. */
export function holds(left: Token | undefined, operator: Token | undefined, right: Token | undefined): boolean | undefined {
  if (left === undefined || right === undefined || operator === undefined) return undefined;
  const named = left.kind === 'word' && right.kind === 'word' && left.text === right.text;
  if (!named && !(isConstant(left) && isConstant(right))) return undefined;
  if (EQUAL.has(operator.text)) return sameValue(left, right) || (operator.text.endsWith('like') && right.text.startsWith('%'));
  if (UNEQUAL.has(operator.text)) return !sameValue(left, right);
  if (left.kind !== 'number' || right.kind !== 'number') return undefined;
  const [a, b] = [Number(left.text), Number(right.text)];
  if (operator.text === '<') return a < b;
  if (operator.text === '>') return a > b;
  if (operator.text === '<=') return a <= b;
  return operator.text === '>=' ? a >= b : undefined;
}

/** Index after `(`, `not`, `!` and signs in front of an operand. */
export function skipPrefix(tokens: readonly Token[], from: number): number {
  let i = from;
  while (i < tokens.length && /^(?:\(|not|!|~|\+|-|binary|all)$/.test(tokens[i]?.text ?? '') && tokens[i]?.kind !== 'string') i += 1;
  return i;
}

/** A comparison at `at`, parentheses around its sides passed over: its truth, and the index after it. */
export function compareAt(tokens: readonly Token[], at: number): { readonly result: boolean | undefined; readonly next: number } {
  let operator = at + 1;
  while (tokens[operator]?.text === ')' && operator < at + 8) operator += 1;
  const right = skipPrefix(tokens, operator + 1);
  const signed = (index: number): Token | undefined => {
    const token = tokens[index];
    return token?.kind === 'number' && tokens[index - 1]?.text === '-' ? { ...token, text: `-${token.text}` } : token;
  };
  let next = right + 1;
  while (tokens[next]?.text === ')' && next < right + 8) next += 1;
  return { result: holds(signed(at), tokens[operator], signed(right)), next };
}

const OPENS: ReadonlySet<string> = new Set(['or', '||', 'where', 'having', 'on', 'xor', 'when', 'if']);
const ENDS: ReadonlySet<string> = new Set([')', ';', 'or', 'limit', 'order', 'group', 'union', 'and', 'then']);
const TRUTHS: ReadonlySet<string> = new Set(['true']);

function isTruth(token: Token | undefined, next: Token | undefined, opener: string): boolean {
  if (token === undefined || (next !== undefined && !ENDS.has(next.text))) return false;
  if (token.kind === 'word') return TRUTHS.has(token.text) && opener !== '||';
  return token.kind === 'number' && Number(token.text) !== 0 && opener !== '||' && opener !== 'on';
}

/** Whether a condition in the tokens is always true: `or 1=1`, `where 'a'='a'`, `or true`, `having x=x`. */
export function hasTautology(tokens: readonly Token[]): boolean {
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i];
    if (token === undefined || token.kind === 'string' || !OPENS.has(token.text)) continue;
    const at = skipPrefix(tokens, i + 1);
    const negated = tokens.slice(i + 1, at).some((skipped) => skipped.text === 'not' || skipped.text === '!');
    const { result, next } = compareAt(tokens, at);
    const narrowed = tokens[next]?.text === 'and' && (token.text === 'where' || token.text === 'on' || token.text === 'having');
    if (result !== undefined && result !== negated && !narrowed) return true;
    if (result === undefined && !negated && isTruth(tokens[at], tokens[at + 1], token.text)) return true;
  }
  return false;
}
