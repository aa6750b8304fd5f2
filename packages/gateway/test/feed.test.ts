/** The live feed: bounded, coalesced, and never in anyone's way. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256, sha256Hex } from '@countersign/crypto';
import type { ApiKeyView, FeedEvent } from '@countersign/pipeline';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createFeedHub, type FeedFrame, type FeedHub, GATEWAY_LIMITS } from '../src/index.ts';
import { createWorld, ORG } from './world.ts';

const event = (n: number, org: string = ORG): FeedEvent => ({ type: 'decision', time: 't', org, data: { n } });

function createBench(limits: Parameters<typeof createFeedHub>[1] = {}) {
  const timers: (() => void)[] = [];
  const timer = {
    after: (_: number, work: () => void) => {
      timers.push(work);
      return () => undefined;
    },
  };
  const hub = createFeedHub(timer, limits);
  const frames: FeedFrame[] = [];
  const sink = { unread: 0, send: (frame: string) => void frames.push(JSON.parse(frame) as FeedFrame), unreadBytes: () => sink.unread };
  const tick = (): void => timers.splice(0).forEach((work) => work());
  return { hub, frames, sink, tick, timers };
}

const numbers = (frame: FeedFrame | undefined): unknown[] => frame?.events.map(({ data }) => (data as { n: number }).n) ?? [];

describe('hub', () => {
  test('HTTP-047: events of one interval come in one frame, and the timer rests when nothing happens', () => {
    const { hub, frames, sink, tick, timers } = createBench();
    hub.publish(event(0));
    expect(timers.length).toBe(0);
    hub.subscribe(sink);
    hub.publish(event(1));
    hub.publish(event(2));
    expect([frames.length, timers.length]).toEqual([0, 1]);
    tick();
    expect([frames.length, numbers(frames[0]), frames[0]?.dropped, timers.length]).toEqual([1, [1, 2], 0, 0]);
  });

  test('HTTP-047: a slow watcher keeps n events, loses n + 1 and is told', () => {
    const { hub, frames, sink, tick } = createBench({ queueMax: 3 });
    hub.subscribe(sink);
    sink.unread = GATEWAY_LIMITS.feedUnreadBytesMax + 1;
    for (let n = 1; n <= 3; n += 1) hub.publish(event(n));
    tick();
    expect([frames.length, hub.dropped]).toEqual([0, 0]);
    hub.publish(event(4));
    expect(hub.dropped).toBe(1);
    sink.unread = GATEWAY_LIMITS.feedUnreadBytesMax;
    tick();
    expect([numbers(frames[0]), frames[0]?.dropped]).toEqual([[1, 2, 3], 1]);
    hub.publish(event(5));
    tick();
    expect([numbers(frames[1]), frames[1]?.dropped]).toEqual([[5], 0]);
  });

  test('HTTP-048: one org sees its own events', () => {
    const { hub, frames, sink, tick } = createBench();
    hub.subscribe(sink, 'a');
    hub.publish(event(1, 'a'));
    hub.publish(event(2, 'b'));
    tick();
    expect(numbers(frames[0])).toEqual([1]);
  });

  test('HTTP-048: n watchers, and not one more until one leaves', () => {
    const { hub, sink } = createBench({ subscribersMax: 2 });
    const leave = hub.subscribe(sink);
    hub.subscribe(sink);
    expect([hub.subscribe(sink), hub.subscribers]).toEqual([undefined, 2]);
    leave?.();
    expect(hub.subscribe(sink)).toBeTypeOf('function');
  });

  test('a watcher that throws is let go; the others go on', () => {
    const { hub, frames, sink, tick } = createBench();
    hub.subscribe({
      send: () => {
        throw new Error('gone');
      },
      unreadBytes: () => 0,
    });
    hub.subscribe(sink);
    hub.publish(event(1));
    tick();
    expect([numbers(frames[0]), hub.subscribers]).toEqual([[1], 1]);
  });
});

const TOKEN = 'operator-token';
const READ_KEY = ['ag', 'live', 'read'].join('_');

async function listening(hub: FeedHub) {
  const key: ApiKeyView = { id: 'k', org: ORG, label: '', kind: 'read', environment: 'live', createdMs: 0, revokedMs: null };
  const world = await createWorld({
    gateway: {
      feedHub: hub,
      operator: {
        admin: { findApiKey: (hash: string) => (hash === sha256Hex(READ_KEY) ? key : undefined) } as never,
        rules: {} as never,
        policies: {} as never,
        evidence: {} as never,
        vault: {} as never,
        sessions: {} as never,
        logDesk: () => undefined,
        logs: {} as never,
        operatorTokenSha256: sha256(TOKEN),
        status: () => ({}),
      },
    },
  });
  await world.app.listen({ port: 0, host: '127.0.0.1' });
  return { app: world.app, port: (world.app.server.address() as AddressInfo).port };
}

describe('over the wire', () => {
  const realTimer = {
    after: (_: number, work: () => void) => {
      const handle = setImmediate(work);
      return () => clearImmediate(handle);
    },
  };

  test('HTTP-047, HTTP-040: server-sent events, for those who may', async () => {
    const hub = createFeedHub(realTimer);
    const { app, port } = await listening(hub);
    const refused = await fetch(`http://127.0.0.1:${port}/api/v1/events`);
    expect([refused.status, ((await refused.json()) as { error_code: string }).error_code]).toEqual([401, 'operator_unauthorized']);
    const sent = request({ port, host: '127.0.0.1', path: '/api/v1/events', headers: { 'x-ag-key': READ_KEY } }).end();
    const [reply] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    expect(reply.headers['content-type']).toBe('text/event-stream');
    hub.publish(event(1, 'another'));
    hub.publish(event(2));
    let text = '';
    for await (const part of reply) {
      text += String(part);
      if (text.includes('data: ')) break;
    }
    expect(text).toContain(`data: {"dropped":0,"events":[{"type":"decision","time":"t","org":"${ORG}","data":{"n":2}}]}\n\n`);
    await app.close();
  });

  test('a stream ends when the gateway stops', async () => {
    const hub = createFeedHub(realTimer);
    const { app, port } = await listening(hub);
    const reply = await fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(hub.subscribers).toBe(1);
    const text = reply.text();
    await app.close();
    expect([await text, hub.subscribers]).toEqual([': watching\n\n', 0]);
  });

  test('HTTP-047: a WebSocket, one way', async () => {
    const hub = createFeedHub(realTimer);
    const { app, port } = await listening(hub);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/events/ws`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await once(socket, 'open');
    hub.publish(event(7));
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(numbers(JSON.parse(data.toString('utf8')) as FeedFrame)).toEqual([7]);
    socket.send('hello');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1008);
    await app.close();
  });

  test.each([
    ['/api/v1/events/ws', '401'],
    ['/other', '404'],
  ])('HTTP-040: an upgrade at %s without a credential is %s', async (path, status) => {
    const { app, port } = await listening(createFeedHub(realTimer));
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain(status);
    await app.close();
  });

  test('HTTP-048: a WebSocket too many is told to come back', async () => {
    const { app, port } = await listening(createFeedHub(realTimer, { subscribersMax: 0 }));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/events/ws`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1013);
    const stream = await fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect([stream.status, ((await stream.json()) as { error_code: string }).error_code]).toEqual([503, 'too_many_subscribers']);
    await app.close();
  });
});
