/**
 * @module Payments: what an action would pay and to whom, and the boundaries of it. Where a boundary asks and the action does not say, the answer is no.
 * Mandates (AP2) and signed transfers (x402, EIP-3009) are held to their own times, owners and to being used once.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { type Action, type AgentWindow } from '@countersign/protocol';
import type { Boundary } from './clampd-content.ts';
import { POLICY_LIMITS } from './limits.ts';

export type PaymentId =
  | 'B-PAYMENT-TX'
  | 'B-PAYMENT-HOUR'
  | 'B-PAYMENT-VENDOR'
  | 'B-PAYMENT-MEMORY'
  | 'B-AP2-REPLAY'
  | 'B-AP2-SCOPE'
  | 'B-AP2-REFUND'
  | 'B-X402-FRESH'
  | 'B-X402-NONCE'
  | 'B-X402-SIGVERIFY';

export interface PaymentViolation {
  readonly id: PaymentId;
  readonly text: string;
}

/** A transfer that its owner signed; addresses, nonce and signature are lower-case hex without `0x`, of their length. */
export interface SignedTransfer {
  readonly network: string;
  readonly from: string;
  readonly to: string;
  readonly value: bigint;
  readonly validAfter: number;
  readonly validBefore: number;
  readonly nonce: string;
  readonly signature: string;
}

/** The address that signed a transfer, in the same form; undefined where nobody did. */
export type TransferSigner = (transfer: SignedTransfer) => string | undefined;

/** A payment as it would count. */
export interface Payment {
  /** Undefined where the action does not say it in a form that can be read. */
  readonly cents: number | undefined;
  readonly vendor: string | undefined;
  /** Ids that may be used once, as they are remembered: `id@hour`. */
  readonly once: readonly string[];
  readonly violations: readonly PaymentViolation[];
}

export interface PaymentQuestion {
  readonly action: Action;
  readonly atSeconds: number;
  readonly scope: string;
  readonly window: AgentWindow | undefined;
  /** Absent: no signature is believed. */
  readonly signer?: TransferSigner | undefined;
}

const HOUR_SECONDS = 3600;
/** How long a mandate or nonce is remembered. */
const REMEMBERED_HOURS = 24;
/** How far ahead a signed transfer may be valid. */
const FRESH_SECONDS = 300;
const VENDORS = ['vendor', 'recipient', 'payee', 'merchant', 'payTo', 'pay_to', 'to'] as const;
const AMOUNTS = ['amount', 'total', 'price'] as const;
const TRANSFERS = ['x402', 'paymentPayload', 'payment_payload'] as const;
const MANDATES = ['mandate', 'ap2_mandate', 'ap2Mandate', 'payment_mandate', 'cart_mandate', 'intent_mandate'] as const;
/** USDC, in which signed transfers pay, has six decimals: a cent is 10,000 of its units. */
const UNITS_PER_CENT = 10_000n;

function objectAt(from: JsonObject, names: readonly string[]): JsonObject | undefined {
  for (const name of names) {
    const found = getOwn(from, name);
    if (isJsonObject(found)) return found;
  }
  return undefined;
}

/** A decimal amount as cents, rounded up; undefined for anything else, so that nothing is read as less than it is. */
function centsOf(value: JsonValue | undefined): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const found = typeof text === 'string' ? /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text) : null;
  if (found === null) return undefined;
  const fraction = (found[2] ?? '').padEnd(6, '0');
  return Number(found[1]) * 100 + Math.ceil(Number(fraction) / 10_000);
}

/** The first of these names that is there. */
function valueAt(from: JsonObject, names: readonly string[]): JsonValue | undefined {
  const name = names.find((one) => getOwn(from, one) !== undefined);
  return name === undefined ? undefined : getOwn(from, name);
}

function statedCents(params: JsonObject): number | undefined {
  const whole = valueAt(params, ['amount_cents', 'amountCents']);
  if (whole !== undefined) return typeof whole === 'number' && Number.isSafeInteger(whole) && whole >= 0 ? whole : undefined;
  const stated = valueAt(params, AMOUNTS);
  return centsOf(isJsonObject(stated) ? getOwn(stated, 'value') : stated);
}

function vendorOf(params: JsonObject): string | undefined {
  const vendor = valueAt(params, VENDORS);
  return typeof vendor === 'string' ? vendor : undefined;
}

/**
 * 64 bits of a text (FNV-1a from both ends). Equal texts are always found; texts that are not equal may be taken for it, which refuses
 * a payment and never lets one through, so it need not be a cryptographic hash.
 */
function fingerprint(text: string): string {
  let [ahead, back] = [0x81_1c_9d_c5, 0x05_0c_5d_1f];
  for (let i = 0; i < text.length; i += 1) {
    ahead = Math.imul(ahead ^ text.charCodeAt(i), 0x01_00_01_93);
    back = Math.imul(back ^ text.charCodeAt(text.length - 1 - i), 0x01_00_01_93);
  }
  return [ahead, back].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** What may be used once, short enough to be kept with every receipt. */
function onceId(kind: string, id: string, atSeconds: number): string {
  return `${fingerprint(`${kind}\n${id}`)}@${String(Math.floor(atSeconds / HOUR_SECONDS) + REMEMBERED_HOURS)}`;
}

function isUsed(once: string, window: AgentWindow | undefined): boolean {
  const id = once.slice(0, once.indexOf('@'));
  return window?.paid.some((entry) => entry.startsWith(`${id}@`)) === true;
}

interface Instrument {
  readonly once: readonly string[];
  readonly violations: readonly PaymentViolation[];
  /** What the signed part itself says, where it says it. */
  readonly cents?: number | undefined;
  readonly vendor?: string | undefined;
}

function readMandate(mandate: JsonObject, { action, atSeconds, window }: PaymentQuestion): Instrument {
  const id = valueAt(mandate, ['mandate_id', 'mandateId', 'id']);
  const owner = valueAt(mandate, ['agent_id', 'agentId']);
  const refunds = valueAt(mandate, ['refund_policy', 'refundPolicy']) ?? null;
  const once = typeof id === 'string' && id !== '' ? onceId('ap2', id, atSeconds) : undefined;
  const violations: PaymentViolation[] = [];
  if (once === undefined || isUsed(once, window))
    violations.push({ id: 'B-AP2-REPLAY', text: 'the mandate was used before, or has no id' });
  if (owner !== action.agent) violations.push({ id: 'B-AP2-SCOPE', text: 'the mandate is not for this agent' });
  if (refunds === null || refunds === '') violations.push({ id: 'B-AP2-REFUND', text: 'the mandate says nothing of refunds' });
  return { once: once === undefined ? [] : [once], violations };
}

function secondsAt(from: JsonObject, name: string): number | undefined {
  const value = getOwn(from, name);
  const number = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** Hex of `bytes` bytes behind `0x`, in lower case. */
function hexAt(from: JsonObject, name: string, bytes: number): string | undefined {
  const value = getOwn(from, name);
  return typeof value === 'string' && new RegExp(`^0x[0-9a-fA-F]{${String(bytes * 2)}}$`).test(value)
    ? value.slice(2).toLowerCase()
    : undefined;
}

/** Whole numbers up to what 256 bits hold, of which an amount has no more than these digits. */
function unitsAt(from: JsonObject, name: string): bigint | undefined {
  const value = getOwn(from, name);
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

/** The transfer, where every part of it can be read. */
function transferOf(transfer: JsonObject): SignedTransfer | undefined {
  const payload = objectAt(transfer, ['payload']) ?? transfer;
  const signed = objectAt(payload, ['authorization']) ?? {};
  const network = getOwn(transfer, 'network');
  const [from, to] = [hexAt(signed, 'from', 20), hexAt(signed, 'to', 20)];
  const [nonce, signature] = [hexAt(signed, 'nonce', 32), hexAt(payload, 'signature', 65)];
  const [validAfter, validBefore] = [secondsAt(signed, 'validAfter'), secondsAt(signed, 'validBefore')];
  const value = unitsAt(signed, 'value');
  if (typeof network !== 'string' || from === undefined || to === undefined || nonce === undefined) return undefined;
  if (signature === undefined || validAfter === undefined || validBefore === undefined || value === undefined) return undefined;
  return { network, from, to, value, validAfter, validBefore, nonce, signature };
}

const NOT_FRESH: PaymentViolation = { id: 'B-X402-FRESH', text: 'the signed transfer is not valid now, or for longer than five minutes' };
const NOT_ONCE: PaymentViolation = { id: 'B-X402-NONCE', text: 'the nonce of the signed transfer was used before, or is none' };
const NOT_SIGNED: PaymentViolation = { id: 'B-X402-SIGVERIFY', text: 'the transfer is not signed by the one who is to pay' };

function readTransfer(written: JsonObject, { atSeconds, window, signer }: PaymentQuestion): Instrument {
  const transfer = transferOf(written);
  if (transfer === undefined) return { once: [], violations: [NOT_FRESH, NOT_ONCE, NOT_SIGNED] };
  const { from, to, value, validAfter, validBefore, nonce } = transfer;
  const fresh = validAfter <= atSeconds && validBefore > atSeconds && validBefore <= atSeconds + FRESH_SECONDS;
  const once = onceId('x402', `${from} ${nonce}`, atSeconds);
  const violations = [
    ...(fresh ? [] : [NOT_FRESH]),
    ...(isUsed(once, window) ? [NOT_ONCE] : []),
    ...(signer?.(transfer) === from ? [] : [NOT_SIGNED]),
  ];
  return { once: [once], violations, cents: Number((value + UNITS_PER_CENT - 1n) / UNITS_PER_CENT), vendor: `0x${to}` };
}

function isPayment({ action, scope }: PaymentQuestion, params: JsonObject): boolean {
  const named = scope.startsWith('payment:') || (action.tool ?? '').startsWith('payment');
  return named || objectAt(params, TRANSFERS) !== undefined || objectAt(params, MANDATES) !== undefined;
}

/** The payment that the action would make; undefined where it makes none. */
export function readPayment(question: PaymentQuestion): Payment | undefined {
  const { params } = question.action;
  const read = isJsonObject(params) ? params : {};
  if (!isPayment(question, read)) return undefined;
  const mandate = objectAt(read, MANDATES);
  const transfer = objectAt(read, TRANSFERS);
  const instruments: readonly Instrument[] = [
    ...(mandate === undefined ? [] : [readMandate(mandate, question)]),
    ...(transfer === undefined ? [] : [readTransfer(transfer, question)]),
  ];
  const signed = transfer === undefined ? undefined : instruments.at(-1);
  return {
    // What is signed is what is paid, whatever is said beside it.
    cents: signed === undefined ? statedCents(read) : signed.cents,
    vendor: signed === undefined ? vendorOf(read) : signed.vendor,
    once: instruments.flatMap(({ once }) => once),
    violations: instruments.flatMap(({ violations }) => violations),
  };
}

function paidThisHour(window: AgentWindow | undefined, atSeconds: number): number {
  const hour = Math.floor(atSeconds / HOUR_SECONDS);
  return window !== undefined && window.hour >= hour ? window.cents : 0;
}

function limits({ cents }: Payment, boundary: Boundary, { window, atSeconds }: PaymentQuestion): readonly PaymentViolation[] {
  const { max_payment_per_tx_cents: perPayment, max_payment_per_hour_cents: perHour } = boundary;
  const found: PaymentViolation[] = [];
  if (perPayment !== undefined && (cents === undefined || cents > perPayment))
    found.push({ id: 'B-PAYMENT-TX', text: 'more than one payment may be, or of an amount that cannot be read' });
  if (perHour !== undefined && (cents === undefined || paidThisHour(window, atSeconds) + cents > perHour))
    found.push({ id: 'B-PAYMENT-HOUR', text: 'more than the payments of an hour may be, or of an amount that cannot be read' });
  return found;
}

/** All that speaks against a payment under a boundary. */
export function judgePayment(payment: Payment, boundary: Boundary, question: PaymentQuestion): readonly PaymentViolation[] {
  const { approved_vendors: vendors } = boundary;
  const found = [...limits(payment, boundary, question), ...payment.violations];
  const approved = vendors?.some((vendor) => vendor.toLowerCase() === payment.vendor?.toLowerCase());
  if (approved === false) found.push({ id: 'B-PAYMENT-VENDOR', text: 'goes to somebody who is not on the list' });
  // Without a place to remember it, nobody could see it come again.
  if (payment.once.length > 0 && (question.window?.paid.length ?? 0) + payment.once.length > POLICY_LIMITS.paidMax)
    found.push({ id: 'B-PAYMENT-MEMORY', text: 'too many payments of this agent are remembered' });
  return found;
}

/** Does the boundary say anything of payments? */
export function boundsPayments(boundary: Boundary): boolean {
  const { max_payment_per_tx_cents: perPayment, max_payment_per_hour_cents: perHour, approved_vendors: vendors } = boundary;
  return perPayment !== undefined || perHour !== undefined || vendors !== undefined;
}
