/**
 * @module An expression as the condition of a rule. A Sigma event is one fact here (one command, path or host), so everything that is said of
 * fields must hold on the same fact: it becomes alternatives of one fact test each, with what must not hold as its exceptions. Texts are
 * those of the whole action.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { RULE_LIMITS } from '../limits.ts';
import type { Condition, FactTest, NumberRange, Pattern, StringTest } from '../rule.ts';
import { allOf, type Expression, fieldIs, type FieldTest, type SigmaPattern, type Target } from './expression.ts';
import type { Source } from './sigma-fields.ts';
import { escaped } from './sigma-pattern.ts';
import { SIGMA_LIMITS } from './sigma-limits.ts';

/** What holds of one field of one fact. */
export interface Constraint {
  readonly target: Target;
  readonly test: FieldTest;
}

/** All of these on one fact, and none of the exceptions. */
export interface Alternative {
  readonly constraints: readonly Constraint[];
  readonly unless: readonly Alternative[];
}

class Inexpressible extends Error {}

function checkCount(count: number): void {
  if (count > SIGMA_LIMITS.alternativesMax) throw new Inexpressible(`it becomes more than ${SIGMA_LIMITS.alternativesMax} alternatives`);
}

function both(left: readonly Alternative[], right: readonly Alternative[]): readonly Alternative[] {
  checkCount(left.length * right.length);
  return left.flatMap((a) => right.map((b) => ({ constraints: [...a.constraints, ...b.constraints], unless: [...a.unless, ...b.unless] })));
}

function either(lists: readonly (readonly Alternative[])[]): readonly Alternative[] {
  checkCount(lists.reduce((sum, list) => sum + list.length, 0));
  return lists.flat();
}

const HOLDS: readonly Alternative[] = [{ constraints: [], unless: [] }];

/** None of these: those that say something of the fact are exceptions, those that only deny hold where something they deny does. */
function denied(alternatives: readonly Alternative[]): readonly Alternative[] {
  const unless = alternatives.filter(({ constraints }) => constraints.length > 0);
  let result: readonly Alternative[] = [{ constraints: [], unless }];
  for (const { constraints, unless: exceptions } of alternatives) if (constraints.length === 0) result = both(result, exceptions);
  return result;
}

function constraintsOf(expression: Expression): readonly Constraint[] {
  return expression.op === 'field' ? [{ target: expression.target, test: expression.test }] : [];
}

/** The alternatives of an expression over fields. */
export function alternativesOf(expression: Expression): readonly Alternative[] {
  switch (expression.op) {
    case 'field':
      return merged([expression]).map((item) => ({ constraints: constraintsOf(item), unless: [] }));
    case 'or':
      return either(merged(expression.items).map(alternativesOf));
    case 'and':
      return expression.items.map(alternativesOf).reduce(both, HOLDS);
    case 'not':
      return denied(alternativesOf(expression.item));
    case 'text':
    case 'unseen':
      break;
  }
  throw new TypeError('an expression over fields has fields only');
}

/** Patterns of one field side by side are one test, and a list that is longer than one test takes is several. */
function merged(items: readonly Expression[]): readonly Expression[] {
  const byField = new Map<string, { readonly target: Target; readonly patterns: SigmaPattern[] }>();
  const others: Expression[] = [];
  for (const item of items) {
    if (item.op !== 'field' || item.test.is !== 'any') {
      others.push(item);
      continue;
    }
    const key = `${item.target.field} ${String(item.target.ofCommand)}`;
    const group = byField.get(key) ?? { target: item.target, patterns: [] };
    byField.set(key, group);
    group.patterns.push(...item.test.patterns);
  }
  const tests = [...byField.values()].flatMap(({ target, patterns }) => chunked(patterns).map((chunk) => fieldIs(target, chunk)));
  return [...tests, ...others];
}

function chunked(patterns: readonly SigmaPattern[]): readonly (readonly SigmaPattern[])[] {
  const size = RULE_LIMITS.patternsMax;
  return Array.from({ length: Math.ceil(patterns.length / size) }, (_, i) => patterns.slice(i * size, (i + 1) * size));
}

function regexOf(pattern: Pattern): { readonly source: string; readonly cased: boolean } | undefined {
  if (typeof pattern === 'object' && 'regex' in pattern) return { source: pattern.regex, cased: pattern.cased === true };
  if (typeof pattern !== 'string') return undefined;
  const start = pattern.startsWith('*') ? 1 : 0;
  const end = pattern.endsWith('*') ? pattern.length - 1 : pattern.length;
  const middle = escaped(pattern.slice(start, end));
  return { source: `${start === 0 ? '^' : ''}${middle}${end === pattern.length ? '$' : ''}`, cased: false };
}

/** Several patterns, of which one must hold, as one expression. */
function joinedPattern(patterns: readonly Pattern[]): Pattern {
  const [only] = patterns;
  if (patterns.length === 1 && only !== undefined) return only;
  const read = patterns.map(regexOf);
  const cased = read.some((one) => one?.cased === true);
  if (read.some((one) => one === undefined || one.cased !== cased))
    throw new Inexpressible('lists with and without case meet in one field');
  const regex = `(?:${read.map((one) => one?.source ?? '').join('|')})`;
  return cased ? { regex, cased: true } : { regex };
}

/** Groups of patterns, each of which must hold, as the test of one field. */
function stringTest(groups: readonly (readonly Pattern[])[], mayBeNothing: boolean): StringTest {
  const none: readonly Pattern[] = mayBeNothing ? [{ regex: '.' }] : [];
  const [first = [], ...rest] = groups.toSorted((a, b) => b.length - a.length);
  if (rest.length === 0 && none.length === 0) return first;
  const all = rest.map(joinedPattern);
  return { ...(first.length > 0 ? { any: first } : {}), ...(all.length > 0 ? { all } : {}), ...(none.length > 0 ? { none } : {}) };
}

function intersected(ranges: readonly (readonly NumberRange[])[]): readonly NumberRange[] {
  return ranges.reduce((left, right) =>
    left.flatMap((a) =>
      right.flatMap((b) => {
        const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
        return from > to ? [] : [{ from, to }];
      }),
    ),
  );
}

/** The fields of one fact. Undefined where nothing can fulfil them. */
function fieldsOf(constraints: readonly Constraint[]): FactTest | undefined {
  const names = [...new Set(constraints.map(({ target }) => target.field))];
  const entries: [string, StringTest | readonly (number | NumberRange)[]][] = [];
  for (const name of names) {
    const tests = constraints.filter(({ target }) => target.field === name).map(({ test }) => test);
    const ranges = tests.flatMap((test) => (test.is === 'ranges' ? [test.ranges] : []));
    if (ranges.length > 0) {
      const left = intersected(ranges);
      if (left.length === 0) return undefined;
      entries.push([name, left.map(({ from, to }) => (from === to ? from : { from, to }))]);
      continue;
    }
    const groups = tests.flatMap((test) => (test.is === 'any' ? [test.patterns.map(({ pattern }) => pattern)] : []));
    entries.push([
      name,
      stringTest(
        groups,
        tests.some((test) => test.is === 'empty'),
      ),
    ]);
  }
  return Object.fromEntries(entries);
}

function factTest(alternative: Alternative, access: readonly string[]): FactTest | undefined {
  const { constraints, unless } = alternative;
  const own = fieldsOf(constraints.filter(({ target }) => !target.ofCommand));
  const command = fieldsOf(constraints.filter(({ target }) => target.ofCommand));
  if (own === undefined || command === undefined) return undefined;
  const exceptions = unless.map((one) => factTest(one, [])).filter((one): one is FactTest => one !== undefined);
  return {
    ...own,
    ...(Object.keys(command).length > 0 ? { command } : {}),
    ...(access.length > 0 ? { access } : {}),
    ...(exceptions.length > 0 ? { unless: exceptions } : {}),
  };
}

function isEmpty(test: FactTest): boolean {
  return Object.keys(test).every((key) => key === 'unless' || key === 'access');
}

/** True where the expression is about texts, fields, or both. */
function about(expression: Expression): { readonly texts: boolean; readonly fields: boolean } {
  if (expression.op === 'text') return { texts: true, fields: false };
  if (expression.op === 'field') return { texts: false, fields: true };
  if (expression.op === 'unseen') return { texts: false, fields: false };
  const inside = expression.op === 'not' ? [about(expression.item)] : expression.items.map(about);
  return { texts: inside.some(({ texts }) => texts), fields: inside.some(({ fields }) => fields) };
}

function textCondition(patterns: readonly SigmaPattern[]): Condition {
  const tests = chunked(patterns).map((chunk): Condition => ({ text: { any: chunk.map(({ pattern }) => pattern) } }));
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : { any: tests };
}

class Builder {
  readonly source: Source | undefined;
  /** Everything that could be found, for examples. */
  readonly alternatives: Alternative[] = [];

  constructor(source: Source | undefined) {
    this.source = source;
  }

  fields(expression: Expression): Condition {
    const { factClass = 'command', access = [] } = this.source ?? {};
    const found = alternativesOf(expression);
    const tests = found.flatMap((alternative) => {
      const test = factTest(alternative, access);
      if (test === undefined) return [];
      this.alternatives.push(alternative);
      return [test];
    });
    if (tests.some(isEmpty)) throw new Inexpressible('it would hold for everything, or for everything but its exceptions');
    if (tests.length === 0) throw new Inexpressible('nothing can fulfil it');
    const conditions = tests.map((test): Condition => ({ [factClass]: test }));
    const [only] = conditions;
    return conditions.length === 1 && only !== undefined ? only : { any: conditions };
  }

  build(expression: Expression): Condition {
    const { texts, fields } = about(expression);
    if (!texts) return this.fields(expression);
    switch (expression.op) {
      case 'text':
        return textCondition(expression.patterns);
      case 'not':
        return { not: this.build(expression.item) };
      case 'or':
        return { any: this.parts(expression.items) };
      case 'and':
        return { all: fields ? this.parts(grouped(expression.items)) : this.parts(expression.items) };
      case 'field':
      case 'unseen':
        break;
    }
    throw new TypeError('what is about texts is one of the above');
  }

  parts(items: readonly Expression[]): readonly Condition[] {
    return items.map((item) => this.build(item));
  }
}

/** What an `and` says of fields alone holds on one fact. */
function grouped(items: readonly Expression[]): readonly Expression[] {
  const ofFields = items.filter((item) => !about(item).texts);
  const rest = items.filter((item) => about(item).texts);
  return ofFields.length > 0 ? [allOf(ofFields), ...rest] : rest;
}

/** A condition, and the alternatives that it was made from. */
export interface Converted {
  readonly when: Condition;
  readonly alternatives: readonly Alternative[];
}

/** The condition of a rule; or why there is none. */
export function toCondition(expression: Expression, source: Source | undefined): Result<Converted, string> {
  try {
    const builder = new Builder(source);
    const when = builder.build(expression);
    return ok({ when, alternatives: builder.alternatives });
  } catch (thrown) {
    if (thrown instanceof Inexpressible) return err(thrown.message);
    throw thrown;
  }
}
