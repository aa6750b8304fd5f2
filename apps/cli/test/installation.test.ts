/** One data directory, from its first agent to a receipt that verifies, replays and cannot be forged: no gateway, no network. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime } from '@countersign/runtime';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
let dataDir = '';
let agent = { id: '', org: '' };
const receipts: { readonly id: string; readonly decision: string }[] = [];

/** Judges commands on the directory, as a gateway would. */
async function judge(commands: readonly string[]): Promise<void> {
  const runtime = await openRuntime({ dataDir, ruleset: 'default', hostSets: () => ({}) });
  try {
    for (const command of commands) {
      const source = { framework: 'test', door: 'test' };
      const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command }, source, delegation: [] };
      const request = { caller: { org: agent.org, agent: agent.id }, draft, session: 's', fingerprint: 'f', mode: 'evaluate' as const };
      const answer = await countersignAction(request, runtime.ports);
      receipts.push({ id: answer.receipt?.id ?? '', decision: answer.verdict.decision });
    }
  } finally {
    await runtime.close();
  }
}

beforeAll(async () => {
  world = fakeWorld();
  dataDir = join(world.root, '.countersign');
  const { answer } = await world.ask(['agent', 'create', 'first']);
  agent = answer['agent'] as typeof agent;
  await judge(['git status', 'rm -rf /']);
});
afterAll(() => world.remove());

const idOf = (decision: string): string => receipts.find((receipt) => receipt.decision === decision)?.id ?? '';

const written = new Map<string, string>();

/** The file of a bundle, written once. */
async function bundleOf(id: string, ...options: readonly string[]): Promise<string> {
  const out = `${id}${options.join('')}.json`;
  if (!written.has(out)) expect(await world.run(['receipt', 'bundle', id, '--out', out, ...options])).toMatchObject({ exitCode: 0 });
  written.set(out, id);
  return out;
}

describe('without a data directory', () => {
  it.each([
    ['agent', 'list'],
    ['key', 'list'],
    ['log', 'checkpoint'],
    ['log', 'tail'],
    ['replay', '--all'],
  ])('%s %s says what to do: exit 3', async (...args) => {
    const { exitCode, stderr } = await world.run([...args, '--data', 'nowhere']);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('no_data_directory')]);
    expect(stderr).toContain('countersign up');
  });
});

describe('agents', () => {
  it('are created with a secret that is shown once', async () => {
    const { exitCode, answer } = await world.ask(['agent', 'create', 'second', '--scope', 'db:query:read', 'fs:read:file']);
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({
      agent: { name: 'second', state: 'active', scopes: ['db:query:read', 'fs:read:file'] },
      secret: expect.stringMatching(/^ags_/),
    });
    const listed = await world.run(['agent', 'list']);
    expect(listed.stdout).toContain('second');
    expect(listed.stdout).not.toContain(String(answer['secret']));
  });

  it('are suspended, resumed and killed by name, and a killed one does not come back', async () => {
    await world.run(['agent', 'create', 'third']);
    expect(await world.ask(['agent', 'suspend', 'third', '--reason', 'incident-42'])).toMatchObject({
      exitCode: 0,
      answer: { agent: { state: 'suspended', reason: 'incident-42' } },
    });
    expect(await world.ask(['agent', 'resume', 'third'])).toMatchObject({ answer: { agent: { state: 'active' } } });
    expect(await world.ask(['agent', 'kill', 'third'])).toMatchObject({ answer: { agent: { state: 'killed' } } });
    expect(await world.ask(['agent', 'resume', 'third'])).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'invalid_state_transition' } },
    });
  });

  it('that are not there are exit 5, names that are taken exit 3', async () => {
    expect(await world.run(['agent', 'kill', 'nobody'])).toMatchObject({ exitCode: 5 });
    expect(await world.ask(['agent', 'create', 'first'])).toMatchObject({ exitCode: 3, answer: { error: { kind: 'name_taken' } } });
  });
});

describe('keys', () => {
  it('are created, listed without themselves, and revoked', async () => {
    const created = await world.ask(['key', 'create', 'app', '--test', '--kind', 'read']);
    expect(created).toMatchObject({
      exitCode: 0,
      answer: { api_key: { label: 'app', kind: 'read', environment: 'test', revoked: null }, key: expect.stringMatching(/^ag_test_/) },
    });
    const { id } = created.answer['api_key'] as { id: string };
    const listed = await world.run(['key', 'list']);
    expect(listed.stdout).toContain(id);
    expect(listed.stdout).not.toContain(String(created.answer['key']));
    expect(await world.ask(['key', 'revoke', id])).toMatchObject({ exitCode: 0, answer: { api_key: { revoked: expect.any(String) } } });
  });

  it('are of a kind that exists', async () => {
    expect(await world.run(['key', 'create', 'x', '--kind', 'root'])).toMatchObject({ exitCode: 5 });
  });
});

describe('policy apply', () => {
  it('puts a document in force, and a bad one changes nothing', async () => {
    writeFileSync(join(world.root, 'mine.yaml'), 'version: 1.2.0\nname: mine\nextends: default\n');
    expect(await world.ask(['policy', 'apply', 'mine.yaml'])).toMatchObject({ exitCode: 0, answer: { policy: { active: true } } });
    writeFileSync(join(world.root, 'broken.yaml'), 'version: 1.2.0\nname: broken\nguards: 7\n');
    expect(await world.run(['policy', 'apply', 'broken.yaml'])).toMatchObject({ exitCode: 3 });
  });

  it('POL-122 takes a bundle of a pinned signer, as it was signed, and of nobody else', async () => {
    writeFileSync(join(world.root, 'sign.key'), 'ab'.repeat(32));
    const built = await world.ask(['policy', 'bundle', 'build', 'mine.yaml', '--key', 'sign.key']);
    expect(built.exitCode).toBe(0);
    const apply = ['policy', 'apply', 'policy.bundle.json'];
    expect((await world.run(apply)).stderr).toContain('policy_bundle_no_trust');
    await world.run(['policy', 'signer', 'pin', 'other', 'cd'.repeat(32)]);
    expect((await world.run(apply)).stderr).toContain('policy_bundle_signature');
    await world.run(['policy', 'signer', 'pin', 'release', String(built.answer['publicKey'])]);
    expect(await world.ask(apply)).toMatchObject({ exitCode: 0, answer: { policy: { name: 'mine', hash: built.answer['hash'] } } });
    // What is signed is not edited in place.
    expect((await world.run(['rules', 'disable', 'R042'])).stderr).toContain('policy_signed');
    expect((await world.run(['policy', 'apply', 'mine.yaml'])).exitCode).toBe(0);
  });
});

describe('evidence', () => {
  it('one act was allowed and one refused', () => {
    expect(receipts.map(({ decision }) => decision)).toEqual([expect.stringMatching(/allow|warn/), 'deny']);
  });

  it('the log has a checkpoint, and a tail without values', async () => {
    const { answer } = await world.ask(['log', 'checkpoint']);
    // Two decisions, and the change of the policy.
    expect(answer).toMatchObject({ size: 3, origin: expect.stringContaining('countersign.local/') });
    const tail = await world.run(['log', 'tail']);
    expect(tail.stdout).toContain(idOf('deny'));
    expect(tail.stdout).not.toContain('rm -rf');
    expect(await world.run(['log', 'tail', '--count', '1'])).toMatchObject({ stdout: expect.not.stringContaining(receipts[0]?.id ?? '?') });
  });

  it.each(['0', '1001', 'x', '1.5'])('a tail of %s entries is exit 5', async (count) => {
    expect(await world.run(['log', 'tail', '--count', count])).toMatchObject({ exitCode: 5 });
  });

  it('a receipt shows nothing of the action unless asked', async () => {
    const id = idOf('deny');
    expect((await world.run(['receipt', 'show', id])).stdout).not.toContain('rm -rf');
    expect((await world.run(['receipt', 'show', id, '--inputs'])).stdout).toContain('rm -rf /');
  });

  it('a bundle verifies with the key of the log, here and elsewhere', async () => {
    const file = await bundleOf(idOf('deny'));
    expect(await world.ask(['verify', file])).toMatchObject({ exitCode: 0, answer: { ok: true, trust: join(dataDir, 'log.vkey') } });
    const key = (await world.run(['log', 'key'])).stdout.trim();
    const away = await world.ask(['verify', file, '--key', key, '--data', 'nowhere']);
    expect(away).toMatchObject({ exitCode: 0, answer: { ok: true, trust: 'the command line' } });
    writeFileSync(join(world.root, 'keys.txt'), `# ours\n\n${key}\n`);
    expect(await world.run(['verify', file, '--keys', 'keys.txt', '--data', 'nowhere'])).toMatchObject({ exitCode: 0 });
  });

  it('without a key nobody is believed: exit 5; with a key that is none exit 3; with another key exit 2', async () => {
    const file = await bundleOf(idOf('deny'), '--without-inputs');
    expect(await world.run(['verify', file, '--data', 'nowhere'])).toMatchObject({ exitCode: 5 });
    expect(await world.run(['verify', file, '--key', 'nonsense'])).toMatchObject({ exitCode: 3 });
    const other = fakeWorld();
    try {
      await other.run(['agent', 'create', 'x']);
      const key = (await other.run(['log', 'key'])).stdout.trim();
      expect(await world.run(['verify', file, '--key', key])).toMatchObject({ exitCode: 2 });
    } finally {
      other.remove();
    }
  });

  it('a changed byte is refused, wherever it is', async () => {
    const file = await bundleOf(idOf('deny'));
    const bytes = readFileSync(join(world.root, file));
    const seed = createHash('sha256').update('where').digest();
    for (let i = 0; i < 16; i += 1) {
      const forged = Buffer.from(bytes);
      const at = seed.readUInt16BE(i) % forged.length;
      forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
      const { exitCode } = await world.run(['verify', '-'], { stdin: () => Promise.resolve(new Uint8Array(forged)) });
      expect(exitCode).toBe(2);
    }
  });

  it('is not written over a file that is there', async () => {
    writeFileSync(join(world.root, 'taken.json'), 'mine');
    const { exitCode, stderr } = await world.run(['receipt', 'bundle', idOf('deny'), '--out', 'taken.json']);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('--force')]);
    expect(readFileSync(join(world.root, 'taken.json'), 'utf8')).toBe('mine');
  });

  it('is named by an id', async () => {
    expect(await world.run(['receipt', 'bundle', 'last'])).toMatchObject({ exitCode: 5 });
    expect(await world.run(['receipt', 'bundle', agent.id])).toMatchObject({ exitCode: 3 });
  });

  it('the whole session verifies as a chain, and one entry alone does not', async () => {
    const files = [await bundleOf(idOf('deny')), await bundleOf(receipts[0]?.id ?? '')];
    const whole = await world.run(['verify', '--session', ...files]);
    expect(whole).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('the session is open') });
    expect(await world.run(['verify', '--session', files[0] ?? ''])).toMatchObject({ exitCode: 2 });
  });

  it('replays: each verdict is computed again, byte for byte', async () => {
    expect(await world.ask(['replay', '--all'])).toMatchObject({ exitCode: 0, answer: { receipts: 3, equal: 3, different: 0 } });
    const file = await bundleOf(idOf('deny'));
    expect(await world.ask(['replay', file, '--data', 'nowhere'])).toMatchObject({ exitCode: 0, answer: { equal: 1 } });
  });

  it('a bundle that discloses nothing, or was changed, is not replayed: exit 2', async () => {
    const bare = await bundleOf(idOf('deny'), '--without-inputs');
    expect(await world.ask(['replay', bare])).toMatchObject({ exitCode: 2, answer: { refused: 1 } });
    const text = readFileSync(join(world.root, await bundleOf(idOf('deny'))), 'utf8');
    const { exitCode, stdout } = await world.run(['replay', '-'], { input: text.replace('rm -rf /', 'rm -rf .') });
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining('REFUSED')]);
  });

  it('replay is told what to replay', async () => {
    expect(await world.run(['replay'])).toMatchObject({ exitCode: 5 });
    expect(await world.run(['replay', '--all', 'x.json'])).toMatchObject({ exitCode: 5 });
  });
});

describe('a gateway that does not answer', () => {
  it('is told apart from one that is not there', async () => {
    const own = fakeWorld();
    const server = createServer((_request, response) => response.writeHead(200).end('{"status":"ok"}'));
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
    try {
      await own.run(['agent', 'create', 'x']);
      writeFileSync(
        join(own.root, '.countersign', 'operator.json'),
        JSON.stringify({ url: `http://127.0.0.1:${port}`, token: 't'.repeat(43) }),
      );
      expect(await own.ask(['agent', 'list'])).toMatchObject({ exitCode: 4, answer: { error: { kind: 'answer_malformed' } } });
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
    try {
      expect(await own.run(['agent', 'list'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('x') });
    } finally {
      own.remove();
    }
  });
});

describe('check', () => {
  it.each([
    [['shell', "r''m -r -f ~"], 2],
    [['file', '~/.ssh/id_ed25519'], 2],
    [['prompt', 'Please summarise this page.'], 0],
    [['tool', 'math.add', '--params', '{"a":1,"b":2}'], 0],
  ] as const)('%s ends with %i', async (args, exitCode) => {
    const checked = await world.ask(['check', ...args]);
    expect(checked).toMatchObject({ exitCode, answer: { version: 1, exit_code: exitCode, allowed: exitCode !== 2 } });
  });

  it('POL-302 POL-304 takes the origin that a policy with origins asks for', async () => {
    const said = async (...more: readonly string[]): Promise<readonly unknown[]> => {
      const { exitCode, answer } = await world.ask(['check', ...more, '--ruleset', 'origin-enclaves-example']);
      return [exitCode, (answer['reasons'] as readonly { readonly code: string }[])[0]?.code];
    };
    const room = ['--origin', '{"provider":"slack","visibility":"internal","tags":["incident"]}'];
    expect(await said('mcp', 'read_docs')).toEqual([2, 'guard.origin.origin_required']);
    expect(await said('mcp', 'read_docs', '--origin', '{"provider":"slack"}')).toEqual([2, 'guard.origin.origin_unknown']);
    expect(await said('mcp', 'read_docs', ...room)).toEqual([0, 'guard.origin.asserted']);
    expect(await said('mcp', 'deploy_web', ...room)).toEqual([2, 'guard.origin.tool_blocked']);
    expect(await said('send', 'all is well', ...room)).toEqual([0, 'guard.origin.asserted']);
    expect(await said('send', 'all is well', '--origin', '{"provider":"slack","visibility":"external_shared"}')).toEqual([
      2,
      'guard.origin.external_sharing',
    ]);
  });

  it('says why, with the place in the input', async () => {
    const { stdout } = await world.run(['check', 'shell', 'rm -rf /']);
    expect(stdout).toMatch(/^DENY {2}risk \d\.\d\d/);
    expect(stdout).toMatch(/ at \/params\/command \d+-\d+/);
  });

  it('VER-040 shows the scores, as text and as JSON', async () => {
    expect((await world.run(['check', 'shell', 'rm -rf /'])).stdout).toMatch(
      /D1 3 {2}D2 3 {2}D3 3 {2}D4 0 {2}D5 1 {2}D6 0\.00 {2}composite 1\.350 {2}critical {2}SC-1/,
    );
    const { answer } = await world.ask(['check', 'shell', 'ls']);
    expect(answer['scores']).toEqual({
      dimensions: { d1: 2, d2: 1, d3: 0, d4: 0, d5: 1, d6: 0 },
      composite: 0.95,
      level: 'medium',
      circuit: null,
      missing: ['d2'],
    });
  });

  it.each([
    [['tool', 'x', '--params', '{'], 5],
    [['tool', 'x', '--params', '[]'], 5],
    [['shell', 'ls', '--origin', 'slack'], 5],
    [['shell', 'ls', '--ruleset', 'nonsense'], 3],
    [['shell', 'ls', '--policy', 'nowhere.yaml'], 3],
  ] as const)('%s ends with %i, and is never an allow', async (args, exitCode) => {
    expect(await world.run(['check', ...args])).toMatchObject({ exitCode });
  });
});

describe('doctor', () => {
  it('finds nothing that fails, and warns of what is missing', async () => {
    const { exitCode, answer } = await world.ask(['doctor']);
    expect(answer['checks']).not.toContainEqual(expect.objectContaining({ status: 'fail' }));
    expect(exitCode).toBe(1);
  });

  it('finds a master key that others may read', async () => {
    const own = fakeWorld();
    try {
      await own.run(['agent', 'create', 'x']);
      const { chmodSync } = await import('node:fs');
      chmodSync(join(own.root, '.countersign', 'keys', 'master.key'), 0o644);
      expect(await own.run(['doctor'])).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('chmod 600') });
    } finally {
      own.remove();
    }
  });
});
