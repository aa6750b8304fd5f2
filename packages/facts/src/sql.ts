/**
 * @module SQL text to statements. Whole statements are read by the PostgreSQL grammar; what it refuses, by tokens of every dialect; what
 * is no statement at all, as a fragment injected into a parameter. Total, synchronous, linear.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Span, StatementFact } from '@countersign/protocol';
import type { SqlParser } from './sql-wasm.ts';
import { featuresOf } from './sql-features.ts';
import { readFragment } from './sql-fragment.ts';
import { splitBatch, textsThatRun } from './sql-batch.ts';
import { endsInBlankComment, isEnclosed } from './sql-landing.ts';
import { SQL_LIMITS } from './sql-limits.ts';
import { headKind, readStatement, splitStatements } from './sql-statement.ts';
import { readTokens, significant, type Token, type TokenReading } from './sql-tokens.ts';
import { readTree, type TreeStatement } from './sql-tree.ts';
import type { TextSource } from './shell.ts';

export { looksLikeSql } from './sql-guess.ts';

/** Statements of one text. */
export interface SqlReading {
  readonly statements: readonly StatementFact[];
  /** A bound was met: statements may be missing. */
  readonly cut: boolean;
  readonly steps: number;
}

export interface SqlReader {
  /** Statements of a text, or the fragment it is. Never throws; never more than a constant number of steps for each character. */
  readSql(text: string, source: TextSource): SqlReading;
}

type SpanOf = (start: number, end: number) => Span;

function spans(text: string, source: TextSource): SpanOf {
  const { span } = source;
  if (source.layers.length > 0 || span.end - span.start !== text.length) return () => span;
  return (start, end) => ({ path: span.path, start: span.start + start, end: span.start + end });
}

/** Whether the grammar may see it: bounded in length, tokens and nesting. */
function fitsGrammar(text: string, tokens: readonly Token[]): boolean {
  if (text.length > SQL_LIMITS.grammarCharsMax || tokens.length > SQL_LIMITS.grammarTokensMax) return false;
  let depth = 0;
  let deepest = 0;
  for (const token of tokens) {
    if (token.kind !== 'punctuation') continue;
    if (token.text === '(' || token.text === '[') deepest = Math.max(deepest, (depth += 1));
    else if (token.text === ')' || token.text === ']') depth -= 1;
  }
  return deepest <= SQL_LIMITS.grammarDepthMax;
}

/** UTF-16 offset of a UTF-8 byte offset, remembering where the last question ended. */
function byteToUnit(text: string): (byte: number) => number {
  let unit = 0;
  let bytes = 0;
  return (byte) => {
    while (bytes < byte && unit < text.length) {
      const code = text.codePointAt(unit) ?? 0;
      bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      unit += code < 0x10000 ? 1 : 2;
    }
    return unit;
  };
}

/** Index of the first token that starts at or after an offset. */
function tokenAt(tokens: readonly Token[], start: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fromTree(
  statement: TreeStatement,
  input: { readonly tokens: readonly Token[]; readonly span: Span; readonly stacked: boolean },
): StatementFact {
  const { at: _at, length: _length, nodes: _nodes, cut: _cut, ...facts } = statement;
  const features = new Set([...statement.features, ...featuresOf(input.tokens)]);
  if (input.stacked) features.add('stacked');
  return { span: input.span, ...facts, features: [...features].sort(), by: 'parser', fragment: false };
}

function trimmed(text: string, start: number, end: number): readonly [number, number] {
  let [from, to] = [start, end];
  while (from < to && /\s/.test(text[from] ?? '')) from += 1;
  while (to > from && /\s/.test(text[to - 1] ?? '')) to -= 1;
  return [from, to];
}

function readByGrammar(
  parser: SqlParser,
  text: string,
  input: { readonly tokens: readonly Token[]; readonly spanOf: SpanOf },
): SqlReading | undefined {
  const parsed = parser.parse(text);
  if (!parsed.ok) return undefined;
  // The JSON is the grammar's own, of a bounded text: no limits to enforce on it.
  const found = readTree(JSON.parse(parsed.json) as JsonValue);
  if (found.length === 0) return undefined;
  const unitOf = byteToUnit(text);
  let steps = parsed.json.length;
  let before = 0;
  const statements = found.slice(0, SQL_LIMITS.statementsMax).map((statement) => {
    const [start, end] = trimmed(
      text,
      unitOf(statement.at),
      statement.length === 0 ? text.length : unitOf(statement.at + statement.length),
    );
    // From the end of the one before: comments in front of a statement are no part of its span.
    const last = tokenAt(input.tokens, end);
    const tokens = input.tokens.slice(before, last);
    before = last;
    steps += statement.nodes + tokens.length;
    return fromTree(statement, { tokens, span: input.spanOf(start, end), stacked: found.length > 1 });
  });
  const cut = found.length > SQL_LIMITS.statementsMax || found.some((statement) => statement.cut);
  return { statements, cut, steps };
}

/** Statements between semicolons, and those that a batch parts without one. */
function partsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  return splitStatements(tokens).flatMap((part) => {
    const plain = significant(part);
    const batch = plain.length === 0 ? [] : splitBatch(plain);
    return batch.length > 1 ? batch : plain.length === 0 ? [] : [part];
  });
}

function readByTokens(tokens: readonly Token[], spanOf: SpanOf): SqlReading {
  const parts = partsOf(tokens);
  let steps = tokens.length;
  const statements: StatementFact[] = [];
  for (const part of parts.slice(0, SQL_LIMITS.statementsMax)) {
    const facts = readStatement(significant(part));
    const features = new Set(featuresOf(part));
    if (parts.length > 1) features.add('stacked');
    steps += part.length * 4;
    const span = spanOf(part[0]?.start ?? 0, part.at(-1)?.end ?? 0);
    statements.push({ span, ...facts, features: [...features].sort(), by: 'tokens', fragment: false });
  }
  return { statements, cut: parts.length > SQL_LIMITS.statementsMax, steps };
}

/** The first word, behind comments and parentheses, starts a statement. */
function startsStatement(tokens: readonly Token[]): boolean {
  const at = tokens.findIndex((token) => token.kind !== 'comment' && token.text !== '(' && token.text !== ';');
  const first = tokens[at];
  // Words that start sentences more often than statements: the next one tells.
  const next = first === undefined ? undefined : PAIRED.get(first.text);
  if (next !== undefined) return next.test(tokens[at + 1]?.text ?? '');
  return headKind(first) !== undefined || first?.text === 'table';
}

const PAIRED: ReadonlyMap<string, RegExp> = new Map([
  ['while', /^(?:\(|\d|@|exists$|not$)/],
  ['export', /^data$/],
  ['install', /^(?:plugin|component|soname)$/],
  ['purge', /^(?:binary|master)$/],
  ['unload', /^\($/],
]);

/** `((select 1)) --`: a statement of one expression in parentheses needs no comment behind it; what it lands in does. */
function isCutOff(tokens: readonly Token[]): boolean {
  return endsInBlankComment(tokens) && isEnclosed(significant(tokens));
}

function readAsFragment(text: string, source: TextSource): SqlReading {
  const { fragmentCharsMax } = SQL_LIMITS;
  const long = text.length > fragmentCharsMax;
  const looked = long ? `${text.slice(0, fragmentCharsMax / 2)} ${text.slice(-fragmentCharsMax / 2)}` : text;
  const { fragment, steps } = readFragment(looked);
  if (fragment === undefined) return { statements: [], cut: long, steps };
  const statement: StatementFact = {
    span: source.span,
    tables: [],
    hasWhere: false,
    hasLimit: false,
    star: false,
    by: 'tokens',
    fragment: true,
    ...fragment,
  };
  return { statements: [statement], cut: long, steps };
}

function readWhole(parser: SqlParser, text: string, input: { readonly source: TextSource; readonly reading: TokenReading }): SqlReading {
  const { source, reading } = input;
  const spanOf = spans(text, source);
  if (!startsStatement(reading.tokens) || isCutOff(reading.tokens)) return readAsFragment(text, source);
  const grammar = fitsGrammar(text, reading.tokens) ? readByGrammar(parser, text, { tokens: reading.tokens, spanOf }) : undefined;
  return grammar ?? readByTokens(reading.tokens, spanOf);
}

/** What a body has around its statements. */
const FRAME: ReadonlySet<string> = new Set(['transaction', 'unknown']);

/** Statements that the text holds as strings and runs, one inside the other as deep as the limit says. */
function readInner(tokens: readonly Token[], source: TextSource): SqlReading {
  const statements: StatementFact[] = [];
  let steps = 0;
  let texts = startsStatement(tokens) ? textsThatRun(significant(tokens)) : [];
  for (let depth = 0; depth < SQL_LIMITS.innerDepthMax && texts.length > 0; depth += 1) {
    const readings = texts.map((text) => readTokens(text)).filter((reading) => startsStatement(reading.tokens));
    for (const reading of readings) {
      const found = readByTokens(reading.tokens, () => source.span);
      steps += reading.steps + found.steps;
      statements.push(...found.statements.filter(({ kind }) => !FRAME.has(kind)));
    }
    texts = readings.flatMap((reading) => textsThatRun(significant(reading.tokens)));
  }
  return { statements, cut: texts.length > 0, steps };
}

function readLong(text: string, source: TextSource): SqlReading {
  const offset = text.length - SQL_LIMITS.tailCharsMax;
  const spanOf = spans(text, source);
  const head = readTokens(text.slice(0, SQL_LIMITS.headCharsMax));
  const tail = readTokens(text.slice(offset));
  const first = startsStatement(head.tokens) ? readByTokens(head.tokens, spanOf) : readAsFragment(text, source);
  const parts = splitStatements(tail.tokens).filter((part) => headKind(significant(part)[0]) !== undefined);
  const last = readByTokens(parts.flat(), (start, end) => spanOf(offset + start, offset + end));
  return { statements: [...first.statements, ...last.statements], cut: true, steps: head.steps + tail.steps + first.steps + last.steps };
}

/** A reader over the PostgreSQL grammar of `createParsers`. */
export function createSqlReader(parser: SqlParser): SqlReader {
  return {
    readSql(text, source) {
      if (text.length > SQL_LIMITS.textCharsMax) return readLong(text, source);
      const reading = readTokens(text);
      const whole = readWhole(parser, text, { source, reading });
      const inner = readInner(reading.tokens, source);
      const statements = [...whole.statements, ...inner.statements].slice(0, SQL_LIMITS.statementsMax);
      const cut = whole.cut || reading.cut || inner.cut || statements.length < whole.statements.length + inner.statements.length;
      return { statements, cut, steps: whole.steps + reading.steps + inner.steps };
    },
  };
}
