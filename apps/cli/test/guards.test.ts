import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeWorld } from './fake-world.ts';

const world = fakeWorld();
afterAll(() => world.remove());
const EXAMPLE = new URL('../../../examples/guards/change-freeze', import.meta.url).pathname;
const copy = (name: string): string => {
  cpSync(EXAMPLE, join(world.root, name), { recursive: true });
  return join(world.root, name);
};

describe('POL-195 guard packages on the command line', () => {
  it('are inspected, with the entry that a policy needs', async () => {
    const { exitCode, answer } = await world.ask(['guard', 'inspect', EXAMPLE]);
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({
      name: 'change-freeze',
      version: '1.0.0',
      guards: [{ name: 'change-freeze', handles: ['file_write', 'patch', 'shell_command'] }],
      capabilities: [],
      memoryMb: 4,
    });
    const { stdout } = await world.run(['guard', 'inspect', EXAMPLE]);
    expect(stdout).toContain(`sha256: ${String(answer['sha256'])}`);
    const entry = stdout.slice(stdout.indexOf('guards:'));
    writeFileSync(join(world.root, 'own.yaml'), `extends: permissive\n${entry}`);
    const valid = await world.ask(['policy', 'validate', 'own.yaml']);
    expect(valid).toMatchObject({ exitCode: 0, answer: { guards: expect.arrayContaining(['change-freeze']) } });
  });

  it('are installed as a whole, and not over another unless that was said', async () => {
    const folder = copy('mine');
    writeFileSync(join(folder, 'notes.txt'), 'not part of it');
    const { exitCode, answer } = await world.ask(['guard', 'install', 'mine']);
    expect(exitCode).toBe(0);
    const path = String(answer['path']);
    expect(readFileSync(join(path, 'guard.wasm')).equals(readFileSync(join(EXAMPLE, 'guard.wasm')))).toBe(true);
    expect(existsSync(join(path, 'notes.txt'))).toBe(false);
    expect((await world.ask(['guard', 'inspect', path])).answer['sha256']).toBe(answer['sha256']);
    const again = await world.run(['guard', 'install', 'mine']);
    expect([again.exitCode, again.stderr.includes('--force')]).toEqual([3, true]);
    const manifest = join(folder, 'clawdstrike.plugin.toml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"1.0.0"', '"1.0.1"'));
    const replaced = await world.ask(['guard', 'install', 'mine', '--force']);
    expect([replaced.exitCode, replaced.answer['version']]).toEqual([0, '1.0.1']);
    expect((await world.ask(['guard', 'inspect', path])).answer['version']).toBe('1.0.1');
  });

  it('that are none are refused by what is wrong, and nothing is installed', async () => {
    const folder = copy('broken');
    const module = readFileSync(join(folder, 'guard.wasm'));
    writeFileSync(join(folder, 'guard.wasm'), module.subarray(0, module.length - 3));
    for (const command of ['inspect', 'install']) {
      const { exitCode, stderr } = await world.run(['guard', command, 'broken']);
      expect([exitCode, stderr.includes('guard_module')]).toEqual([3, true]);
    }
    expect((await world.run(['guard', 'inspect', 'nowhere'])).stderr).toContain('guard_package_missing');
    expect((await world.run(['guard', 'inspect'])).exitCode).toBe(5);
  });
});
