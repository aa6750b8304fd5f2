/**
 * @module Verification of Ed25519 (RFC 8032) without a platform, and no signing. The points are noble's; the equation is ours, because
 * noble multiplies by the cofactor and OpenSSL does not: here, too, S·B - k·A must give the very bytes of R.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { invariant } from '@countersign/kernel';
import type { Verifier } from '../ed25519.ts';
import { isStrictEd25519 } from '../ed25519-strictness.ts';
import { sha256Hex } from './hash.ts';

const PUBLIC_KEY_BYTES = 32;
const { Point } = ed25519;
type CurvePoint = InstanceType<typeof Point>;

const encoder = new TextEncoder();

function numberOf(littleEndian: Uint8Array): bigint {
  let value = 0n;
  for (let i = littleEndian.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(littleEndian[i] ?? 0);
  return value;
}

/** The point, or undefined for bytes that are none. */
function pointOf(bytes: Uint8Array): CurvePoint | undefined {
  try {
    return Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

/** `signature` is strict, so that S is below the group order. */
function equationHolds(
  key: { readonly bytes: Uint8Array; readonly point: CurvePoint },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const r = signature.subarray(0, PUBLIC_KEY_BYTES);
  const k = numberOf(sha512.create().update(r).update(key.bytes).update(message).digest()) % Point.Fn.ORDER;
  const s = numberOf(signature.subarray(PUBLIC_KEY_BYTES));
  const found = Point.BASE.multiplyUnsafe(s).subtract(key.point.multiplyUnsafe(k)).toBytes();
  return found.every((byte, i) => byte === r[i]);
}

/** The name of a public key in receipts. */
export function keyIdOf(publicKey: Uint8Array): string {
  return sha256Hex(publicKey).slice(0, 16);
}

/**
 * A verifier for a 32-byte public key. Bytes that are no curve point verify nothing.
 * @throws {InvariantError} for another length: whoever reads a key checks it first.
 */
export function createVerifier(publicKey: Uint8Array): Verifier {
  invariant(publicKey.length === PUBLIC_KEY_BYTES, 'an Ed25519 public key has 32 bytes');
  const bytes = Uint8Array.from(publicKey);
  const point = pointOf(bytes);
  return {
    keyId: keyIdOf(bytes),
    publicKey: Uint8Array.from(bytes),
    verify(message, signature) {
      if (point === undefined || !isStrictEd25519(bytes, signature)) return false;
      return equationHolds({ bytes, point }, typeof message === 'string' ? encoder.encode(message) : message, signature);
    },
  };
}
