/** The wall clock jumps back a year while a call is out, and stays there over a restart: order is that of the log, and nothing is lost. */
import { countersignAction, type ForwardResponse } from '@countersign/pipeline';
import { verifyBundle, verifySession } from '@countersign/receipts';
import { expect, it } from 'vitest';
import type { Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

const START = Date.UTC(2026, 10, 25);
const YEAR_MS = 365 * 86_400_000;

async function bundlesOf(runtime: Runtime, { org }: Actor): Promise<Uint8Array[]> {
  await runtime.log.whenPublished(runtime.log.durableSize - 1);
  const entries = unwrap(await runtime.sessions.entries(org, 's'));
  return Promise.all(entries.map(async ({ id }) => unwrap(await runtime.bundle(id, { inputs: false }))));
}

it('RCPT-021 LOG-005 a year back: each entry says its own time, and the chain, the outcome and every proof hold', async () => {
  const dataDir = await freshDirectory();
  let now = START;
  const clock = { nowMs: () => (now += 10) };
  const upstream = {
    forward: (): Promise<ForwardResponse> => {
      now -= YEAR_MS;
      return Promise.resolve({ status: 'ok', code: 200, body: new TextEncoder().encode('rows') });
    },
  };
  const first = await openIn(dataDir, { clock, upstream });
  const caller = register(first);
  await act(first, caller, QUERY('SELECT 1'));
  const source = { framework: 'test', door: 'test' };
  const draft = { kind: 'db.query', tool: 'database.query', params: {}, source, delegation: [], targetUrl: 'https://tool.example/run' };
  const answer = await countersignAction({ caller, draft, session: 's', fingerprint: '', mode: 'forward', paramsText: '{}' }, first.ports);
  expect([answer.refusal, answer.verdict.decision]).toEqual([undefined, 'warn']);
  await act(first, caller, QUERY('SELECT 2'));
  const trust = { vkeys: [first.logKey] };
  await first.close();

  const runtime = await openIn(dataDir, { clock });
  expect(runtime.log.durableSize).toBe(4);
  await act(runtime, caller, QUERY('SELECT 3'));
  const bundles = await bundlesOf(runtime, caller);
  const years = bundles.map((bytes) => {
    const { entry } = JSON.parse(new TextDecoder().decode(bytes)) as { entry: { body: { time: string; type: string } } };
    return [entry.body.type, entry.body.time.slice(0, 4)];
  });
  expect(years).toEqual([
    ['countersign.receipt.v1', '2026'],
    ['countersign.receipt.v1', '2026'],
    ['countersign.outcome.v1', '2025'],
    ['countersign.receipt.v1', '2025'],
    ['countersign.receipt.v1', '2025'],
  ]);
  for (const bytes of bundles) expect((await verifyBundle(bytes, trust)).ok).toBe(true);
  const report = await verifySession(bundles, trust, { now: '2027-01-01T00:00:00.000Z' });
  expect([report.ok, report.outcomes.code, report.chain.code]).toEqual([true, 'outcomes_ok', 'chain_ok']);
});

it('what was used once stays used', async () => {
  let now = START;
  const runtime = await openIn(await freshDirectory(), { clock: { nowMs: () => now } });
  const expiry = START + 600_000;
  expect(await runtime.store.consumeOnce('token', expiry)).toBe(true);
  now -= YEAR_MS;
  expect(await runtime.store.consumeOnce('another', expiry)).toBe(true);
  expect(await runtime.store.consumeOnce('token', expiry)).toBe(false);
});
