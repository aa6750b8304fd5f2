/** @module What a verifier needs of the log, and nothing that writes one: what this package is under the condition `browser`. */
export { checkpointText, openCheckpoint, parseCheckpointText, type Checkpoint, type OpenedCheckpoint } from './checkpoint.ts';
export { cosignatureSeconds, parseCosignerKey, type CosignerKey } from './cosignature.ts';
export { emptyRoot, leafHash, nodeHash, rootOf } from './merkle.ts';
export { rootFromInclusion, verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim } from './proof.ts';
