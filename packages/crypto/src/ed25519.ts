/**
 * @module Ed25519 (RFC 8032) with keys that are parsed once, and the short names that receipts give to keys.
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { invariant } from '@countersign/kernel';
import { base64url, plainBytes } from './base64.ts';
import { isStrictEd25519 } from './ed25519-strictness.ts';
import { sha256Hex } from './hash.ts';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
/** DER before the 32 bytes of a seed (PKCS #8) and of a public key (SPKI), RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface Verifier {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Total: whatever is wrong with the signature or the key, the answer is false. */
  verify(message: string | Uint8Array, signature: Uint8Array): boolean;
}

export interface Signer {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes; the same message always gives the same ones. */
  sign(message: string | Uint8Array): Uint8Array;
  /** The same 64 bytes, made on a thread of the platform's pool. Rejects when the platform fails. */
  signAside(message: string | Uint8Array): Promise<Uint8Array>;
}

export interface Jwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly use: 'sig';
  readonly kid: string;
  readonly x: string;
}

function asBytes(message: string | Uint8Array): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message, 'utf8') : message;
}

/** The name of a public key in receipts. */
export function keyIdOf(publicKey: Uint8Array): string {
  return sha256Hex(publicKey).slice(0, 16);
}

/**
 * A signer from its 32-byte seed.
 * @throws {InvariantError} for another length: seeds come from our own key files, which check.
 */
export function createSigner(seed: Uint8Array): Signer {
  invariant(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const publicKey = new Uint8Array(spki.subarray(SPKI_PREFIX.length));
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: (message) => plainBytes(sign(null, asBytes(message), key)),
    signAside: (message) =>
      new Promise((resolve, reject) => {
        sign(null, asBytes(message), key, (error, signature) => (error === null ? resolve(plainBytes(signature)) : reject(error)));
      }),
  };
}

/** Whether `signature` is right; errors of the platform (an encoding that is no point) are a no. */
function holds(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}

/**
 * A verifier for a 32-byte public key. Bytes that are no curve point verify nothing.
 * @throws {InvariantError} for another length: whoever reads a key checks it first.
 */
export function createVerifier(publicKey: Uint8Array): Verifier {
  invariant(publicKey.length === PUBLIC_KEY_BYTES, 'an Ed25519 public key has 32 bytes');
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  const own = new Uint8Array(publicKey);
  return {
    keyId: keyIdOf(publicKey),
    publicKey: new Uint8Array(publicKey),
    verify: (message, signature) => isStrictEd25519(own, signature) && holds(key, asBytes(message), signature),
  };
}

/** A public key as a JSON Web Key (RFC 8037). */
export function jwkOf(publicKey: Uint8Array, kid: string): Jwk {
  return { kty: 'OKP', crv: 'Ed25519', use: 'sig', kid, x: base64url(publicKey) };
}
