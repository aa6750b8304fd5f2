/**
 * @module Signatures at the edges of Ed25519, made from a fixed seed: points of small and of mixed order, encodings that are not the
 * canonical one, S at and beyond the group order. What libraries disagree on is all here; `holds` is our answer, in both builds.
 */
import { createHash } from 'node:crypto';
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';

export interface Edge {
  readonly name: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  readonly holds: boolean;
}

const { Point } = ed25519;
export type CurvePoint = InstanceType<typeof Point>;
const ORDER = Point.Fn.ORDER;
const FIELD = Point.Fp.ORDER;
/** The eight points whose order divides 8. */
export const TORSION: readonly CurvePoint[] = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex));
const IDENTITY = Point.ZERO;
const SECRET = 0x1234567890abcdef1234567890abcdefn;
const NONCE = 0xfedcba0987654321fedcba0987654321n;

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

const multiple = (point: CurvePoint, scalar: bigint): CurvePoint => point.multiplyUnsafe(((scalar % ORDER) + ORDER) % ORDER);

/** A point's encoding with y + p in place of y, which only fits for y below 19. */
function unreduced(point: CurvePoint, sign = 0): Buffer {
  const bytes = littleEndian(point.toAffine().y + FIELD);
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
}

function withSign(bytes: Uint8Array): Buffer {
  const signed = Buffer.from(bytes);
  signed[31] = (signed[31] ?? 0) | 0x80;
  return signed;
}

function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return numberOf(createHash('sha512').update(r).update(key).update(message).digest()) % ORDER;
}

interface Recipe {
  readonly name: string;
  readonly key: Uint8Array;
  readonly r: Uint8Array;
  readonly s: (k: bigint) => bigint;
  /** The challenge that the message is searched for. */
  readonly wanted?: (k: bigint) => boolean;
  readonly holds?: boolean;
}

function cook({ name, key, r, s, wanted = () => true, holds = false }: Recipe): Edge {
  for (let i = 0; i < 4096; i += 1) {
    const message = Buffer.from(`edge ${i}`);
    const k = challenge(r, key, message);
    if (!wanted(k)) continue;
    const signature = Buffer.concat([r, littleEndian(s(k))]);
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    return { name, publicKey: hex(key), message: hex(message), signature: hex(signature), holds };
  }
  throw new Error(`no message gives the challenge that ${name} needs`);
}

/** A signature that the secret scalar makes, with whatever is added to key and R; `wanted` decides which equations hold. */
export function mixed(name: string, parts: { key: number; r: number; wanted: (k: bigint) => boolean; holds: boolean }): Edge {
  const torsion = (index: number): CurvePoint => TORSION[index] ?? IDENTITY;
  const key = multiple(Point.BASE, SECRET).add(torsion(parts.key)).toBytes();
  const r = multiple(Point.BASE, NONCE).add(torsion(parts.r)).toBytes();
  return cook({ name, key, r, s: (k) => (NONCE + k * SECRET) % ORDER, wanted: parts.wanted, holds: parts.holds });
}

/** Index of a point of order 8 in `TORSION`. */
export const ORDER_8 = TORSION.findIndex((point) => !multiple(point, 4n).equals(IDENTITY));

function smallOrderEdges(): Edge[] {
  const honest = multiple(Point.BASE, NONCE).toBytes();
  const ownKey = multiple(Point.BASE, SECRET).toBytes();
  return TORSION.flatMap((point, i) => [
    // k a multiple of 8: k·A is the identity, and S·B = R holds with and without cofactor, for whoever wants to have signed.
    cook({ name: `A of small order ${i}`, key: point.toBytes(), r: honest, s: () => NONCE, wanted: (k) => k % 8n === 0n }),
    cook({ name: `A of small order ${i}, S = 0`, key: point.toBytes(), r: IDENTITY.toBytes(), s: () => 0n, wanted: (k) => k % 8n === 0n }),
    cook({ name: `R of small order ${i}`, key: ownKey, r: point.toBytes(), s: (k) => (k * SECRET) % ORDER }),
  ]);
}

function encodingEdges(): Edge[] {
  const ownKey = multiple(Point.BASE, SECRET).toBytes();
  const honest = multiple(Point.BASE, NONCE).toBytes();
  const byIdentity = (k: bigint): bigint => (k * SECRET) % ORDER;
  const minusOne = littleEndian(FIELD - 1n);
  const even = (k: bigint): boolean => k % 8n === 0n;
  const unreal = littleEndian(2n);
  const lowPoints = Array.from({ length: 19 }, (_, y) => BigInt(y)).filter((y) => isOnCurve(y));
  return [
    cook({ name: 'R the identity with y + p', key: ownKey, r: unreduced(IDENTITY), s: byIdentity }),
    cook({ name: 'R the identity with a sign', key: ownKey, r: withSign(IDENTITY.toBytes()), s: byIdentity }),
    cook({ name: 'R the identity with y + p and a sign', key: ownKey, r: unreduced(IDENTITY, 1), s: byIdentity }),
    cook({ name: 'A the identity with y + p', key: unreduced(IDENTITY), r: honest, s: () => NONCE }),
    cook({ name: 'A the identity with a sign', key: withSign(IDENTITY.toBytes()), r: honest, s: () => NONCE }),
    cook({ name: 'A of order 2 with a sign', key: withSign(minusOne), r: honest, s: () => NONCE, wanted: even }),
    cook({ name: 'R of order 2 with a sign', key: ownKey, r: withSign(minusOne), s: byIdentity }),
    cook({ name: 'A that is no point', key: unreal, r: honest, s: () => NONCE }),
    cook({ name: 'R that is no point', key: ownKey, r: unreal, s: () => NONCE }),
    cook({ name: 'A all ones', key: Buffer.alloc(32, 0xff), r: honest, s: () => NONCE }),
    cook({ name: 'R all ones', key: ownKey, r: Buffer.alloc(32, 0xff), s: () => NONCE }),
    ...lowPoints.flatMap((y) => [
      cook({ name: `A with y = ${y} + p`, key: littleEndian(y + FIELD), r: honest, s: () => NONCE, wanted: even }),
      cook({ name: `R with y = ${y} + p`, key: ownKey, r: littleEndian(y + FIELD), s: byIdentity }),
    ]),
  ];
}

function isOnCurve(y: bigint): boolean {
  try {
    Point.fromBytes(littleEndian(y));
    return true;
  } catch {
    return false;
  }
}

function scalarEdges(): Edge[] {
  const key = multiple(Point.BASE, SECRET).toBytes();
  const r = multiple(Point.BASE, NONCE).toBytes();
  const s = (k: bigint): bigint => (NONCE + k * SECRET) % ORDER;
  const farthest = (2n ** 256n - 1n) / ORDER - 1n;
  return [
    cook({ name: 'an honest signature', key, r, s, holds: true }),
    cook({ name: 'S + L', key, r, s: (k) => s(k) + ORDER }),
    cook({ name: 'S + 2 L', key, r, s: (k) => s(k) + 2n * ORDER }),
    cook({ name: 'S + 8 L', key, r, s: (k) => s(k) + 8n * ORDER }),
    cook({ name: `S + ${farthest} L`, key, r, s: (k) => s(k) + farthest * ORDER }),
    cook({ name: 'S = L', key, r, s: () => ORDER }),
    cook({ name: 'S = L - 1', key, r, s: () => ORDER - 1n }),
    cook({ name: 'S = 0', key, r, s: () => 0n }),
    cook({ name: 'S all ones', key, r, s: () => 2n ** 256n - 1n }),
    cook({ name: 'S negated', key, r, s: (k) => ORDER - s(k) }),
    cook({ name: 'S with its highest bit set', key, r, s: (k) => s(k) | (1n << 255n) }),
  ];
}

/** Keys and R with a part of small order: with the cofactor all hold, without it only those whose parts cancel. */
function mixedEdges(): Edge[] {
  const any = (): boolean => true;
  return [
    mixed('R of mixed order', { key: 0, r: ORDER_8, wanted: any, holds: false }),
    mixed('A of mixed order, k no multiple of 8', { key: ORDER_8, r: 0, wanted: (k) => k % 8n !== 0n, holds: false }),
    mixed('A of mixed order, k a multiple of 8', { key: ORDER_8, r: 0, wanted: (k) => k % 8n === 0n, holds: true }),
    mixed('A and R of mixed order that cancel', { key: ORDER_8, r: ORDER_8, wanted: (k) => k % 8n === 7n, holds: true }),
    mixed('A and R of mixed order that do not cancel', { key: ORDER_8, r: ORDER_8, wanted: (k) => k % 8n === 1n, holds: false }),
  ];
}

export function ed25519Edges(): readonly Edge[] {
  return [...scalarEdges(), ...encodingEdges(), ...smallOrderEdges(), ...mixedEdges()];
}
