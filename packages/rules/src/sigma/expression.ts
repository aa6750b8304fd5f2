/**
 * @module What a Sigma rule asks for, free of its spelling: tests of fields and texts under and, or, not. What cannot be seen in an action is
 * a leaf of its own, so that what becomes of it is decided in one place.
 */
import type { NumberRange, Pattern } from '../rule.ts';

/** A pattern, and a text that it matches, for examples. */
export interface SigmaPattern {
  readonly pattern: Pattern;
  /** Undefined where none could be made. */
  readonly sample: string | undefined;
  /** Where in the value the sample stands. */
  readonly place: Place;
}

export type Place = 'whole' | 'start' | 'end' | 'inside';

/** A field of the facts that the rule is about; `ofCommand`: of the command that brought the fact about. */
export interface Target {
  readonly field: string;
  readonly ofCommand: boolean;
}

export type FieldTest =
  | { readonly is: 'any'; readonly patterns: readonly SigmaPattern[] }
  /** The field has no value, or an empty one. */
  | { readonly is: 'empty' }
  | { readonly is: 'ranges'; readonly ranges: readonly NumberRange[] };

/** Where in the Sigma rule something stands: `detection.selection.CommandLine|re`. */
export interface Remark {
  readonly path: string;
  readonly why: string;
}

export type Expression =
  /** Of nothing: `and` holds, `or` does not. */
  | { readonly op: 'and' | 'or'; readonly items: readonly Expression[] }
  | { readonly op: 'not'; readonly item: Expression }
  | { readonly op: 'field'; readonly target: Target; readonly test: FieldTest }
  /** Some text of the action matches one of these. */
  | { readonly op: 'text'; readonly patterns: readonly SigmaPattern[] }
  /** Nothing in an action says whether this holds. */
  | { readonly op: 'unseen'; readonly remark: Remark };

export function anyOf(items: readonly Expression[]): Expression {
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { op: 'or', items };
}

export function allOf(items: readonly Expression[]): Expression {
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { op: 'and', items };
}

export function fieldIs(target: Target, patterns: readonly SigmaPattern[]): Expression {
  return { op: 'field', target, test: { is: 'any', patterns } };
}

/** What is left of a rule when what cannot be seen is left out. */
export interface Seen {
  /** Undefined: nothing that could be looked for. */
  readonly expression: Expression | undefined;
  readonly leftOut: readonly Remark[];
}

/**
 * Leaves out what cannot be seen: an alternative of an `or`, an exception (`not`) of an `and`. An `and` that needs something unseen cannot
 * be seen itself.
 */
export function withoutUnseen(expression: Expression): Seen {
  if (expression.op === 'unseen') return { expression: undefined, leftOut: [expression.remark] };
  if (expression.op === 'field' || expression.op === 'text') return { expression, leftOut: [] };
  if (expression.op === 'not') {
    const { expression: item, leftOut } = withoutUnseen(expression.item);
    return { expression: item === undefined ? undefined : { op: 'not', item }, leftOut };
  }
  const seen = expression.items.map((item) => ({ item, ...withoutUnseen(item) }));
  const leftOut = seen.flatMap((one) => one.leftOut);
  const kept = seen.flatMap((one) => one.expression ?? []);
  if (expression.items.length > 0 && kept.length === 0) return { expression: undefined, leftOut };
  const isLost = expression.op === 'and' && seen.some((one) => one.expression === undefined && one.item.op !== 'not');
  return { expression: isLost ? undefined : { op: expression.op, items: kept }, leftOut };
}
