/** `verify --page`: the built page as a file. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERIFY_PAGE } from '@countersign/verifier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

const TOOL = fileURLToPath(new URL('../../verifier/tools/build-page.mjs', import.meta.url));

let world: FakeWorld;
beforeAll(() => {
  expect(spawnSync(process.execPath, [TOOL], { encoding: 'utf8' }).stderr).toBe('');
  world = fakeWorld();
});
afterAll(() => world.remove());

describe('verify --page', () => {
  it('writes the page as it was built, and says which it is', async () => {
    const { exitCode, answer } = await world.ask(['verify', '--page', 'page.html']);
    const bytes = readFileSync(join(world.root, 'page.html'));
    expect(bytes).toEqual(readFileSync(VERIFY_PAGE));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect([exitCode, answer]).toEqual([0, expect.objectContaining({ file: 'page.html', bytes: bytes.length, sha256 })]);
  });

  it('replaces nothing, and says where it cannot write', async () => {
    writeFileSync(join(world.root, 'mine.html'), 'mine');
    const there = await world.run(['verify', '--page', 'mine.html']);
    expect([there.exitCode, there.stderr]).toEqual([3, expect.stringContaining('file_exists')]);
    expect(readFileSync(join(world.root, 'mine.html'), 'utf8')).toBe('mine');
    const nowhere = await world.run(['verify', '--page', 'no/such/folder/page.html']);
    expect([nowhere.exitCode, nowhere.stderr]).toEqual([3, expect.stringContaining('file_unwritable')]);
  });

  it.each([[['verify']], [['verify', 'receipt.json', '--page', 'other.html']]])('%j ends with 5 and writes nothing', async (args) => {
    const { exitCode, stderr } = await world.run(args);
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('invalid_arguments')]);
    expect(() => readFileSync(join(world.root, 'other.html'))).toThrow('ENOENT');
  });
});
