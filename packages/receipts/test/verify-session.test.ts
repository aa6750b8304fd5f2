import { beforeAll, describe, expect, test } from 'vitest';
import { verifySession } from '../src/verify.ts';
import { action, fullBundle, openWorld, outcomeDraft, receiptDraft, trust, uuid, type World } from './fixtures.ts';
import { makeBundle } from '../src/index.ts';

let files: readonly Uint8Array[] = [];
let foreign = new Uint8Array(0) as Uint8Array;
let end = new Uint8Array(0) as Uint8Array;
let forked = new Uint8Array(0) as Uint8Array;
let twoFaces: readonly [Uint8Array, Uint8Array] = [end, end];

async function chain(world: World): Promise<Uint8Array[]> {
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  await world.recorder.stageReceipt(receiptDraft(3, { outcomeBy: null })).durable;
  return Promise.all([1, 2, 3].map((n) => fullBundle(world, uuid(n))));
}

beforeAll(async () => {
  const world = await openWorld();
  files = await chain(world);
  await world.recorder.stageReceipt(receiptDraft(8, { action: action(8, 'session-2') })).durable;
  foreign = await fullBundle(world, uuid(8));
  const ended = world.recorder.stageSessionEnd({
    id: uuid(4),
    time: '2026-01-02T03:04:09.000Z',
    org: 'org-1',
    session: 'session-1',
    reason: 'done',
  });
  await ended.durable;
  end = await makeBundle({ log: world.log, index: ended.index });
  await world.log.close();
  const other = await openWorld();
  other.recorder.stageReceipt(receiptDraft(1, { time: '2027-01-02T03:04:05.678Z' }));
  await other.recorder.stageReceipt(receiptDraft(2)).durable;
  forked = await fullBundle(other, uuid(2));
  await other.log.close();
  twoFaces = [await onlyEntry('2026-01-02T03:04:05.678Z'), await onlyEntry('2026-01-02T03:04:05.679Z')];
});

/** The bundle of the one entry of a log of its own. */
async function onlyEntry(time: string): Promise<Uint8Array> {
  const world = await openWorld();
  await world.recorder.stageReceipt(receiptDraft(1, { time })).durable;
  const bundle = await fullBundle(world, uuid(1));
  await world.log.close();
  return bundle;
}

const codes = async (bundles: readonly Uint8Array[]): Promise<string> => {
  const { ok, chain: check, end: state } = await verifySession(bundles, trust);
  return `${ok} ${check.code} ${state}`;
};

describe('a session', () => {
  test('BNDL-022 is whole in any order, and open until it has ended', async () => {
    expect(await codes(files)).toBe('true chain_ok open');
    expect(await codes([...files].reverse())).toBe('true chain_ok open');
    expect(await codes([...files, end])).toBe('true chain_ok closed');
  });

  test('BNDL-020 with an entry missing at the start or in the middle is refused', async () => {
    expect(await codes(files.slice(1))).toBe('false chain_gap open');
    expect(await codes(files.filter((_, i) => i !== 1))).toBe('false chain_gap open');
    expect(await codes([...files.slice(0, 2), end])).toBe('false chain_gap closed');
  });

  test('BNDL-020 with an entry twice, of another session, or not proven is refused', async () => {
    expect(await codes([...files, ...files.slice(2)])).toBe('false chain_repeated open');
    expect(await codes([...files, foreign])).toBe('false chain_mixed open');
    expect(await codes([...files, files[0]?.subarray(1) ?? new Uint8Array(0)])).toBe('false chain_unproven open');
    expect(await codes([])).toBe('false chain_empty open');
  });

  test('BNDL-021 told by a log with two faces is refused', async () => {
    expect(await codes([...files.slice(0, 1), forked])).toBe('false chain_broken open');
    expect(await codes([twoFaces[0], twoFaces[1]])).toBe('false chain_forked open');
  });
});
