/** `log serve` over the published files of a real log, through real connections. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { createMemoryDisk, createMemoryStorage, openLog } from '@countersign/log';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLI_LIMITS } from '../src/limits.ts';
import { type FakeWorld, fakeWorld, type Ran } from './fake-world.ts';

const ORIGIN = 'example.org/log-serve';
const disk = createMemoryDisk();
let world: FakeWorld;
let directory = '';

function store(path: string, bytes: Uint8Array): string {
  const file = join(directory, 'public', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

beforeAll(async () => {
  world = fakeWorld();
  directory = mkdtempSync(join(tmpdir(), 'countersign-log-serve-'));
  const signer = createSigner(new Uint8Array(32).fill(4));
  const log = await openLog({ storage: createMemoryStorage(disk), origin: ORIGIN, noteSigner: { name: ORIGIN, signer } });
  const entries = Array.from({ length: 300 }, (_, i) => new TextEncoder().encode(`entry ${i}`));
  await Promise.all(entries.map((entry) => log.append({ entry, attachments: [] }).durable));
  await log.close();
  for (const [path, bytes] of disk.files) store(path, bytes);
  mkdirSync(join(directory, 'journal'));
  writeFileSync(join(directory, 'journal', '0000000000.seg'), 'private');
});
afterAll(() => {
  world.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Served {
  readonly url: string;
  readonly said: string;
  readonly stop: () => Promise<Ran>;
}

let serving: Served | undefined;
afterEach(async () => {
  await serving?.stop();
  serving = undefined;
});

/** Starts the command and resolves with what it says first. */
async function serve(...args: readonly string[]): Promise<Served> {
  const stop = new AbortController();
  const first = Promise.withResolvers<string>();
  const stdout = { write: (text: string) => first.resolve(text), isTerminal: false, columns: 100 };
  const ran = world.run(['log', 'serve', '--listen', '127.0.0.1:0', ...args], { stop: stop.signal, stdout });
  void ran.then(({ stderr }) => first.reject(new Error(stderr)));
  const said = await first.promise;
  serving = { said, url: /http:\/\/[^ "]+\//.exec(said)?.[0] ?? '', stop: () => (stop.abort('SIGINT'), ran) };
  return serving;
}

const bytesOf = (path: string): Uint8Array => new Uint8Array(disk.files.get(path) ?? []);

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, { method, headers: { 'accept-encoding': 'identity', ...headers } });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** What a connection answers to a request written by hand, to its end. */
async function raw(url: string, request: string): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(request);
  let text = '';
  for await (const part of socket.setEncoding('latin1')) text += String(part);
  return text;
}

describe('LOG-090 log serve', () => {
  it('serves checkpoint, tiles and entries of a log directory, until it is stopped', async () => {
    const { url, said, stop } = await serve('--log', directory);
    expect(said).toBe(`${join(directory, 'public')} at ${url} until Ctrl-C\n`);
    for (const [path, bytes] of disk.files) {
      const answer = await get(`${url}${path}`);
      expect([path, answer.status, answer.bytes]).toEqual([path, 200, new Uint8Array(bytes)]);
      expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    }
    expect(await stop()).toMatchObject({ exitCode: 0, stderr: '' });
    await expect(fetch(url)).rejects.toThrow();
  });

  it('serves a folder of published files alone, and says where in JSON', async () => {
    const { url, said } = await serve('--log', join(directory, 'public'), '--json');
    expect(JSON.parse(said)).toEqual({ url, directory: join(directory, 'public') });
    expect((await get(`${url}checkpoint`)).bytes).toEqual(bytesOf('checkpoint'));
  });

  it('sends a checkpoint once to whoever has it', async () => {
    const { url } = await serve('--log', directory);
    const first = await get(`${url}checkpoint`);
    const etag = first.headers.get('etag') ?? '';
    expect([first.headers.get('content-type'), first.headers.get('cache-control')]).toEqual(['text/plain; charset=utf-8', 'no-cache']);
    const again = await get(`${url}checkpoint`, { 'if-none-match': etag });
    expect([again.status, again.bytes.length, again.headers.get('etag')]).toEqual([304, 0, etag]);
  });

  it('compresses entry bundles and nothing else', async () => {
    const { url } = await serve('--log', directory);
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000']) {
      const answer = await get(`${url}${path}`, { 'accept-encoding': 'gzip' });
      // `fetch` has unpacked it.
      expect(answer.bytes).toEqual(bytesOf(path));
      expect([path, answer.headers.get('content-encoding')]).toEqual([path, path.includes('entries') ? 'gzip' : null]);
    }
  });

  it('answers HEAD as GET, without a body', async () => {
    const { url } = await serve('--log', directory);
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000', 'tile/0/009']) {
      const [head, full] = [await get(`${url}${path}`, {}, 'HEAD'), await get(`${url}${path}`)];
      expect([head.status, head.bytes.length, head.headers.get('etag')]).toEqual([full.status, 0, full.headers.get('etag')]);
      if (full.status === 200) expect(head.headers.get('content-length')).toBe(String(full.bytes.length));
    }
    expect((await get(`${url}tile/entries/000`, { 'accept-encoding': 'gzip' }, 'HEAD')).headers.get('content-length')).toBeNull();
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { url } = await serve('--log', directory);
    const answer = await get(`${url}checkpoint`, {}, method);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    '/../journal/0000000000.seg',
    '/tile/../../journal/0000000000.seg',
    '/%2e%2e/journal/0000000000.seg',
    '//checkpoint',
    '/./checkpoint',
    'checkpoint',
    '/journal/0000000000.seg',
    '/public/checkpoint',
    '/tile/0/000.p/256',
    '/tile/64/000',
    '/',
    '*',
  ])('has no %s', async (path) => {
    const { url } = await serve('--log', directory);
    const answer = await raw(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(answer).not.toContain('private');
  });

  it('says so where a file cannot be read, and names none', async () => {
    const file = store('tile/entries/x001/000', new Uint8Array(1));
    try {
      truncateSync(file, CLI_LIMITS.publishedBytesMax);
      const { url } = await serve('--log', directory);
      expect((await get(`${url}tile/entries/x001/000`)).bytes.length).toBe(CLI_LIMITS.publishedBytesMax);
      truncateSync(file, CLI_LIMITS.publishedBytesMax + 1);
      const answer = await get(`${url}tile/entries/x001/000`);
      expect([answer.status, new TextDecoder().decode(answer.bytes)]).toEqual([500, 'the log cannot be read\n']);
    } finally {
      rmSync(file);
    }
  });

  it('has room for 256 readers, not for one more', async () => {
    const { url } = await serve('--log', directory);
    const { port } = new URL(url);
    const sockets: Socket[] = [];
    const ask = async (): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('HEAD /checkpoint HTTP/1.1\r\nhost: x\r\n\r\n');
      const [part] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as unknown[];
      return part instanceof Uint8Array ? new TextDecoder().decode(part).slice(0, 15) : 'closed';
    };
    for (let n = 0; n < CLI_LIMITS.serveConnectionsMax; n += 1) expect(await ask()).toBe('HTTP/1.1 200 OK');
    expect(await ask()).toBe('closed');
    for (const socket of sockets) socket.destroy();
  });

  it('refuses a directory without a log with exit 3, and an address that is none with exit 5', async () => {
    const empty = join(world.root, 'empty');
    mkdirSync(empty);
    const none = await world.run(['log', 'serve', '--log', empty]);
    expect([none.exitCode, none.stderr]).toEqual([3, expect.stringMatching(/log_not_published/)]);
    for (const listen of ['8090', '127.0.0.1', '127.0.0.1:65536', '127.0.0.1:', 'a b:1', '::1:80', '[::1]', '127.0.0.1:-1', 'http://x:1'])
      expect([listen, (await world.run(['log', 'serve', '--log', directory, '--listen', listen])).exitCode]).toEqual([listen, 5]);
  });

  it('says whose port is taken with exit 4', async () => {
    const { url } = await serve('--log', directory);
    const { host } = new URL(url);
    const second = await world.run(['log', 'serve', '--log', directory, '--listen', host]);
    expect([second.exitCode, second.stderr]).toEqual([4, expect.stringMatching(/port \d+ on 127\.0\.0\.1 is taken/)]);
  });
});
