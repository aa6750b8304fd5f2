/**
 * @module Time and chance enter from outside, so that everything above can be replayed and simulated.
 */

/** Wall clock. Only composition roots make a real one. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump in either direction. */
  nowMs(): number;
}

/** Source of unpredictable bytes. */
export interface Random {
  /** Fresh bytes, exactly `length` of them. */
  bytes(length: number): Uint8Array;
}

/** RFC 3339 in UTC with milliseconds, as receipts write time. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
