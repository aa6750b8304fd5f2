/**
 * @module From the id of an entry to its place in the log: four bytes a slot, open addressing, no strings kept. A hit is a candidate:
 * the caller reads the record and compares, so a collision costs a read and never a wrong answer.
 */

export interface IdIndex {
  /** `hash` is that of the id, as `hashOfId` gives it. */
  add(hash: number, index: number): void;
  /** Places that may hold this id, newest first. */
  candidates(id: string): readonly number[];
}

const FIRST_SLOTS = 1024;

/** FNV-1a, 32 bits. */
export function hashOfId(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

export function createIdIndex(): IdIndex {
  /** Pairs: hash, index + 1. */
  let slots = new Uint32Array(2 * FIRST_SLOTS);
  let count = 0;

  const put = (table: Uint32Array, hash: number, place: number): void => {
    const mask = table.length / 2 - 1;
    let at = hash & mask;
    while ((table[2 * at + 1] ?? 0) !== 0) at = (at + 1) & mask;
    table[2 * at] = hash;
    table[2 * at + 1] = place;
  };

  const grow = (): void => {
    const larger = new Uint32Array(slots.length * 2);
    for (let at = 0; at < slots.length; at += 2) if ((slots[at + 1] ?? 0) !== 0) put(larger, slots[at] ?? 0, slots[at + 1] ?? 0);
    slots = larger;
  };

  return {
    add: (hash, index) => {
      if ((count + 1) * 4 > slots.length) grow();
      put(slots, hash, index + 1);
      count += 1;
    },
    candidates: (id) => {
      const found: number[] = [];
      const hash = hashOfId(id);
      const mask = slots.length / 2 - 1;
      for (let at = hash & mask; (slots[2 * at + 1] ?? 0) !== 0; at = (at + 1) & mask) {
        if (slots[2 * at] === hash) found.push((slots[2 * at + 1] ?? 0) - 1);
      }
      return found.sort((a, b) => b - a);
    },
  };
}
