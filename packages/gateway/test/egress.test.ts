/** The way out connects to checked addresses only, and carries nothing where it does not belong. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { guardedLookup } from '../src/guarded-lookup.ts';
import { createEgress, type EgressOptions, isPublicAddress } from '../src/index.ts';

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}

async function upstream(listener: RequestListener) {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    void read(request).then((body) => {
      const { method, url, headers } = request;
      seen.push({ method, url, host: headers.host, authorization: headers.authorization, body });
      listener(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, port, seen };
}

function egress(options: EgressOptions = {}) {
  const made = createEgress(options);
  closing.push(() => made.close());
  return made;
}

const ask = (url: string) => ({ url, body: '{"a":1}', token: 'token' });
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

describe('addresses', () => {
  test.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700::1111', '2a00:1450:4001::1'])('HTTP-031: %s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test.each([
    '127.0.0.1',
    '127.255.255.255',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.100.100.200',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '240.0.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '168.63.129.16',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:0:1::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '3fff::1',
    '5f00::1',
    '4000::1',
    '',
    'localhost',
    '1.2.3',
    '0x7f.1',
    '2130706433',
    '8.8.8.8 ',
    '[::1]',
  ])('HTTP-031: %s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('where it goes', () => {
  test.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://127.1/',
    'http://017700000001/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://metadata.google.internal/',
    'http://metadata.google.internal./',
    'http://localhost./',
    'http://user:pass@example.com/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'gopher://example.com/',
    'javascript:1',
    'not a url',
    '',
    'http://',
  ])('HTTP-031: %s is blocked without a look-up', async (url) => {
    let asked = 0;
    const resolve = (): Promise<string[]> => Promise.resolve((asked += 1) > 0 ? ['127.0.0.1'] : []);
    const reply = await egress({ resolve }).forward(ask(url));
    expect([reply.status, reply.reason]).toEqual(['blocked', 'ssrf_blocked']);
    expect(asked <= (url.includes('LOCALHOST.') ? 1 : 0)).toBe(true);
  });

  test.each([
    [['127.0.0.1']],
    [['8.8.8.8', '10.0.0.1']],
    [['2606:4700::1111', '::1']],
    [[]],
    [Array.from({ length: 33 }, () => '8.8.8.8')],
  ])('HTTP-030: a name that leads to %j is blocked', async (addresses) => {
    const reply = await egress({ resolve: () => Promise.resolve(addresses) }).forward(ask('http://tool.example/'));
    expect([reply.status, reply.reason]).toEqual(['blocked', 'ssrf_blocked']);
  });

  test('HTTP-030: a name is looked up once for a connection', async () => {
    const asked: string[] = [];
    const resolve = (host: string): Promise<string[]> => {
      asked.push(host);
      return Promise.resolve(asked.length === 1 ? ['10.0.0.1'] : ['8.8.8.8']);
    };
    expect((await egress({ resolve }).forward(ask('http://tool.example/'))).status).toBe('blocked');
    expect(asked).toEqual(['tool.example']);
  });

  test('HTTP-030: what is connected to is what was checked', async () => {
    const look = (addresses: string[], all: boolean) =>
      new Promise((resolve) => {
        guardedLookup(() => Promise.resolve(addresses))('tool.example', { all }, (...told) => resolve(told));
      });
    expect(await look(['8.8.8.8', '2606:4700::1111'], false)).toEqual([null, '8.8.8.8', 4]);
    expect(await look(['8.8.8.8', '2606:4700::1111'], true)).toEqual([
      null,
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    ]);
    expect(
      await look(
        Array.from({ length: 32 }, () => '8.8.8.8'),
        false,
      ),
    ).toEqual([null, '8.8.8.8', 4]);
    expect(await look(['8.8.8.8', '::1'], true)).toEqual([expect.objectContaining({ code: 'ssrf_blocked' }), '', 0]);
  });

  test('a look-up that fails is an error', async () => {
    const resolve = (): Promise<string[]> => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    expect((await egress({ resolve }).forward(ask('http://tool.example/'))).status).toBe('error');
  });

  test('a trusted origin gets params and token as they are; another port of it is not trusted', async () => {
    const tool = await upstream((_, response) => response.end('{"ok":true}'));
    const out = egress({ trustedOrigins: [tool.origin] });
    const reply = await out.forward(ask(`${tool.origin}/run?x=1`));
    expect([reply.status, reply.code, text(reply.body)]).toEqual(['ok', 200, '{"ok":true}']);
    expect(tool.seen).toEqual([
      { method: 'POST', url: '/run?x=1', host: `127.0.0.1:${tool.port}`, authorization: 'Bearer token', body: '{"a":1}' },
    ]);
    expect((await egress({ trustedOrigins: ['http://127.0.0.1:1'] }).forward(ask(tool.origin))).reason).toBe('ssrf_blocked');
  });

  test.each([400, 404, 500])('status %d is an error with its code', async (code) => {
    const tool = await upstream((_, response) => response.writeHead(code).end('no'));
    expect(await egress({ trustedOrigins: [tool.origin] }).forward(ask(tool.origin))).toMatchObject({ status: 'error', code });
  });
});

describe('redirects', () => {
  const chain = (hops: number, code: number) =>
    upstream((request, response) => {
      const at = Number(request.url?.slice(1) ?? 0);
      if (at < hops) response.writeHead(code, { location: `/${at + 1}` }).end();
      else response.end('done');
    });

  test.each([
    [3, 'ok', undefined],
    [4, 'blocked', 'redirect_blocked'],
  ] as const)('HTTP-032: %d of them is %s', async (hops, status, reason) => {
    const tool = await chain(hops, 307);
    const reply = await egress({ trustedOrigins: [tool.origin] }).forward(ask(`${tool.origin}/0`));
    expect([reply.status, reply.reason]).toEqual([status, reason]);
  });

  test.each([
    [307, 'POST', '{"a":1}'],
    [308, 'POST', '{"a":1}'],
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
  ] as const)('HTTP-032: after %d it goes on as %s', async (code, method, body) => {
    const tool = await chain(1, code);
    await egress({ trustedOrigins: [tool.origin] }).forward(ask(`${tool.origin}/0`));
    expect(tool.seen[1]).toMatchObject({ method, body, authorization: 'Bearer token' });
  });

  test.each(['http://127.0.0.1:1/', 'http://169.254.169.254/', 'file:///etc/passwd', 'http://user@example.com/', 'http://[broken'])(
    'HTTP-032: to %s it does not go',
    async (location) => {
      const tool = await upstream((_, response) => response.writeHead(302, { location }).end());
      const reply = await egress({ trustedOrigins: [tool.origin] }).forward(ask(tool.origin));
      expect([reply.status, reply.reason]).toEqual(['blocked', 'ssrf_blocked']);
    },
  );

  test('HTTP-032: into another trusted origin nobody else leads the way', async () => {
    const inner = await upstream((_, response) => response.end('inner'));
    const outer = await upstream((_, response) => response.writeHead(302, { location: inner.origin }).end());
    const reply = await egress({ trustedOrigins: [inner.origin, outer.origin] }).forward(ask(outer.origin));
    expect([reply.reason, inner.seen]).toEqual(['redirect_blocked', []]);
  });

  test('HTTP-032: params do not go to another origin', async () => {
    const tool = await upstream((_, response) => response.writeHead(307, { location: 'http://other.example/' }).end());
    let asked = 0;
    const resolve = (): Promise<string[]> => Promise.resolve([`${(asked += 1)}.1.1.1`]);
    const reply = await egress({ trustedOrigins: [tool.origin], resolve }).forward(ask(tool.origin));
    expect([reply.reason, asked]).toEqual(['redirect_blocked', 0]);
  });
});

describe('what comes back', () => {
  test.each([
    [1000, 'ok', undefined],
    [1001, 'blocked', 'too_large'],
  ] as const)('HTTP-033: %d bytes of 1000 is %s', async (bytes, status, reason) => {
    const tool = await upstream((_, response) => response.end('x'.repeat(bytes)));
    const reply = await egress({ trustedOrigins: [tool.origin], responseBytesMax: 1000 }).forward(ask(tool.origin));
    expect([reply.status, reply.reason]).toEqual([status, reason]);
  });

  test('HTTP-033: a compressed answer is not taken', async () => {
    const tool = await upstream((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    expect((await egress({ trustedOrigins: [tool.origin] }).forward(ask(tool.origin))).reason).toBe('encoding_blocked');
  });

  test('HTTP-033: an answer that never comes is a timeout', async () => {
    const tool = await upstream(() => undefined);
    expect((await egress({ trustedOrigins: [tool.origin], timeoutMs: 20 }).forward(ask(tool.origin))).status).toBe('timeout');
  });

  test('a connection that breaks after the call went out is unknown, a refused one an error', async () => {
    const tool = await upstream((_, response) => response.socket?.destroy());
    const out = egress({ trustedOrigins: [tool.origin, 'http://127.0.0.1:1'] });
    expect((await out.forward(ask(tool.origin))).status).toBe('unknown');
    expect((await out.forward(ask('http://127.0.0.1:1/'))).status).toBe('error');
  });
});
