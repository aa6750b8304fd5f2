/** @module Where each record of the journal starts, eight bytes a record. */

/** Offsets fit below this, so that segment and offset share one exact double. */
const SEGMENT_SPAN = 0x1_0000_0000;

export interface Positions {
  readonly count: number;
  push(segment: number, offset: number): void;
  at(index: number): { readonly segment: number; readonly offset: number };
}

export function createPositions(): Positions {
  let held = new Float64Array(1024);
  let count = 0;
  return {
    get count() {
      return count;
    },
    push: (segment, offset) => {
      if (count === held.length) {
        const larger = new Float64Array(count * 2);
        larger.set(held);
        held = larger;
      }
      held[count] = segment * SEGMENT_SPAN + offset;
      count += 1;
    },
    at: (index) => {
      const position = held[index] ?? 0;
      const segment = Math.floor(position / SEGMENT_SPAN);
      return { segment, offset: position - segment * SEGMENT_SPAN };
    },
  };
}
