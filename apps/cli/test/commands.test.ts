import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { BUILTIN_RULESETS } from '@countersign/policy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS, GROUPS } from '../src/commands.ts';
import { completionTree } from '../src/commands/completions.ts';
import { CLI_LIMITS } from '../src/limits.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

const PATHS = COMMANDS.map(({ path }) => path);

describe('every command', () => {
  it('stands in the table once, under a group that exists', () => {
    expect(new Set(PATHS).size).toBe(PATHS.length);
    const groups = GROUPS.map(([name]) => name);
    for (const path of PATHS.filter((one) => one.includes(' '))) expect(groups).toContain(path.split(' ')[0]);
  });

  it.each(PATHS)('%s explains itself, with an example of itself', async (path) => {
    const { exitCode, stdout } = await world.run([...path.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: countersign');
    expect(stdout).toContain('--json');
    expect(stdout).toMatch(new RegExp(`Examples:[^]*\\$ .*countersign ${path}`));
  });

  it.each(PATHS)('%s refuses an option nobody knows with exit 5, in words and in JSON', async (path) => {
    const plain = await world.run([...path.split(' '), '--no-such-option']);
    expect(plain.exitCode).toBe(5);
    expect(plain.stderr).toContain(`countersign ${path} --help`);
    const { exitCode, answer } = await world.ask([...path.split(' '), '--no-such-option']);
    expect(exitCode).toBe(5);
    expect(answer).toMatchObject({ version: 1, command: path, exit_code: 5, error: { kind: 'invalid_arguments' } });
  });
});

describe('what was typed wrong', () => {
  it.each([['foo'], ['policy', 'lst'], ['verify'], ['rules', 'show'], ['hosts', 'set'], ['completions', 'bash', 'extra']])(
    '%s %s ends with 5',
    async (...args) => {
      const { exitCode, stderr } = await world.run(args);
      expect(exitCode).toBe(5);
      expect(stderr).toMatch(/^error: .*\(invalid_arguments\)\n {2}try: countersign/);
    },
  );

  it('suggests the command that was meant', async () => {
    expect((await world.run(['policy', 'lst'])).stderr).toContain('list');
    expect((await world.run(['veriffy'])).stderr).toContain('verify');
  });

  it('a group alone shows what is below it, and is an error', async () => {
    const { exitCode, stderr } = await world.run(['policy']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('validate');
  });

  it('help that was asked for is none', async () => {
    expect((await world.run(['--help'])).exitCode).toBe(0);
    expect((await world.run(['help', 'verify'])).exitCode).toBe(0);
  });
});

describe('colour', () => {
  const list = ['policy', 'list'];
  it('on a terminal only, and not where NO_COLOR or --no-color says so', async () => {
    const escape = '\u001b[';
    expect((await world.run(list, { terminal: true })).stdout).toContain(escape);
    expect((await world.run(list)).stdout).not.toContain(escape);
    expect((await world.run(list, { terminal: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(escape);
    expect((await world.run([...list, '--no-color'], { terminal: true })).stdout).not.toContain(escape);
    expect((await world.run([...list, '--json'], { terminal: true })).stdout).not.toContain(escape);
  });
});

describe('hosts', () => {
  it('writes the user-level configuration only, for its owner only, and reads it back', async () => {
    const own = fakeWorld();
    try {
      expect((await own.run(['hosts', 'list'])).stdout).toContain('no host sets');
      const set = await own.ask(['hosts', 'set', 'package-registries', 'registry.example', '*.packages.example']);
      expect(set).toMatchObject({
        exitCode: 0,
        answer: { command: 'hosts set', sets: { 'package-registries': ['registry.example', '*.packages.example'] } },
      });
      const file = join(own.home, '.config', 'countersign', 'host-sets.json');
      expect(statSync(file).mode & 0o077).toBe(0);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ 'package-registries': ['registry.example', '*.packages.example'] });
      expect((await own.run(['hosts', 'list'])).stdout).toContain('@package-registries  registry.example *.packages.example');
      expect(await own.ask(['hosts', 'set', 'package-registries'])).toMatchObject({ answer: { sets: { 'package-registries': [] } } });
    } finally {
      own.remove();
    }
  });

  it.each([
    ['Upper', 'a.example'],
    ['ok', 'https://a.example'],
    ['ok', 'A.EXAMPLE'],
    ['../etc', 'a.example'],
  ])('refuses set %s with host %s: exit 3', async (name, host) => {
    const { exitCode, stderr } = await world.run(['hosts', 'set', name, host]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('host_sets_invalid');
  });
});

describe('policy', () => {
  it('lists the rulesets with their hashes', async () => {
    const { exitCode, answer } = await world.ask(['policy', 'list']);
    expect(exitCode).toBe(0);
    const names = (answer['policies'] as { name: string; hash: string }[]).map(({ name }) => name);
    expect(names).toEqual(BUILTIN_RULESETS);
    expect(names).toEqual(expect.arrayContaining(['default', 'strict', 'hipaa-strict', 'pci-default', 'soc2-default']));
  });

  it('shows a ruleset as written and resolved', async () => {
    expect((await world.run(['policy', 'show', 'default'])).stdout).toMatch(/^version: /m);
    const resolved = JSON.parse((await world.run(['policy', 'show', 'default', '--resolved'])).stdout) as { format: string };
    expect(resolved.format).toBe('countersign.policy.v1');
  });

  it('takes a good document from standard input', async () => {
    const input = 'version: 1.2.0\nname: mine\nextends: default\n';
    const { exitCode, stdout } = await world.run(['policy', 'validate', '-'], { input });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/name +mine/)]);
  });

  it('names every fault of a bad one with its place, exit 3', async () => {
    const file = join(world.root, 'bad.yaml');
    writeFileSync(file, 'version: 9.9.9\nname: bad\nguards:\n  forbidden_pth:\n    enabled: yes please\n');
    const { exitCode, stderr } = await world.run(['policy', 'validate', 'bad.yaml']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/bad\.yaml:1:\d+: /);
    expect(stderr).toMatch(/bad\.yaml:4:\d+: .*forbidden_path/s);
    const { answer } = await world.ask(['policy', 'validate', 'bad.yaml']);
    expect((answer['errors'] as unknown[]).length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['there is none', 'nowhere.yaml', 'no such file'],
    ['it is a directory', 'folder', 'directory'],
  ])('a file of which %s is exit 3', async (_name, file, message) => {
    mkdirSync(join(world.root, 'folder'), { recursive: true });
    const { exitCode, stderr } = await world.run(['policy', 'validate', file]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(message)]);
  });

  it('a file has a largest size, at n and n + 1', async () => {
    const comment = (bytes: number): string => `#${'x'.repeat(bytes - 1)}`;
    expect(CLI_LIMITS.fileBytesMax).toBe(33_554_432);
    const [most, over] = [comment(CLI_LIMITS.fileBytesMax), comment(CLI_LIMITS.fileBytesMax + 1)];
    const vkey = noteVerifierKey('example.org/log', createSigner(new Uint8Array(32).fill(1)).publicKey);
    const verify = ['verify', '-', '--key', vkey];
    expect(await world.run(verify, { input: most })).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('not strict JSON') });
    const refused = { exitCode: 3, stderr: expect.stringContaining('file_too_large') };
    for (const command of [verify, ['policy', 'validate', '-']]) expect(await world.run(command, { input: over })).toMatchObject(refused);
  });

  it('text that is not UTF-8 is exit 3', async () => {
    const stdin = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array([0xff, 0xfe, 0x00]));
    expect(await world.run(['policy', 'validate', '-'], { stdin })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('file_not_text'),
    });
  });
});

describe('completions', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s name every command', async (shell) => {
    const { exitCode, stdout } = await world.run(['completions', shell]);
    expect(exitCode).toBe(0);
    for (const word of new Set(PATHS.flatMap((path) => path.split(' ')))) expect(stdout).toContain(word);
  });

  it('knows what follows each word', () => {
    const tree = completionTree(['a b', 'a c', 'd']);
    expect(Object.fromEntries(tree)).toEqual({ '': ['a', 'd'], a: ['b', 'c'] });
  });

  it('for another shell are none', async () => {
    expect(await world.run(['completions', 'constructor'])).toMatchObject({ exitCode: 5 });
  });
});
