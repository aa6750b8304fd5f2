/** @module The selections of a Sigma rule: maps (and), lists (or), keywords, modifiers. Everything that is not known is said by its place. */
import { isJsonObject, type JsonValue } from '@countersign/kernel';
import type { NumberRange } from '../rule.ts';
import { allOf, anyOf, type Expression, fieldIs, type Place, type SigmaPattern } from './expression.ts';
import { parentIs, programIs, type ProgramValue, type Source, type SourceField } from './sigma-fields.ts';
import { expressionOf, type Manner, networkOf, patternOf, readTokens, type Token } from './sigma-pattern.ts';

/** A fault of the rule itself: nothing of it is imported. */
export class SigmaFault extends Error {
  readonly path: string;
  constructor(path: string, why: string) {
    super(why);
    this.path = path;
  }
}

/** What a rule is read with. */
export interface DetectionContext {
  readonly source: Source | undefined;
  /** Why lists of keywords are not looked for, where they are not. */
  readonly keywordsRefused: string | undefined;
}

type Operator = 'compare' | 're' | 'cidr' | 'exists' | 'gt' | 'gte' | 'lt' | 'lte';

interface Modifiers {
  readonly operator: Operator;
  readonly place: Place;
  readonly all: boolean;
  readonly cased: boolean;
  readonly windash: boolean;
  readonly ignoreCase: boolean;
}

interface Item {
  readonly field: string;
  readonly modifiers: Modifiers;
  readonly values: readonly JsonValue[];
  readonly path: string;
}

const PLACES: ReadonlyMap<string, Place> = new Map([
  ['contains', 'inside'],
  ['startswith', 'start'],
  ['endswith', 'end'],
]);
const OPERATORS: ReadonlySet<string> = new Set(['re', 'cidr', 'exists', 'gt', 'gte', 'lt', 'lte']);
const PORT_MAX = 65_535;

function unseen(path: string, why: string): Expression {
  return { op: 'unseen', remark: { path, why } };
}

function withModifier(known: Modifiers, name: string, path: string): Modifiers {
  const place = PLACES.get(name);
  if (place !== undefined) return { ...known, place };
  if (OPERATORS.has(name)) {
    if (known.operator !== 'compare') throw new SigmaFault(path, `\`${known.operator}\` and \`${name}\` exclude each other`);
    // The set holds nothing but operators.
    return { ...known, operator: name as Operator };
  }
  if (name === 'all') return { ...known, all: true };
  if (name === 'cased') return { ...known, cased: true };
  if (name === 'windash') return { ...known, windash: true };
  if (name === 'i' && known.operator === 're') return { ...known, ignoreCase: true };
  throw new SigmaFault(path, `the modifier \`${name.slice(0, 64)}\` is not known`);
}

function readModifiers(names: readonly string[], path: string): Modifiers {
  let modifiers: Modifiers = {
    operator: 'compare',
    place: 'whole',
    all: false,
    cased: false,
    windash: false,
    ignoreCase: false,
  };
  for (const name of names) modifiers = withModifier(modifiers, name, path);
  if (modifiers.operator !== 'compare' && (modifiers.place !== 'whole' || modifiers.cased || modifiers.windash))
    throw new SigmaFault(path, `\`${modifiers.operator}\` stands alone, or with \`all\``);
  return modifiers;
}

function mannerOf({ place, cased, windash }: Modifiers): Manner {
  return { place, cased, windash, anySlash: false };
}

function textValue(value: JsonValue, path: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new SigmaFault(path, 'a value must be text, a number, true, false or nothing');
}

/** One value held against texts or a field of text. */
type Reader = (value: JsonValue) => SigmaPattern | Expression | undefined;

function isPattern(read: SigmaPattern | Expression): read is SigmaPattern {
  return 'pattern' in read;
}

function withSlashes(tokens: readonly Token[]): readonly Token[] {
  return tokens.map((token) => (typeof token === 'object' ? { text: token.text.replaceAll('\\', '/') } : token));
}

interface TextHow {
  readonly mode: 'value' | 'phrase';
  readonly keepsCase: boolean;
  readonly slashes: boolean;
}

function textReader(item: Item, how: TextHow): Reader {
  const { modifiers, path } = item;
  return (value) => {
    const written = textValue(value, path);
    if (modifiers.operator === 're') {
      // What keeps no case is lower-case: its case says nothing.
      const read = expressionOf(written, { ignoreCase: modifiers.ignoreCase || !how.keepsCase, mode: how.mode });
      return read.ok ? read.value : unseen(path, `the expression is refused: ${read.error}`);
    }
    if (modifiers.operator === 'cidr') {
      const network = how.keepsCase ? undefined : networkOf(written);
      return network ?? unseen(path, 'only IPv4 networks of addresses can be looked for');
    }
    const tokens = readTokens(written);
    return patternOf(
      how.slashes ? withSlashes(tokens) : tokens,
      { ...mannerOf(modifiers), cased: modifiers.cased && how.keepsCase },
      how.mode,
    );
  };
}

/** Joins what a list of values became: patterns of one test, and what else there is. `undefined` holds always. */
function joined(item: Item, read: Reader, test: (patterns: readonly SigmaPattern[]) => Expression): Expression {
  const results = item.values.map(read);
  if (item.modifiers.all) return allOf(results.flatMap((one) => (one === undefined ? [] : [isPattern(one) ? test([one]) : one])));
  if (results.includes(undefined)) return { op: 'and', items: [] };
  const known = results.flatMap((one) => one ?? []);
  const patterns = known.filter(isPattern);
  const others = known.filter((one): one is Expression => !isPattern(one));
  return anyOf([...(patterns.length > 0 ? [test(patterns)] : []), ...others]);
}

function numberOf(value: JsonValue, path: string): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) throw new SigmaFault(path, 'a whole number is needed');
  return number;
}

function rangeOf(operator: Operator, value: number): NumberRange {
  const [low, high] = {
    gt: [value + 1, PORT_MAX],
    gte: [value, PORT_MAX],
    lt: [0, value - 1],
    lte: [0, value],
    compare: [value, value],
    re: [1, 0],
    cidr: [1, 0],
    exists: [1, 0],
  }[operator] as [number, number];
  return { from: Math.max(0, low), to: Math.min(PORT_MAX, high) };
}

function numberItem(item: Item, field: SourceField & { as: 'number' }): Expression {
  const { operator, place, all } = item.modifiers;
  if (['re', 'cidr', 'exists'].includes(operator) || place !== 'whole') return unseen(item.path, 'a number is compared as a number only');
  const tests = item.values.map((value): Expression => {
    const range = rangeOf(operator, numberOf(value, item.path));
    return range.from > range.to ? { op: 'or', items: [] } : { op: 'field', target: field.target, test: { is: 'ranges', ranges: [range] } };
  });
  return all ? allOf(tests) : anyOf(tests);
}

function isNumeric({ operator }: Modifiers): boolean {
  return ['gt', 'gte', 'lt', 'lte'].includes(operator);
}

function programItem(item: Item, field: SourceField & { as: 'program' | 'parent' }): Expression {
  const { operator, cased, all } = item.modifiers;
  if (operator !== 'compare') return unseen(item.path, `of a program its name is known, which \`${operator}\` cannot be held against`);
  if (cased) return unseen(item.path, 'the case of a program is not kept');
  const values = item.values.map((value): ProgramValue => ({
    tokens: readTokens(textValue(value, item.path)),
    manner: mannerOf(item.modifiers),
  }));
  const read = (some: readonly ProgramValue[]): Expression =>
    (field.as === 'parent' ? parentIs(some) : programIs(some, field.ofCommand)) ??
    (field.as === 'parent' ? unseen(item.path, 'a parent is known by its name only') : { op: 'and', items: [] });
  return all ? allOf(values.map((value) => read([value]))) : read(values);
}

function alwaysItem(item: Item, word: string): Expression {
  if (item.modifiers.operator !== 'compare') return unseen(item.path, 'this is always the same here');
  return item.values.some((value) => textValue(value, item.path).toLowerCase() === word)
    ? { op: 'and', items: [] }
    : { op: 'or', items: [] };
}

/** Fields of one kind of facts, once null and `exists` are out of the way. */
function fieldItem(item: Item, field: SourceField): Expression {
  if (field.as === 'program' || field.as === 'parent') return programItem(item, field);
  if (field.as === 'number') return numberItem(item, field);
  if (field.as === 'always') return alwaysItem(item, field.word);
  if (isNumeric(item.modifiers)) return unseen(item.path, 'text is not compared as a number');
  if (field.as === 'text') {
    const { keepsCase, slashes, target } = field;
    const isRaw = slashes && item.modifiers.operator === 're';
    const reader = textReader(item, { mode: 'value', keepsCase, slashes });
    return joined(item, reader, (patterns) => fieldIs(isRaw ? { ...target, field: 'raw' } : target, patterns));
  }
  const reader = textReader(item, { mode: 'value', keepsCase: true, slashes: false });
  const test = (patterns: readonly SigmaPattern[]): Expression => fieldIs({ field: 'url', ofCommand: false }, patterns);
  const begins = item.modifiers.operator === 'compare' && (item.modifiers.place === 'whole' || item.modifiers.place === 'start');
  const isUrl = (value: JsonValue): boolean => /^(?:\*|[a-z]+:\/\/)/i.test(textValue(value, item.path));
  return joined(
    item,
    (value) => (begins && !isUrl(value) ? unseen(item.path, 'a URL is known whole, from its scheme on') : reader(value)),
    test,
  );
}

function emptyOf(field: SourceField, path: string): Expression {
  if (field.as === 'text') return { op: 'field', target: field.target, test: { is: 'empty' } };
  if (field.as === 'url') return { op: 'field', target: { field: 'url', ofCommand: false }, test: { is: 'empty' } };
  return unseen(path, 'whether this is there cannot be told');
}

function existsItem(item: Item, field: SourceField): Expression {
  const wanted = item.values.map((value) => textValue(value, item.path).toLowerCase());
  if (wanted.length !== 1 || !['true', 'false'].includes(wanted[0] ?? '')) throw new SigmaFault(item.path, '`exists` takes true or false');
  const empty = emptyOf(field, item.path);
  if (wanted[0] === 'false' || empty.op !== 'field') return empty;
  return fieldIs(empty.target, [{ pattern: { regex: '.' }, sample: 'x', place: 'inside' }]);
}

const EVERY_TEXT: TextHow = { mode: 'phrase', keepsCase: true, slashes: false };

function textItem(item: Item): Expression {
  if (isNumeric(item.modifiers) || ['cidr', 'exists'].includes(item.modifiers.operator))
    return unseen(item.path, 'a text is not held against that');
  return joined(item, textReader(item, EVERY_TEXT), (patterns) => ({ op: 'text', patterns }));
}

function readItem(key: string, written: JsonValue, at: { readonly path: string; readonly context: DetectionContext }): Expression {
  const path = `${at.path}.${key}`;
  const [field = '', ...names] = key.split('|');
  const modifiers = readModifiers(names, path);
  const values: readonly JsonValue[] = Array.isArray(written) ? (written as readonly JsonValue[]) : [written];
  if (values.length === 0) throw new SigmaFault(path, 'a list of values is empty');
  const item: Item = { field, modifiers, values, path };
  if (field === 'input') return textItem(item);
  if (field === '') return keywords(values, { path, context: at.context, modifiers });
  const known = at.context.source?.fields.get(field);
  if (known === undefined) return unseen(path, `no action shows \`${field.slice(0, 64)}\``);
  if (modifiers.operator === 'exists') return existsItem(item, known);
  return withNothing(item, known);
}

/** Values of a field, of which nothing (or an empty text) may be one. */
function withNothing(item: Item, known: SourceField): Expression {
  const rest = item.values.filter((value) => value !== null && value !== '');
  if (rest.length === item.values.length) return fieldItem(item, known);
  if (item.modifiers.all) throw new SigmaFault(item.path, 'nothing cannot be one of `all`');
  return anyOf([...(rest.length > 0 ? [fieldItem({ ...item, values: rest }, known)] : []), emptyOf(known, item.path)]);
}

function keywords(
  values: readonly JsonValue[],
  at: { readonly path: string; readonly context: DetectionContext; readonly modifiers: Modifiers },
): Expression {
  const { path, context } = at;
  if (context.keywordsRefused !== undefined) return unseen(path, context.keywordsRefused);
  // A keyword stands anywhere in a text.
  const place = at.modifiers.operator === 'compare' && at.modifiers.place === 'whole' ? 'inside' : at.modifiers.place;
  return textItem({ field: '', modifiers: { ...at.modifiers, place }, values, path });
}

function readMap(value: JsonValue, path: string, context: DetectionContext): Expression {
  if (!isJsonObject(value)) throw new SigmaFault(path, 'a selection must be a map, a list of maps, or a list of keywords');
  const keys = Object.keys(value);
  if (keys.length === 0) throw new SigmaFault(path, 'a selection is empty');
  return allOf(keys.map((key) => readItem(key, value[key] ?? null, { path, context })));
}

/** One selection. @throws SigmaFault where it is none. */
export function readSelection(value: JsonValue, path: string, context: DetectionContext): Expression {
  if (!Array.isArray(value)) return readMap(value, path, context);
  const items = value as readonly JsonValue[];
  if (items.length === 0) throw new SigmaFault(path, 'a selection is empty');
  const words = items.filter((item) => !isJsonObject(item));
  const maps = items.flatMap((item, i) => (isJsonObject(item) ? [readMap(item, `${path}[${i}]`, context)] : []));
  const modifiers = readModifiers([], path);
  return anyOf([...(words.length > 0 ? [keywords(words, { path, context, modifiers })] : []), ...maps]);
}
