/**
 * @module What an Ed25519 signature must be before its equation is looked at. RFC 8032 leaves room that libraries fill in differently;
 * this check leaves none, and stands in front of every implementation, so that a receipt which holds here holds everywhere:
 * the points A and R are written in the one canonical way and have none of the eight small orders, and S is below the group order.
 * What follows is the equation without cofactor, with k reduced: the stricter of the two that RFC 8032 allows.
 */
const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SIGN_BIT = 0x80;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: POINT_BYTES }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

const FIELD = 2n ** 255n - 19n;
/** 2^255 - 19, the field. */
const FIELD_ORDER = littleEndian(FIELD);
/** The order of the base point (RFC 8032, 5.1). */
const GROUP_ORDER = littleEndian(2n ** 252n + 27742317777372353535851937790883648493n);

/** y of the points whose order divides 8, one a line; each stands for the one or two points that have it. Orders 4, 1, 2, 8, 8. */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  0n,
  1n,
  FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
].map(littleEndian);

/** Numbers from the most significant byte on, which is the last. */
function isBelow(bytes: Uint8Array, bound: Uint8Array): boolean {
  for (let i = POINT_BYTES - 1; i >= 0; i -= 1) {
    const [byte = 0, limit = 0] = [bytes[i], bound[i]];
    if (byte !== limit) return byte < limit;
  }
  return false;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

/** Whether 32 bytes may stand for a point. They still need not be one. */
function isStrictPoint(bytes: Uint8Array): boolean {
  const y = Uint8Array.from(bytes);
  y[POINT_BYTES - 1] = (y[POINT_BYTES - 1] ?? 0) & ~SIGN_BIT;
  return isBelow(y, FIELD_ORDER) && !SMALL_ORDER_Y.some((small) => isSame(small, y));
}

/** Whether key and signature are such that their equation decides. Any lengths. */
export function isStrictEd25519(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === POINT_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    isBelow(signature.subarray(POINT_BYTES), GROUP_ORDER) &&
    isStrictPoint(signature.subarray(0, POINT_BYTES)) &&
    isStrictPoint(publicKey)
  );
}
