/**
 * @module What the log asks of a disk. Any store that keeps these promises can hold a log; `testkit` has the contract suite.
 *
 * Two kinds of data, two ports: the journal (numbered segments that only grow at the end; the truth) and published files (checkpoint,
 * tiles; derived, whole files that are put in place and read by path: an object storage can hold them). Exactly one process may write
 * a storage at a time: an implementation that can be opened twice takes an exclusive lock, and refuses the second opener with a coded error.
 */

export interface SegmentInfo {
  /** Rising by one; the first is 0 unless earlier ones were archived. */
  readonly segment: number;
  readonly sizeBytes: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The part of a journal that changes nothing: enough to read a log that another process writes. */
export interface JournalReading {
  /** All segments in order. */
  segments(): Promise<readonly SegmentInfo[]>;
  /** Bytes `[offset, offset + length)` of a segment, fewer where the segment ends earlier. */
  read(segment: number, range: ByteRange): Promise<Uint8Array>;
  /** What `writeIndex` put there last, or undefined; whoever reads checks it. */
  readIndex(segment: number): Promise<Uint8Array | undefined>;
}

/**
 * Every call either does what it says or rejects. After `append` or `truncate` has rejected the caller writes nothing more
 * through this object: what is on disk at the end of the journal is then unknown until the journal is recovered.
 */
export interface JournalStorage extends JournalReading {
  /**
   * Adds bytes at the end of a segment, which must be at `offset`; creates the segment when it is the next number.
   * On return they survive a crash and a power cut, and so does everything appended before them.
   * After a crash during the call any part of these bytes may be there, in any pieces; earlier bytes are untouched.
   * The caller may reuse `bytes` once the call has returned; calls do not overlap. Rejects where the segment ends elsewhere.
   */
  append(segment: number, offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts a segment to `sizeBytes`. On return the cut survives a crash. */
  truncate(segment: number, sizeBytes: number): Promise<void>;
  /** Keeps the index of a segment: whole or not at all. It may be lost in a crash: an index can always be made again. */
  writeIndex(segment: number, bytes: Uint8Array): Promise<void>;
  /** Removes the first segment there is; its index stays. On return the removal survives a crash. */
  removeSegment(segment: number): Promise<void>;
  /** Puts a removed segment back, whole or not at all. On return it survives a crash. */
  restoreSegment(segment: number, bytes: Uint8Array): Promise<void>;
}

export interface PublishedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface PublishedStorage {
  /** A published file, whole, or undefined. `path` is slash-separated, relative, without `.` or `..`. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Puts a published file in place. Readers see the old bytes or the new ones, never a mixture, at any moment and after a crash.
   * On return the new bytes survive a crash.
   */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>;
  /** The same for several files, in any order: each is whole at any moment. When it rejects, nothing of it is under way any more. */
  replaceFiles(files: readonly PublishedFile[]): Promise<void>;
  /** Removes a published file; one that is not there is no error. May come back after a crash. */
  removeFile(path: string): Promise<void>;
  /** Paths of published files below `folder`, in no order. */
  listFiles(folder: string): Promise<readonly string[]>;
}

export interface LogStorage extends JournalStorage, PublishedStorage {
  /** Gives up the lock. Nothing is called after it. */
  close(): Promise<void>;
}
