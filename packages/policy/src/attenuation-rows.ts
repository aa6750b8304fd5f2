/**
 * @module What the tables of `attenuation.ts` are made of: one row a field, which says when a child is as tight as its parent, and equality for
 * every field without a row.
 */
import { canonicalize, getOwn, type JsonObject, type JsonValue } from '@countersign/kernel';
import { dotted } from './document-path.ts';

/** One field that would let more through. */
export interface Widening {
  readonly path: string;
  /** What the parent says, and what the child would. Undefined: nothing. */
  readonly parent: JsonValue | undefined;
  readonly child: JsonValue | undefined;
  /** There: nobody can say which of two values is tighter, so it must stay as it is. */
  readonly fixed?: true;
}

/** True where the child is as tight as the parent in this field. Whole configurations, because some fields only mean something together. */
export type Row<Config> = (parent: Config, child: Config) => boolean;
export type Table<Config> = { readonly [Field in keyof Config]-?: Row<Config> };

export interface Pair<Config> {
  readonly parent: Config;
  readonly child: Config;
}

export const anything = (): boolean => true;

export function staysOn(parent: { readonly enabled: boolean }, child: { readonly enabled: boolean }): boolean {
  return child.enabled || !parent.enabled;
}

export function hasAll(list: readonly string[], wanted: readonly string[]): boolean {
  const there = new Set(list);
  return wanted.every((entry) => there.has(entry));
}

/** No higher; a limit that is not there limits nothing. */
export function noHigher(parent: number | undefined, child: number | undefined): boolean {
  return parent === undefined || (child !== undefined && child <= parent);
}

export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalize(a) === canonicalize(b));
}

/** A part of a resolved policy is JSON by construction. */
export function partJson(part: object): JsonObject {
  return part as unknown as JsonObject;
}

function keysOf(a: JsonObject, b: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

/** Rows for the fields that have one, equality for the others: a field that is new in the format cannot widen unseen. */
export function compare<Config extends object>(path: string, table: Table<Config>, { parent, child }: Pair<Config>): readonly Widening[] {
  const [before, after] = [partJson(parent), partJson(child)];
  const rows = new Map<string, Row<Config>>(Object.entries(table));
  return keysOf(before, after).flatMap((key) => {
    const [was, is] = [getOwn(before, key), getOwn(after, key)];
    const row = rows.get(key);
    if (isSame(was, is) || row?.(parent, child) === true) return [];
    return [{ path: dotted(path, key), parent: was, child: is, ...(row === undefined && { fixed: true as const }) }];
  });
}

/** What stands beside the parts that are `known` must be equal. */
export function compareRest(path: string, pair: Pair<JsonObject>, known: ReadonlySet<string>): readonly Widening[] {
  return keysOf(pair.parent, pair.child).flatMap((key) => {
    const [parent, child] = [getOwn(pair.parent, key), getOwn(pair.child, key)];
    return known.has(key) || isSame(parent, child) ? [] : [{ path: dotted(path, key), parent, child, fixed: true as const }];
  });
}
