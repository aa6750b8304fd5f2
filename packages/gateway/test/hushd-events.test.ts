/** The stream of the hushd door: what comes, what is kept for who comes back, and who is too slow. */
import { EventEmitter } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHushdEvents, type EventFilter, type HushdEvents } from '../src/doors/hushd-events.ts';
import { GATEWAY_LIMITS as LIMITS } from '../src/index.ts';
import { createHushdWorld } from './hushd-world.ts';
import { AGENT, NOW_MS, ORG } from './world.ts';

interface Seen {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** A response that keeps what is written, and can be full. */
class Response extends EventEmitter {
  writableLength = 0;
  text = '';
  ended = false;
  readonly stuck: boolean;

  constructor(stuck = false) {
    super();
    this.stuck = stuck;
  }

  writeHead(): this {
    return this;
  }

  write(text: string): boolean {
    this.text += text;
    if (this.stuck) this.writableLength += text.length;
    return true;
  }

  end(): void {
    this.ended = true;
  }

  seen(): Seen[] {
    return [...this.text.matchAll(/id: (.+)\nevent: (.+)\ndata: (.+)\n\n/g)].map(([, id = '', type = '', data = '']) => {
      return { id, type, data: JSON.parse(data) as Record<string, unknown> };
    });
  }
}

const FILTER: EventFilter = { org: 'o' };

function streams(): { readonly events: HushdEvents; readonly tick: () => void } {
  const waiting: (() => void)[] = [];
  const timer = {
    after(_: number, work: () => void): () => void {
      waiting.push(work);
      return () => void waiting.splice(waiting.indexOf(work), 1);
    },
  };
  return { events: createHushdEvents(timer, 'run'), tick: () => waiting.shift()?.() };
}

function watch(events: HushdEvents, filter: EventFilter = FILTER, lastId?: string): Response {
  const out = new Response();
  expect(events.watch(out as unknown as ServerResponse, filter, lastId)).toBe(true);
  return out;
}

function publish(events: HushdEvents, n: number, more: object = {}): void {
  events.publish({ type: 'check', org: 'o', data: { n }, ...more });
}

describe('HUSHD-060: what a watcher sees', () => {
  it('what happens from then on, of its org and of all', () => {
    const { events } = streams();
    publish(events, 0);
    const out = watch(events);
    publish(events, 1);
    publish(events, 2, { org: 'other' });
    publish(events, 3, { org: '', type: 'policy_updated' });
    expect(out.seen()).toEqual([
      { id: 'run-1', type: 'check', data: { n: 1 } },
      { id: 'run-3', type: 'policy_updated', data: { n: 3 } },
    ]);
  });

  it('what it asked for', () => {
    const { events } = streams();
    const outs = [
      watch(events, { org: 'o', types: new Set(['violation']) }),
      watch(events, { org: 'o', session: 's' }),
      watch(events, { org: 'o', endpointAgent: 'e', runtimeKind: 'k' }),
    ];
    publish(events, 1, { type: 'violation' });
    publish(events, 2, { session: 's', endpointAgent: 'e' });
    publish(events, 3, { endpointAgent: 'e', runtimeKind: 'k' });
    expect(outs.map((out) => out.seen().map(({ data }) => data['n']))).toEqual([[1], [2], [3]]);
  });

  it('a sign of life, while anybody watches', () => {
    const { events, tick } = streams();
    const out = watch(events);
    tick();
    expect(out.text).toContain(': keep-alive');
    out.emit('close');
    out.text = '';
    tick();
    tick();
    expect(out.text).toBe('');
    expect(events.watchers).toBe(0);
  });

  it('the end, when the gateway stops', () => {
    const { events } = streams();
    const out = watch(events);
    events.close();
    expect(out.ended).toBe(true);
  });

  it(`${LIMITS.hushdSubscribersMax} may watch`, () => {
    const { events } = streams();
    for (let n = 0; n < LIMITS.hushdSubscribersMax; n += 1) watch(events);
    expect(events.watch(new Response() as unknown as ServerResponse, FILTER, undefined)).toBe(false);
  });
});

describe('HUSHD-061: nothing is lost in silence', () => {
  it('who comes back gets what it missed, once', () => {
    const { events } = streams();
    for (let n = 0; n < 5; n += 1) publish(events, n);
    const out = watch(events, FILTER, 'run-2');
    publish(events, 5);
    expect(out.seen().map(({ data }) => data['n'])).toEqual([3, 4, 5]);
  });

  it('who saw the newest gets nothing twice', () => {
    const { events } = streams();
    publish(events, 0);
    expect(watch(events, FILTER, 'run-0').seen()).toEqual([]);
  });

  it.each([
    [LIMITS.hushdEventsMax, undefined],
    [LIMITS.hushdEventsMax + 1, 1],
  ])('%d events later, %j are missing', (later, missed) => {
    const { events } = streams();
    for (let n = 0; n <= later; n += 1) publish(events, n);
    const seen = watch(events, FILTER, 'run-0').seen();
    expect(seen.filter(({ type }) => type === 'lagged').map(({ data }) => data['missed'])).toEqual(missed === undefined ? [] : [missed]);
    expect(seen.filter(({ type }) => type === 'check')).toHaveLength(LIMITS.hushdEventsMax);
  });

  it.each(['other-3', 'run-99', 'run-', 'run-x', 'nonsense', 'run--1'])(
    'the id %j is of another run: nobody knows how many are missing',
    (lastId) => {
      const { events } = streams();
      publish(events, 0);
      expect(watch(events, FILTER, lastId).seen()).toMatchObject([{ type: 'lagged', data: { missed: null } }, { data: { n: 0 } }]);
    },
  );

  it('who does not read holds nobody up, goes on where it stopped, and is told what fell out', () => {
    const { events } = streams();
    const slow = new Response(true);
    events.watch(slow as unknown as ServerResponse, FILTER, undefined);
    const quick = watch(events);
    const big = 'x'.repeat(LIMITS.feedUnreadBytesMax);
    events.publish({ type: 'check', org: 'o', data: { n: 0, big } });
    for (let n = 1; n <= LIMITS.hushdEventsMax + 1; n += 1) publish(events, n);
    expect(slow.seen()).toHaveLength(1);
    expect(quick.seen()).toHaveLength(LIMITS.hushdEventsMax + 2);
    slow.writableLength = 0;
    slow.text = '';
    slow.emit('drain');
    const seen = slow.seen();
    expect(seen[0]).toMatchObject({ type: 'lagged', data: { missed: 1 } });
    expect(seen.slice(1).map(({ data }) => data['n'])).toEqual(Array.from({ length: LIMITS.hushdEventsMax }, (_, n) => n + 2));
  });
});

describe('HUSHD-061: on a real connection', () => {
  it('a stream ends when its key does', async () => {
    const soon = { id: 'k', name: 'k', scopes: ['read'], org: ORG, agent: AGENT, expiresMs: NOW_MS + 1 } as const;
    const world = await createHushdWorld({ hushd: { keyring: { find: () => soon } } });
    await world.hushd.listen({ port: 0, host: '127.0.0.1' });
    const { port } = world.hushd.server.address() as AddressInfo;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/api/v1/events', headers: { authorization: 'Bearer any' } }, resolve).on('error', reject);
    });
    const ended = new Promise<string>((resolve) => answer.once('end', () => resolve('ended')));
    answer.resume();
    world.expire();
    expect(await ended).toBe('ended');
    await world.hushd.close();
  });
});
