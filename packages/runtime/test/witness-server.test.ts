import { request, Agent, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createSigner, noteVerifierKey, openNote, signNote } from '@countersign/crypto';
import { checkpointText, leafHash, parseCosignerKey, rootOf, WITNESS_BODY_BYTES_MAX, type Witness } from '@countersign/log';
import { openWitnessStore } from '@countersign/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createSystemRandom,
  openWitness,
  RUNTIME_LIMITS,
  serveWitness,
  type OpenedWitness,
  type WitnessEvent,
  type WitnessServer,
} from '../src/index.ts';

const ORIGIN = 'log.example/one';
const logSigner = createSigner(new Uint8Array(32).fill(1));
const clock = { nowMs: (): number => 1_800_000_000_000 };

function noteOf(size: number): string {
  const root = rootOf(Array.from({ length: size }, (_, i) => leafHash(Uint8Array.of(i))));
  return signNote(checkpointText({ origin: ORIGIN, size, root }), { name: ORIGIN, signer: logSigner });
}

let directory = '';
let witness: OpenedWitness;
let server: WitnessServer;
let events: WitnessEvent[] = [];
let agent: Agent;

async function start(serving: Witness): Promise<void> {
  server = await serveWitness({ witness: serving, host: '127.0.0.1', port: 0, told: (event) => void events.push(event) });
}

beforeEach(async () => {
  events = [];
  directory = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
  const store = openWitnessStore(directory);
  store.addKey(ORIGIN, noteVerifierKey(ORIGIN, logSigner.publicKey));
  store.close();
  witness = openWitness({ directory, name: 'witness.example/w1', clock, random: createSystemRandom() });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await start(witness);
});
afterEach(async () => {
  agent.destroy();
  await server.close();
  witness.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(body: string | Uint8Array, { method = 'POST', path = '/add-checkpoint' } = {}): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const sent = request(`${server.url}${path}`, { method, agent }, (response) => {
    void buffer(response).then(
      (bytes) => resolve({ status: response.statusCode, headers: response.headers, body: bytes.toString() }),
      reject,
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

describe('LOG-050 a witness over HTTP', () => {
  test('answers 200 with a line that verifies', async () => {
    const { status, headers, body } = await ask(`old 0\n\n${noteOf(3)}`);
    expect([status, headers['content-type'], headers['content-length']]).toEqual([
      200,
      'text/plain; charset=utf-8',
      String(Buffer.byteLength(body)),
    ]);
    const key = parseCosignerKey(witness.key);
    expect(openNote(noteOf(3) + body, key.ok ? [key.value] : []).ok).toBe(true);
    expect(events).toEqual([{ status: 200, verdict: 'cosigned', origin: ORIGIN }]);
  });

  test('answers 409 with a size of the type that clients look for', async () => {
    await ask(`old 0\n\n${noteOf(3)}`);
    const { status, headers, body } = await ask(`old 2\n\n${noteOf(4)}`);
    expect([status, headers['content-type'], body]).toEqual([409, 'text/x.tlog.size', '3\n']);
  });

  test.each([
    [400, 'old x', 'witness_body_malformed'],
    [400, `old 9\n\n${noteOf(3)}`, 'witness_old_above_new'],
    [403, `old 0\n\n${noteOf(3).replace('\n3\n', '\n4\n')}`, 'witness_unsigned'],
    [404, `old 0\n\nanother.log\n${noteOf(3)}`, 'witness_unknown_log'],
    [422, `old 0\n${'A'.repeat(43)}=\n\n${noteOf(3)}`, 'witness_proof_bad'],
  ])('answers %i', async (status, body, code) => {
    const got = await ask(body);
    expect([got.status, got.headers['content-type']]).toEqual([status, 'text/plain; charset=utf-8']);
    expect(got.body).toMatch(new RegExp(`^[a-z][^\\n]*\\(${code}\\)\\n$`));
  });

  test('has nothing else, and takes nothing but POST', async () => {
    expect((await ask('', { path: '/' })).status).toBe(404);
    expect((await ask('', { path: '/add-checkpoint/' })).status).toBe(404);
    const get = await ask('', { method: 'GET' });
    expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
    expect((await ask(`old 0\n\n${noteOf(1)}`, { path: '/add-checkpoint?x=1' })).status).toBe(200);
  });

  test('keeps the connection for the next request', async () => {
    await ask(`old 0\n\n${noteOf(1)}`);
    const [[socket] = []] = Object.values(agent.freeSockets);
    expect(socket).toBeDefined();
    await ask('old x');
    expect(Object.values(agent.freeSockets)[0]?.[0]).toBe(socket);
  });
});

describe('what would cost a witness too much', () => {
  const fill = (bytes: number): Uint8Array => Buffer.alloc(bytes, 'a');

  test('a body of one byte more than any request may have is 413, and hears it', async () => {
    expect((await ask(fill(WITNESS_BODY_BYTES_MAX))).status).toBe(400);
    const { status, headers } = await ask(fill(WITNESS_BODY_BYTES_MAX + 1));
    expect([status, headers.connection]).toEqual([413, 'close']);
    expect(events.at(-1)).toEqual({ status: 413, verdict: 'witness_body_too_large' });
  });

  test('a body without end is cut off', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const { promise, resolve } = Promise.withResolvers<string>();
    let said = '';
    socket.on('error', () => resolve(said));
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.on('close', () => resolve(said));
    const length = RUNTIME_LIMITS.witnessDrainBytesMax * 8;
    socket.write(`POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: ${length}\r\n\r\n`);
    const pump = (): void => {
      while (socket.writable && socket.write(fill(65_536)));
    };
    socket.on('drain', pump);
    pump();
    const answer = await promise;
    // The answer may be lost with the connection; what may not happen is that all of it was read.
    expect(answer === '' || answer.startsWith('HTTP/1.1 413')).toBe(true);
    expect(socket.bytesWritten).toBeLessThan(length);
  });

  test('too long a header is refused before anything is read', async () => {
    const sent = request(`${server.url}/add-checkpoint`, {
      method: 'POST',
      headers: { x: 'y'.repeat(RUNTIME_LIMITS.witnessHeaderBytesMax + 1) },
    });
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    sent.on('response', (response) => resolve(response.resume().statusCode));
    sent.on('error', reject);
    sent.end();
    expect(await promise).toBe(431);
    expect(events).toEqual([]);
  });
});

describe('when its state fails', () => {
  test('LOG-051 it answers 500 without a signature, and goes on', async () => {
    await server.close();
    await start({
      key: witness.key,
      addCheckpoint: () => {
        throw Object.assign(new Error('secret'), { code: 'witness_unavailable' });
      },
    });
    const { status, body } = await ask(`old 0\n\n${noteOf(3)}`);
    expect([status, body]).toEqual([500, 'the witness cannot store what it would sign (witness_failed)\n']);
    expect(events).toEqual([{ status: 500, verdict: 'witness_failed', failure: 'witness_unavailable' }]);
    expect((await ask('old x')).status).toBe(500);
  });

  test('an address that is taken is named', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveWitness({ witness, host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'witness_cannot_listen' });
  });

  test('closing it twice is one close', async () => {
    await ask(`old 0\n\n${noteOf(1)}`);
    await Promise.all([server.close(), server.close()]);
    await expect(ask('old x')).rejects.toThrow();
  });
});

describe('its directory', () => {
  test('is locked for as long as it is open, and keeps what was signed', async () => {
    await ask(`old 0\n\n${noteOf(3)}`);
    const again = { directory, name: undefined, clock, random: createSystemRandom() };
    expect(() => openWitness(again)).toThrow(expect.objectContaining({ code: 'witness_locked' }));
    witness.close();
    const next = openWitness(again);
    expect([next.key, next.name]).toEqual([witness.key, 'witness.example/w1']);
    expect(next.addCheckpoint(new TextEncoder().encode(`old 0\n\n${noteOf(4)}`))).toMatchObject({ status: 409, body: '3\n' });
    next.close();
  });

  test('is let go where it cannot be opened whole', () => {
    witness.close();
    expect(() => openWitness({ directory, name: 'another', clock, random: createSystemRandom() })).toThrow();
    openWitness({ directory, name: undefined, clock, random: createSystemRandom() }).close();
  });
});
