/** @module Every limit of the crypto room; each has a test at n and n + 1. */

/** Characters of a token (agent JWT, scope token). Header lines of HTTP servers end near here too. */
export const TOKEN_CHARS_MAX = 8192;

/** Characters of a signed note. */
export const NOTE_CHARS_MAX = 1_000_000;

/** Signature lines of one note; the Go implementation has the same number. */
export const NOTE_SIGNATURES_MAX = 100;

/** Characters of a verifier key text. */
export const VERIFIER_KEY_CHARS_MAX = 1024;

/** Seconds by which clocks may differ when a JWT is checked. */
export const JWT_LEEWAY_SECONDS = 60;

/** Tokens remembered as rightly signed, for each key. */
export const REMEMBERED_TOKENS_MAX = 64;

/** Rightly signed tokens whose claims are kept as read, over all keys. */
export const READ_TOKENS_MAX = 1024;
