/** @module The values asked for last, and no more than a number of them: what is forgotten is made again. */

export interface RecentMap<Value> {
  /** The value of `key`, made where it is not there. */
  get(key: string, make: () => Value): Value;
}

/** Keeps at most `max` values. */
export function createRecentMap<Value>(max: number): RecentMap<Value> {
  const kept = new Map<string, { readonly value: Value }>();
  return {
    get(key, make) {
      const held = kept.get(key) ?? { value: make() };
      // The oldest stands first.
      kept.delete(key);
      kept.set(key, held);
      const [oldest] = kept.keys();
      if (kept.size > max && oldest !== undefined) kept.delete(oldest);
      return held.value;
    },
  };
}
