/**
 * @module Verification without the server: a bundle, the keys one trusts, and nothing else. Every check is named, and total: whatever
 * the bytes are, the answer is a report. Nothing here sees a signer or storage, so that it can run in a browser.
 */
export { verifyConsistencyFile, type ConsistencyReport } from './consistency-file.ts';
export { readBundle, type Bundle } from './read-bundle.ts';
export { type Check, type CheckName, type CheckStatus, type VerifyReport } from './report.ts';
export type { Trust } from './open-trusted.ts';
export { verifyBundle } from './verify-bundle.ts';
export { verifySession, type SessionOptions, type SessionReport } from './verify-session.ts';
