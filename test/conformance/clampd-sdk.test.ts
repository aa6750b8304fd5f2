/** @module What the real TypeScript SDK of Clampd sends (recorded), played to our real server: every answer has its shape, and says what it should. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRuntime } from '@countersign/runtime';
import { type ServerProcess, startServer } from '../../bench/server-process.ts';

interface Recorded {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>> & { readonly _jwt_claims: { readonly sub: string } };
  readonly body: Readonly<Record<string, unknown>>;
}

const shared = process.env['COUNTERSIGN_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const archive = join(shared, 'conformance', 'clampd-data.tar.gz');
const present = existsSync(archive);

/** What should become of each request, in the order of the recording: what its agent meant to do is plain from its body. */
const EXPECTED = [
  'yes',
  'yes',
  'yes',
  'yes',
  'yes',
  'yes',
  'yes',
  'no',
  'yes',
  'yes',
  'yes',
  'no',
  'no',
  'no',
  'no',
  'no',
  'no',
  'no',
  'no',
];

function readRecorded(): readonly Recorded[] {
  if (!present) return [];
  const text = execFileSync('tar', ['xzOf', archive, './ts-sdk-test-real-gateway.jsonl'], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

const recorded = readRecorded();

/** Every agent of the recording: who calls, and who delegates. */
function agentsOf(requests: readonly Recorded[]): readonly string[] {
  const chains = requests.flatMap(({ headers }) => {
    const chain = headers['x-clampd-delegation-chain'];
    return typeof chain === 'string' ? chain.split(',') : [];
  });
  return [...new Set([...requests.map(({ headers }) => headers._jwt_claims.sub), ...chains])].filter((id) => id !== '');
}

interface Prepared {
  readonly apiKey: string;
  readonly secrets: ReadonlyMap<string, string>;
}

async function prepare(dataDir: string): Promise<Prepared> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
  const org = runtime.store.createOrg({ name: 'recorded', mode: 'learning' });
  if (!org.ok) throw new Error(org.error.message);
  const secrets = new Map<string, string>();
  for (const [n, id] of agentsOf(recorded).entries()) {
    const made = runtime.store.createAgent({ org: org.value.id, name: `agent-${n}`, scopes: ['*'], id });
    if (!made.ok) throw new Error(made.error.message);
    secrets.set(id, made.value.secret);
  }
  const key = runtime.store.createApiKey({ org: org.value.id, label: 'recorded', kind: 'write', environment: 'test' });
  await runtime.close();
  if (!key.ok) throw new Error(key.error.message);
  return { apiKey: key.value.key, secrets };
}

describe.skipIf(!present)('the Clampd SDK, as recorded (skips where ../shared/conformance is absent)', () => {
  let dataDir = '';
  let server: ServerProcess | undefined;
  let prepared: Prepared | undefined;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'countersign-clampd-'));
    prepared = await prepare(dataDir);
    server = await startServer(dataDir);
  });

  afterAll(async () => {
    await server?.kill('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  });

  async function play({ path, headers, body }: Recorded): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> {
    const { sub } = headers._jwt_claims;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const key = agentJwtKey(prepared?.secrets.get(sub) ?? '');
    const token = mintAgentJwt({ key, claims: { sub, iss: 'clampd-sdk', iat: nowSeconds, exp: nowSeconds + 3600 } });
    const chain = Object.entries(headers).filter(([name]) => name.startsWith('x-clampd-')) as [string, string][];
    const { scope_token: _recordedToken, ...sent } = body;
    const response = await request(`${server?.ready.url ?? ''}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-ag-key': prepared?.apiKey ?? '',
        authorization: `Bearer ${token}`,
        ...Object.fromEntries(chain),
      },
      body: JSON.stringify(sent),
    });
    return { status: response.statusCode, answer: (await response.body.json()) as Record<string, unknown> };
  }

  it('covers the whole recording', () => {
    expect(recorded.length).toBe(EXPECTED.length);
  });

  it.each(recorded.map((each, n) => [n, each.path, each] as const))('%i %s', async (n, path, each) => {
    const { status, answer } = await play(each);
    expect(status, JSON.stringify(answer)).toBe(200);
    expect(answer['allowed'], JSON.stringify(answer)).toBe(EXPECTED[n] === 'yes');
    expect(answer['matched_rules']).toBeInstanceOf(Array);
    expect(answer['latency_ms']).toBeTypeOf('number');
    expect(answer['risk_score']).toBeTypeOf('number');
    expect(answer['receipt_id']).toMatch(/^[0-9a-f-]{36}$/);
    if (!path.startsWith('/v1/scan')) {
      expect(answer['degraded_stages']).toBeInstanceOf(Array);
      expect(answer['session_flags']).toBeInstanceOf(Array);
      expect(['pass', 'flag', 'block']).toContain(answer['action']);
    }
  });
});
