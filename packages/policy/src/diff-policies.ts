/**
 * @module What differs between two policies, place by place. Lists are compared as what they hold: a pattern that moved is no change, unless the
 * order itself means something.
 */
import { canonicalize, getOwn, isJsonObject, type JsonArray, type JsonObject, type JsonValue } from '@countersign/kernel';
import { dotted } from './document-path.ts';

export interface PolicyChange {
  /** As people write it: `guards.egress_allowlist.allow[2]`, `guards.secret_leak.patterns[github_token].severity`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Absent for `added`. */
  readonly old?: JsonValue;
  /** Absent for `removed`. */
  readonly new?: JsonValue;
}

/** Lists whose first match wins, so that their order is part of what they say. */
const ORDERED: ReadonlySet<string> = new Set(['settings.tool_thresholds', 'posture.transitions', 'boundaries', 'origins.profiles']);
/** By what an entry of a list is known. */
const KEYS = ['name', 'tool', 'label', 'id', 'package'] as const;

function change(path: string, before: JsonValue | undefined, after: JsonValue | undefined): PolicyChange {
  if (before === undefined) return { path, kind: 'added', ...(after !== undefined && { new: after }) };
  if (after === undefined) return { path, kind: 'removed', old: before };
  return { path, kind: 'changed', old: before, new: after };
}

/** Entries by their name, where each has one and no two share it. */
function named(list: JsonArray): ReadonlyMap<string, JsonValue> | undefined {
  const entries = list.map((item): readonly [string, JsonValue] | undefined => {
    const key = isJsonObject(item) ? KEYS.map((name) => getOwn(item, name)).find((value) => typeof value === 'string') : undefined;
    return typeof key === 'string' ? [key, item] : undefined;
  });
  const known = entries.filter((entry) => entry !== undefined);
  const map = new Map(known);
  return list.length > 0 && map.size === list.length ? map : undefined;
}

function diffNamed(path: string, before: ReadonlyMap<string, JsonValue>, after: ReadonlyMap<string, JsonValue>): readonly PolicyChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => diffValues(`${path}[${name}]`, before.get(name), after.get(name)));
}

/** What one list holds more often than the other, each with its own index. */
function extra(list: JsonArray, other: JsonArray): readonly (readonly [index: number, item: JsonValue])[] {
  const left = new Map<string, number>();
  for (const item of other) {
    const key = canonicalize(item);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  return [...list.entries()].filter(([, item]) => {
    const key = canonicalize(item);
    const count = left.get(key) ?? 0;
    if (count > 0) left.set(key, count - 1);
    return count === 0;
  });
}

function diffItems(path: string, before: JsonArray, after: JsonArray): readonly PolicyChange[] {
  const [old, now] = [named(before), named(after)];
  if (old !== undefined && now !== undefined) return diffNamed(path, old, now);
  return [
    ...extra(before, after).map(([i, item]) => change(dotted(path, i), item, undefined)),
    ...extra(after, before).map(([i, item]) => change(dotted(path, i), undefined, item)),
  ];
}

function diffLists(path: string, before: JsonArray, after: JsonArray): readonly PolicyChange[] {
  const changes = diffItems(path, before, after);
  if (changes.length > 0 || !ORDERED.has(path) || canonicalize(before) === canonicalize(after)) return changes;
  return [change(path, before, after)];
}

function diffObjects(path: string, before: JsonObject, after: JsonObject): readonly PolicyChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return keys.flatMap((key) => diffValues(dotted(path, key), getOwn(before, key), getOwn(after, key)));
}

function diffValues(path: string, before: JsonValue | undefined, after: JsonValue | undefined): readonly PolicyChange[] {
  if (isJsonObject(before) && isJsonObject(after)) return diffObjects(path, before, after);
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(path, before as JsonArray, after as JsonArray);
  if (before === undefined && after === undefined) return [];
  if (before !== undefined && after !== undefined && canonicalize(before) === canonicalize(after)) return [];
  return [change(path, before, after)];
}

/** Every difference, in the order of paths; none where both say the same. */
export function diffPolicies(before: JsonObject, after: JsonObject): readonly PolicyChange[] {
  return diffObjects('', before, after);
}
