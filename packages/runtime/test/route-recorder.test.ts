/** What a recorder over several logs owes: every entry in its own log, numbered there; whoever looks finds it in any. */
import { createSigner } from '@countersign/crypto';
import { CodedError } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, type Log, openLog } from '@countersign/log';
import { createRecorder, type ReceiptRecorder } from '@countersign/receipts';
import { createMemoryVault, createSealer, createVault } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { describe, expect, it } from 'vitest';
import { routeRecorder } from '../src/route-recorder.ts';
import { bodiesOf, chainFaults, outcomeOf } from './log-bed.ts';

const TIME = '2026-01-02T03:04:05.678Z';
let serial = 0;
const nextId = (): string => `01930000-0000-7000-8000-${String((serial += 1)).padStart(12, '0')}`;

interface Bed {
  readonly logs: Readonly<Record<'main' | 'a', Log>>;
  readonly recorder: ReceiptRecorder;
  /** Where each org writes; changed by the test. */
  readonly places: Map<string, 'main' | 'a' | 'closed'>;
}

async function makeBed(): Promise<Bed> {
  const { clock, random } = createBench();
  const master = createSealer(new Uint8Array(32).fill(2), random);
  const vault = createVault({ tables: createMemoryVault(), master, clock, random, create: true });
  const make = async (name: string, seed: number): Promise<{ log: Log; recorder: ReceiptRecorder }> => {
    const origin = `example.org/${name}`;
    const signer = createSigner(new Uint8Array(32).fill(seed));
    const log = await openLog({ storage: createMemoryStorage(createMemoryDisk()), origin, noteSigner: { name: origin, signer } });
    const recorder = await createRecorder({ log, random, sealer: vault, signing: 'batch', durability: 'synced', coverage: 'L1' });
    return { log, recorder };
  };
  const [main, a] = await Promise.all([make('main', 1), make('a', 2)]);
  const places: Bed['places'] = new Map();
  const recorder = routeRecorder({
    ofOrg: (org) => {
      const place = places.get(org) ?? 'main';
      if (place === 'closed') throw new CodedError({ code: 'log_failed', message: 'closed' });
      return place === 'a' ? a.recorder : main.recorder;
    },
    ofOrigin: (origin) => [main, a].find(({ log }) => log.origin === origin)?.recorder,
    main: () => main.recorder,
    all: () => [main.recorder, a.recorder],
  });
  return { logs: { main: main.log, a: a.log }, recorder, places };
}

function receiptDraft(org: string): Parameters<ReceiptRecorder['stageReceipt']>[0] {
  const source = { framework: 'test', door: 'test' };
  return {
    id: nextId(),
    time: TIME,
    action: { v: 1, id: nextId(), kind: 'shell.exec', params: {}, source, org, agent: 'agent-1', session: 's', delegation: [] },
    state: {},
    signals: [],
    inputs: { policy: 'a'.repeat(64), rules: 'b'.repeat(64), engine: 'c'.repeat(64) },
    verdict: { decision: 'allow', risk: 0, severity: 'info', reasons: [], reasonsCut: 0, obligations: [], by: 'judge' },
    delta: {},
    outcomeBy: null,
  };
}

describe('LOG-081 a recorder over several logs', () => {
  it('puts what an org does into the log of the org, numbered by itself there', async () => {
    const { logs, recorder, places } = await makeBed();
    places.set('org-a', 'a');
    for (let n = 0; n < 5; n += 1) {
      await recorder.stageReceipt(receiptDraft('org-a')).durable;
      await recorder.stageReceipt(receiptDraft('org-b')).durable;
    }
    await recorder.stageErasure({ id: nextId(), time: TIME, org: 'org-a', subject: 'x', keys: 1, by: 'operator', reason: 'r' }).durable;
    await recorder.stageSessionEnd({ id: nextId(), time: TIME, org: 'org-a', session: 's', reason: 'r' }).durable;
    const kinds = async (log: Log): Promise<readonly string[]> =>
      (await bodiesOf(log)).map(({ type, seq }) => `${type.split('.')[1]} ${seq}`);
    const five = [0, 1, 2, 3, 4].map((n) => `receipt ${n}`);
    expect(await kinds(logs.main)).toEqual(five);
    expect(await kinds(logs.a)).toEqual([...five, 'erasure 0', 'session-end 5']);
    expect([...(await chainFaults(logs.main)), ...(await chainFaults(logs.a))]).toEqual([]);
    expect(await recorder.chain('org-a', 's')).toEqual([0, 1, 2, 3, 4, 6]);
  });

  it('puts an outcome beside its receipt, also after the org has changed its log; chains begin anew there', async () => {
    const { logs, recorder, places } = await makeBed();
    const before = recorder.stageReceipt(receiptDraft('org-a'));
    places.set('org-a', 'a');
    const after = recorder.stageReceipt(receiptDraft('org-a'));
    const outcome = recorder.stageOutcome(outcomeOf(before.body, nextId()));
    await Promise.all([before.durable, after.durable, outcome.durable]);
    expect(outcome.body).toMatchObject({ log: logs.main.origin, seq: 1, receipt: before.body.id });
    expect(after.body).toMatchObject({ log: logs.a.origin, seq: 0, prev: null });
  });

  it('finds an entry in whichever log it is, and none that is in no log', async () => {
    const { recorder, places } = await makeBed();
    places.set('org-a', 'a');
    const staged = [receiptDraft('org-b'), receiptDraft('org-b'), receiptDraft('org-a')].map((draft) => recorder.stageReceipt(draft));
    await Promise.all(staged.map(({ durable }) => durable));
    for (const { body, index } of staged) {
      expect(await recorder.placeOf(body.id)).toBe(index);
      expect((await recorder.find(body.id))?.index).toBe(index);
    }
    expect([await recorder.placeOf(nextId()), await recorder.find(nextId())]).toEqual([undefined, undefined]);
  });

  it('refuses what has no open log, stages nothing of it, and goes on for others', async () => {
    const { logs, recorder, places } = await makeBed();
    places.set('org-a', 'closed');
    const failed = expect.objectContaining({ code: 'log_failed' });
    expect(() => recorder.stageReceipt(receiptDraft('org-a'))).toThrow(failed);
    const { body, durable } = recorder.stageReceipt(receiptDraft('org-b'));
    await durable;
    expect(() => recorder.stageOutcome(outcomeOf({ ...body, log: 'example.org/none' }, nextId()))).toThrow(failed);
    expect([logs.main.size, logs.a.size]).toEqual([1, 0]);
  });

  it('enters a change of keys that says no log in the main one', async () => {
    const { logs, recorder } = await makeBed();
    await recorder.stageLogKey({ id: nextId(), time: TIME, keys: [], added: null, retired: null }).durable;
    expect([logs.main.size, logs.a.size]).toEqual([1, 0]);
  });
});
