/**
 * @module What guards that ask the outside share: a question with the key that stands for all of it, and the worst of several results.
 */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { type GuardQuestion, type GuardResult, SEVERITIES } from '@countersign/protocol';

/** @param more What else the answer depends on. */
export function questionOf(guard: string, ask: JsonValue, more: JsonValue = null): GuardQuestion {
  return { guard, key: sha256Hex(canonicalize({ guard, ask, more })), ask };
}

function rank({ allowed, severity }: GuardResult): number {
  return (allowed ? 0 : SEVERITIES.length) + SEVERITIES.indexOf(severity);
}

/** A refusal before a permission, then the more severe, then the earlier; undefined of none. */
export function worstResult(results: readonly GuardResult[]): GuardResult | undefined {
  const [first, ...others] = results;
  if (first === undefined) return undefined;
  return others.reduce((worst, one) => (rank(one) > rank(worst) ? one : worst), first);
}

/** The object, where it has these members and no other. */
export function closedObject(value: JsonValue | undefined, members: readonly string[]): JsonObject | undefined {
  if (value === undefined || !isJsonObject(value)) return undefined;
  const names = Object.keys(value);
  return names.length === members.length && members.every((name) => names.includes(name)) ? value : undefined;
}

/** A whole number that is not negative. */
export function countOf(value: JsonObject, name: string): number | undefined {
  const count = getOwn(value, name);
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
