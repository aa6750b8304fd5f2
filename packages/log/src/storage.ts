/**
 * @module What the log asks of a disk. Any store that keeps these promises can hold a log; `testkit` has the contract suite.
 *
 * Two kinds of data: the journal (numbered segments that only grow at the end; the truth) and published files
 * (checkpoint, tiles; derived). Exactly one process may hold a storage at a time: an implementation that can be
 * opened twice takes an exclusive lock, and refuses the second opener with a coded error.
 */

export interface SegmentInfo {
  /** From 0, without gaps. */
  readonly segment: number;
  readonly sizeBytes: number;
}

/**
 * Every call either does what it says or rejects. After `append` or `truncate` has rejected the caller writes nothing more
 * through this object: what is on disk at the end of the journal is then unknown until the journal is recovered.
 */
export interface LogStorage {
  /** All segments in order. */
  segments(): Promise<readonly SegmentInfo[]>;
  /**
   * Adds bytes at the end of a segment with one write, creating the segment when it is the next number.
   * On return they survive a crash and a power cut, and so does everything appended before them.
   * After a crash during the call any part of these bytes may be there, in any pieces; earlier bytes are untouched.
   * The caller may reuse `bytes` once the call has returned; calls do not overlap.
   */
  append(segment: number, bytes: Uint8Array): Promise<void>;
  /** Bytes `[offset, offset + length)` of a segment, fewer where the segment ends earlier. */
  read(segment: number, range: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  /** Cuts a segment to `sizeBytes`. On return the cut survives a crash. */
  truncate(segment: number, sizeBytes: number): Promise<void>;
  /** A published file, whole, or undefined. `path` is slash-separated, relative, without `.` or `..`. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Puts a published file in place. Readers see the old bytes or the new ones, never a mixture, at any moment and after a crash.
   * On return the new bytes survive a crash.
   */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Removes a published file; one that is not there is no error. May come back after a crash. */
  removeFile(path: string): Promise<void>;
  /** Published files whose path starts with `folder` and a slash, in no order. */
  listFiles(folder: string): Promise<readonly { readonly path: string; readonly sizeBytes: number }[]>;
  /** Gives up the lock. Nothing is called after it. */
  close(): Promise<void>;
}
