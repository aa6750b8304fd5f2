import { createSigner } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, openLog } from '@countersign/log';
import { describe, expect, it } from 'vitest';
import { CLI_LIMITS } from '../src/limits.ts';
import { checkpointSize, readCheckpoint, readEntries, type ReadPublished } from '../src/log-reader.ts';

const ORIGIN = 'log.example/test';

async function withLog(size: number, work: (read: ReadPublished) => Promise<void>): Promise<void> {
  const noteSigner = { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(7)) };
  const log = await openLog({ storage: createMemoryStorage(createMemoryDisk()), origin: ORIGIN, noteSigner });
  try {
    for (let i = 0; i < size; i += 1)
      log.append({ entry: new TextEncoder().encode(canonicalize({ body: { id: `e${i}` }, signatures: [] })), attachments: [] });
    if (size > 0) await log.whenPublished(size - 1);
    await work(async (path) => {
      const bytes = await log.readPublished(path);
      if (bytes === undefined) throw new Error(`${path} is not published`);
      return bytes;
    });
  } finally {
    await log.close();
  }
}

describe('reading a log from its published files', () => {
  it.each([
    [0, 0, 10, []],
    [3, 0, 10, ['e0', 'e1', 'e2']],
    [3, 2, 1, ['e2']],
    [3, 3, 1, []],
    [300, 254, 4, ['e254', 'e255', 'e256', 'e257']],
    [512, 510, 10, ['e510', 'e511']],
  ] as const)('of %i entries, from %i at most %i', async (...given) => {
    const [size, from, count, expected] = given;
    await withLog(size, async (read) => {
      expect(checkpointSize(await readCheckpoint(read))).toBe(size);
      const found = await readEntries(read, from, count);
      expect(found.map(({ entry }) => (entry['body'] as { id: string }).id)).toEqual(expected);
      expect(found.map(({ index }) => index)).toEqual(expected.map((_, i) => from + i));
    });
  });

  it('gives at most a page', async () => {
    await withLog(CLI_LIMITS.pageMax + 1, async (read) => {
      expect(await readEntries(read, 0, CLI_LIMITS.pageMax)).toHaveLength(CLI_LIMITS.pageMax);
      expect(await readEntries(read, 0, CLI_LIMITS.pageMax + 1)).toHaveLength(CLI_LIMITS.pageMax);
    });
  });

  it.each(['', 'origin', 'origin\n-1\n', 'origin\n01\n', 'origin\n1e3\n'])('refuses the checkpoint %j', (note) => {
    expect(() => checkpointSize(note)).toThrow(expect.objectContaining({ exitCode: 4 }));
  });

  it('refuses a bundle that is cut', async () => {
    await withLog(3, async (read) => {
      const cut: ReadPublished = async (path) => (path.startsWith('tile/entries') ? (await read(path)).slice(0, -1) : read(path));
      await expect(readEntries(cut, 0, 3)).rejects.toMatchObject({ exitCode: 4 });
    });
  });
});
