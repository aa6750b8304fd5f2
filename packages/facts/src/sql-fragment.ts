/**
 * @module SQL injected into a parameter: text that is no statement but would change one. The text is read as it lands: bare, and inside
 * each kind of quote; shapes of tokens decide, never the mere presence of a word.
 */
import type { StatementKind } from '@countersign/protocol';
import { compareAt, featuresOf, hasTautology, isOperand, skipPrefix } from './sql-features.ts';
import {
  asksServer,
  castsCall,
  comparesNothingNamed,
  comparesStrings,
  continuesExpression,
  cutsExpression,
  endsInBlankComment,
  followsQuote,
  leavesQuote,
  opensCall,
  type Landing,
} from './sql-landing.ts';
import { mayLand } from './sql-signs.ts';
import { headKind } from './sql-statement.ts';
import { COMPARES, comparesSoon, isCall, isSelect, isSelectBody, isStatementAt } from './sql-heads.ts';
import { plainAt, readTokens, significant, textAt, type Context, type Token } from './sql-tokens.ts';

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
  '|',
  '&',
  '^',
]);
const LOGICAL: ReadonlySet<string> = new Set(['or', 'and', '||', '&&', 'xor', 'having', 'where']);
const JUNCTIONS: ReadonlySet<string> = new Set(['or', 'and', '||', '&&', 'xor']);
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

/** Whether what stands at `at` is a condition: a comparison of constants, a call, a subquery. */
function isCondition(tokens: readonly Token[], at: number): boolean {
  const start = skipPrefix(tokens, at);
  const token = tokens[start];
  if (token === undefined) return false;
  if (compareAt(tokens, start).result !== undefined || isCall(tokens, start) || isSelect(tokens, start)) return true;
  if (plainAt(tokens, start) === 'exists') return plainAt(tokens, start + 1) === '(';
  if (plainAt(tokens, start) === 'case') return tokens.slice(start, start + 8).some((next) => next.text === 'when');
  if (token.kind === 'variable' && token.text.startsWith('@@')) return true;
  return (
    isOperand(token) &&
    COMPARES.has(plainAt(tokens, start + 1)) &&
    (isCall(tokens, start + 2) || isSelect(tokens, skipPrefix(tokens, start + 2)))
  );
}

/** Whether the token before `at` ends a value, so that an operator may follow. */
function landsAt(body: readonly Token[], at: number): boolean {
  return isOperand(body[at - 1]) || plainAt(body, at - 1) === ')';
}

/** `or true` at the very end. */
function endsInTruth(body: readonly Token[], at: number): boolean {
  return at + 2 >= body.length && JUNCTIONS.has(plainAt(body, at)) && /^(?:true|false|null)$/.test(plainAt(body, at + 1));
}

/** The connector at `at`, right behind a quote that was closed, goes on with a comparison. */
function goesOn(landing: Landing, at: number): boolean {
  const word = plainAt(landing.body, at);
  if (!landing.broke || at > 2 || !LOGICAL.has(word)) return false;
  return comparesSoon(landing.body, at + 1) || (JUNCTIONS.has(word) && endsAfterConstant(landing, at));
}

/** The connector at `at` carries a condition of its own. */
function connects(landing: Landing, at: number): boolean {
  const { body } = landing;
  const word = plainAt(body, at);
  if (!CONNECTORS.has(word)) return false;
  const lands = at === 0 || landsAt(body, at) || plainAt(body, at - 1) === ';';
  if (lands && endsInTruth(body, at)) return true;
  if (isCondition(body, at + 1) && (lands || (LOGICAL.has(word) && constantsAfter(body, at + 1)))) return true;
  return goesOn(landing, at);
}

/** `' or 1=1`, `1) and (select ...`, `or exists(...`. */
function addsCondition(landing: Landing): boolean {
  return landing.body.some((_, at) => connects(landing, at));
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
  // A lone `?` is a mark of prose: who injects a text cannot bind a value to it.
  const constant = token.text !== '?' && (isOperand(token) || /^(?:true|null|false)$/.test(token.text));
  return constant && (at + 1 >= landing.body.length || plainAt(landing.body, at + 1) === ')');
}

/** `1 update t set`: a statement right behind a number, with the separator lost. */
function followsNumber(body: readonly Token[]): boolean {
  return body[0]?.kind === 'number' && plainAt(body, 1) === 'update' && isStatementAt(body, 1);
}

/** A statement is let in at `at`. */
function stacksAt({ body, broke }: Landing, at: number): boolean {
  if (at === 0 && followsNumber(body)) return true;
  if (plainAt(body, at) !== ';' || body[at]?.kind !== 'punctuation') return false;
  return isStatementAt(body, at + 1) || (at === 0 && broke && isSelect(body, 1) && body.length > 2);
}

/** `1; drop table x`, `'; exec ...`. */
function stacks(landing: Landing): StatementKind | undefined {
  const at = landing.body.findIndex((_, i) => stacksAt(landing, i));
  return at === -1 ? undefined : headKind(landing.body[skipPrefix(landing.body, at + 1)]);
}

const COMPARING = /^(?:=|==|<=>|<>|!=|<|>|<=|>=|\|\||&&)$/;
const WORD_JOINERS: ReadonlySet<string> = new Set(['like', 'ilike', 'rlike', 'regexp', 'sounds', 'div', 'mod', 'glob']);

/** The last string is left open behind an operator, or at the end of a comparison. */
function leavesQuoteOpen({ body, context }: Landing): boolean {
  if (!leavesQuote(body, context)) return false;
  return body.length <= 2 || (body.length <= 32 && body.some((_, i) => COMPARES.has(plainAt(body, i)) || JUNCTIONS.has(plainAt(body, i))));
}

/** What stands behind the joining operator is a value that a query would join. */
function joinsValue({ body, comments }: Landing, at: number): boolean {
  const operator = plainAt(body, 0);
  const next = body[at];
  if (next === undefined) return false;
  if (COMPARING.test(operator) && (next.kind === 'string' || (next.kind === 'quoted' && !next.closed))) return true;
  if (next.kind === 'number') return at + 1 >= body.length && (comments || /[=<>|&^]/.test(operator));
  return isCall(body, at) || (at > 1 && isSelect(body, at));
}

/** `'='`, `' || '`, `'-'`: the quote closed, an operator, and another string. */
function joinsStrings(landing: Landing): boolean {
  const { body, broke } = landing;
  if (!broke || body.length < 2) return false;
  const operator = plainAt(body, 0);
  const joins = body[0]?.kind === 'operator' && JOINERS.has(operator);
  if (!joins && !WORD_JOINERS.has(operator)) return false;
  if (leavesQuoteOpen(landing)) return true;
  const at = skipPrefix(body, 1);
  const kind = body[at]?.kind;
  return joins ? joinsValue(landing, at) : at > 1 && (kind === 'number' || kind === 'string');
}

type Probe = (body: readonly Token[], at: number, marked: boolean) => boolean;

function listsColumns(body: readonly Token[], at: number, marked: boolean): boolean {
  if (plainAt(body, at + 1) !== 'by' || at + 2 >= body.length) return false;
  return marked || body[at + 2]?.kind === 'number' || isCall(body, at + 2);
}

/** Clauses behind a value, told from a sentence by what is around them. */
const PROBES: ReadonlyMap<string, Probe> = new Map<string, Probe>([
  ['order', listsColumns],
  ['group', listsColumns],
  ['union', (body, at, marked) => marked && body[at + 1]?.kind === 'number' && plainAt(body, at + 2) === ','],
  ['procedure', (body, at) => plainAt(body, at + 1) === 'analyse'],
  ['limit', (body, at, marked) => marked && body[at + 1]?.kind === 'number'],
  ['into', (body, at) => body[at + 1]?.kind === 'variable' || /^(?:outfile|dumpfile)$/.test(plainAt(body, at + 1))],
]);

/** `' order by 3--`, `1 group by x having`, `procedure analyse(`. */
function probesShape({ body, broke, comments }: Landing): boolean {
  if (body.length === 3 && plainAt(body, 0) === 'order' && plainAt(body, 1) === 'by' && body[2]?.kind === 'number') return true;
  return body.slice(0, 64).some((_, at) => {
    const lands = (at === 0 && broke) || landsAt(body, at);
    return lands && PROBES.get(plainAt(body, at))?.(body, at, broke || comments) === true;
  });
}

const TELLING: readonly string[] = ['union', 'into-outfile', 'into-dumpfile', 'load-file', 'xp-cmdshell', 'copy-program', 'os', 'catalog'];
const REACHING: readonly string[] = ['error', 'file'];
const TIMER = /sleep|benchmark|delay|receive_message|randomblob/;

function asks(body: readonly Token[]): boolean {
  return body.some((_, i) => isSelect(body, i) && (isSelectBody(body, i) || plainAt(body, i - 1) === '('));
}

function waits(body: readonly Token[]): boolean {
  return body.some((token, i) => TIMER.test(token.text) && /^[(\d]/.test(textAt(body, i + 1)));
}

/** Functions and names that have no business in a parameter, with something of SQL around them. */
function usesTools({ body, broke, comments }: Landing, features: ReadonlySet<string>): boolean {
  if (TELLING.some((feature) => features.has(feature))) return true;
  const marked = broke || comments;
  const reaches = REACHING.some((feature) => features.has(feature)) || (features.has('sleep') && waits(body));
  if (reaches && (marked || body.length > 2)) return true;
  return asks(body) && (marked || reaches || features.has('subquery'));
}

/** What a value is not, and a fragment is. `sql-signs.ts` knows what each of them needs. */
const SHAPES: readonly ((landing: Landing, features: ReadonlySet<string>) => boolean)[] = [
  truncates,
  addsCondition,
  joinsStrings,
  probesShape,
  opensCall,
  comparesStrings,
  followsQuote,
  asksServer,
  castsCall,
  cutsExpression,
  continuesExpression,
  comparesNothingNamed,
];

/** A quote closed and the rest of the query cut off: `admin'--`, `x'; ... --`. */
function truncates({ broke, commentFirst, comments, body }: Landing): boolean {
  return broke && (commentFirst || (comments && plainAt(body, 0) === ';'));
}

function judge(landing: Landing): Fragment | undefined {
  const features = new Set(featuresOf(landing.tokens));
  const stacked = stacks(landing);
  const shaped = stacked !== undefined || SHAPES.some((shape) => shape(landing, features));
  if (!shaped && !usesTools(landing, features)) return undefined;
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
  const first = rest.find((token) => token.kind !== 'punctuation' || !/^[);]$/.test(token.text));
  const commentFirst = first?.kind === 'comment' && isComment(text, first);
  const comments = rest.some((token) => token.kind === 'comment');
  const commentLast = endsInBlankComment(rest);
  return { landing: { context, tokens: rest, body, broke, comments, commentFirst, commentLast }, steps };
}

/** A `#` or `--` right behind a quote ends a query; before a word of prose (`'#1 fan`) it does not. */
function isComment(text: string, token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (text[token.start] !== '#') return true;
  return token.text.trim().length <= 1;
}

const SHAPED = /['"`=(;#\\*@<>|&^-]|\b(?:or|and|union|select|having|order|group|waitfor|into|exec|like|between|procedure|limit|sleep)\b/i;
const CURLY = /[\u2018\u2019\u201b\u02bc\u2032\uff07]/;
const CURLIES = /[\u2018\u2019\u201b\u02bc\u2032\uff07]/g;
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
  const text = CURLY.test(raw) && /[=#;]|--/.test(raw) ? raw.replaceAll(CURLIES, "'") : raw;
  return mayLand(text.toLowerCase()) && SHAPED.test(text) ? readLandings(text) : { fragment: undefined, steps: 4 * text.length };
}

/** The same of a text that was not looked over before: what `mayLand` must never keep from being read. */
export function readLandings(text: string): FragmentReading {
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
