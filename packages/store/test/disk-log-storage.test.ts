import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { openLog } from '@countersign/log';
import { logStorageContract } from '@countersign/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDiskLogStorage } from '../src/disk-log-storage.ts';

for (const durability of ['synced', 'fast'] as const) {
  logStorageContract(`LOG-062 disk, ${durability}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-log-'));
    return { open: () => openDiskLogStorage({ directory, durability }), remove: () => rm(directory, { recursive: true, force: true }) };
  });
}

describe('a directory', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'countersign-log-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('LOG-061 belongs to one opener at a time', async () => {
    const first = await openDiskLogStorage({ directory, durability: 'synced' });
    await expect(openDiskLogStorage({ directory, durability: 'synced' })).rejects.toMatchObject({ code: 'log_locked' });
    await first.close();
    const second = await openDiskLogStorage({ directory, durability: 'synced' });
    await second.close();
  });

  test('LOG-061 is refused to another process, and free again once its owner is gone', async () => {
    const storage = await openDiskLogStorage({ directory, durability: 'synced' });
    const script = `import { DatabaseSync } from 'node:sqlite'; const lock = new DatabaseSync(process.argv[1]); try { lock.exec('BEGIN EXCLUSIVE'); console.log('taken'); } catch { console.log('refused'); }`;
    const attempt = (): string =>
      execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, join(directory, 'lock')], {
        encoding: 'utf8',
      }).trim();
    expect(attempt()).toBe('refused');
    await storage.close();
    expect(attempt()).toBe('taken');
    const next = await openDiskLogStorage({ directory, durability: 'synced' });
    await next.close();
  });

  test('LOG-060 loses unfinished files at open', async () => {
    await mkdir(join(directory, 'tmp'));
    await writeFile(join(directory, 'tmp', '17'), 'half');
    const storage = await openDiskLogStorage({ directory, durability: 'fast' });
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    await storage.close();
  });

  test('with a segment missing is refused by its name', async () => {
    const storage = await openDiskLogStorage({ directory, durability: 'fast' });
    for (const segment of [0, 1, 2]) await storage.append(segment, 0, Uint8Array.of(segment));
    await rm(join(directory, 'journal', '0000000001.seg'));
    await expect(storage.segments()).rejects.toMatchObject({ code: 'log_segment_missing' });
    await storage.close();
  });

  test('LOG-025 LOG-060 holds a log that is whole after reopening, without leftovers of partial tiles', async () => {
    const origin = 'example.org/countersign/disk';
    const noteSigner = { name: origin, signer: createSigner(new Uint8Array(32).fill(3)) };
    const open = async (): ReturnType<typeof openLog> =>
      openLog({ storage: await openDiskLogStorage({ directory, durability: 'synced' }), origin, noteSigner });
    const first = await open();
    for (let i = 0; i < 300; i += 1) await first.append({ entry: new TextEncoder().encode(`entry ${i}`), attachments: [] }).durable;
    await first.close();
    const second = await open();
    expect(second.size).toBe(300);
    expect(new TextDecoder().decode((await second.readRecord(299)).entry)).toBe('entry 299');
    expect(second.checkpoint.size).toBe(300);
    await second.close();
    expect((await readdir(join(directory, 'public', 'tile', 'entries'))).sort()).toEqual(['000', '001.p']);
  });
});
