/** A bundle of a real server: no byte of it can be another and the bundle still be believed. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Trust, verifyBundle } from '@countersign/receipts/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../../bench/crash-run.ts';
import { startServer, type ServerProcess } from '../../bench/server-process.ts';
import { cli, type Gateway, openGateway } from './gateway-world.ts';

const SEED = 20_261_120;
const PLACES = 400;

let gateway: Gateway;
let dataDir: string;
let bundle: Uint8Array;
let trust: Trust;

beforeAll(async () => {
  gateway = await openGateway();
  dataDir = gateway.ready.dataDir;
  for (let n = 0; n < 5; n += 1) await gateway.call('database.query', { sql: `SELECT ${n}` });
  const { body } = await gateway.call('database.query', { sql: 'DROP TABLE users', id: '12345678901234567890' });
  await gateway.cli(['receipt', 'bundle', String(body['receipt_id']), '--out', join(dataDir, 'bundle.json')]);
  bundle = await readFile(join(dataDir, 'bundle.json'));
  trust = { vkeys: [(await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim()] };
});

afterAll(() => gateway.close());

/** The places of the bytes of one member's value. */
function memberAt(name: 'documents' | 'inputs'): readonly [number, number] {
  const text = Buffer.from(bundle).toString('latin1');
  const start = text.indexOf(`"${name}":`);
  const next = name === 'documents' ? ',"entry":' : ',"proof":';
  return [start, text.indexOf(next, start)];
}

async function survives(at: number, mask: number): Promise<string | undefined> {
  const damaged = Uint8Array.from(bundle);
  damaged[at] = (damaged[at] ?? 0) ^ mask;
  const report = await verifyBundle(damaged, trust);
  const failures = report.checks.filter(({ status }) => status === 'fail');
  return report.ok || failures.length === 0 ? `byte ${at} with mask ${mask}` : undefined;
}

describe('one byte', () => {
  it('the bundle as it is verifies and replays', async () => {
    const report = await verifyBundle(bundle, trust);
    expect(report.ok, JSON.stringify(report.checks)).toBe(true);
    expect((await gateway.cli(['verify', join(dataDir, 'bundle.json')])).code).toBe(0);
    expect((await gateway.cli(['replay', join(dataDir, 'bundle.json')])).code).toBe(0);
  });

  it('RPLY-005 all receipts replay beside the gateway, which goes on', async () => {
    const replayed = await gateway.cli(['replay', '--all', '--json']);
    expect([replayed.code, replayed.stderr], replayed.stdout).toEqual([0, '']);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ complete: true, different: 0, refused: 0, unknown_engine: 0 });
    expect((await gateway.cli(['log', 'checkpoint'])).code).toBe(0);
  });

  it('every byte outside the documents, changed, fails a check by name', { timeout: 60_000 }, async () => {
    const random = seeded(SEED);
    const [from, to] = memberAt('documents');
    expect([from > 0, to > from]).toEqual([true, true]);
    const believed: string[] = [];
    for (let at = 0; at < bundle.length; at += 1) {
      if (at >= from && at < to) continue;
      const still = await survives(at, 1 + Math.floor(random() * 255));
      if (still !== undefined) believed.push(still);
    }
    expect(believed).toEqual([]);
    expect(bundle.length - (to - from)).toBeGreaterThan(2000);
  });

  it(`${PLACES} bytes anywhere, chosen by a seed`, { timeout: 60_000 }, async () => {
    const random = seeded(SEED);
    const believed: string[] = [];
    for (let n = 0; n < PLACES; n += 1) {
      const still = await survives(Math.floor(random() * bundle.length), 1 + Math.floor(random() * 255));
      if (still !== undefined) believed.push(still);
    }
    expect(believed, `seed ${SEED}`).toEqual([]);
  });

  it('cut short, made longer, or with another key, it is not believed', async () => {
    for (const bytes of [bundle.subarray(0, -1), bundle.subarray(1), Buffer.concat([bundle, Buffer.from('\n')]), new Uint8Array(0)])
      expect((await verifyBundle(bytes, trust)).ok).toBe(false);
    expect((await verifyBundle(bundle, { vkeys: [] })).ok).toBe(false);
  });
});

describe('the command line', () => {
  let other: ServerProcess;

  beforeAll(async () => {
    other = await startServer(join(dataDir, 'other'));
  });

  afterAll(async () => {
    await other.kill('SIGTERM');
    await rm(join(dataDir, 'other'), { recursive: true, force: true });
  });

  it('verify says NOT VERIFIED with 2 for a sample of changed bytes, replay refuses or differs with 2', { timeout: 60_000 }, async () => {
    const random = seeded(SEED + 1);
    const [documentsFrom] = memberAt('documents');
    const [inputsFrom, inputsTo] = memberAt('inputs');
    const places = [
      documentsFrom + 5000,
      inputsFrom + Math.floor(random() * (inputsTo - inputsFrom)),
      1 + Math.floor(random() * bundle.length),
    ];
    const files = await Promise.all(
      places.map(async (at, n) => {
        const file = join(dataDir, `damaged-${n}.json`);
        const damaged = Uint8Array.from(bundle);
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        await writeFile(file, damaged);
        return file;
      }),
    );
    for (const file of files) {
      const verified = await gateway.cli(['verify', file]);
      expect([verified.code, verified.stderr], verified.stdout).toEqual([2, '']);
      expect(verified.stdout).toMatch(/NOT VERIFIED[\s\S]*FAIL [a-z-]+/);
    }
    for (const file of files.slice(0, 2)) {
      const replayed = await gateway.cli(['replay', file]);
      expect([replayed.code, replayed.stderr], replayed.stdout).toEqual([2, '']);
      expect(replayed.stdout).toContain('0 equal');
    }
  });

  it('verify believes only the key it is given: that of another log is a no', async () => {
    const ended = await cli(join(dataDir, 'other'), ['verify', join(dataDir, 'bundle.json')]);
    expect(ended.code, ended.stdout).toBe(2);
    expect(ended.stdout).toMatch(/FAIL checkpoint/);
  });

  it('a verdict that was changed, with everything else made to fit as far as one can without keys, still fails', async () => {
    const changed = Buffer.from(bundle).toString('utf8').replace('"decision":"deny"', '"decision":"allow"');
    expect(changed).not.toBe(Buffer.from(bundle).toString('utf8'));
    const report = await verifyBundle(Buffer.from(changed), trust);
    expect(report.checks.filter(({ status }) => status === 'fail').map(({ name }) => name)).toContain('inclusion');
    const file = join(dataDir, 'changed.json');
    await writeFile(file, changed);
    const replayed = await gateway.cli(['replay', file]);
    expect([replayed.code, /[1-9] different/.test(replayed.stdout)], replayed.stdout).toEqual([2, true]);
  });
});
