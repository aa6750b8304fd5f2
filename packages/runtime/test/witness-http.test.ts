import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { createMemoryStorage, createWitness, openLog } from '@countersign/log';
import { createMemoryWitnessState } from '@countersign/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createWitnesses,
  parseWitnessConfig,
  postToWitness,
  RUNTIME_LIMITS,
  serveWitness,
  systemClock,
  systemTimer,
} from '../src/index.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const never = new AbortController().signal;

describe('asking a witness over HTTP', () => {
  test('posts to add-checkpoint below its prefix and reads status, type and text', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      request.pipe(response.writeHead(409, { 'content-type': 'Text/X.tlog.size; charset=utf-8' }));
    });
    expect(await postToWitness(`${url}/w`, '7\n', never)).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '7\n' });
    expect(await postToWitness(url, '', never)).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '' });
    expect(seen).toEqual(['POST /w/add-checkpoint', 'POST /add-checkpoint']);
  });

  test('reads so much of an answer and no more, and only text', async () => {
    const { witnessAnswerBytesMax } = RUNTIME_LIMITS;
    const url = await serve((request, response) => {
      const size = Number(request.url?.split('/')[1]);
      response.end(size === 0 ? Buffer.of(0xff) : 'a'.repeat(size));
    });
    expect((await postToWitness(`${url}/${witnessAnswerBytesMax}`, '', never)).body).toHaveLength(witnessAnswerBytesMax);
    expect((await postToWitness(`${url}/${witnessAnswerBytesMax + 1}`, '', never)).body).toBeUndefined();
    expect((await postToWitness(`${url}/0`, '', never)).body).toBeUndefined();
  });

  test('follows nobody elsewhere', async () => {
    let elsewhere = 0;
    const target = await serve((_request, response) => {
      elsewhere += 1;
      response.end();
    });
    const url = await serve((_request, response) => response.writeHead(307, { location: target }).end());
    await expect(postToWitness(url, 'old 0', never)).rejects.toThrow();
    expect(elsewhere).toBe(0);
  });

  test('ends when it is told to, also in the middle of an answer', async () => {
    const over = new AbortController();
    const url = await serve((_request, response) => {
      response.write('half');
      over.abort();
    });
    await expect(postToWitness(url, '', over.signal)).rejects.toThrow();
  });
});

describe('LOG-052 a log and a witness, over HTTP', () => {
  test('one cosigns what the other publishes', async () => {
    const origin = 'log.example/one';
    const noteSigner = { name: origin, signer: createSigner(new Uint8Array(32).fill(1)) };
    const state = createMemoryWitnessState();
    state.addKey(origin, noteVerifierKey(origin, noteSigner.signer.publicKey));
    const witness = createWitness({
      state,
      clock: systemClock,
      noteSigner: { name: 'w', signer: createSigner(new Uint8Array(32).fill(2)) },
    });
    const server = await serveWitness({ witness, host: '127.0.0.1', port: 0 });
    const config = parseWitnessConfig(JSON.stringify({ quorum: 1, witnesses: [{ key: witness.key, url: server.url }] }));
    const witnesses = createWitnesses({ config, clock: systemClock, timer: systemTimer });
    const log = await openLog({ storage: createMemoryStorage(), origin, noteSigner });
    for (const entry of ['a', 'b', 'c']) {
      const { index } = log.append({ entry: new TextEncoder().encode(entry), attachments: [] });
      const checkpoint = await log.whenPublished(index);
      expect(await witnesses.cosign(checkpoint, (old) => log.consistencyProof(old, checkpoint.size))).toHaveLength(1);
      expect(state.log(origin)?.tree).toEqual({ size: checkpoint.size, root: checkpoint.root });
    }
    await server.close();
    expect(await witnesses.cosign(log.checkpoint, () => Promise.resolve([]))).toEqual([]);
    expect(witnesses.status().witnesses[0]?.error?.code).toBe('witness_unreachable');
    await log.close();
  });

  test('a witness has so many connections at once; one more is closed', async () => {
    const server = await serveWitness({
      witness: {
        key: '',
        addCheckpoint: () => ({ status: 400, contentType: 'text/plain', body: 'no\n', verdict: 'witness_body_malformed' }),
      },
      host: '127.0.0.1',
      port: 0,
    });
    const port = Number(new URL(server.url).port);
    const request = 'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 0\r\n\r\n';
    const sockets: Socket[] = [];
    const answered = async (): Promise<boolean> => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      socket.on('data', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
      socket.write(request);
      return promise;
    };
    for (let i = 0; i < RUNTIME_LIMITS.witnessConnectionsMax; i += 1) expect(await answered()).toBe(true);
    expect(await answered()).toBe(false);
    for (const socket of sockets) socket.destroy();
    await server.close();
  });
});
