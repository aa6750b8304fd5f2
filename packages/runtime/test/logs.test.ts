/** Several logs in one data directory: names and limits, whose entries stand where, changes, and what a failing log stops. */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { cosignerKeyText } from '@countersign/log';
import { verifyBundle } from '@countersign/receipts/verify';
import { STORE_LIMITS } from '@countersign/store';
import { describe, expect, it } from 'vitest';
import { addWitness, rotateMasterKey, RUNTIME_LIMITS, type Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, QUERY, unwrap } from './directory.ts';
import { bodiesOf, breakableDisks, chainFaults, judgedIn, orgOn } from './log-bed.ts';

const KEY_OF_A_WITNESS = cosignerKeyText('w1.example', createSigner(new Uint8Array(32).fill(1)).publicKey);

async function open(names: readonly string[] = []): Promise<{ readonly runtime: Runtime; readonly dataDir: string }> {
  const dataDir = await freshDirectory();
  const runtime = await openIn(dataDir);
  for (const name of names) unwrap(await runtime.logs.create({ name }));
  return { runtime, dataDir };
}

const codeOf = (result: { readonly ok: boolean; readonly error?: { readonly code: string } }): string => result.error?.code ?? 'ok';

async function receiptOf(runtime: Runtime, actor: Actor): Promise<string> {
  const { receipt } = await act(runtime, actor, QUERY('SELECT 1'));
  if (receipt === null) throw new Error('not recorded');
  return receipt.id;
}

describe('LOG-080 the logs of an installation', () => {
  it('have a directory, an origin and a key of their own, and bundles that only that key proves', async () => {
    const { runtime, dataDir } = await open();
    const made = unwrap(await runtime.logs.create({ name: 'team-a', origin: 'example.org/team-a' }));
    expect(made).toMatchObject({ name: 'team-a', origin: 'example.org/team-a', size: 0, orgs: 0, problem: null });
    const [ann, bob] = [await orgOn(runtime, 'team-a'), await orgOn(runtime, 'main')];
    const ids = [await receiptOf(runtime, ann), await receiptOf(runtime, bob)];
    const [ofAnn, ofBob] = await Promise.all(ids.map(async (id) => unwrap(await runtime.bundle(id, { inputs: true }))));
    const [key = ''] = made.keys;
    expect(readFileSync(join(dataDir, 'logs', 'team-a', 'log.vkey'), 'utf8')).toBe(`${key}\n`);
    const believed = async (bytes: Uint8Array | undefined, vkey: string): Promise<boolean> =>
      (await verifyBundle(bytes ?? new Uint8Array(0), { vkeys: [vkey] })).ok;
    expect([await believed(ofAnn, key), await believed(ofAnn, runtime.logKey)]).toEqual([true, false]);
    expect([await believed(ofBob, key), await believed(ofBob, runtime.logKey)]).toEqual([false, true]);
    for (const id of ids) expect((await runtime.exportReceipt(id, 'tlog-proof')).ok).toBe(true);
    expect(await runtime.exportReceipt('01930000-0000-7000-8000-000000000000', 'dsse')).toMatchObject({
      error: { code: 'receipt_not_found' },
    });
    const record = await runtime.recorder.find(ids[0] ?? '');
    expect(record === undefined ? 'none' : runtime.sealed(record, ids[0] ?? '')).toMatchObject({ ok: true });
    await runtime.close();
    const again = await openIn(dataDir);
    expect(again.logs.list()).toMatchObject([
      { name: 'main', size: 1, orgs: 1, problem: null },
      { name: 'team-a', origin: 'example.org/team-a', keys: [key], size: 1, orgs: 1, problem: null },
    ]);
    expect(await believed(unwrap(await again.bundle(ids[0] ?? '', { inputs: true })), key)).toBe(true);
  });

  it('have names of 1 to 32 of a-z0-9-, each once, and none is called main', async () => {
    const { runtime } = await open();
    const create = async (name: string): Promise<string> => codeOf(await runtime.logs.create({ name }));
    const longest = 'x'.repeat(RUNTIME_LIMITS.logNameCharsMax);
    const bad = ['', `${longest}x`, 'main', 'A', 'a.b', 'a/b', '..', 'a b', 'ä', 'a\n'];
    for (const name of bad) expect([name, await create(name)]).toEqual([name, 'invalid_log_name']);
    expect([await create(longest), await create(longest), await create('0'), await create('-')]).toEqual(['ok', 'log_exists', 'ok', 'ok']);
    expect(runtime.logs.list().map(({ name }) => name)).toEqual(['main', '-', '0', longest]);
  });

  it('have origins that a note can carry, each once', async () => {
    const { runtime } = await open();
    const create = async (name: string, origin: string): Promise<string> => codeOf(await runtime.logs.create({ name, origin }));
    const longest = 'o'.repeat(RUNTIME_LIMITS.logOriginCharsMax);
    for (const origin of ['', `${longest}o`, 'a b', 'a+b', 'a\nb', '\ud800']) expect(await create('bad', origin)).toBe('invalid_origin');
    expect([await create('long', longest), await create('twin', longest)]).toEqual(['ok', 'origin_taken']);
    expect(await create('copy', runtime.log.origin)).toBe('origin_taken');
  });

  it('are at most sixteen, at start too', async () => {
    const { runtime, dataDir } = await open();
    const names = Array.from({ length: RUNTIME_LIMITS.logsMax - 1 }, (_, n) => `log-${n}`);
    for (const name of names) expect(codeOf(await runtime.logs.create({ name }))).toBe('ok');
    expect(codeOf(await runtime.logs.create({ name: 'one-more' }))).toBe('logs_full');
    expect(existsSync(join(dataDir, 'logs', 'one-more'))).toBe(false);
    await runtime.close();
    const again = await openIn(dataDir);
    expect(again.logs.list()).toHaveLength(RUNTIME_LIMITS.logsMax);
    await again.close();
    cpSync(join(dataDir, 'logs', 'log-0'), join(dataDir, 'logs', 'one-more'), { recursive: true });
    await expect(openIn(dataDir)).rejects.toMatchObject({ code: 'logs_full' });
  });

  it('ask witnesses of their own', async () => {
    const { runtime, dataDir } = await open(['a']);
    await runtime.close();
    addWitness(join(dataDir, 'logs', 'a'), KEY_OF_A_WITNESS, 'http://127.0.0.1:9/w');
    const again = await openIn(dataDir);
    expect([again.witnesses.status().witnesses.length, again.logs.of('a')?.witnesses.status().witnesses.length]).toEqual([0, 1]);
  });

  it('RCPT-052 LOG-015 keep their seeds where a change of the master key finds them, and rotate by themselves', async () => {
    const { runtime, dataDir } = await open(['a', '2']);
    const desk = runtime.logs.of('a')?.keyDesk;
    const rotated = await desk?.rotate();
    expect(rotated).toMatchObject({ ok: true });
    expect((await bodiesOf(runtime.logs.of('a')?.log ?? runtime.log)).map(({ type }) => type)).toEqual(['countersign.log-key.v1']);
    expect([runtime.log.durableSize, runtime.logKeys.view().active.length]).toEqual([0, 1]);
    expect(
      readdirSync(join(dataDir, 'keys'))
        .filter((name) => name.startsWith('log'))
        .sort(),
    ).toEqual(['log.key', 'log.a.key', 'log.a.2.key', 'log.2.key'].sort());
    unwrap((await desk?.retire()) ?? { ok: false, error: 'no desk' });
    const keys = desk?.view();
    await runtime.close();
    expect(readFileSync(join(dataDir, 'keys', 'log.a.2.key'), 'utf8')).toMatch(/^countersign-log-seed-v1\n/);
    expect((await rotateMasterKey({ dataDir })).files).toBe(5); // Three logs, scope, receipt.
    const again = await openIn(dataDir);
    expect(again.logs.of('a')?.keyDesk.view()).toEqual(keys);
    expect(await receiptOf(again, await orgOn(again, 'a'))).toBeDefined();
  });
});

describe('LOG-081 an org', () => {
  it('changes its log: what it wrote stays, chains begin anew, counts go on', async () => {
    const { runtime, dataDir } = await open(['a']);
    const ann = await orgOn(runtime, 'main');
    const before = [await receiptOf(runtime, ann), await receiptOf(runtime, ann)];
    expect(unwrap(await runtime.logs.moveOrg(ann.org, 'a'))).toMatchObject({ id: ann.org, log: 'a' });
    expect(await runtime.store.org(ann.org)).toMatchObject({ log: 'a' });
    expect(runtime.store.appliedIndex()).toBe(1);
    const after = await act(runtime, ann, QUERY('SELECT 1'));
    expect(after.receipt).toMatchObject({ log: runtime.logs.of('a')?.log.origin, seq: 0, prev: null });
    expect([runtime.log.durableSize, await runtime.store.sessionCalls(ann.org, 's')]).toEqual([2, 3]);
    const erased = unwrap(await runtime.vault.erase({ org: ann.org, subject: ann.agent, by: 'operator', reason: 'asked for' }));
    expect((await runtime.logs.locate(erased.id))?.log.place.name).toBe('a');
    for (const id of before) expect((await runtime.bundle(id, { inputs: true })).ok).toBe(false);
    expect(unwrap(await runtime.logs.moveOrg(ann.org, 'main')).log).toBe('main');
    expect((await act(runtime, ann, QUERY('SELECT 1'))).receipt).toMatchObject({ log: runtime.log.origin, seq: 2 });
    await runtime.close();
    const again = await openIn(dataDir);
    expect([again.log.durableSize, again.logs.of('a')?.log.durableSize, await again.store.sessionCalls(ann.org, 's')]).toEqual([3, 2, 4]);
    expect(await chainFaults(again.log)).toEqual([]);
  });

  it('is not moved to a log that is not there, and an org that is not there is not moved', async () => {
    const { runtime } = await open(['a']);
    const ann = await orgOn(runtime, 'a');
    expect(codeOf(await runtime.logs.moveOrg(ann.org, 'b'))).toBe('log_unknown');
    expect(codeOf(await runtime.logs.moveOrg('nobody', 'a'))).toBe('not_found');
    expect(unwrap(await runtime.logs.moveOrg(ann.org, 'a')).log).toBe('a');
  });

  it('moves while it decides: each decision stands in one of the logs, and is counted once', async () => {
    const { runtime, dataDir } = await open(['a']);
    const ann = await orgOn(runtime, 'main');
    const asked = Array.from({ length: 12 }, () => receiptOf(runtime, ann));
    await asked[0];
    const moving = runtime.logs.moveOrg(ann.org, 'a');
    asked.push(...Array.from({ length: 12 }, () => receiptOf(runtime, ann)));
    unwrap(await moving);
    asked.push(receiptOf(runtime, ann));
    expect(new Set(await Promise.all(asked)).size).toBe(25);
    const { log } = runtime.logs.of('a') ?? runtime;
    expect((await judgedIn(runtime.log, ann.org)) + (await judgedIn(log, ann.org))).toBe(25);
    expect(await judgedIn(log, ann.org)).toBeGreaterThan(0);
    expect([...(await chainFaults(runtime.log)), ...(await chainFaults(log))]).toEqual([]);
    await runtime.close();
    expect(await (await openIn(dataDir)).store.sessionCalls(ann.org, 's')).toBe(25);
  });
});

describe('LOG-083 a log that fails', () => {
  it.each(['a', 'main'])('denies the orgs on it and no other: %s', async (failing) => {
    const disks = breakableDisks();
    const dataDir = await freshDirectory();
    const runtime = await openIn(dataDir, { diskSystem: disks.diskSystem });
    unwrap(await runtime.logs.create({ name: 'a' }));
    const healthy = failing === 'a' ? 'main' : 'a';
    const [ann, bob] = [await orgOn(runtime, failing), await orgOn(runtime, healthy)];
    const kept = await receiptOf(runtime, ann);
    await receiptOf(runtime, bob);
    await runtime.logs.of(failing)?.log.whenPublished(0);
    expect([runtime.logs.failed(), runtime.logs.problem()]).toEqual([[], undefined]);
    disks.breakDisk(failing);
    for (let n = 0; n < 3; n += 1) {
      const denied = await act(runtime, ann, QUERY('SELECT 1'));
      expect(denied).toMatchObject({ receipt: null, refusal: { code: 'log_unavailable' }, verdict: { decision: 'deny', by: 'pipeline' } });
      expect((await act(runtime, bob, QUERY('SELECT 1'))).receipt).not.toBeNull();
    }
    expect(runtime.logs.failed()).toMatchObject([{ name: failing, reason: expect.any(String) }]);
    expect(runtime.logs.list().map(({ name, problem }) => [name, problem === null])).toEqual([
      ['main', failing !== 'main'],
      ['a', failing !== 'a'],
    ]);
    expect(runtime.logs.problem()).toBeUndefined();
    expect(codeOf(await runtime.logs.moveOrg(bob.org, failing))).toBe('log_unavailable');
    expect(codeOf(await runtime.logs.moveOrg(ann.org, healthy))).toBe('log_unavailable');
    await expect(runtime.vault.erase({ org: ann.org, subject: ann.agent, by: 'operator', reason: 'r' })).rejects.toMatchObject({
      code: 'log_failed',
    });
    expect((await runtime.bundle(kept, { inputs: true })).ok).toBe(true);
    await runtime.close();
    const again = await openIn(dataDir);
    expect([again.logs.failed(), await again.store.sessionCalls(bob.org, 's')]).toEqual([[], 4]);
    expect(await again.store.sessionCalls(ann.org, 's')).toBeGreaterThanOrEqual(1);
    for (const name of ['main', 'a']) expect(await chainFaults(again.logs.of(name)?.log ?? again.log)).toEqual([]);
    expect((await act(again, ann, QUERY('SELECT 1'))).receipt).not.toBeNull();
  });

  it('is a problem of the whole only where every org is on one that failed', async () => {
    const disks = breakableDisks();
    const runtime = await openIn(await freshDirectory(), { diskSystem: disks.diskSystem });
    unwrap(await runtime.logs.create({ name: 'a' }));
    const ann = await orgOn(runtime, 'a');
    disks.breakDisk('a');
    await act(runtime, ann, QUERY('SELECT 1'));
    expect(runtime.logs.problem()).toBe('the log stopped: storage failed with `EIO`');
    await runtime.close();
  });

  it.each([
    ['its journal is damaged', (home: string) => writeFileSync(join(home, 'journal', '0000000000.seg'), 'nothing of it')],
    ['its directory is gone', (home: string) => rmSync(home, { recursive: true })],
    ['its journal is gone', (home: string) => rmSync(join(home, 'journal'), { recursive: true })],
    ['its list of keys is gone', (home: string) => rmSync(join(home, 'log-keys.json'))],
    ['its witnesses cannot be read', (home: string) => writeFileSync(join(home, 'witnesses.json'), '{')],
    [
      'it has seen less than the state',
      (home: string) => ['journal', 'public'].forEach((part) => rmSync(join(home, part), { recursive: true })),
    ],
  ])('or that does not open, because %s, denies its orgs only, and says so', async (_, damage) => {
    const { runtime, dataDir } = await open(['a']);
    const [ann, bob] = [await orgOn(runtime, 'a'), await orgOn(runtime, 'main')];
    const [ofAnn, ofBob] = [await receiptOf(runtime, ann), await receiptOf(runtime, bob)];
    await runtime.close();
    damage(join(dataDir, 'logs', 'a'));
    const warnings: string[] = [];
    const again = await openIn(dataDir, { warn: (message) => warnings.push(message) });
    expect(warnings.join('\n')).toContain('the log `a` did not open');
    expect(again.logs.failed().map(({ name }) => name)).toEqual(['a']);
    expect(again.logs.list()[1]).toMatchObject({ name: 'a', origin: null, size: null, orgs: 1, problem: expect.any(String) });
    expect(await act(again, ann, QUERY('SELECT 1'))).toMatchObject({ receipt: null, refusal: { code: 'log_unavailable' } });
    expect((await act(again, bob, QUERY('SELECT 1'))).receipt).not.toBeNull();
    expect([(await again.bundle(ofAnn, { inputs: false })).ok, (await again.bundle(ofBob, { inputs: true })).ok]).toEqual([false, true]);
    expect(codeOf(await again.logs.create({ name: 'a' }))).toBe('log_exists');
    expect(codeOf(await again.logs.moveOrg(ann.org, 'main'))).toBe('log_unavailable');
    expect(codeOf(await again.logs.moveOrg(bob.org, 'a'))).toBe('log_unavailable');
  });

  it('hides neither a state nor a vault that is gone', async () => {
    const { runtime, dataDir } = await open(['a']);
    await receiptOf(runtime, await orgOn(runtime, 'a'));
    await runtime.close();
    rmSync(join(dataDir, 'logs', 'a', 'journal'), { recursive: true });
    for (const part of ['state', 'vault']) {
      renameSync(join(dataDir, `${part}.db`), join(dataDir, 'kept'));
      await expect(openIn(dataDir)).rejects.toMatchObject({ code: `${part}_missing` });
      expect(existsSync(join(dataDir, `${part}.db`))).toBe(false);
      renameSync(join(dataDir, 'kept'), join(dataDir, `${part}.db`));
    }
  });

  it('holds an org that has left it, until what it has of it is known to be in the tables', async () => {
    const { runtime, dataDir } = await open(['a']);
    const ann = await orgOn(runtime, 'a');
    await receiptOf(runtime, ann);
    // As a crash leaves it between the change and the second settling.
    runtime.store.setOrgLog(ann.org, { log: 'main', leaving: 'a' });
    await runtime.close();
    renameSync(join(dataDir, 'logs', 'a', 'log-keys.json'), join(dataDir, 'kept'));
    const held = await openIn(dataDir);
    expect(await act(held, ann, QUERY('SELECT 1'))).toMatchObject({ receipt: null, refusal: { code: 'log_unavailable' } });
    expect(codeOf(await held.logs.moveOrg(ann.org, 'main'))).toBe('log_unavailable');
    await held.close();
    renameSync(join(dataDir, 'kept'), join(dataDir, 'logs', 'a', 'log-keys.json'));
    const again = await openIn(dataDir);
    expect(again.store.orgLog(ann.org)).toEqual({ log: 'main', leaving: null });
    expect((await act(again, ann, QUERY('SELECT 1'))).receipt).toMatchObject({ log: again.log.origin });
    expect(await again.store.sessionCalls(ann.org, 's')).toBe(2);
  });

  it('keeps state of its own from being written, and of no other', async () => {
    const { runtime } = await open(['a']);
    const [ann, bob] = [await orgOn(runtime, 'a'), await orgOn(runtime, 'main')];
    const stage = (actor: Actor, session: string): void =>
      runtime.ports.state.stageDelta({ ...actor, delegation: [], session }, { sessionCalls: 1 });
    for (let n = 0; n < STORE_LIMITS.stagedMax; n += 1) stage(ann, `s${n}`);
    await expect(runtime.store.sessionCalls(ann.org, 'x')).rejects.toMatchObject({ code: 'state_unavailable' });
    expect(await runtime.store.sessionCalls(bob.org, 'x')).toBe(0);
    expect([runtime.store.logsHolding(ann.org), runtime.store.logsHolding(bob.org)]).toEqual([['a'], []]);
  });
});
