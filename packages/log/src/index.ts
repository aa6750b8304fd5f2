/** @module An append-only Merkle log that the public tlog-tiles tools can read. Payload-agnostic; storage is a port. */
export {
  archivedName,
  archiveSegments,
  MANIFEST_NAME,
  readManifest,
  restoreSegments,
  type ArchivedSegment,
  type ArchiveManifest,
  type ArchiveStorage,
} from './archive.ts';
export {
  addSignatures,
  checkpointText,
  openCheckpoint,
  parseCheckpointText,
  verifierOf,
  type Checkpoint,
  type NoteSigner,
  type OpenedCheckpoint,
} from './checkpoint.ts';
export type { Cosign, ProveSince } from './cosign.ts';
export {
  cosignatureLine,
  cosignatureSeconds,
  cosignerKeyText,
  createCosignerKey,
  parseCosignerKey,
  type CosignerKey,
} from './cosignature.ts';
export { parseBundle } from './entry-bundles.ts';
export type { LogErrorCode } from './errors.ts';
export type { LogRecord } from './frame.ts';
export type { ClosedSegment } from './journal.ts';
export { fsckLog, type FsckFault, type FsckFaultCode, type FsckOptions, type FsckReport } from './fsck.ts';
export { openJournalReader, type JournalReader, type JournalSource } from './journal-reader.ts';
export { LOG_LIMITS, WITNESS_BODY_BYTES_MAX, WITNESS_PROOF_LINES_MAX, type LogLimits } from './limits.ts';
export { openLog, type Appended, type Log, type LogOptions, type NewRecord } from './log.ts';
export { createMemoryDisk, createMemoryStorage, type MemoryDisk } from './memory-storage.ts';
export { createFrontier, emptyRoot, leafHash, nodeHash, rootOf, type Frontier } from './merkle.ts';
export { rootFromInclusion, verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim } from './proof.ts';
export { readAnswer, type ReadAnswer, type ReadRequest } from './read-api.ts';
export type { ByteRange, JournalReading, JournalStorage, LogStorage, PublishedFile, PublishedStorage, SegmentInfo } from './storage.ts';
export { CHECKPOINT_PATH, isPublishedPath, parseTilePath, TILE_FOLDER, TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';
export {
  createWitness,
  parseAddCheckpoint,
  type AddCheckpoint,
  type Witness,
  type WitnessAnswer,
  type WitnessedLog,
  type WitnessFaultCode,
  type WitnessOptions,
  type WitnessState,
  type WitnessStep,
  type WitnessVerdict,
} from './witness.ts';
export { EMPTY_TREE, sameTree, type WitnessedTree } from './witnessed-tree.ts';
