/** @module What note texts and keys are made of, on Node; `#primitives` is `browser/primitives.ts` under the condition `browser`. */
export { base64, fromBase64 } from './base64.ts';
export { createVerifier } from './ed25519.ts';
export { sha256 } from './hash.ts';
