/**
 * @module AES-256-GCM (NIST SP 800-38D) with 96-bit nonces; the 16-byte tag stands behind the ciphertext.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { invariant } from '@countersign/kernel';
import { secretKeyOf } from './secret-key.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES } as const;

export interface SealRequest {
  /** 32 bytes; must not be changed afterwards. */
  readonly key: Uint8Array;
  /** 12 bytes, never used twice with one key. */
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  /** Bound to the ciphertext, not in it. */
  readonly aad?: Uint8Array;
}

export interface OpenRequest {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Ciphertext and tag, as `sealAesGcm` returns them. */
  readonly ciphertext: Uint8Array;
  readonly aad?: Uint8Array;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Ciphertext and tag.
 * @throws {InvariantError} for a key or nonce of another length.
 */
export function sealAesGcm(request: SealRequest): Uint8Array {
  invariant(
    request.key.length === KEY_BYTES && request.nonce.length === NONCE_BYTES,
    'AES-256-GCM takes a key of 32 and a nonce of 12 bytes',
  );
  const cipher = createCipheriv('aes-256-gcm', secretKeyOf(request.key), request.nonce, OPTIONS);
  if (request.aad !== undefined) cipher.setAAD(request.aad);
  return joined([cipher.update(request.plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The plaintext, or undefined when key, nonce, additional data or ciphertext are not those that were sealed.
 * @throws {InvariantError} for a key of another length.
 */
export function openAesGcm(request: OpenRequest): Uint8Array | undefined {
  invariant(request.key.length === KEY_BYTES, 'AES-256-GCM takes a key of 32 bytes');
  const { ciphertext } = request;
  if (ciphertext.length < TAG_BYTES || request.nonce.length !== NONCE_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', secretKeyOf(request.key), request.nonce, OPTIONS);
  if (request.aad !== undefined) decipher.setAAD(request.aad);
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG_BYTES));
  const plaintext = decipher.update(ciphertext.subarray(0, ciphertext.length - TAG_BYTES));
  try {
    return joined([plaintext, decipher.final()]);
  } catch {
    return undefined;
  }
}
