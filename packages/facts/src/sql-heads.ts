/** @module Where a statement or a call starts, told from words of a sentence: what an injected fragment is judged by. */
import { isOperand, skipPrefix } from './sql-features.ts';
import { headKind } from './sql-statement.ts';
import { plainAt, type Token } from './sql-tokens.ts';

/** Built-in functions an injection asks questions with. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'ascii ord substring substr mid char chr concat concat_ws group_concat string_agg length len version user database schema current_user ' +
    'system_user session_user hex unhex cast convert count exists if ifnull nullif coalesce elt make_set floor rand exp power md5 sha1 lower upper ' +
    'left right reverse row row_count strcmp locate instr position db_name host_name suser_name is_srvrolemember load_file extractvalue updatexml ' +
    'sleep pg_sleep benchmark randomblob json_keys name_const utl_inaddr dbms_pipe dbms_lock xmltype ctxsys chr nvl decode to_char bitand polygon ' +
    'geometrycollection multipoint linestring multilinestring multipolygon gtid_subset quote_literal query_to_xml pg_read_file iif typeof pi cos sin tan abs ceil round sqrt sign isnull ' +
    'find_in_set sysdate rtrim ltrim compress uncompress coercibility charset collation starts_with'
  ).split(' '),
);
/** Operators and words that compare. */
export const COMPARES: ReadonlySet<string> = new Set([
  '=',
  '==',
  '<=>',
  '<',
  '>',
  '<=',
  '>=',
  '<>',
  '!=',
  'like',
  'ilike',
  'rlike',
  'regexp',
  'is',
  'in',
  'between',
  '~',
  'sounds',
  'glob',
  'similar',
]);

/** A known function called at `at`. */
export function isCall(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.kind === 'word' && FUNCTIONS.has(plainAt(tokens, at)) && plainAt(tokens, at + 1) === '(';
}

/** The word `select`. */
export function isSelect(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.kind === 'word' && plainAt(tokens, at) === 'select';
}

/** What must come next for a head to start a statement. */
const TARGETS: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    drop: /^(?:table|database|schema|view|user|index|procedure|function|login|role|column|trigger|sequence)$/,
    create: /^(?:table|database|schema|view|user|index|procedure|function|login|role|trigger|or|temporary|extension|alias)$/,
    alter: /^(?:table|database|schema|view|user|login|role|system|procedure)$/,
    truncate: /^(?:table|[a-z_][\w]*)$/,
    insert: /^(?:into|ignore|overwrite)$/,
    delete: /^(?:from)$/,
    replace: /^into$/,
    merge: /^into$/,
    waitfor: /^(?:delay|time)$/,
    load: /^data$/,
    bulk: /^insert$/,
    attach: /^database$/,
    start: /^transaction$/,
    backup: /^(?:database|log)$/,
    show: /^(?:tables|databases|schemas|columns|grants|variables|processlist|full|create)$/,
    set: /^(?:@|global$|session$|password$|role$)/,
    if: /^(?:\(|exists$|not$|\d)/,
    do: /^(?:sleep|benchmark|\$|\()/,
    kill: /^\d/,
    declare: /^(?:@|[a-z_]\w*$)/,
    prepare: /^[a-z_]\w*$/,
    pragma: /^[a-z_]\w*$/,
    exec: /^(?:xp_|sp_|master|@|\(|immediate|dbo|msdb|sys)/,
    execute: /^(?:xp_|sp_|master|@|\(|immediate|dbo|msdb|sys|as)/,
    explain: /^(?:select|analyze|insert|delete|update)$/,
  }),
);
/** Heads told from prose by a word that comes later. */
const CLAUSES: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    update: /^set$/,
    grant: /^to$/,
    revoke: /^from$/,
    copy: /^(?:from|to)$/,
    call: /^\($/,
    handler: /^(?:open|read)$/,
  }),
);
const ALONE: ReadonlySet<string> = new Set(['shutdown', 'commit', 'rollback', 'begin', 'vacuum']);

/** Whether a statement, and not a sentence, starts at `at`. */
export function isStatementAt(tokens: readonly Token[], at: number): boolean {
  const start = skipPrefix(tokens, at);
  if (headKind(tokens[start]) === undefined) return false;
  const head = plainAt(tokens, start);
  const next = tokens[start + 1]?.text;
  const target = TARGETS.get(head);
  if (target !== undefined) return next !== undefined && target.test(next);
  if (ALONE.has(head)) return next === undefined || next === ';' || next === 'with';
  if (head === 'select') return isSelectBody(tokens, start);
  const later = CLAUSES.get(head);
  return later !== undefined && tokens.slice(start + 2, start + 12).some((word) => word.kind !== 'string' && later.test(word.text));
}

/** What follows `select` is a list of expressions rather than words of a sentence. */
export function isSelectBody(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (next === undefined) return false;
  if ((next.kind !== 'word' && next.text !== ',') || isCall(tokens, at + 1) || next.text === 'null' || next.text === 'top') return true;
  const from = tokens.slice(at + 1, at + 24).findIndex((token) => token.kind === 'word' && token.text === 'from');
  const listed = from <= 2 || plainAt(tokens, at + 2) === ',' || plainAt(tokens, at + 2) === '.';
  return from !== -1 && listed && tokens.length > at + from + 2;
}

/** `is null`, `in (`, `like 'x'`, `between 1`: the word compares, it is not a word of a sentence. */
function isWordCompare(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (next === undefined) return false;
  if (plainAt(tokens, at) === 'is') return /^(?:null|not|true|false)$/.test(next.text);
  return next.text === '(' || isOperand(next);
}

/** A comparison within the next few tokens. */
export function comparesSoon(tokens: readonly Token[], at: number): boolean {
  for (let i = at; i < at + 8; i += 1) {
    if (COMPARES.has(plainAt(tokens, i)) && (tokens[i]?.kind === 'operator' || isWordCompare(tokens, i))) return true;
  }
  return false;
}
