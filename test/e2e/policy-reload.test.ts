/**
 * A real gateway under concurrent load has its policy changed a hundred times, by both doors that can, between two policies that differ in two
 * marks: each decision is made by one of them, whole, and its receipt says by which.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServer } from '../../bench/server-process.ts';
import { newDirectory, operatorToken } from './gateway-world.ts';

const RELOADS = 100;
const CALLERS = 4;
const [ONE, TWO] = ['one', 'two'] as const;
type Mark = typeof ONE | typeof TWO;

/** Opens the host and the folder of one mark, and forbids those of the other. */
const policyOf = (mark: Mark): string => {
  const other = mark === ONE ? TWO : ONE;
  const guards = {
    egress_allowlist: { allow: [`${mark}.example`], default_action: 'block' },
    forbidden_path: { patterns: [`/srv/${other}/**`] },
  };
  return JSON.stringify({ version: '1.5.0', name: `only-${mark}`, guards });
};

/** One action that shows both marks. */
const eventOf = (mark: Mark): object => ({
  eventId: 'e',
  eventType: 'remote.file_transfer',
  data: { type: 'cua', direction: 'download', path: `/srv/${mark}/a.txt`, url: `https://${mark}.example/a.txt` },
});

interface Decided {
  readonly asked: Mark;
  readonly receipt: string;
  readonly allowed: boolean;
  /** What the guards of the two marks said. */
  readonly host: boolean | undefined;
  readonly path: boolean | undefined;
}

let dataDir = '';
let server: ServerProcess;
let hushd: { readonly url: string; readonly keys: readonly { readonly name: string; readonly key: string }[] };
let token = '';
const agent = new Agent({ connections: CALLERS + 2 });

interface Sent {
  readonly bearer: string;
  readonly body?: object;
}

/** `route`: method and address. */
async function send(route: string, { bearer, body }: Sent): Promise<{ readonly status: number; readonly body: unknown }> {
  const [method = '', url = ''] = route.split(' ');
  const response = await request(url, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.statusCode, body: await response.body.json() };
}

const keyOf = (name: string): string => hushd.keys.find((key) => key.name === name)?.key ?? '';

/** Puts the policy of a mark in force, by one door or the other, and gives its hash. */
async function reload(mark: Mark, door: 'operator' | 'hushd'): Promise<string> {
  const { status, body } =
    door === 'operator'
      ? await send(`POST ${server.ready.url}/api/v1/policies`, { bearer: token, body: { source: policyOf(mark) } })
      : await send(`PUT ${hushd.url}/api/v1/policy`, { bearer: keyOf('admin'), body: { yaml: policyOf(mark) } });
  expect(status).toBe(door === 'operator' ? 201 : 200);
  const answer = body as { readonly policy?: { readonly hash: string }; readonly policy_hash?: string };
  return answer.policy?.hash ?? answer.policy_hash ?? '';
}

async function decide(asked: Mark): Promise<Decided> {
  const { status, body } = await send(`POST ${hushd.url}/api/v1/eval`, { bearer: keyOf('check'), body: eventOf(asked) });
  expect([status, body]).toEqual([200, expect.objectContaining({ receipt_id: expect.any(String) })]);
  const {
    decision,
    report,
    receipt_id: receipt,
  } = body as {
    readonly decision: { readonly allowed: boolean };
    readonly report: { readonly per_guard: readonly { readonly guard: string; readonly allowed: boolean }[] };
    readonly receipt_id: string;
  };
  const said = (name: string): boolean | undefined => report.per_guard.find(({ guard }) => guard === name)?.allowed;
  return { asked, receipt, allowed: decision.allowed, host: said('egress_allowlist'), path: said('forbidden_path') };
}

async function policyOfReceipt(id: string): Promise<string> {
  const { body } = await send(`GET ${server.ready.url}/api/v1/receipts/${id}`, { bearer: token });
  return (body as { readonly receipt: { readonly body: { readonly inputs: { readonly policy: string } } } }).receipt.body.inputs.policy;
}

beforeAll(async () => {
  dataDir = await newDirectory();
  server = await startServer(dataDir, { COUNTERSIGN_HUSHD: '127.0.0.1:0', COUNTERSIGN_HUSHD_RATE: '100000/100000' });
  hushd = JSON.parse(await readFile(join(dataDir, 'hushd.json'), 'utf8')) as typeof hushd;
  token = await operatorToken(dataDir);
}, 60_000);

afterAll(async () => {
  await agent.close();
  await server.kill('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
});

describe('POL-282 a hundred reloads under load', () => {
  it('no decision without a policy, and none by a mix of two', async () => {
    const hashes = new Map<string, Mark>([
      [await reload(ONE, 'operator'), ONE],
      [await reload(TWO, 'hushd'), TWO],
    ]);
    expect(hashes.size).toBe(2);
    const load = { goesOn: true };
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      const decided: Decided[] = [];
      for (let i = caller; load.goesOn; i += 1) decided.push(await decide(i % 2 === 0 ? ONE : TWO));
      return decided;
    });
    try {
      for (let i = 0; i < RELOADS; i += 1) {
        const mark = i % 2 === 0 ? ONE : TWO;
        expect(hashes.get(await reload(mark, i % 4 < 2 ? 'operator' : 'hushd'))).toBe(mark);
      }
    } finally {
      load.goesOn = false;
    }
    const decided = (await Promise.all(callers)).flat();
    const seen = new Map<string, number>();
    const named = await Promise.all(decided.map(async (one) => ({ ...one, hash: await policyOfReceipt(one.receipt) })));
    for (const { asked, hash, allowed, host, path } of named) {
      const mark = hashes.get(hash);
      const open = mark === asked;
      expect({ hash, mark, allowed, host, path }).toEqual({ hash, mark: expect.any(String), allowed: open, host: open, path: open });
      const kind = `${hash.slice(0, 8)} ${asked}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    // Both marks were asked for under both policies.
    expect(seen.size).toBe(4);
    expect(decided.length).toBeGreaterThan(RELOADS);
    const metrics = await request(`${server.ready.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const changes = /^countersign_policy_changes_total (\d+)$/m.exec(await metrics.body.text());
    expect(Number(changes?.[1])).toBeGreaterThanOrEqual(RELOADS + 2);
  }, 60_000);
});
