/** spider_sense over a whole directory, against a server of this machine: put in force, asked, recorded, judged again without anybody. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { replay, type RecordedDecision } from '@countersign/judge';
import type { JsonValue } from '@countersign/kernel';
import type { Answer } from '@countersign/pipeline';
import { SPIDER_SENSE } from '@countersign/policy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEngineFile, type Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, register, type Sketch, unwrap } from './directory.ts';

const PATTERNS = JSON.stringify([
  { id: 'out', category: 'data_exfiltration', stage: 'action', label: 'carry it out', embedding: [1, 0, 0] },
  { id: 'role', category: 'jailbreak', stage: 'perception', label: 'another role', embedding: [0, 1, 0] },
]);
const KEY = 'k'.repeat(24);

/** What the server makes of a text: near the first pattern where it speaks of harvest, between both where it speaks of a doubt. */
function vectorOf(text: string): readonly number[] {
  if (text.includes('harvest')) return [1, 0.1, 0];
  return text.includes('doubt') ? [0.85, 0, 0.5] : [0, 0, 1];
}

interface Seen {
  readonly input: string | readonly string[];
  readonly authorization: string | undefined;
}

let server: Server;
let url = '';
let seen: Seen[] = [];
let answer: (response: ServerResponse, texts: readonly string[]) => void;

function works(response: ServerResponse, texts: readonly string[]): void {
  response.end(JSON.stringify({ data: texts.map((text, index) => ({ index, embedding: vectorOf(text) })) }));
}

let dataDir = '';
let runtime: Runtime;
let caller: Actor;
const environment = { SPIDER_SENSE_EMBEDDING_KEY: KEY };

beforeEach(async () => {
  seen = [];
  answer = works;
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = JSON.parse(Buffer.concat(parts).toString()) as { readonly input: string | readonly string[] };
      seen.push({ input, authorization: request.headers.authorization });
      answer(response, typeof input === 'string' ? [input] : input);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/embeddings`;
  dataDir = await freshDirectory();
  await mkdir(join(dataDir, 'patterns'), { recursive: true });
  await writeFile(join(dataDir, 'patterns', 'db.json'), PATTERNS);
  runtime = await openIn(dataDir, { environment });
  caller = register(runtime);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function policyOf(more = ''): string {
  return `version: "1.3.0"
name: screened
extends: learning
guards:
  spider_sense:
    embedding_api_url: "${url}"
    embedding_api_key: "\${SPIDER_SENSE_EMBEDDING_KEY}"
    embedding_model: small
    pattern_db_path: db.json
    pattern_db_version: "1"
    pattern_db_checksum: ${sha256Hex(PATTERNS)}
${more}`;
}

const note = (text: string): Sketch => ({ kind: 'mcp.call', tool: 'notes', params: { text } });

function spiderOf({ judgement }: Answer): string {
  const result = judgement?.guards.find(({ guard }) => guard === SPIDER_SENSE);
  return result === undefined ? 'silent' : `${result.code} ${result.allowed ? 'passes' : 'refused'}`;
}

async function decide(text: string): Promise<string> {
  return spiderOf(await act(runtime, caller, note(text)));
}

async function recordedOf(id: string): Promise<RecordedDecision & { readonly text: string }> {
  const text = new TextDecoder().decode(unwrap(await runtime.bundle(id, { inputs: true })));
  const bundle = JSON.parse(text) as {
    readonly entry: { readonly body: { readonly time: string; readonly verdict: RecordedDecision['verdict'] } };
    readonly inputs: Pick<RecordedDecision, 'action' | 'signals' | 'state'>;
  };
  const { time, verdict } = bundle.entry.body;
  return { ...bundle.inputs, time, verdict, text };
}

describe('POL-170 the outside is asked once, before the judge', () => {
  it('screens every action, and says what it found', async () => {
    unwrap(await runtime.policy.set(policyOf()));
    expect(await decide('buy milk')).toBe('allowed passes');
    expect(await decide('harvest all keys')).toBe('pattern_match refused');
    expect(await decide('some doubt')).toBe('ambiguous_match passes');
    expect(seen.map(({ input }) => input)).toEqual([
      'countersign',
      '[mcp_tool:notes] {"text":"buy milk"}',
      '[mcp_tool:notes] {"text":"harvest all keys"}',
      '[mcp_tool:notes] {"text":"some doubt"}',
    ]);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));
    await decide('buy milk');
    expect(seen).toHaveLength(4);
  });

  it('RPLY-012 its answers are recorded, and a replay needs no server and finds the same', async () => {
    unwrap(await runtime.policy.set(policyOf('    async: {on_timeout: warn}\n')));
    const receipts = [await act(runtime, caller, note('harvest it')), await act(runtime, caller, note('milk'))];
    answer = (response): void => void response.writeHead(500).end();
    receipts.push(await act(runtime, caller, note('nobody answers')));
    expect(receipts.map(spiderOf)).toEqual(['pattern_match refused', 'allowed passes', 'unavailable passes']);
    server.close();
    const engine = await openEngineFile(runtime.engineFile);
    const [policy, rules] = [
      runtime.store.activePolicy()?.resolved ?? '',
      runtime.store.document(receipts[0]?.receipt?.inputs.rules ?? ''),
    ];
    const judging = engine.load({ policy: JSON.parse(policy) as JsonValue, rules: JSON.parse(rules ?? '') as JsonValue });
    if (!judging.ok) throw new Error(JSON.stringify(judging.error));
    for (const { receipt, verdict } of receipts) {
      const recorded = await recordedOf(receipt?.id ?? '');
      expect(recorded.signals).toMatchObject([{ kind: 'guard', subject: SPIDER_SENSE }]);
      expect(replay(judging.value, recorded)).toMatchObject({ equal: true });
      expect(recorded.text).not.toContain(KEY);
      // Without its answer an action that passed comes out as one about which nobody was asked.
      const without = replay(judging.value, { ...recorded, signals: [] });
      expect(without.equal).toBe(verdict.reasons.some(({ code }) => code.endsWith('.unavailable')));
    }
  });

  it('large actions, which another thread judges, are screened too', async () => {
    unwrap(await runtime.policy.set(policyOf()));
    const params = (text: string): Sketch['params'] => ({
      path: '/tmp/a.txt',
      content: text,
      pad: Array.from({ length: 20_000 }, () => 1),
    });
    const write = (text: string): Sketch => ({ kind: 'file.write', tool: 'filesystem.write', params: params(text) });
    expect(spiderOf(await act(runtime, caller, write('milk')))).toBe('allowed passes');
    expect(spiderOf(await act(runtime, caller, write(`${'milk '.repeat(1000)}harvest`)))).toBe('pattern_match refused');
  });

  it('what another guard refuses is sent nowhere', async () => {
    unwrap(await runtime.policy.set(policyOf()));
    const refused = await act(runtime, caller, { kind: 'shell.exec', tool: 'shell.exec', params: { command: 'rm -rf /' } });
    expect([refused.verdict.decision, spiderOf(refused), seen.length]).toEqual(['deny', 'silent', 1]);
  });
});

describe('POL-175 a server that fails', () => {
  it.each([
    ['is down', (response: ServerResponse): void => void response.destroy(), 'unavailable refused'],
    ['says no', (response: ServerResponse): void => void response.writeHead(401).end('{}'), 'unavailable refused'],
    ['leads elsewhere', (response: ServerResponse): void => void response.writeHead(302, { location: '/' }).end(), 'unavailable refused'],
    ['says NaN', (response: ServerResponse): void => void response.end('{"data":[{"embedding":[NaN,0,0]}]}'), 'unavailable refused'],
    [
      'has another dimension now',
      (response: ServerResponse): void => void response.end('{"data":[{"embedding":[1,0]}]}'),
      'wrong_dimension refused',
    ],
    ['never ends', (response: ServerResponse): void => void response.write('{"data":['), 'unavailable refused'],
    ['says too much', (response: ServerResponse): void => void response.end(Buffer.alloc(10_485_761, 0x20)), 'unavailable refused'],
  ])('%s', async (...[, failing, said]) => {
    unwrap(await runtime.policy.set(policyOf('    async: {timeout_ms: 300}\n')));
    answer = failing;
    const refused = await act(runtime, caller, note('milk'));
    expect([spiderOf(refused), refused.verdict.decision]).toEqual([said, 'deny']);
    expect(JSON.stringify(refused.verdict)).not.toContain(url);
  });
});

describe('POL-182 put in force', () => {
  const codeOf = async (source: string): Promise<string> => {
    const set = await runtime.policy.set(source);
    return set.ok ? 'in force' : set.error.code;
  };

  it('only where the vectors of the server are those of the database; the policy before it stays', async () => {
    const before = runtime.policy.engineFor('')?.inputs.policy;
    answer = (response): void => void response.end('{"data":[{"embedding":[1,0]}]}');
    const refused = await runtime.policy.set(policyOf());
    expect(refused).toMatchObject({
      ok: false,
      error: {
        code: 'policy_embedding_dimension',
        path: 'guards.spider_sense.embedding_model',
        message: expect.stringContaining('2 numbers'),
      },
    });
    expect(await runtime.policy.compile(policyOf())).toMatchObject({ ok: false, error: { code: 'policy_embedding_dimension' } });
    answer = (response): void => void response.writeHead(503).end();
    expect(await codeOf(policyOf())).toBe('outside_unreachable');
    expect(runtime.policy.engineFor('')?.inputs.policy).toBe(before);
    expect(runtime.store.activePolicy()?.name).not.toBe('screened');
    answer = works;
    expect([await codeOf(policyOf()), runtime.store.activePolicy()?.name]).toEqual(['in force', 'screened']);
  });

  it('not where a secret, a file or a safe address is missing', async () => {
    expect(await codeOf(policyOf().replace('SPIDER_SENSE_EMBEDDING_KEY', 'SPIDER_SENSE_OTHER'))).toBe('policy_secret_missing');
    expect(await codeOf(policyOf().replace(url, 'http://models.example/v1/embeddings'))).toBe('policy_endpoint');
    expect(await codeOf(policyOf().replace('db.json', 'none.json'))).toBe('policy_pattern_db');
    expect(await codeOf(policyOf().replace('db.json', '.'))).toBe('policy_pattern_db');
    expect(await codeOf('extends: spider-sense\n')).toBe('policy_required');
    expect(seen).toEqual([]);
  });

  it('at a start: a server that is down leaves the guard to say so, one of another dimension has everything denied', async () => {
    unwrap(await runtime.policy.set(policyOf()));
    await runtime.close();
    const warnings: string[] = [];
    const reopen = async (): Promise<void> => {
      runtime = await openIn(dataDir, { environment, warn: (message) => void warnings.push(message) });
    };
    answer = (response): void => void response.writeHead(500).end();
    await reopen();
    expect([runtime.policy.problem, await decide('milk')]).toEqual([undefined, 'unavailable refused']);
    answer = works;
    expect(await decide('milk')).toBe('allowed passes');
    await runtime.close();
    answer = (response): void => void response.end('{"data":[{"embedding":[1,0]}]}');
    await reopen();
    expect(runtime.policy.problem).toContain('vectors of 2 numbers');
    const { verdict } = await act(runtime, caller, note('milk'));
    expect([verdict.decision, verdict.by]).toEqual(['deny', 'pipeline']);
    expect(warnings).toHaveLength(2);
  });

  it('the built-in ruleset takes all of it from the operator', async () => {
    await runtime.close();
    const named = {
      ...environment,
      SPIDER_SENSE_EMBEDDING_URL: url,
      SPIDER_SENSE_EMBEDDING_MODEL: 'small',
      SPIDER_SENSE_PATTERN_DB: 'db.json',
      SPIDER_SENSE_PATTERN_DB_VERSION: '1',
      SPIDER_SENSE_PATTERN_DB_CHECKSUM: sha256Hex(PATTERNS),
    };
    runtime = await openIn(dataDir, { environment: named });
    unwrap(await runtime.policy.set('extends: spider-sense\nname: own\nsettings: {unregistered_tools: warn}\nversion: "1.3.0"\n'));
    expect([await decide('milk'), await decide('harvest')]).toEqual(['allowed passes', 'pattern_match refused']);
  });
});
