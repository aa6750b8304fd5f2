/** `countersign explain` for people and machines; what it says of dressed-up commands is tested in the judge. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;

beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

describe('VER-061 explain for people', () => {
  it('says what was understood, what was found, and what would be allowed', async () => {
    const { exitCode, stdout } = await world.run(['explain', 'git status && rm -rf /']);
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^DENY {2}risk 0\.\d\d/);
    expect(stdout).toContain('understood\n  command  git status');
    expect(stdout).toContain('found\n  R009');
    expect(stdout).toContain('nearest change that would be allowed\n  use `./build` instead of `/`\n  then: git status && rm -rf ./build');
  });

  it('reads other kinds of action, and standard input', async () => {
    const { exitCode, stdout } = await world.run(['explain', '--as', 'sql', '-'], { input: 'DELETE FROM users' });
    expect(exitCode).toBe(2);
    expect(stdout).toContain('statement  delete users');
    expect(stdout).toContain('then: DELETE FROM users WHERE id = 1');
  });

  it('does not repeat a secret that it would take out', async () => {
    const token = ['gh', 'p_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'].join('');
    const { stdout } = await world.run(['explain', '--as', 'output', `the key is ${token}`]);
    expect(stdout).toContain('secret');
    expect(stdout.slice(stdout.indexOf('nearest change'))).not.toContain(token);
  });

  it('takes a kind that it does not know for a mistake, and names those there are', async () => {
    const { exitCode, stderr } = await world.run(['explain', '--as', 'poem', 'x']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('--as shell');
  });
});
