/** @module Issuing receipts into a log, and making bundles of them. Verification alone is `@countersign/receipts/verify`. */
export { disclose, makeBundle, type MakeBundleRequest } from './bundle.ts';
export { makeConsistency, verifyConsistencyFile, type ConsistencyReport } from './consistency-file.ts';
export { fitVerdict } from './fit-verdict.ts';
export { createRecorder, type ReceiptRecorder, type RecorderOptions, type SessionEndDraft, type StagedEntry } from './issue.ts';
export { RECEIPT_LIMITS } from './limits.ts';
export {
  readBundle,
  type Bundle,
  type BundleDocuments,
  type BundleFaultCode,
  type OutcomeDisclosure,
  type ReceiptDisclosure,
} from './read-bundle.ts';
export type { Check, CheckName, CheckStatus, VerifyReport } from './report.ts';
export { subjectHandle, vaultAad, type Opener, type Sealer } from './vault-record.ts';
export type { Trust } from './open-trusted.ts';
export { verifyBundle } from './verify-bundle.ts';
export { verifySession, type SessionOptions, type SessionReport } from './verify-session.ts';
