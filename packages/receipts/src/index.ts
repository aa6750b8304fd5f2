/** @module Issuing receipts into a log, and making bundles of them. Verification alone is `@countersign/receipts/verify`. */
export { disclose, makeBundle, type MakeBundleRequest, unseal, type Unsealed } from './bundle.ts';
export { makeConsistency, verifyConsistencyFile, type ConsistencyReport } from './consistency-file.ts';
export { fitVerdict } from './fit-verdict.ts';
export {
  createRecorder,
  type ErasureDraft,
  type LogKeyDraft,
  type ReceiptRecorder,
  type RecorderOptions,
  type SessionEndDraft,
  type StagedEntry,
} from './issue.ts';
export { RECEIPT_LIMITS } from './limits.ts';
export {
  readBundle,
  type Bundle,
  type BundleDocuments,
  type BundleFaultCode,
  type Disclosure,
  type ErasureDisclosure,
  type OutcomeDisclosure,
  type ReceiptDisclosure,
} from './read-bundle.ts';
export type { Check, CheckName, CheckStatus, VerifyReport } from './report.ts';
export type { Trust } from './open-trusted.ts';
export { deltaOf, openContent, vaultAad, type Opener, type SealedPlace, type Sealer, type SealingSubject } from './vault-record.ts';
export { verifyBundle } from './verify-bundle.ts';
export { checkReceipt, readLeaf, type CheckedReceipt } from './verify-sealed.ts';
export { verifySession, type SessionOptions, type SessionReport } from './verify-session.ts';
