/** `apps/server/dist/main.js` as a person or a script starts it: what it prints, what it refuses, what it says of damage, and how it stops. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { cp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headersFor, type Ready, startServer } from '../../bench/server-process.ts';
import { type Ended, expectClean, failedStart, followedReceipts, newDirectory } from './gateway-world.ts';

const SERVER = fileURLToPath(new URL('../../apps/server/dist/main.js', import.meta.url));
const run = promisify(execFile);

const directories: string[] = [];

async function directory(): Promise<string> {
  const made = await newDirectory();
  directories.push(made);
  return made;
}

afterAll(async () => {
  for (const made of directories) await rm(made, { recursive: true, force: true });
});

async function ask(ready: Ready): Promise<string> {
  const response = await fetch(`${ready.url}/v1/proxy`, {
    method: 'POST',
    headers: { ...headersFor(ready), 'x-ag-session': 'start-test' },
    body: JSON.stringify({ tool: 'database.query', params: { sql: 'SELECT 1' }, target_url: '' }),
  });
  const answer = (await response.json()) as { allowed: boolean; receipt_id: string };
  expect([response.status, answer.allowed]).toEqual([200, true]);
  return answer.receipt_id;
}

/** The first text that `child` prints which ends with `end`. */
function printed(child: ChildProcessWithoutNullStreams, end: string): Promise<string> {
  let out = '';
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (out.includes(end)) resolve(out);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code} after: ${out}`)));
  });
}

function spawnServer(dataDir: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [SERVER, ...args], { env: { ...process.env, COUNTERSIGN_DATA: dataDir, COUNTERSIGN_PORT: '0' } });
}

function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

/** A start that is refused: exit 4 (3 for settings), one sentence, a next step, nothing on standard output. */
function expectRefused(refused: Ended, sentence: RegExp, code = 4): void {
  expect([refused.code, refused.stdout], refused.stderr).toEqual([code, '']);
  expect(refused.stderr).toMatch(/^countersign: /);
  expect(refused.stderr).toMatch(sentence);
  expectClean(refused.stderr);
}

describe('ready', () => {
  it('--json prints one line with exactly these properties, goes on, and ends with 0 on SIGTERM', async () => {
    const dataDir = await directory();
    const child = spawnServer(dataDir, ['--json']);
    const end = ended(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const line = await printed(child, '\n');
    const ready = JSON.parse(line) as Ready;
    expect(line.split('\n')).toHaveLength(2);
    expect(Object.keys(ready)).toEqual(['url', 'apiKey', 'agentId', 'agentSecret', 'dataDir']);
    expect(ready).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      apiKey: expect.stringMatching(/^ag_live_/),
      agentSecret: expect.stringMatching(/^ags_/),
      dataDir,
    });
    await ask(ready);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect([await end, stderr]).toEqual([0, '']);
    await expect(fetch(`${ready.url}/health`)).rejects.toThrow();
  });

  it('as text it prints two commands that work as they stand in a shell', async () => {
    const child = spawnServer(await directory(), []);
    const end = ended(child);
    const text = await printed(child, 'Ctrl-C');
    const commands = text.match(/^ {2}curl [\s\S]*?'\{.*\}'$/gm) ?? [];
    expect(commands).toHaveLength(2);
    const answers = await Promise.all(commands.map(async (command) => JSON.parse((await run('bash', ['-c', command])).stdout) as object));
    expect(answers).toMatchObject([
      { allowed: true, receipt_id: expect.any(String) },
      { allowed: false, matched_rules: expect.arrayContaining(['R001']), receipt_id: expect.any(String) },
    ]);
    child.kill('SIGINT');
    expect(await end).toBe(0);
  });

  it('a second start has the same credentials and goes on with the log', async () => {
    const dataDir = await directory();
    const first = await startServer(dataDir);
    const before = await ask(first.ready);
    expect(await first.kill('SIGTERM')).toBe(0);
    const second = await startServer(dataDir);
    try {
      const { url: _, ...credentials } = first.ready;
      expect(second.ready).toMatchObject(credentials);
      const after = await ask(second.ready);
      await second.kill('SIGTERM');
      const third = await startServer(dataDir);
      const receipts = await followedReceipts(third.ready.url, dataDir);
      await third.kill('SIGTERM');
      expect([receipts.has(before), receipts.has(after)]).toEqual([true, true]);
    } finally {
      await second.kill('SIGKILL');
    }
  });

  it('SIGTERM under load: everything that was answered is in the log', { timeout: 60_000 }, async () => {
    const dataDir = await directory();
    const server = await startServer(dataDir);
    const pool = new Pool(server.ready.url, { connections: 16 });
    const headers = headersFor(server.ready);
    const answered: string[] = [];
    const refusals: object[] = [];
    let enough = (): void => undefined;
    const loaded = new Promise<void>((resolve) => (enough = resolve));
    const client = async (id: number): Promise<void> => {
      for (;;) {
        const body = JSON.stringify({ tool: 'database.query', params: { sql: `SELECT ${id}` }, target_url: '' });
        const reply = await pool.request({
          method: 'POST',
          path: '/v1/proxy',
          headers: { ...headers, 'x-ag-session': `load-${id}` },
          body,
        });
        const answer = (await reply.body.json()) as { allowed: boolean; error_code?: string; receipt_id: string | null };
        if (reply.statusCode !== 200) {
          refusals.push(answer);
          return;
        }
        if (answer.receipt_id !== null) answered.push(answer.receipt_id);
        if (answered.length > 300) enough();
      }
    };
    const clients = Promise.allSettled(Array.from({ length: 16 }, (_, id) => client(id)));
    await loaded;
    expect(await server.kill('SIGTERM')).toBe(0);
    await pool.destroy();
    await clients;
    // Who comes late is told so, or finds nobody there; nobody is told anything else.
    for (const refusal of refusals) expect(refusal).toMatchObject({ allowed: false, error_code: 'shutting_down' });
    const again = await startServer(dataDir);
    const receipts = await followedReceipts(again.ready.url, dataDir);
    await again.kill('SIGTERM');
    expect(answered.filter((id) => !receipts.has(id))).toEqual([]);
  });
});

describe.concurrent('refused', () => {
  it('a port that is taken: exit 4, and the next free one is offered and works', async () => {
    const dataDir = await directory();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const refused = await failedStart(dataDir, { COUNTERSIGN_PORT: String(port) });
    expectRefused(refused, new RegExp(`port ${port} on 127\\.0\\.0\\.1 is taken`));
    const offered = /port (\d+) is free: COUNTERSIGN_PORT=\1 npm start/.exec(refused.stderr)?.[1];
    expect(Number(offered)).toBeGreaterThan(port);
    await new Promise((resolve) => other.close(resolve));
    const started = await startServer(dataDir, { COUNTERSIGN_PORT: offered ?? '' });
    expect(new URL(started.ready.url).port).toBe(offered);
    expect(await started.kill('SIGTERM')).toBe(0);
  });

  it('a directory that cannot be made: below a file, and where nothing can be made', async () => {
    const file = join(await directory(), 'file');
    await writeFile(file, '');
    for (const place of [file, join(file, 'data'), '/proc/countersign', '/proc/self/countersign/data'])
      expectRefused(await failedStart(place), /the data directory cannot be made or written \(E[A-Z]+\) \(\/.*\)\n.+/);
  });

  it('a directory that another process has', async () => {
    const dataDir = await directory();
    const first = await startServer(dataDir);
    expectRefused(await failedStart(dataDir), /another process holds this log \(.*\)\nstop the other server, or give this one its own/);
    await ask(first.ready);
    expect(await first.kill('SIGTERM')).toBe(0);
  });

  it.each([
    [{ COUNTERSIGN_PORT: '70000' }, /COUNTERSIGN_PORT must be a number/],
    [{ COUNTERSIGN_RULESET: 'strickt' }, /COUNTERSIGN_RULESET must be one of permissive, default, strict/],
    [{ COUNTERSIGN_SIGNING: 'never' }, /COUNTERSIGN_SIGNING must be/],
    [{ JWT_SECRET: 'short' }, /JWT_SECRET must have at least 32/],
    [{ JWT_SECRET: 'change-me-'.repeat(5) }, /JWT_SECRET must have at least 32 characters and be your own/],
    [{ COUNTERSIGN_TRUSTED_ORIGINS: 'tools.internal' }, /COUNTERSIGN_TRUSTED_ORIGINS must be origins/],
    [{ COUNTERSIGN_TRUSTED_ORIGINS: 'http://a/path' }, /COUNTERSIGN_TRUSTED_ORIGINS must be origins/],
    [{ COUNTERSIGN_TRUSTED_ORIGINS: 'file:///etc' }, /COUNTERSIGN_TRUSTED_ORIGINS must be origins/],
    [{ COUNTERSIGN_TRUSTED_ORIGINS: Array.from({ length: 65 }, (_, n) => `http://t${n}`).join(',') }, /at most 64 origins/],
  ])('the setting %j: exit 3, by its name, and no value of a secret', async (...[env, sentence]) => {
    const refused = await failedStart(await directory(), env);
    expectRefused(refused, sentence, 3);
    if ('JWT_SECRET' in env) expectClean(refused.stderr, [env.JWT_SECRET]);
  });

  it('an argument that is none', async () => {
    expectRefused(await failedStart(await directory(), {}, ['--prot', '80']), /--prot is not an option/, 3);
  });
});

describe.concurrent('damage, each by its name', () => {
  let whole: string;
  let acknowledged: string[];

  beforeAll(async () => {
    whole = await directory();
    const server = await startServer(whole);
    acknowledged = [];
    for (let n = 0; n < 20; n += 1) acknowledged.push(await ask(server.ready));
    await server.kill('SIGTERM');
  });

  async function damaged(damage: (dataDir: string) => Promise<unknown>): Promise<string> {
    const copy = join(await directory(), 'data');
    await cp(whole, copy, { recursive: true });
    await damage(copy);
    return copy;
  }

  const journal = (dataDir: string): string => join(dataDir, 'log', 'journal', '0000000000.seg');

  async function flipBit(path: string, place: number): Promise<void> {
    const at = Math.floor((await stat(path)).size * place);
    const bytes = await readFile(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }

  it.each<readonly [string, (dataDir: string) => Promise<unknown>, RegExp]>([
    [
      'a bit of the journal',
      (dataDir) => flipBit(journal(dataDir), 0.5),
      /record \d+ is damaged in journal segment 0 at byte \d+ .*\nrestore/,
    ],
    ['the journal cut short', (dataDir) => truncate(journal(dataDir), 2000), /the journal holds \d+ records, but 21 were published/],
    ['the journal gone', (dataDir) => rm(journal(dataDir)), /the journal holds 0 records, but 21 were published/],
    ['the log gone', (dataDir) => rm(join(dataDir, 'log'), { recursive: true }), /the log has 0 entries, but its state has seen 21/],
    [
      'a bit of the checkpoint',
      (dataDir) => flipBit(join(dataDir, 'log/public/checkpoint'), 0.9),
      /the published checkpoint is not one that/,
    ],
    ['the master key gone', (dataDir) => rm(join(dataDir, 'keys/master.key')), /the key file is missing \(.*master\.key\)\nrestore/],
    ['the log key gone', (dataDir) => rm(join(dataDir, 'keys/log.key')), /the key file is missing \(.*log\.key\)\nrestore/],
    ['a bit of the log key', (dataDir) => flipBit(join(dataDir, 'keys/log.key'), 0.7), /(sealed|not a key file).*\n/],
    [
      'the state gone',
      (dataDir) => rm(join(dataDir, 'state.db')),
      /the log has 21 entries, but its state is gone \(.*state\.db\)\nrestore/,
    ],
    [
      'state and keys gone',
      (dataDir) => Promise.all(['state.db', 'keys'].map((name) => rm(join(dataDir, name), { recursive: true }))),
      /the key file is missing \(.*master\.key\)\nrestore/,
    ],
    [
      'the state cut short',
      (dataDir) => truncate(join(dataDir, 'state.db'), 100),
      /the state could not be opened .*\ncheck the data directory/,
    ],
  ])('%s', async (...[, damage, sentence]) => {
    // Looking twice: what is refused must not be healed by being looked at.
    const dataDir = await damaged(damage);
    expectRefused(await failedStart(dataDir), sentence);
    if (sentence.source.includes('state')) expectRefused(await failedStart(dataDir), sentence);
  });

  it('the checkpoint of another log', async () => {
    const other = await directory();
    const server = await startServer(other);
    await server.kill('SIGTERM');
    const dataDir = await damaged((copy) => cp(join(other, 'log/public/checkpoint'), join(copy, 'log/public/checkpoint')));
    expectRefused(await failedStart(dataDir), /the published checkpoint is not one that `countersign\.local\/[0-9a-f]{16}` signed/);
  });

  it.each<readonly [string, (dataDir: string) => Promise<unknown>]>([
    [
      'a torn write at the end of the journal',
      async (dataDir) => {
        const file = await open(journal(dataDir), 'a');
        await file.write(Buffer.alloc(77, 0x5a));
        await file.close();
      },
    ],
    ['nothing public', (dataDir) => rm(join(dataDir, 'log/public'), { recursive: true })],
    [
      'no kept engine, no log.vkey, no operator.json',
      (dataDir) => Promise.all(['engines', 'log.vkey', 'operator.json'].map((name) => rm(join(dataDir, name), { recursive: true }))),
    ],
  ])('healed: %s', async (...[, damage]) => {
    const dataDir = await damaged(damage);
    const server = await startServer(dataDir);
    try {
      const receipts = await followedReceipts(server.ready.url, dataDir);
      expect(acknowledged.filter((id) => !receipts.has(id))).toEqual([]);
      await ask(server.ready);
    } finally {
      await server.kill('SIGTERM');
    }
  });
});
