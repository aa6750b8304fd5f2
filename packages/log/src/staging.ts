/** @module The batch that gathers while another is being written: frames back to back in one buffer, one promise for all of them. */
import { frameBytes, writeFrame } from './frame.ts';

/** Buffers above this size are not kept for the next batch. */
const KEEP_BYTES = 16_777_216;
const FIRST_BYTES = 262_144;

export interface Batch {
  /** Index of the first record. */
  readonly first: number;
  readonly count: number;
  /** Bytes of all frames. */
  readonly usedBytes: number;
  readonly leaves: readonly Uint8Array[];
  readonly entries: readonly Uint8Array[];
  readonly starts: readonly number[];
  readonly durable: Promise<void>;
  add(entry: Uint8Array, attachments: readonly Uint8Array[]): void;
  bytes(): Uint8Array;
  resolve(): void;
  reject(error: Error): void;
  /** The buffer, for another batch, once storage has let go of it. */
  buffer(): Uint8Array | undefined;
}

/** An empty batch whose first record will be `first`. */
export function createBatch(first: number, reuse: Uint8Array | undefined): Batch {
  let room = reuse ?? new Uint8Array(FIRST_BYTES);
  let used = 0;
  const leaves: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  const starts: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // A caller may hold only the index; a rejection that nobody waits for must not end the process. Whoever awaits still sees it.
  promise.catch(() => undefined);
  return {
    first,
    get count() {
      return starts.length;
    },
    get usedBytes() {
      return used;
    },
    leaves,
    entries,
    starts,
    durable: promise,
    add: (entry, attachments) => {
      const length = frameBytes(entry, attachments);
      if (used + length > room.length) {
        const larger = new Uint8Array((used + length) * 2);
        larger.set(room.subarray(0, used));
        room = larger;
      }
      leaves.push(writeFrame(room, used, { index: first + starts.length, batch: first, entry, attachments }));
      entries.push(entry);
      starts.push(used);
      used += length;
    },
    bytes: () => room.subarray(0, used),
    resolve,
    reject,
    buffer: () => (room.length <= KEEP_BYTES ? room : undefined),
  };
}
