import { sha256Hex } from '@countersign/crypto';
import { canonicalize, CodedError, type JsonValue } from '@countersign/kernel';
import { PROTOCOL_LIMITS, type Reason } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import * as receipts from '../src/index.ts';
import * as verify from '../src/verify.ts';
import { deltaOf, disclose, fitVerdict, makeBundle, openContent, RECEIPT_LIMITS, verifyBundle, verifySession } from '../src/index.ts';
import { readBack, readVault } from '../src/vault-record.ts';
import { summarizeAction, principalOf } from '../src/action-summary.ts';
import { createIdIndex, hashOfId } from '../src/id-index.ts';
import { action, fullBundle, openWorld, ORIGIN, outcomeDraft, receiptDraft, trust, uuid, verdict } from './fixtures.ts';

test('the exports are a contract', () => {
  expect(Object.keys(receipts).sort()).toEqual([
    'RECEIPT_LIMITS',
    'checkReceipt',
    'createRecorder',
    'deltaOf',
    'disclose',
    'fitVerdict',
    'makeBundle',
    'makeConsistency',
    'openContent',
    'readBundle',
    'readLeaf',
    'unseal',
    'vaultAad',
    'verifyBundle',
    'verifyConsistencyFile',
    'verifySession',
  ]);
  expect(Object.keys(verify).sort()).toEqual(['readBundle', 'verifyBundle', 'verifyConsistencyFile', 'verifySession']);
});

describe('entries that this room did not write', () => {
  test('are passed over by recovery, and make no bundle', async () => {
    const first = await openWorld();
    const odd = ['not json', '[]', '{"body":{"type":"countersign.grant.v1"},"signatures":[]}'].map((text) =>
      first.log.append({ entry: Buffer.from(text), attachments: [] }),
    );
    first.log.append({ entry: Uint8Array.of(0xff, 0xfe), attachments: [] });
    const { index } = first.recorder.stageReceipt(receiptDraft(1));
    await first.log.close();
    const again = await openWorld('batch', first.disk);
    expect((await again.recorder.find(uuid(1)))?.index).toBe(index);
    for (const entry of odd.slice(0, 2))
      await expect(makeBundle({ log: again.log, index: entry.index })).rejects.toMatchObject({ code: 'bundle_entry_malformed' });
    const record = await again.log.readRecord(0);
    expect(disclose(record, { log: ORIGIN, id: uuid(1), opener: again.sealer })).toMatchObject({
      ok: false,
      error: { code: 'vault_malformed' },
    });
    await again.log.close();
  });

  test('have no side note and no vault', () => {
    for (const text of ['', '[]', '{"v":2}', '{"back":0,"v":1}', '{"back":-1,"v":2}', '{"back":"0","v":2}', '{"back":0.5,"v":2}'])
      expect(readBack([new Uint8Array(0), Buffer.from(text)])).toBeUndefined();
    expect(readVault(Buffer.from('[]'))).toMatchObject({ ok: false, error: { code: 'vault_malformed' } });
    expect(readVault(Buffer.from('{')).ok).toBe(false);
  });
});

test('whatever an opener throws is a fault with its code', async () => {
  const { recorder, log } = await openWorld();
  await recorder.stageReceipt(receiptDraft(1)).durable;
  const record = await log.readRecord(0);
  const faultOf = (thrown: unknown): unknown => {
    const opener = {
      open: (): never => {
        throw thrown;
      },
    };
    return openContent(record, { log: ORIGIN, id: uuid(1), opener });
  };
  const erased = { code: 'vault_erased', message: 'the content was erased', hint: 'export it without inputs' };
  expect(faultOf(new CodedError(erased))).toEqual({ ok: false, error: erased });
  expect(faultOf(new Error('with a path in it'))).toEqual({
    ok: false,
    error: { code: 'unexpected', message: 'the sealed content cannot be opened' },
  });
  expect([deltaOf({}), deltaOf({ delta: [] }), deltaOf({ delta: { sessionCalls: 1 } })]).toEqual([{}, {}, { sessionCalls: 1 }]);
  await log.close();
});

test('an entry without private content discloses nothing, and is proven without', async () => {
  const world = await openWorld();
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body, { response: null }));
  await world.recorder.stageSessionEnd({
    id: uuid(3),
    time: '2026-01-02T03:04:09.000Z',
    org: 'org-1',
    session: 'session-1',
    reason: 'done',
  }).durable;
  for (const n of [2, 3]) {
    const record = await world.recorder.find(uuid(n));
    if (record === undefined) throw new Error('not found');
    expect(disclose(record, { log: ORIGIN, id: uuid(n), opener: world.sealer })).toMatchObject({
      ok: false,
      error: { code: 'vault_empty' },
    });
    expect((await verifyBundle(await makeBundle({ log: world.log, index: record.index }), trust)).ok).toBe(true);
  }
  await world.log.close();
});

describe('a verdict that is too large', () => {
  const reason = (n: number): Reason => ({
    code: `R${n}`.padEnd(RECEIPT_LIMITS.codeCharsMax, 'c'),
    text: 't'.repeat(PROTOCOL_LIMITS.reasonTextMax),
    severity: 'high',
    score: 1,
    fact: 'f'.repeat(32),
    evidence: [{ path: '/params', start: 0, end: 1 }],
    layers: Array.from({ length: 8 }, () => 'l'.repeat(32)),
  });

  test('loses evidence first, then reasons from the end, and counts them', () => {
    const fitted = fitVerdict({ ...verdict, reasons: Array.from({ length: 32 }, (_, i) => reason(i)), reasonsCut: 5 });
    expect(fitted.reasons.length).toBeLessThan(32);
    expect(fitted.reasons.length + fitted.reasonsCut).toBe(37);
    expect(fitted.reasons.every(({ evidence }) => evidence.length === 0)).toBe(true);
    expect(fitted.reasons[0]?.code).toBe(reason(0).code);
  });

  test('is one byte above the limit; at the limit it stays as it is', () => {
    const sized = (length: number) => ({ ...verdict, obligations: ['o'.repeat(length)] });
    const free = RECEIPT_LIMITS.verdictBytesMax - canonicalize(JSON.parse(JSON.stringify(sized(0)))).length;
    const atLimit = sized(free);
    expect(fitVerdict(atLimit)).toBe(atLimit);
    expect(fitVerdict(sized(free + 1)).obligations).toEqual(['o'.repeat(RECEIPT_LIMITS.factCharsMax)]);
  });
});

describe('limits, at n and n + 1', () => {
  test('RCPT-014 kind, tool and delegation', () => {
    const { kindCharsMax, toolCharsMax, delegationMax } = RECEIPT_LIMITS;
    const summary = (kind: string, tool: string) => summarizeAction({ ...action(1), kind, tool }, 'c'.repeat(64));
    expect(summary('k'.repeat(kindCharsMax), 't'.repeat(toolCharsMax))).toMatchObject({ kind: 'k'.repeat(64), tool: 't'.repeat(128) });
    expect(summary('k'.repeat(kindCharsMax + 1), 't'.repeat(toolCharsMax + 1))).toMatchObject({
      kind: 'k'.repeat(64),
      tool: 't'.repeat(128),
    });
    expect(summary('shell exec', 'a"b')).toMatchObject({ kind: 'shell?exec', tool: 'a?b' });
    const members = (n: number) => principalOf({ ...action(1), delegation: Array.from({ length: n }, (_, i) => `agent-${i}`) }).delegation;
    expect(members(delegationMax).at(-1)).toBe('agent-15');
    expect([members(delegationMax + 1).length, members(delegationMax + 1).at(-1)]).toEqual([16, 'cut:2']);
    const { trace: _trace, tool: _tool, params: _params, ...plain } = action(1);
    expect(Object.keys(principalOf(plain))).not.toContain('trace');
    expect(Object.keys(summarizeAction(plain, 'c'.repeat(64)))).not.toContain('tool');
  });

  test('bundles of a session', async () => {
    const nothing = new Uint8Array(0);
    const tooMany = Array.from({ length: RECEIPT_LIMITS.sessionBundlesMax + 1 }, () => nothing);
    expect((await verifySession(tooMany, trust)).chain.code).toBe('chain_too_long');
    expect((await verifySession(tooMany.slice(0, 1), trust)).chain.code).toBe('chain_unproven');
  });
});

test('BNDL-022 a chain that goes on after its end is refused', async () => {
  const world = await openWorld();
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  const ended = world.recorder.stageSessionEnd({
    id: uuid(2),
    time: '2026-01-02T03:04:09.000Z',
    org: 'org-1',
    session: 'session-1',
    reason: 'done',
  });
  // Our recorder refuses to, so that a log that does it is written by hand.
  expect(() => world.recorder.stageOutcome(outcomeDraft(3, body))).toThrow('nothing may follow its end');
  const prev = sha256Hex(canonicalize(ended.body as unknown as JsonValue));
  const late = { ...ended.body, type: 'countersign.outcome.v1', id: uuid(3), seq: 2, prev, receipt: uuid(1), status: 'ok', durationMs: 1 };
  const { reason: _, ...outcome } = { ...late, response: null, findings: [], findingsCut: 0, redactions: 0 };
  const entry = new TextEncoder().encode(canonicalize({ body: outcome, signatures: [] }));
  const behind = world.log.append({ entry, attachments: [] });
  await behind.durable;
  const files = [
    await fullBundle(world, uuid(1)),
    await makeBundle({ log: world.log, index: ended.index }),
    await makeBundle({ log: world.log, index: behind.index }),
  ];
  expect((await verifySession(files, trust)).chain.code).toBe('chain_after_end');
  await world.log.close();
});

test('the id index finds what was added, whatever collides', () => {
  const ids = createIdIndex();
  for (let i = 0; i < 5000; i += 1) ids.add(hashOfId(`id-${i % 4000}`), i);
  expect(ids.candidates('id-7')).toEqual([4007, 7]);
  expect(ids.candidates('id-3999')).toEqual([3999]);
  expect(ids.candidates('nothing')).toEqual([]);
});
