/** @module Issuing receipts into a log, and making bundles of them. Verification alone is `@countersign/receipts/verify`. */
export { disclose, makeBundle, type MakeBundleRequest } from './bundle.ts';
export { dssePae, ENTRY_PREDICATE_TYPE, exportDsse, IN_TOTO_PAYLOAD_TYPE, STATEMENT_TYPE, verifyDsse } from './export-dsse.ts';
export { EXPORT_FORMATS, type ExportCheck, type ExportFormat, type ExportReport, type ExportTrust } from './export-report.ts';
export { readSession } from './export-session.ts';
export { exportSignedReceipt, SIGNED_RECEIPT_VERSION, verifySignedReceipt, type ProvenReceipt } from './export-signed-receipt.ts';
export { exportSpine, SPINE_SCHEMA, verifySpine } from './export-spine.ts';
export { exportTlogProof, TLOG_PROOF_HEAD, verifyTlogProof } from './export-tlog-proof.ts';
export { fitVerdict } from './fit-verdict.ts';
export { createRecorder, type ReceiptRecorder, type RecorderOptions, type SessionEndDraft, type StagedEntry } from './issue.ts';
export { EXPORT_LIMITS, RECEIPT_LIMITS } from './limits.ts';
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
export { verifyBundle, type Trust } from './verify-bundle.ts';
export { exportFormatOf, verifyExport } from './verify-export.ts';
export { verifySession, type SessionReport } from './verify-session.ts';
