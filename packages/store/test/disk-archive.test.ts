import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openDiskArchive } from '../src/index.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'countersign-archive-'));
  folders.push(made);
  return made;
}

describe('LOG-070 an archive in a directory', () => {
  test('makes the directory for its owner only, keeps whole files, and leaves nothing unfinished', async () => {
    const path = join(await folder(), 'a', 'b');
    const archive = openDiskArchive(path);
    expect(await archive.read('manifest.json')).toBeUndefined();
    await archive.write('0000000000.seg', Uint8Array.of(1, 2, 3));
    await archive.write('0000000000.seg', Uint8Array.of(4));
    await archive.write('empty', new Uint8Array(0));
    expect((await readdir(path)).toSorted()).toEqual(['0000000000.seg', 'empty']);
    expect([...((await openDiskArchive(path).read('0000000000.seg')) ?? [])]).toEqual([4]);
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect((await stat(join(path, 'empty'))).mode & 0o077).toBe(0);
  });

  test('what an unfinished write left is written over', async () => {
    const path = await folder();
    await writeFile(join(path, 'x.tmp'), 'half of a file that is longer');
    await openDiskArchive(path).write('x', Uint8Array.of(1));
    expect([await readdir(path), [...((await openDiskArchive(path).read('x')) ?? [])]]).toEqual([['x'], [1]]);
  });

  test('says what the file system says, and takes no name that leads elsewhere', async () => {
    const path = join(await folder(), 'file');
    await writeFile(path, '');
    await expect(openDiskArchive(path).write('x', new Uint8Array(1))).rejects.toMatchObject({
      code: expect.stringMatching(/^E(?:EXIST|NOTDIR)$/),
    });
    await expect(openDiskArchive(path).read('x')).rejects.toMatchObject({ code: 'ENOTDIR' });
    for (const name of ['../x', 'a/b', '', '.x', 'x'.repeat(65)]) {
      await expect(openDiskArchive(await folder()).read(name)).rejects.toThrow('plain');
      await expect(openDiskArchive(await folder()).write(name, new Uint8Array(1))).rejects.toThrow('plain');
    }
  });
});
