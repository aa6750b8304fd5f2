/** Crashes with several logs: under load, while a log is made, and while an org changes its log. Nothing that was given out is missing. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, QUERY, unwrap } from './directory.ts';
import { bodiesOf, breakableDisks, chainFaults, crashed, judgedIn, orgOn } from './log-bed.ts';

const NAMES = ['main', 'a'] as const;
type Orgs = Readonly<Record<(typeof NAMES)[number], Actor>>;

function logOf(runtime: Runtime, name: string): Runtime['log'] {
  const found = runtime.logs.of(name)?.log;
  if (found === undefined) throw new Error(`no log ${name}`);
  return found;
}

/** Interleaved decisions of both orgs; ids of those whose answer came go to `given`. */
function load(runtime: Runtime, orgs: Orgs, given: Map<string, string>): Promise<unknown> {
  const ask = async (name: (typeof NAMES)[number]): Promise<void> => {
    const { receipt } = await act(runtime, orgs[name], QUERY('SELECT 1'));
    if (receipt !== null) given.set(receipt.id, name);
  };
  return Promise.all(Array.from({ length: 40 }, (_, n) => ask(NAMES[n % 2] ?? 'main')));
}

/** What must hold of every log, and of the state that follows them. */
async function expectWhole(runtime: Runtime, orgs: Orgs, given: ReadonlyMap<string, string>): Promise<void> {
  for (const name of NAMES) {
    const log = logOf(runtime, name);
    expect(await chainFaults(log)).toEqual([]);
    const ids = new Set((await bodiesOf(log)).map(({ id }) => id));
    expect([...given].filter(([id, of]) => of === name && !ids.has(id))).toEqual([]);
    // Each receipt has counted one call: folded once, by the tail or by a write-back, whatever the other log did.
    expect(await runtime.store.sessionCalls(orgs[name].org, 's')).toBe(await judgedIn(log, orgs[name].org));
  }
}

describe('LOG-082 two logs under load', () => {
  it('killed again and again: chains without a gap in each, every delta folded once', async () => {
    let dataDir = await freshDirectory();
    let runtime = await openIn(dataDir);
    unwrap(await runtime.logs.create({ name: 'a' }));
    const orgs: Orgs = { main: await orgOn(runtime, 'main'), a: await orgOn(runtime, 'a') };
    const given = new Map<string, string>();
    for (let round = 0; round < 4; round += 1) {
      const running = load(runtime, orgs, given);
      // One log may have settled and the other not: their marks differ.
      await act(runtime, orgs[NAMES[round % 2] ?? 'main'], QUERY('SELECT 1'));
      if (round > 1) await runtime.logs.settleOrg(orgs[NAMES[round % 2] ?? 'main'].org);
      const known = new Map(given);
      dataDir = await crashed(dataDir);
      await running;
      await runtime.close();
      runtime = await openIn(dataDir);
      given.clear();
      for (const [id, name] of known) given.set(id, name);
      await expectWhole(runtime, orgs, given);
    }
    expect(given.size).toBeGreaterThan(0);
    await load(runtime, orgs, given);
    await expectWhole(runtime, orgs, given);
  });

  it('a delta is not in the tables before its own log has it, though the other log and its mark go on', async () => {
    const disks = breakableDisks();
    const dataDir = await freshDirectory();
    const runtime = await openIn(dataDir, { diskSystem: disks.diskSystem });
    unwrap(await runtime.logs.create({ name: 'a' }));
    const orgs: Orgs = { main: await orgOn(runtime, 'main'), a: await orgOn(runtime, 'a') };
    disks.breakDisk('a');
    await load(runtime, orgs, new Map());
    await runtime.logs.settleOrg(orgs.main.org);
    expect([runtime.store.appliedIndex('main'), runtime.store.appliedIndex('a')]).toEqual([19, -1]);
    const copy = await crashed(dataDir);
    await runtime.close();
    const again = await openIn(copy);
    expect(await again.store.sessionCalls(orgs.a.org, 's')).toBe(await judgedIn(logOf(again, 'a'), orgs.a.org));
    expect(await again.store.sessionCalls(orgs.main.org, 's')).toBe(20);
  });
});

describe('LOG-084 a crash while a log is made', () => {
  it('at each change of its disk: it is not there or whole, nothing else suffers, and it can be asked for again', async () => {
    const disks = breakableDisks();
    const bed = await freshDirectory();
    await (await openIn(bed)).close();
    let failures = 0;
    for (let at = 1; at < 40; at += 1) {
      const dataDir = await crashed(bed);
      const { diskSystem } = disks;
      const broken = (name: string): ReturnType<typeof diskSystem> => {
        const system = diskSystem(name);
        if (name === 'a') disks.breakDisk('a', at);
        return system;
      };
      const runtime = await openIn(dataDir, { diskSystem: broken });
      const made = await runtime.logs.create({ name: 'a' });
      if (made.ok) break;
      failures += 1;
      expect([made.error.code, runtime.logs.list().length]).toEqual(['log_unavailable', 1]);
      const copy = await crashed(dataDir);
      await runtime.close();
      const again = await openIn(copy);
      expect([again.logs.failed(), again.log.durableSize]).toEqual([[], 0]);
      const there = again.logs.list().length === 2;
      expect((await again.logs.create({ name: 'a' })).ok).toBe(!there);
      expect((await act(again, await orgOn(again, 'a'), QUERY('SELECT 1'))).receipt).toMatchObject({ seq: 0 });
      await again.close();
    }
    expect(failures).toBeGreaterThan(1);
  });

  it.each([
    ['its folder', (home: string, key: string) => (rmSync(join(home, 'log-keys.json')), rmSync(key)), false],
    ['its first seed', (home: string) => rmSync(join(home, 'log-keys.json')), false],
    ['its list of keys', () => undefined, true],
  ] as const)('after %s', async (_, undo, there) => {
    const bed = await freshDirectory();
    const first = await openIn(bed);
    const before = await crashed(bed);
    unwrap(await first.logs.create({ name: 'a', origin: 'example.org/a' }));
    await first.close();
    // What the creation left, and a state that has not seen it.
    mkdirSync(join(before, 'logs', 'a'), { recursive: true });
    cpSync(join(bed, 'logs', 'a', 'log-keys.json'), join(before, 'logs', 'a', 'log-keys.json'));
    cpSync(join(bed, 'keys', 'log.a.key'), join(before, 'keys', 'log.a.key'));
    undo(join(before, 'logs', 'a'), join(before, 'keys', 'log.a.key'));
    const again = await openIn(before);
    expect(again.logs.list().map(({ name }) => name)).toEqual(there ? ['main', 'a'] : ['main']);
    expect(again.logs.failed()).toEqual([]);
    if (!there) expect(unwrap(await again.logs.create({ name: 'a' })).size).toBe(0);
    expect(existsSync(join(before, 'logs', 'a', 'log.vkey'))).toBe(true);
    expect((await act(again, await orgOn(again, 'a'), QUERY('SELECT 1'))).receipt).not.toBeNull();
  });
});

describe('LOG-084 a crash while an org changes its log', () => {
  it.each(['before', 'between', 'after'] as const)('%s: it writes to one of them, and no count is lost', async (moment) => {
    const dataDir = await freshDirectory();
    const runtime = await openIn(dataDir);
    unwrap(await runtime.logs.create({ name: 'a' }));
    const ann = await orgOn(runtime, 'main');
    for (let n = 0; n < 5; n += 1) await act(runtime, ann, QUERY('SELECT 1'));
    // The change in its three steps, without the settling that a crash may cut off.
    if (moment !== 'before') runtime.store.setOrgLog(ann.org, { log: 'a', leaving: 'main' });
    await act(runtime, ann, QUERY('SELECT 1'));
    if (moment === 'after') unwrap(await runtime.logs.moveOrg(ann.org, 'a'));
    const copy = await crashed(dataDir);
    const again = await openIn(copy);
    expect(again.store.orgLog(ann.org)).toEqual({ log: moment === 'before' ? 'main' : 'a', leaving: null });
    expect(await again.store.sessionCalls(ann.org, 's')).toBe(6);
    expect([again.store.appliedIndex('main'), again.store.appliedIndex('a')]).toEqual(moment === 'before' ? [5, -1] : [4, 0]);
    await act(again, ann, QUERY('SELECT 1'));
    expect([await judgedIn(logOf(again, 'main'), ann.org), await judgedIn(logOf(again, 'a'), ann.org)]).toEqual(
      moment === 'before' ? [7, 0] : [5, 2],
    );
  });
});

describe('RCPT-032 LOG-083 an erasure that was cut short', () => {
  it('waits while a log is not open that may have its entry, and is entered once in the log of its org', async () => {
    const dataDir = await freshDirectory();
    const disks = breakableDisks();
    const runtime = await openIn(dataDir, { diskSystem: disks.diskSystem });
    unwrap(await runtime.logs.create({ name: 'a' }));
    const ann = await orgOn(runtime, 'a');
    await act(runtime, ann, QUERY('SELECT 1'));
    await runtime.logs.settleOrg(ann.org);
    disks.breakDisk('a');
    await expect(runtime.vault.erase({ org: ann.org, subject: ann.agent, by: 'operator', reason: 'r' })).rejects.toMatchObject({
      code: 'erasure_not_entered',
    });
    await runtime.close();
    const list = join(dataDir, 'logs', 'a', 'log-keys.json');
    cpSync(list, join(dataDir, 'kept'));
    rmSync(list);
    const waiting = await openIn(dataDir);
    expect([waiting.log.size, waiting.logs.allOpen()]).toEqual([0, false]);
    await waiting.close();
    cpSync(join(dataDir, 'kept'), list);
    for (let times = 0; times < 2; times += 1) {
      const again = await openIn(dataDir);
      expect([again.log.size, (await bodiesOf(logOf(again, 'a'))).filter(({ type }) => type === 'countersign.erasure.v1').length]).toEqual([
        0, 1,
      ]);
      await again.close();
    }
  });
});
