import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSigner, noteVerifierKey, signNote } from '@countersign/crypto';
import { checkpointText, cosignatureLine, cosignerKeyText, leafHash } from '@countersign/log';
import { openRuntime } from '@countersign/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld, type Ran } from './fake-world.ts';

let world: FakeWorld;
beforeEach(() => {
  world = fakeWorld();
});
afterEach(() => world.remove());

const signerOf = (seed: number): ReturnType<typeof createSigner> => createSigner(new Uint8Array(32).fill(seed));
const ORIGIN = 'log.example/one';
const LOG_KEY = noteVerifierKey(ORIGIN, signerOf(1).publicKey);
const NAME = 'witness.example/w1';

interface Serving {
  readonly ready: Record<string, string>;
  readonly stderr: () => string;
  /** Ctrl-C; gives what it wrote. */
  stop(): Promise<Ran>;
}

async function serve(args: readonly string[] = ['--name', NAME], json = true): Promise<Serving> {
  const stop = new AbortController();
  const { promise: line, resolve, reject } = Promise.withResolvers<string>();
  const complaints: string[] = [];
  const sink = (write: (text: string) => void): { write: (text: string) => void; isTerminal: boolean; columns: number } => ({
    write,
    isTerminal: false,
    columns: 120,
  });
  const ran = world.run(['witness', 'serve', '--listen', '127.0.0.1:0', ...(json ? ['--json'] : []), ...args], {
    stop: stop.signal,
    stdout: sink(resolve),
    stderr: sink((text) => void complaints.push(text)),
  });
  void ran.then(() => reject(new Error(`ended: ${complaints.join('')}`)), reject);
  const text = await line;
  const url = /http:\S+/.exec(text)?.[0] ?? '';
  return {
    ready: json ? (JSON.parse(text) as Record<string, string>) : { url, text },
    stderr: () => complaints.join(''),
    stop: async () => {
      stop.abort('SIGINT');
      return ran;
    },
  };
}

const noteOf = (size: number, root: Uint8Array = leafHash(Uint8Array.of(size))): string =>
  signNote(checkpointText({ origin: ORIGIN, size, root }), { name: ORIGIN, signer: signerOf(1) });

async function ask(url: string | undefined, old: number, note: string): Promise<readonly [number, string]> {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: `old ${old}\n\n${note}` });
  return [response.status, await response.text()];
}

describe('countersign witness', () => {
  it('LOG-050 serves from a directory it makes, for logs that are added while it runs, and stops', async () => {
    const serving = await serve();
    const { url, key, name, directory } = serving.ready;
    expect([name, directory]).toEqual([NAME, join(world.root, '.countersign-witness')]);
    expect(statSync(join(directory ?? '', 'witness.key')).mode & 0o777).toBe(0o600);
    expect((await ask(url, 0, noteOf(3)))[0]).toBe(404);
    expect((await world.ask(['witness', 'add-log', LOG_KEY])).answer).toMatchObject({ origin: ORIGIN, key: LOG_KEY });
    const [status, line] = await ask(url, 0, noteOf(3));
    expect([status, line.startsWith(`\u2014 ${NAME} `)]).toEqual([200, true]);
    expect((await world.ask(['witness', 'key'])).answer).toMatchObject({ key, name: NAME });
    expect((await world.ask(['witness', 'logs'])).answer).toMatchObject({ logs: [{ origin: ORIGIN, keys: [LOG_KEY], size: 3 }] });
    expect((await ask(url, 3, noteOf(3, leafHash(Uint8Array.of(9)))))[0]).toBe(409);
    await world.run(['witness', 'remove-key', LOG_KEY]);
    expect((await ask(url, 3, noteOf(3)))[0]).toBe(403);
    expect((await serving.stop()).exitCode).toBe(0);
    const events = serving
      .stderr()
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { verdict: string }).verdict);
    expect(events).toEqual(['witness_unknown_log', 'cosigned', 'witness_fork', 'witness_unsigned']);
    await expect(fetch(`${url}/add-checkpoint`)).rejects.toThrow();
  });

  it('for people it says what to do next, and warns of a fork', async () => {
    await world.run(['witness', 'add-log', LOG_KEY]);
    const serving = await serve(['--name', NAME], false);
    expect(serving.ready['text']).toMatch(/^witness +witness\.example\/w1\nurl +http:[^]*key +witness\.example\/w1\+[^]*Ctrl-C/);
    await ask(serving.ready['url'], 0, noteOf(3));
    expect(serving.stderr()).toBe('');
    await ask(serving.ready['url'], 3, noteOf(3, leafHash(Uint8Array.of(9))));
    expect(serving.stderr()).toMatch(/^warning: 20\S+ witness_fork log\.example\/one\n$/);
    await serving.stop();
    const logs = await world.run(['witness', 'logs']);
    expect(logs.stdout).toMatch(/origin +size +root +keys[^]*log\.example\/one +3 +\S+= +1/i);
  });

  it('goes on under its name, and under no other', async () => {
    const first = await serve();
    await first.stop();
    const second = await serve([]);
    expect(second.ready['key']).toBe(first.ready['key']);
    const locked = await world.ask(['witness', 'serve', '--listen', '127.0.0.1:0']);
    expect([locked.exitCode, locked.answer]).toMatchObject([4, { error: { kind: 'witness_locked' } }]);
    await second.stop();
    const renamed = await world.ask(['witness', 'serve', '--listen', '127.0.0.1:0', '--name', 'other']);
    expect(renamed.answer).toMatchObject({ error: { kind: 'witness_named' } });
  });

  it.each([
    [5, 'invalid_arguments', ['witness', 'serve', '--listen', 'nowhere']],
    [5, 'invalid_arguments', ['witness', 'serve', '--listen', '127.0.0.1:65536']],
    [5, 'invalid_arguments', ['witness', 'serve', '--listen', ':80']],
    [3, 'witness_name_invalid', ['witness', 'serve', '--listen', '127.0.0.1:0']],
    [3, 'witness_name_invalid', ['witness', 'serve', '--listen', '127.0.0.1:0', '--name', 'a b']],
    [3, 'no_witness', ['witness', 'logs']],
    [3, 'no_witness', ['witness', 'key', '--dir', 'elsewhere']],
    [3, 'no_witness', ['witness', 'remove-key', LOG_KEY]],
    [3, 'witness_key_invalid', ['witness', 'add-log', 'no key']],
    [3, 'witness_key_invalid', ['witness', 'add-log', cosignerKeyText('w', signerOf(2).publicKey)]],
    [3, 'witness_origin_invalid', ['witness', 'add-log', LOG_KEY, '--origin', 'a\nb']],
  ])('ends with %i (%s) for %j', async (exitCode, kind, args) => {
    const { exitCode: ended, answer } = await world.ask(args);
    expect([ended, answer]).toMatchObject([exitCode, { error: { kind } }]);
  });

  it('knows a log by another name than its key has, and says what is not there', async () => {
    expect((await world.ask(['witness', 'add-log', LOG_KEY, '--origin', 'other origin'])).answer).toMatchObject({ origin: 'other origin' });
    expect((await world.ask(['witness', 'remove-key', LOG_KEY])).exitCode).toBe(5);
    expect((await world.ask(['witness', 'remove-key', LOG_KEY, '--origin', 'other origin'])).exitCode).toBe(0);
    expect((await world.ask(['witness', 'key'])).answer).toMatchObject({ exit_code: 5 });
    expect((await world.run(['witness', 'logs'])).stdout).toContain('(nothing seen)');
  });
});

describe('countersign log witnesses', () => {
  const key = (seed: number): string => cosignerKeyText(`w${seed}.example`, signerOf(seed).publicKey);
  const data = (): string => join(world.root, '.countersign');

  /** As much of a gateway as this needs: its checkpoint. */
  async function withGateway(checkpoint: string, work: () => Promise<void>): Promise<void> {
    const server = createServer((request, response) => response.end(request.url === '/log/checkpoint' ? checkpoint : '{}'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeFileSync(join(data(), 'operator.json'), JSON.stringify({ url, token: 't' }));
    try {
      await work();
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  it('changes whom a log asks, and says when that holds', async () => {
    expect((await world.ask(['log', 'witness-add', key(7), 'https://w7.example'])).answer).toMatchObject({
      error: { kind: 'no_data_directory' },
    });
    expect(existsSync(data())).toBe(false);
    const runtime = await openRuntime({ dataDir: data() });
    await runtime.close();
    const added = await world.run(['log', 'witness-add', key(7), 'https://w7.example/']);
    expect(added.stdout).toBe('witness w7.example is asked; 1 of 1 wanted. A running gateway asks them from its next start on\n');
    await world.run(['log', 'witness-add', key(8), 'https://w8.example']);
    expect((await world.ask(['log', 'witness-quorum', '2'])).answer).toMatchObject({
      quorum: 2,
      witnesses: [{ name: 'w7.example' }, { name: 'w8.example' }],
    });
    expect((await world.ask(['log', 'witness-quorum', '3'])).answer).toMatchObject({ exit_code: 3, error: { kind: 'witnesses_invalid' } });
    expect((await world.ask(['log', 'witness-quorum', 'two'])).exitCode).toBe(5);
    const removed = await world.ask(['log', 'witness-remove', 'w8.example']);
    expect([removed.exitCode, removed.answer]).toMatchObject([3, { error: { hint: expect.stringContaining('witness-quorum 1') } }]);
    await world.run(['log', 'witness-quorum', '1']);
    expect((await world.ask(['log', 'witness-remove', 'w8.example'])).answer).toMatchObject({
      quorum: 1,
      witnesses: [{ url: 'https://w7.example' }],
    });
    expect((await world.ask(['log', 'witness-remove', 'w8.example'])).answer).toMatchObject({
      exit_code: 3,
      error: { kind: 'witness_unknown' },
    });
  });

  it('LOG-052 shows who cosigned the newest checkpoint, and exit 1 where fewer than wanted', async () => {
    const runtime = await openRuntime({ dataDir: data() });
    const { note, size } = runtime.log.checkpoint;
    await runtime.close();
    const nobody = await world.run(['log', 'witnesses']);
    expect([nobody.exitCode, nobody.stdout]).toEqual([0, 'this log has no witnesses; try: countersign log witness-add VKEY URL\n']);
    for (const seed of [7, 8]) await world.run(['log', 'witness-add', key(seed), `https://w${seed}.example`]);
    const before = await world.ask(['log', 'witnesses']);
    expect([before.exitCode, before.answer]).toMatchObject([1, { size, quorum: 1, cosignatures: 0, reached: false }]);
    const line = cosignatureLine(note.slice(0, note.indexOf('\n\n') + 1), 1_800_000_000, { name: 'w8.example', signer: signerOf(8) });
    const text = await world.run(['log', 'witnesses']);
    expect(text.stdout).toContain(`checkpoint of size ${size}: 0 of 2 cosigned, 1 wanted: not reached`);
    await withGateway(note + line, async () => {
      const after = await world.ask(['log', 'witnesses']);
      const witnesses = [
        { name: 'w7.example', cosigned: null },
        { name: 'w8.example', cosigned: '2027-01-15T08:00:00.000Z' },
      ];
      expect([after.exitCode, after.answer]).toMatchObject([0, { size, quorum: 1, cosignatures: 1, reached: true, witnesses }]);
      await world.run(['log', 'witness-quorum', '2']);
      const wanting = await world.run(['log', 'witnesses']);
      expect([wanting.exitCode, wanting.stdout]).toEqual([1, expect.stringContaining('1 of 2 cosigned, 2 wanted: not reached')]);
    });
    await withGateway(note.replace(/\n[^\n]+\n\n/, `\n${'A'.repeat(43)}=\n\n`) + line, async () => {
      expect((await world.ask(['log', 'witnesses'])).answer).toMatchObject({ cosignatures: 0, reached: false });
    });
  });
});
