/**
 * @module SQL injected into a parameter: text that is no statement but would change one. The text is read as it lands: bare, and inside
 * each kind of quote; shapes of tokens decide, never the mere presence of a word.
 */
import type { StatementKind } from '@countersign/protocol';
import { compareAt, featuresOf, hasTautology, isOperand, skipPrefix } from './sql-features.ts';
import { headKind } from './sql-statement.ts';
import { readTokens, significant, type Context, type Token } from './sql-tokens.ts';

/** What an injected fragment would do. */
export interface Fragment {
  readonly kind: StatementKind;
  readonly features: readonly string[];
  readonly tautology: boolean;
}

export interface FragmentReading {
  readonly fragment: Fragment | undefined;
  readonly steps: number;
}

/** A text read in one context: `body` is what follows the quote it broke out of. */
interface Landing {
  readonly tokens: readonly Token[];
  readonly body: readonly Token[];
  readonly broke: boolean;
  /** A comment directly behind the quote, or at the end. */
  readonly comments: boolean;
  readonly commentFirst: boolean;
}

const CONNECTORS: ReadonlySet<string> = new Set([
  'or',
  'and',
  '||',
  '&&',
  'xor',
  'having',
  'where',
  'div',
  'mod',
  'rlike',
  'regexp',
  'like',
  'between',
  'in',
  'is',
  'not',
  '|',
  '&',
  '^',
]);
const LOGICAL: ReadonlySet<string> = new Set(['or', 'and', '||', '&&', 'xor', 'having', 'where', 'not']);
const JUNCTIONS: ReadonlySet<string> = new Set(['or', 'and', '||', '&&', 'xor']);
const COMPARES: ReadonlySet<string> = new Set([
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
const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'ascii ord substring substr mid char chr concat concat_ws group_concat string_agg length len version user database schema current_user ' +
    'system_user session_user hex unhex cast convert count exists if ifnull nullif coalesce elt make_set floor rand exp power md5 sha1 lower upper ' +
    'left right reverse row row_count strcmp locate instr position db_name host_name suser_name is_srvrolemember load_file extractvalue updatexml ' +
    'sleep pg_sleep benchmark randomblob json_keys name_const utl_inaddr dbms_pipe dbms_lock xmltype ctxsys chr nvl decode to_char bitand polygon ' +
    'geometrycollection multipoint linestring multilinestring multipolygon gtid_subset quote_literal query_to_xml pg_read_file iif typeof pi cos sin tan abs ceil round sqrt sign isnull'
  ).split(' '),
);
const JOINERS: ReadonlySet<string> = new Set([
  '=',
  '==',
  '<=>',
  '<>',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '||',
  '&&',
  '|',
  '&',
  '^',
  '*',
  '+',
  '-',
  '/',
  '%',
  '~',
  '!',
  ':=',
]);

function isCall(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  return token?.kind === 'word' && FUNCTIONS.has(token.text) && tokens[at + 1]?.text === '(';
}

function isSelect(token: Token | undefined): boolean {
  return token?.kind === 'word' && token.text === 'select';
}

/** Whether what stands at `at` is a condition: a comparison of constants, a call, a subquery. */
function isCondition(tokens: readonly Token[], at: number): boolean {
  const start = skipPrefix(tokens, at);
  const token = tokens[start];
  if (token === undefined) return false;
  if (compareAt(tokens, start).result !== undefined) return true;
  if (isCall(tokens, start) || isSelect(token) || (token.text === 'exists' && tokens[start + 1]?.text === '(')) return true;
  if (token.kind === 'word' && token.text === 'case') return tokens.slice(start, start + 8).some((next) => next.text === 'when');
  if (token.kind === 'variable' && token.text.startsWith('@@')) return true;
  return (
    isOperand(token) &&
    COMPARES.has(tokens[start + 1]?.text ?? '') &&
    (isCall(tokens, start + 2) || isSelect(tokens[skipPrefix(tokens, start + 2)]))
  );
}

/** `is null`, `in (`, `like 'x'`, `between 1`: the word compares, it is not a word of a sentence. */
function isWordCompare(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (next === undefined) return false;
  if (tokens[at]?.text === 'is') return /^(?:null|not|true|false)$/.test(next.text);
  return next.text === '(' || isOperand(next);
}

function comparesSoon(tokens: readonly Token[], at: number): boolean {
  for (let i = at; i < at + 8; i += 1) {
    const token = tokens[i];
    if (token === undefined || token.kind === 'string' || !COMPARES.has(token.text)) continue;
    if (token.kind === 'operator' || isWordCompare(tokens, i)) return true;
  }
  return false;
}

/** `' or 1=1`, `1) and (select ...`, `or exists(...`. */
function addsCondition(landing: Landing): boolean {
  const { body, broke } = landing;
  for (let i = 0; i < body.length; i += 1) {
    const token = body[i];
    if (token === undefined || token.kind === 'string' || token.kind === 'quoted' || !CONNECTORS.has(token.text)) continue;
    const before = body[i - 1];
    const lands = i === 0 || isOperand(before) || before?.text === ')' || before?.text === ';';
    if (lands && JUNCTIONS.has(token.text) && /^(?:true|false|null)$/.test(body[i + 1]?.text ?? '') && i + 2 >= body.length) return true;
    if (isCondition(body, i + 1) && (lands || (LOGICAL.has(token.text) && constantsAfter(body, i + 1)))) return true;
    if (
      broke &&
      i <= 2 &&
      LOGICAL.has(token.text) &&
      (comparesSoon(body, i + 1) || (JUNCTIONS.has(token.text) && endsAfterConstant(landing, i)))
    )
      return true;
  }
  return false;
}

function constantsAfter(tokens: readonly Token[], at: number): boolean {
  const start = skipPrefix(tokens, at);
  return tokens[start]?.kind !== 'word' && compareAt(tokens, start).result !== undefined;
}

/** `' or 1 --`, `' or true#`, `' or '`. */
function endsAfterConstant(landing: Landing, connector: number): boolean {
  const at = skipPrefix(landing.body, connector + 1);
  const token = landing.body[at];
  if (token === undefined) return landing.comments;
  const constant = isOperand(token) || token.text === 'true' || token.text === 'null' || token.text === 'false';
  return constant && (at + 1 >= landing.body.length || landing.body[at + 1]?.text === ')');
}

const TARGETS: Readonly<Record<string, RegExp>> = {
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
  if: /^(?:\(|exists|not|\d)/,
  do: /^(?:sleep|benchmark|\$|\()/,
  kill: /^\d/,
  declare: /^(?:@|[a-z_]\w*$)/,
  prepare: /^[a-z_]\w*$/,
  pragma: /^[a-z_]\w*$/,
  exec: /^(?:xp_|sp_|master|@|\(|immediate|dbo|msdb|sys)/,
  execute: /^(?:xp_|sp_|master|@|\(|immediate|dbo|msdb|sys|as)/,
  explain: /^(?:select|analyze|insert|delete|update)$/,
};
/** Heads told from prose by a word that comes later. */
const CLAUSES: Readonly<Record<string, RegExp>> = {
  update: /^set$/,
  grant: /^to$/,
  revoke: /^from$/,
  copy: /^(?:from|to)$/,
  call: /^\($/,
  handler: /^(?:open|read)$/,
};
const ALONE: ReadonlySet<string> = new Set(['shutdown', 'commit', 'rollback', 'begin', 'vacuum']);

/** Whether a statement, and not a sentence, starts at `at`. */
function isStatementAt(tokens: readonly Token[], at: number): boolean {
  const start = skipPrefix(tokens, at);
  const token = tokens[start];
  const next = tokens[start + 1];
  if (token === undefined || headKind(token) === undefined) return false;
  const target = TARGETS[token.text];
  if (target !== undefined) return next !== undefined && target.test(next.text);
  if (ALONE.has(token.text)) return next === undefined || next.text === ';' || next.text === 'with';
  if (token.text === 'select') return isSelectBody(tokens, start);
  const later = CLAUSES[token.text];
  return later !== undefined && tokens.slice(start + 2, start + 12).some((word) => word.kind !== 'string' && later.test(word.text));
}

/** What follows `select` is a list of expressions rather than words of a sentence. */
function isSelectBody(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  if (next === undefined) return false;
  if (next.kind !== 'word' && next.text !== ',') return true;
  if (isCall(tokens, at + 1) || next.text === 'null' || next.text === 'top') return true;
  const from = tokens.slice(at + 1, at + 24).findIndex((token) => token.kind === 'word' && token.text === 'from');
  return (
    from !== -1 && (from <= 2 || tokens[at + 2]?.text === ',' || tokens[at + 2]?.text === '.') && tokens[at + 1 + from + 1] !== undefined
  );
}

/** `1; drop table x`, `'; exec ...`. */
function stacks(landing: Landing): StatementKind | undefined {
  const { body } = landing;
  for (let i = 0; i < body.length; i += 1) {
    const numeric = i === 0 && body[0]?.kind === 'number' && body[1]?.text === 'update';
    const separated = body[i]?.text === ';' && body[i]?.kind === 'punctuation';
    const brokenSelect = separated && i === 0 && landing.broke && isSelect(body[1]) && body[2] !== undefined;
    if ((!separated && !numeric) || !(brokenSelect || isStatementAt(body, i + 1))) continue;
    return headKind(body[skipPrefix(body, i + 1)]);
  }
  return undefined;
}

const COMPARING = /^(?:=|==|<=>|<>|!=|<|>|<=|>=|\|\||&&)$/;
const WORD_JOINERS: ReadonlySet<string> = new Set(['like', 'ilike', 'rlike', 'regexp', 'sounds', 'div', 'mod', 'glob']);

/** The last string is left for the query around it to close: `'0`, `'`. */
function leavesQuoteOpen(body: readonly Token[]): boolean {
  const last = body.at(-1);
  return (
    last !== undefined && (last.kind === 'string' || last.kind === 'quoted') && !last.closed && /^(?:[\s\d]{0,6}|[a-z])$/.test(last.text)
  );
}

function compares(token: Token): boolean {
  return token.kind !== 'string' && token.kind !== 'quoted' && (COMPARES.has(token.text) || JUNCTIONS.has(token.text));
}

/** `'='`, `' || '`, `'-'`: the quote closed, an operator, and another string. */
function joinsStrings({ body, broke, comments }: Landing): boolean {
  const at = skipPrefix(body, 1);
  const [operator, next] = [body[0], body[at]];
  if (!broke || operator === undefined || next === undefined) return false;
  const joins = operator.kind === 'operator' && JOINERS.has(operator.text);
  if (
    (joins || WORD_JOINERS.has(operator.text)) &&
    leavesQuoteOpen(body) &&
    body.length <= 32 &&
    (body.length <= 2 || body.slice(0, -1).some(compares))
  )
    return true;
  if (!joins) return WORD_JOINERS.has(operator.text) && at > 1 && (next.kind === 'number' || next.kind === 'string');
  if (COMPARING.test(operator.text) && (next.kind === 'string' || (next.kind === 'quoted' && !next.closed))) return true;
  const compared = /[=<>|&^]/.test(operator.text);
  return (
    isCall(body, at) || (next.kind === 'number' && (comments || compared) && at + 1 >= body.length) || (next.text === 'select' && at > 1)
  );
}

/** `' order by 3--`, `1 group by x having`, `procedure analyse(`. */
function probesShape({ body, broke, comments }: Landing): boolean {
  for (let i = 0; i < body.length && i < 64; i += 1) {
    const [token, next, after] = [body[i], body[i + 1], body[i + 2]];
    if (i === 0 && token?.text === 'order' && next?.text === 'by' && after?.kind === 'number' && body.length === 3) return true;
    const lands = (i === 0 && broke) || isOperand(body[i - 1]) || body[i - 1]?.text === ')';
    if (!lands || token?.kind !== 'word') continue;
    if (
      (token.text === 'order' || token.text === 'group') &&
      next?.text === 'by' &&
      after !== undefined &&
      (broke || comments || after.kind === 'number')
    )
      return true;
    if (token.text === 'procedure' && next?.text === 'analyse') return true;
    if (token.text === 'limit' && next?.kind === 'number' && (broke || comments)) return true;
    if (token.text === 'into' && (next?.kind === 'variable' || next?.text === 'outfile' || next?.text === 'dumpfile')) return true;
  }
  return false;
}

const TELLING: ReadonlySet<string> = new Set(['union', 'into-outfile', 'into-dumpfile', 'load-file', 'xp-cmdshell', 'copy-program', 'os']);

/** Functions and names that have no business in a parameter, with something of SQL around them. */
function usesTools({ body, broke, comments }: Landing, features: readonly string[]): boolean {
  if (features.some((feature) => TELLING.has(feature))) return true;
  const timed =
    features.includes('sleep') &&
    body.some(
      (token, i) =>
        /sleep|benchmark|delay|receive_message|randomblob/.test(token.text) && /^[(\d]/.test(body[i + 1]?.text ?? body[i]?.text ?? ''),
    );
  const queries = body.some((token, i) => isSelect(token) && (isSelectBody(body, i) || body[i - 1]?.text === '('));
  if (timed || features.includes('error') || features.includes('file')) return broke || comments || queries || body.length > 2;
  if (features.includes('catalog')) return true;
  return queries && (broke || features.includes('subquery') || comments);
}

function judge(landing: Landing): Fragment | undefined {
  const features = new Set(featuresOf(landing.tokens));
  const stacked = stacks(landing);
  const closed = landing.broke && (landing.commentFirst || (landing.comments && landing.body[0]?.text === ';'));
  const hit =
    stacked !== undefined ||
    closed ||
    addsCondition(landing) ||
    joinsStrings(landing) ||
    probesShape(landing) ||
    usesTools(landing, [...features]);
  if (!hit) return undefined;
  if (landing.comments) features.add('comment');
  if (stacked !== undefined) features.add('stacked');
  const selects = features.has('union') || features.has('subquery');
  return { kind: stacked ?? (selects ? 'select' : 'unknown'), features: [...features].sort(), tautology: hasTautology(landing.body) };
}

function land(text: string, context: Context, escapes: boolean): { readonly landing: Landing; readonly steps: number } {
  const { tokens, steps } = readTokens(text, context, escapes);
  const broke = context !== '' && tokens[0]?.closed === true;
  const from = broke ? 1 : 0;
  const rest = context === '' ? tokens : tokens.slice(from);
  const body = significant(rest);
  let first = 0;
  while (/^[);]$/.test(rest[first]?.text ?? '') && rest[first]?.kind === 'punctuation') first += 1;
  const commentFirst = rest[first]?.kind === 'comment' && isComment(text, rest[first]);
  const comments = rest.some((token) => token.kind === 'comment');
  return { landing: { tokens: rest, body, broke, comments, commentFirst }, steps };
}

/** A `#` or `--` right behind a quote ends a query; before a word of prose (`'#1 fan`) it does not. */
function isComment(text: string, token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (text[token.start] !== '#') return true;
  return token.text.trim().length <= 1;
}

const SHAPED = /['"`=(;#\\*@<>|&^-]|\b(?:or|and|union|select|having|order|group|waitfor|into|exec|like|between|procedure|limit|sleep)\b/i;
const CURLY = /[\u2018\u2019\u201b\u02bc\u2032\uff07]/g;
const INSIDE: readonly Context[] = ["'", '"', '`'];

function readings(text: string): readonly { readonly text: string; readonly context: Context; readonly escapes: boolean }[] {
  const found: { text: string; context: Context; escapes: boolean }[] = [{ text, context: '', escapes: true }];
  for (const context of INSIDE) {
    if (!text.includes(context)) continue;
    found.push({ text, context, escapes: true });
    if (text.includes('\\')) found.push({ text, context, escapes: false });
  }
  return found;
}

/** Removes block comments without leaving a space: `un/**\/ion` as a filter that strips them would see it. */
function joinAcrossComments(text: string): string {
  let joined = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('/*', at);
    const close = open === -1 ? -1 : text.indexOf('*/', open + 2);
    if (close === -1) return joined + text.slice(at);
    joined += text.slice(at, open);
    at = close + 2;
  }
}

function merge(left: Fragment | undefined, right: Fragment): Fragment {
  if (left === undefined) return { ...right, features: right.features.toSorted() };
  const kind = left.kind === 'unknown' ? right.kind : left.kind;
  return { kind, features: [...new Set([...left.features, ...right.features])].sort(), tautology: left.tautology || right.tautology };
}

/** The fragment a parameter is, or undefined for ordinary text. Linear: at most fourteen passes. */
export function readFragment(raw: string): FragmentReading {
  // Curly apostrophes are quotes only where several of them could pair up.
  const text = CURLY.test(raw) && /[=#;]|--/.test(raw) ? raw.replaceAll(CURLY, "'") : raw;
  CURLY.lastIndex = 0;
  if (!SHAPED.test(text)) return { fragment: undefined, steps: text.length };
  let steps = text.length;
  let fragment: Fragment | undefined;
  const joined = text.includes('/*') ? joinAcrossComments(text) : text;
  const texts = joined === text ? [text] : [text, joined];
  for (const candidate of texts.flatMap(readings)) {
    const { landing, steps: spent } = land(candidate.text, candidate.context, candidate.escapes);
    steps += spent + landing.tokens.length;
    if (candidate.context !== '' && !landing.broke) continue;
    const found = judge(landing);
    if (found === undefined) continue;
    const features = texts.length > 1 && !found.features.includes('comment') ? [...found.features, 'comment'] : found.features;
    fragment = merge(fragment, { ...found, features });
  }
  return { fragment, steps };
}
