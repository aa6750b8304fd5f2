import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { AgentWindow } from '@countersign/protocol';
import { POLICY_LIMITS } from '@countersign/policy';
import { fullBoundary } from '../src/boundaries.ts';
import { judgePayment, type PaymentQuestion, readPayment } from '../src/payments.ts';
import { actionOf } from './support.ts';

const AT = 1_800_000_000;
const HOUR = Math.floor(AT / 3600);
const EMPTY: AgentWindow = { minute: 0, calls: 0, hour: HOUR, bytes: 0, cents: 0, paid: [] };
const TERMS = { max_payment_per_tx_cents: 1000, max_payment_per_hour_cents: 5000 };

function question(params: JsonValue, window: AgentWindow | undefined = EMPTY): PaymentQuestion {
  return {
    action: actionOf({ kind: 'tool.call', tool: 'payment.charge', params }),
    atSeconds: AT,
    scope: 'payment:payment:charge',
    window,
  };
}

function ids(params: JsonValue, terms: object = TERMS, window: AgentWindow | undefined = EMPTY): readonly string[] {
  const asked = question(params, window);
  const payment = readPayment(asked);
  if (payment === undefined) throw new Error('no payment was read');
  return judgePayment(payment, fullBoundary({ name: 'b', ...terms }), asked).map(({ id }) => id);
}

describe('POL-263 payments', () => {
  it('B-PAYMENT-TX holds at n and n + 1, and for what cannot be read', () => {
    const terms = { max_payment_per_tx_cents: 1000 };
    expect(ids({ amount_cents: 1000 }, terms)).toEqual([]);
    expect(ids({ amount_cents: 1001 }, terms)).toEqual(['B-PAYMENT-TX']);
    expect([ids({ amount: 10 }, terms), ids({ amount: '10.00' }, terms), ids({ amount: { value: '10.00' } }, terms)]).toEqual([[], [], []]);
    for (const amount of [10.001, '10.01', '1e3', -1, '-5', 'ten', null, '10,50', true, [1]])
      expect(ids({ amount }, terms)).toEqual(['B-PAYMENT-TX']);
    for (const params of [{}, null, 'pay', { amount_cents: 5.5 }, { amount_cents: '5' }])
      expect(ids(params, terms)).toEqual(['B-PAYMENT-TX']);
  });

  it('B-PAYMENT-HOUR counts what was paid in this hour', () => {
    const terms = { max_payment_per_hour_cents: 5000 };
    const paid = (cents: number, hour = HOUR): AgentWindow => ({ ...EMPTY, cents, hour });
    expect([ids({ amount_cents: 1000 }, terms, paid(4000)), ids({ amount_cents: 1001 }, terms, paid(4000))]).toEqual([
      [],
      ['B-PAYMENT-HOUR'],
    ]);
    expect(ids({ amount_cents: 1001 }, terms, paid(4000, HOUR - 1))).toEqual([]);
    expect(ids({ amount_cents: 1001 }, terms, paid(4000, HOUR + 1))).toEqual(['B-PAYMENT-HOUR']);
    expect(ids({}, terms)).toEqual(['B-PAYMENT-HOUR']);
  });

  it('the list of vendors holds without regard to case, and for nobody in particular', () => {
    const terms = { approved_vendors: ['Paper & Co'] };
    expect(ids({ vendor: 'paper & co' }, terms)).toEqual([]);
    expect([ids({ payee: 'Other' }, terms), ids({}, terms)]).toEqual([['B-PAYMENT-VENDOR'], ['B-PAYMENT-VENDOR']]);
  });

  it('other calls are no payments', () => {
    const action = actionOf({ kind: 'tool.call', tool: 'web.search', params: { amount: 5 } });
    expect(readPayment({ ...question({}), action, scope: 'net:http:outbound' })).toBeUndefined();
  });
});

describe('POL-264 mandates', () => {
  const mandate = { mandate_id: 'm-1', agent_id: 'agent', refund_policy: '30 days' };
  const ask = (change: JsonObject, window: AgentWindow = EMPTY): readonly string[] =>
    ids({ amount_cents: 1, mandate: { ...mandate, ...change } }, TERMS, window);

  it('are of the caller, speak of refunds, and hold once', () => {
    expect(ask({})).toEqual([]);
    expect([ask({ agent_id: 'other' }), ask({ agent_id: null })]).toEqual([['B-AP2-SCOPE'], ['B-AP2-SCOPE']]);
    expect([ask({ refund_policy: '' }), ask({ refund_policy: null })]).toEqual([['B-AP2-REFUND'], ['B-AP2-REFUND']]);
    expect([ask({ mandate_id: '' }), ask({ mandate_id: 7 })]).toEqual([['B-AP2-REPLAY'], ['B-AP2-REPLAY']]);
    const once = readPayment(question({ amount_cents: 1, mandate }))?.once ?? [];
    expect(once).toEqual([expect.stringMatching(new RegExp(`^[0-9a-f]{16}@${String(HOUR + 24)}$`))]);
    expect(ask({}, { ...EMPTY, paid: once })).toEqual(['B-AP2-REPLAY']);
    expect(ask({ mandate_id: 'm-2' }, { ...EMPTY, paid: once })).toEqual([]);
  });

  it('cannot be more than are remembered, at n and n + 1', () => {
    const entry = (_: unknown, i: number): string => `${String(i).padStart(16, '0')}@${String(HOUR + 1)}`;
    const full = (length: number): AgentWindow => ({ ...EMPTY, paid: Array.from({ length }, entry) });
    expect(ask({}, full(POLICY_LIMITS.paidMax - 1))).toEqual([]);
    expect(ask({}, full(POLICY_LIMITS.paidMax))).toEqual(['B-PAYMENT-MEMORY']);
  });
});

describe('POL-265 signed transfers', () => {
  const hex = (digit: string, bytes: number): string => `0x${digit.repeat(bytes * 2)}`;
  const authorization = {
    from: hex('A', 20),
    to: hex('b', 20),
    value: '10000000',
    validAfter: String(AT),
    validBefore: String(AT + 300),
    nonce: hex('1', 32),
  };
  const wire = (change: JsonObject, signature = hex('2', 65)): JsonObject => ({
    x402: { scheme: 'exact', network: 'base', payload: { signature, authorization: { ...authorization, ...change } } },
  });
  const ask = (params: JsonObject, more: Partial<PaymentQuestion> = {}): readonly string[] => {
    const asked: PaymentQuestion = { ...question(params), signer: () => 'a'.repeat(40), ...more };
    const payment = readPayment(asked);
    if (payment === undefined) throw new Error('no payment was read');
    return judgePayment(payment, fullBoundary({ name: 'b', ...TERMS }), asked).map(({ id }) => id);
  };

  it('are valid now and for five minutes at most', () => {
    expect(ask(wire({}))).toEqual([]);
    expect(ask(wire({ validAfter: String(AT + 1) }))).toEqual(['B-X402-FRESH']);
    expect(ask(wire({ validBefore: String(AT) }))).toEqual(['B-X402-FRESH']);
    expect([ask(wire({ validBefore: String(AT + 1) })), ask(wire({ validBefore: String(AT + 301) }))]).toEqual([[], ['B-X402-FRESH']]);
  });

  it('hold once, whatever the case of their letters', () => {
    const once = readPayment(question(wire({})))?.once ?? [];
    const window = { ...EMPTY, paid: once };
    expect([ask(wire({}), { window }), ask(wire({ from: hex('a', 20) }), { window })]).toEqual([['B-X402-NONCE'], ['B-X402-NONCE']]);
    expect(ask(wire({ nonce: hex('3', 32) }), { window })).toEqual([]);
  });

  it('are signed by the one who pays, and nobody else', () => {
    expect(ask(wire({}), { signer: () => 'c'.repeat(40) })).toEqual(['B-X402-SIGVERIFY']);
    expect(ask(wire({}), { signer: () => undefined })).toEqual(['B-X402-SIGVERIFY']);
    expect(ask(wire({}), { signer: undefined })).toEqual(['B-X402-SIGVERIFY']);
  });

  it('count what was signed, not what is said beside it', () => {
    expect(readPayment(question({ ...wire({ value: '10000001' }), amount_cents: 1, vendor: 'x' }))).toMatchObject({
      cents: 1001,
      vendor: hex('b', 20),
    });
    expect(ask({ ...wire({ value: '10000001' }), amount_cents: 1 })).toEqual(['B-PAYMENT-TX']);
  });

  it.each([
    ['a short nonce', wire({ nonce: '0x11' })],
    ['no signature', wire({}, '')],
    ['an amount that is none', wire({ value: '-1' })],
    ['a time that is none', wire({ validAfter: 'now' })],
    ['nothing', { x402: {} }],
  ])('with %s are refused in every respect', (_what, params) => {
    expect(ask(params)).toEqual(['B-PAYMENT-TX', 'B-PAYMENT-HOUR', 'B-X402-FRESH', 'B-X402-NONCE', 'B-X402-SIGVERIFY']);
  });
});
