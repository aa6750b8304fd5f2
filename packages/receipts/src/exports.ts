/**
 * @module Entries in formats of others (spec/exports.md): in-toto in DSSE, Clawdstrike's SignedReceipt and Spine, C2SP tlog-proof. Writing
 * takes a signer from outside; reading takes keys, is total, and sees neither signer nor storage.
 */
export { ENTRY_PREDICATE_TYPE, exportDsse, verifyDsse } from './export-dsse.ts';
export { EXPORT_FORMATS, type ExportCheck, type ExportFormat, type ExportReport, type ExportTrust } from './export-report.ts';
export { readSession } from './export-session.ts';
export { exportSignedReceipt, verifySignedReceipt, type ProvenReceipt } from './export-signed-receipt.ts';
export { exportSpine, verifySpine } from './export-spine.ts';
export { exportTlogProof, verifyTlogProof } from './export-tlog-proof.ts';
export { EXPORT_LIMITS } from './limits.ts';
export { exportFormatOf, verifyExport } from './verify-export.ts';
