import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { describe, expect, it } from 'vitest';
import { openEngineFile, openEngineStore, readEngineFile, readHostSets, RUNTIME_LIMITS, writeHostSet } from '../src/index.ts';
import { freshDirectory } from './directory.ts';

describe('engines', () => {
  it('names the built engine by the hash of its bytes, and runs it', async () => {
    const file = await readEngineFile();
    expect(file.hash).toBe(sha256Hex(file.bytes));
    const engine = await openEngineFile(file);
    const refused = engine.load({ policy: {}, rules: {} });
    expect(refused.ok).toBe(false);
  });

  it('keeps engines by hash, and refuses one that has changed', async () => {
    const directory = await freshDirectory();
    const store = await openEngineStore(directory);
    const bytes = new TextEncoder().encode('export const openEngine = 1;');
    const hash = sha256Hex(bytes);
    await store.keep({ hash, bytes });
    expect(await store.list()).toEqual([hash]);
    expect((await store.read(hash))?.bytes).toEqual(Buffer.from(bytes));
    expect(await store.read('f'.repeat(64))).toBeUndefined();
    expect(await store.read('../../etc/passwd')).toBeUndefined();
    await writeFile(join(directory, 'engines', `${hash}.mjs`), 'other');
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'engine_corrupt' });
  });

  it('says what a file that is no engine is', async () => {
    const bytes = new TextEncoder().encode('export const nothing = 1;');
    await expect(openEngineFile({ hash: sha256Hex(bytes), bytes })).rejects.toMatchObject({ code: 'engine_invalid' });
    await expect(readEngineFile(join(await freshDirectory(), 'none.mjs'))).rejects.toMatchObject({ code: 'engine_missing' });
  });
});

describe('host sets', () => {
  it('are written whole, read back, and are none where nothing was written', async () => {
    const path = join(await freshDirectory(), 'config', 'host-sets.json');
    expect(readHostSets(path)).toEqual({});
    writeHostSet('package-registries', ['registry.example.org', '*.example.com'], path);
    writeHostSet('own', ['a.example'], path);
    expect(readHostSets(path)).toEqual({ 'package-registries': ['registry.example.org', '*.example.com'], own: ['a.example'] });
    expect(await readdir(join(path, '..'))).toEqual(['host-sets.json']);
  });

  it.each([
    ['a name with a slash', 'a/b', ['x.example']],
    ['an upper-case host', 'a', ['X.example']],
    ['a URL', 'a', ['https://x.example/']],
    ['a wildcard in the middle', 'a', ['x.*.example']],
    ['one host too many', 'a', Array.from({ length: RUNTIME_LIMITS.hostSetHostsMax + 1 }, (_, n) => `h${n}.example`)],
  ])('refuse %s', async (_, name, hosts) => {
    const path = join(await freshDirectory(), 'host-sets.json');
    expect(() => writeHostSet(name, hosts, path)).toThrow(expect.objectContaining({ code: 'host_sets_invalid' }));
    expect(readHostSets(path)).toEqual({});
  });

  it('take as many hosts as the limit says', async () => {
    const path = join(await freshDirectory(), 'host-sets.json');
    const hosts = Array.from({ length: RUNTIME_LIMITS.hostSetHostsMax }, (_, n) => `h${n}.example`);
    expect(writeHostSet('a', hosts, path)['a']?.length).toBe(RUNTIME_LIMITS.hostSetHostsMax);
  });

  it.each(['[]', '{"a":1}', '{"a":["x"],"a":["y"]}', 'not json'])('refuse the file %s', async (text) => {
    const path = join(await freshDirectory(), 'host-sets.json');
    await writeFile(path, text);
    expect(() => readHostSets(path)).toThrow(expect.objectContaining({ code: 'host_sets_invalid' }));
  });
});
