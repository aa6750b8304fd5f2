/**
 * @module Parameters that come in more than one spelling: read only where all that is there says the same.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';

/** `value` is undefined where no spelling is there, `split` where two say different things. */
export interface NamedValue {
  readonly value: JsonValue | undefined;
  readonly split: boolean;
}

/** Scalars only: two lists are never the same. */
export function namedValue(params: JsonValue | undefined, names: readonly string[]): NamedValue {
  if (!isJsonObject(params)) return { value: undefined, split: false };
  const there = names.map((name) => getOwn(params, name)).filter((value) => value !== undefined && value !== null);
  const [value, ...others] = there;
  return { value, split: others.some((other) => other !== value) };
}
