/** Rules with one condition less each: what an example must notice. */
import type { JsonObject, JsonValue } from '@countersign/kernel';

/** A condition with something left out, and where that stood. */
export interface Mutant {
  readonly dropped: string;
  readonly when: JsonValue;
}

const LISTS: ReadonlySet<string> = new Set(['all', 'any', 'of', 'unless', 'unless_near']);
const EXCEPTIONS: ReadonlySet<string> = new Set(['unless', 'unless_near']);
/** Fields that say which words are looked for, not under which condition. */
const SUBJECT: ReadonlySet<string> = new Set(['at_least', 'roles']);

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(list: readonly JsonValue[], at: number): JsonValue {
  return list.filter((_, i) => i !== at);
}

/** Whether a list joins conditions; the words of `name: [rm, unlink]` are one condition together. */
function joinsConditions(key: string, list: readonly JsonValue[], inText: boolean): boolean {
  if (key === 'all' || key === 'of' || EXCEPTIONS.has(key)) return !inText || list.length > 1;
  return key === 'any' && list.every((item) => isObject(item) && !Object.hasOwn(item, 'regex') && !Object.hasOwn(item, 'word'));
}

function listMutants(key: string, list: readonly JsonValue[], at: { readonly path: string; readonly inText: boolean }): Mutant[] {
  const mutants: Mutant[] = [];
  const drops = joinsConditions(key, list, at.inText) && (list.length > 1 || EXCEPTIONS.has(key));
  for (const [i, item] of list.entries()) {
    const path = `${at.path}/${i}`;
    if (drops) mutants.push({ dropped: path, when: without(list, i) });
    for (const inner of mutantsOf(item, path, at.inText)) mutants.push({ dropped: inner.dropped, when: list.with(i, inner.when) });
  }
  return mutants;
}

/** Every condition below `value` left out once. A list or test that is left empty is left out by the caller's level instead. */
export function mutantsOf(value: JsonValue, path = '', inText = false): Mutant[] {
  if (!isObject(value)) return [];
  const mutants: Mutant[] = [];
  const keys = Object.keys(value);
  for (const key of keys) {
    const item = value[key] ?? null;
    const place = `${path}/${key}`;
    const rest = Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    if (
      keys.filter((name) => !SUBJECT.has(name) && !EXCEPTIONS.has(name)).length > (EXCEPTIONS.has(key) ? 0 : 1) &&
      !SUBJECT.has(key) &&
      !Object.hasOwn(value, 'regex')
    )
      mutants.push({ dropped: place, when: rest });
    const inner = Array.isArray(item)
      ? LISTS.has(key)
        ? listMutants(key, item, { path: place, inText })
        : []
      : mutantsOf(item, place, inText || key === 'text');
    for (const mutant of inner) {
      const empty = Array.isArray(mutant.when) && mutant.when.length === 0;
      mutants.push({ dropped: mutant.dropped, when: empty ? rest : { ...value, [key]: mutant.when } });
    }
  }
  return mutants;
}
