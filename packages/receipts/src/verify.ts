/**
 * @module Verification without the server: a bundle, the keys one trusts, and nothing else. Every check is named, and total: whatever
 * the bytes are, the answer is a report. Nothing here sees a signer or storage, so that it can run in a browser.
 */
export { readBundle, type Bundle } from './read-bundle.ts';
export { type Check, type CheckName, type CheckStatus, type VerifyReport } from './report.ts';
export { verifyBundle, type Trust } from './verify-bundle.ts';
export { verifySession, type SessionReport } from './verify-session.ts';
