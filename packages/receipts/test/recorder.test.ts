import { sha256Hex } from '@countersign/crypto';
import { canonicalize, parseJson, type JsonValue } from '@countersign/kernel';
import { createMemoryStorage, type LogRecord, openLog } from '@countersign/log';
import type { EntryBody, StateDelta } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { commit, commitText } from '../src/commitment.ts';
import { createRecorder, deltaOf, disclose, makeBundle, openContent, verifyBundle } from '../src/index.ts';
import { readBack } from '../src/vault-record.ts';
import {
  action,
  logSigner,
  openWorld,
  ORIGIN,
  outcomeDraft,
  receiptDraft,
  receiptSigner,
  seededRandom,
  testKeyId,
  testSealer,
  trust,
  uuid,
  verdict,
} from './fixtures.ts';

const hashOf = (body: EntryBody): string => sha256Hex(canonicalize(body as unknown as JsonValue));
const keyIdOf = (record: LogRecord | undefined): string => Buffer.from(record?.attachments[0] ?? []).toString('hex', 0, 8);
const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

test('a commitment to a text is that to its bytes, whatever its length', () => {
  const salt = new Uint8Array(32).fill(7);
  for (const text of ['', 'a\u00e9\u20ac\u{1f600}', '\u20ac'.repeat(10_912), '\u20ac'.repeat(10_913), 'x'.repeat(100_000)]) {
    expect(commitText(salt, text)).toBe(commit(salt, new TextEncoder().encode(text)));
  }
});

test('an action whose canonical text is handed on is sealed and committed to as one without', async () => {
  const [made, given] = [await openWorld(), await openWorld()];
  const draft = receiptDraft(1);
  const one = made.recorder.stageReceipt(draft);
  const other = given.recorder.stageReceipt({ ...draft, actionText: canonicalize(draft.action as unknown as JsonValue) });
  expect(other.body).toEqual(one.body);
  await Promise.all([made.log.close(), given.log.close()]);
});

describe('chains', () => {
  test('RCPT-003 RCPT-004 RCPT-030 receipts and outcomes of a session share one counter, and each names the body before it', async () => {
    const { recorder, log } = await openWorld();
    const first = recorder.stageReceipt(receiptDraft(1));
    const outcome = recorder.stageOutcome(outcomeDraft(2, first.body));
    const second = recorder.stageReceipt(receiptDraft(3));
    const end = recorder.stageSessionEnd({
      id: uuid(4),
      time: '2026-01-02T03:04:09.000Z',
      org: 'org-1',
      session: 'session-1',
      reason: 'done',
    });
    const bodies: readonly EntryBody[] = [first.body, outcome.body, second.body, end.body];
    expect(bodies.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(bodies.map(({ prev }) => prev)).toEqual([null, ...bodies.slice(0, 3).map(hashOf)]);
    expect([first, outcome, second, end].map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    await log.close();
  });

  test('RCPT-004 sessions of one name in two orgs are two chains', async () => {
    const { recorder, log } = await openWorld();
    recorder.stageReceipt(receiptDraft(1));
    const other = recorder.stageReceipt(receiptDraft(2, { action: { ...action(2), org: 'org-2' } }));
    expect([other.body.seq, other.body.prev]).toEqual([0, null]);
    await log.close();
  });

  test('RCPT-043 go on after reopening where the journal ends, and deltas are replayed in order', async () => {
    const first = await openWorld();
    const last = first.recorder.stageReceipt(receiptDraft(1));
    first.recorder.stageReceipt(receiptDraft(2, { action: action(2, 'session-2') }));
    await first.log.close();
    const seen: [string, StateDelta, number][] = [];
    const log = await openLog({
      storage: createMemoryStorage(first.disk),
      origin: ORIGIN,
      noteSigner: { name: ORIGIN, signer: logSigner },
    });
    const random = seededRandom('again');
    const sealer = testSealer(random);
    const recorder = await createRecorder({
      log,
      random,
      sealer,
      signing: 'batch',
      durability: 'synced',
      coverage: 'L2',
      replay: (body, record) => {
        const content = openContent(record, { log: ORIGIN, id: body.id, opener: sealer });
        if (content.ok) seen.push([body.id, deltaOf(content.value), record.index]);
      },
    });
    expect(seen).toEqual([
      [uuid(1), { sessionCalls: 2 }, 0],
      [uuid(2), { sessionCalls: 3 }, 1],
    ]);
    const next = recorder.stageReceipt(receiptDraft(3));
    expect([next.body.seq, next.body.prev, next.index]).toEqual([1, hashOf(last.body), 2]);
    await log.close();
  });

  test('do not advance when the log refuses an entry', async () => {
    const log = await openLog({
      storage: createMemoryStorage(),
      origin: ORIGIN,
      noteSigner: { name: ORIGIN, signer: logSigner },
      limits: { queueRecordsMax: 1 },
    });
    const random = seededRandom('full');
    const recorder = await createRecorder({
      log,
      random,
      sealer: testSealer(random),
      signing: 'batch',
      durability: 'synced',
      coverage: 'L2',
    });
    const { durable } = recorder.stageReceipt(receiptDraft(1));
    expect(() => recorder.stageReceipt(receiptDraft(2))).toThrow(expect.objectContaining({ code: 'log_queue_full' }));
    await durable;
    expect(recorder.stageReceipt(receiptDraft(3)).body.seq).toBe(1);
    await log.close();
    expect(() => recorder.stageReceipt(receiptDraft(4))).toThrow(expect.objectContaining({ code: 'log_closed' }));
  });
});

describe('an entry', () => {
  test('RCPT-001 RCPT-010 RCPT-013 is the canonical text of body and signatures, and holds no value of the action', async () => {
    const { recorder, log } = await openWorld('each');
    const { body, durable, index } = recorder.stageReceipt(receiptDraft(1));
    await durable;
    const text = textOf((await log.readRecord(index)).entry);
    const parsed = parseJson(text);
    expect(parsed.ok && canonicalize(parsed.value.value)).toBe(text);
    expect(parsed.ok && parsed.value.value).toMatchObject({ body: { id: body.id }, signatures: [{ keyId: receiptSigner.keyId }] });
    for (const value of ['rm -rf', '/root', 'someone@example.org', '/etc', '/tmp/x']) expect(text).not.toContain(value);
    expect(body.action).toMatchObject({
      kind: 'shell.exec',
      tool: 'shell.exec',
      fields: ['/params/command', '/params/env/HOME', '/params/list/0'],
      fieldsCut: 0,
    });
    await log.close();
  });

  test('RCPT-011 gets three salts of its own', async () => {
    const { recorder, log, sealer } = await openWorld();
    const salts = new Set<string>();
    for (let n = 1; n <= 4; n += 1) {
      await recorder.stageReceipt(receiptDraft(n)).durable;
      const record = await recorder.find(uuid(n));
      const inputs = record === undefined ? undefined : disclose(record, { log: ORIGIN, id: uuid(n), opener: sealer });
      if (inputs?.ok === true && 'salts' in inputs.value) for (const salt of Object.values(inputs.value.salts)) salts.add(salt);
    }
    expect(salts.size).toBe(12);
    await log.close();
  });

  test('is found by its id once it is durable, before and after reopening', async () => {
    const world = await openWorld();
    const { durable } = world.recorder.stageReceipt(receiptDraft(1));
    expect(await world.recorder.find(uuid(1))).toBeUndefined();
    await durable;
    for (let n = 2; n < 900; n += 1) world.recorder.stageReceipt(receiptDraft(n, { action: action(n, `session-${n % 7}`) }));
    await world.log.close();
    const again = await openWorld('batch', world.disk);
    for (const n of [1, 2, 450, 899]) expect((await again.recorder.find(uuid(n)))?.index).toBe(n - 1);
    expect(await again.recorder.find(uuid(900))).toBeUndefined();
    await again.log.close();
  });
});

describe('what is sealed', () => {
  test('RCPT-040 RCPT-041 RCPT-042 is opened only under its subject and for its entry, and nothing of it lies open', async () => {
    const { recorder, log, disk, sealer } = await openWorld();
    const { body, durable } = recorder.stageReceipt(receiptDraft(1));
    const outcome = recorder.stageOutcome(outcomeDraft(2, body));
    await Promise.all([durable, outcome.durable]);
    const record = await recorder.find(uuid(1));
    if (record === undefined) throw new Error('not found');
    const inputs = disclose(record, { log: ORIGIN, id: uuid(1), opener: sealer });
    expect(inputs).toMatchObject({
      ok: true,
      value: { action: action(1), state: receiptDraft(1).state, signals: receiptDraft(1).signals },
    });
    expect(disclose(record, { log: ORIGIN, id: uuid(2), opener: sealer })).toMatchObject({ ok: false, error: { code: 'seal_broken' } });
    expect(textOf(record.attachments[1])).toBe('{"back":null,"v":2}');
    const sealedOutcome = await recorder.find(uuid(2));
    expect(textOf(sealedOutcome?.attachments[1])).toBe('{"back":0,"v":2}');
    expect(keyIdOf(record)).toBe(testKeyId('org-1', 'someone@example.org'));
    expect(keyIdOf(sealedOutcome)).toBe(testKeyId('org-1', 'someone@example.org'));
    const journal = Buffer.concat(disk.segments).toString('latin1');
    for (const value of ['rm -rf', 'someone@example.org', '{"rows":3}', '"sessionCalls"']) expect(journal).not.toContain(value);
    await log.close();
  });

  test('RCPT-020 RCPT-042 without a subject belongs to the agent; without a response an outcome commits to none', async () => {
    const { recorder, log } = await openWorld();
    const { subject: _subject, ...anonymous } = action(1);
    const { body } = recorder.stageReceipt(receiptDraft(1, { action: anonymous, outcomeBy: null }));
    const outcome = recorder.stageOutcome(outcomeDraft(2, body, { response: null }));
    await outcome.durable;
    expect(outcome.body.response).toBeNull();
    for (const n of [1, 2]) expect(keyIdOf(await recorder.find(uuid(n)))).toBe(testKeyId('org-1', uuid(900)));
    await log.close();
  });

  test('RCPT-042 an empty subject is none: the org keeps its key for its own entries', async () => {
    const { recorder, log } = await openWorld();
    await recorder.stageReceipt(receiptDraft(1, { action: { ...action(1), subject: '' } })).durable;
    expect(keyIdOf(await recorder.find(uuid(1)))).toBe(testKeyId('org-1', uuid(900)));
    await log.close();
  });

  test('RCPT-040 each note says where the entry before in its chain stands, also after reopening', async () => {
    const first = await openWorld();
    for (const [n, session] of ['a', 'b', 'a', 'b', 'a'].entries())
      first.recorder.stageReceipt(receiptDraft(n + 1, { action: action(n + 1, session) }));
    await first.log.close();
    const { recorder, log } = await openWorld('batch', first.disk);
    await recorder.stageReceipt(receiptDraft(6, { action: action(6, 'b') })).durable;
    const backs = await Promise.all([1, 2, 3, 4, 5, 6].map(async (n) => readBack((await recorder.find(uuid(n)))?.attachments ?? [])));
    expect(backs).toEqual([null, null, 0, 1, 2, 3]);
    await log.close();
  });
});

describe('an erasure', () => {
  const erasure = {
    id: uuid(7),
    time: '2026-01-02T03:04:09.000Z',
    org: 'org-1',
    subject: 'someone@example.org',
    keys: 3,
    by: 'operator',
    reason: 'asked for',
  };

  test('RCPT-002 RCPT-031 RCPT-041 says how much was erased, not who; whoever is told who can check it', async () => {
    const { recorder, log, sealer, disk } = await openWorld();
    recorder.stageReceipt(receiptDraft(1));
    const { body, index, durable } = recorder.stageErasure(erasure);
    const next = recorder.stageErasure({ ...erasure, id: uuid(8), reason: 'x\u00e9'.repeat(200) });
    await Promise.all([durable, next.durable]);
    expect(body).toMatchObject({
      type: 'countersign.erasure.v1',
      session: 'countersign.vault',
      seq: 0,
      prev: null,
      org: 'org-1',
      keys: 3,
      by: 'operator',
      reason: 'asked for',
    });
    expect(next.body).toMatchObject({ seq: 1, prev: hashOf(body), reason: 'x?'.repeat(80) });
    expect(next.body.subject).not.toBe(body.subject);
    const record = await log.readRecord(index);
    expect(keyIdOf(record)).toBe(testKeyId('org-1', ''));
    expect(Buffer.concat(disk.segments).includes('someone@example.org')).toBe(false);
    const inputs = disclose(record, { log: ORIGIN, id: uuid(7), opener: sealer });
    if (!inputs.ok) throw new Error(inputs.error.code);
    expect(inputs.value).toMatchObject({ erased: { org: 'org-1', subject: 'someone@example.org' } });
    const told = await verifyBundle(await makeBundle({ log, index, inputs: inputs.value }), trust);
    expect([told.ok, told.checks.find(({ name }) => name === 'commitments')?.code]).toEqual([true, 'commitments_ok']);
    expect((await verifyBundle(await makeBundle({ log, index }), trust)).ok).toBe(true);
    const lie = { ...inputs.value, erased: { org: 'org-1', subject: 'somebody@example.org' } };
    expect((await verifyBundle(await makeBundle({ log, index, inputs: lie }), trust)).checks).toContainEqual(
      expect.objectContaining({ code: 'commitment_erased' }),
    );
    const misplaced = await verifyBundle(await makeBundle({ log, index: 0, inputs: inputs.value }), trust);
    expect(misplaced.checks).toContainEqual(expect.objectContaining({ code: 'commitments_misplaced' }));
    await log.close();
  });
});

test('RCPT-015 a receipt whose verdict fits is unchanged in the log', async () => {
  const { recorder, log } = await openWorld();
  expect(recorder.stageReceipt(receiptDraft(1)).body.verdict).toEqual(verdict);
  await log.close();
});
