import { createNoteVerifier, createVerifier, sha256, signNote } from '@countersign/crypto';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../src/checksum.ts';
import { frameBytes, writeFrame } from '../src/frame.ts';
import * as log from '../src/index.ts';
import {
  checkpointText,
  createMemoryDisk,
  createMemoryStorage,
  isPublishedPath,
  openCheckpoint,
  parseCheckpointText,
  tilePath,
  verifyConsistency,
  type LogStorage,
} from '../src/index.ts';
import { entriesOf, open, openOn, ORIGIN, signer, textOf, utf8, write } from './fixtures.ts';

test('the exports are a contract', () => {
  expect(Object.keys(log).sort()).toEqual([
    'CHECKPOINT_PATH',
    'EMPTY_TREE',
    'LOG_LIMITS',
    'MANIFEST_NAME',
    'TILE_FOLDER',
    'TILE_WIDTH',
    'WITNESS_BODY_BYTES_MAX',
    'WITNESS_PROOF_LINES_MAX',
    'addSignatures',
    'archiveSegments',
    'archivedName',
    'checkpointText',
    'cosignatureLine',
    'cosignatureSeconds',
    'cosignerKeyText',
    'createCosignerKey',
    'createFrontier',
    'createMemoryDisk',
    'createMemoryStorage',
    'createWitness',
    'emptyRoot',
    'fsckLog',
    'isPublishedPath',
    'leafHash',
    'nodeHash',
    'openCheckpoint',
    'openJournalReader',
    'openLog',
    'parseAddCheckpoint',
    'parseBundle',
    'parseCheckpointText',
    'parseCosignerKey',
    'parseTilePath',
    'readAnswer',
    'readManifest',
    'restoreSegments',
    'rootFromInclusion',
    'rootOf',
    'sameTree',
    'tilePath',
    'verifierOf',
    'verifyConsistency',
    'verifyInclusion',
  ]);
});

test('LOG-002 LOG-003 a frame is the bytes that the spec says', () => {
  const entry = Buffer.from('hello');
  const attachments = [Buffer.from('ab'), Buffer.alloc(0)];
  const u32 = (value: number): Buffer => Buffer.from([0, 0, 0, value]);
  const head = Buffer.concat([
    Buffer.from('CSJ1'),
    u32(4 + 1 + 8 + 1 + 5 + 2),
    Buffer.from([0, 1, 0, 0, 0, 2]),
    Buffer.from([0, 0, 0, 0, 0, 9]),
  ]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(head, 0, 20));
  const body = Buffer.concat([u32(5), Buffer.from([2]), u32(2), u32(0), Buffer.from([0]), entry, ...attachments]);
  const sum = sha256(Buffer.concat([head, crc, body])).subarray(0, 16);
  const written = new Uint8Array(frameBytes(entry, attachments));
  writeFrame(written, 0, { index: 2 ** 32 + 2, batch: 9, entry, attachments });
  expect(Buffer.from(written).toString('hex')).toBe(
    Buffer.concat([Buffer.from('CSJ1'), head.subarray(4, 8), Buffer.from([0, 1, 0, 0, 0, 2]), head.subarray(14), crc, body, sum]).toString(
      'hex',
    ),
  );
});

test('LOG-024 at every moment the tiles that the checkpoint needs are in place', async () => {
  const disk = createMemoryDisk();
  const inner = createMemoryStorage(disk);
  let checkpoints = 0;
  const storage: LogStorage = {
    ...inner,
    replaceFile: async (path, bytes) => {
      await inner.replaceFile(path, bytes);
      const size = parseCheckpointText((textOf(disk.files.get('checkpoint')).split('\n\n', 1)[0] ?? '') + '\n')?.size ?? 0;
      checkpoints += path === 'checkpoint' ? 1 : 0;
      for (let index = 0; index * 256 < size; index += 1) {
        const width = Math.min(256, size - index * 256);
        for (const level of [0, 'entries'] as const)
          expect([level, disk.files.has(tilePath({ level, index, width }))]).toEqual([level, true]);
      }
    },
  };
  const opened = await open({ storage });
  for (let i = 0; i < 530; i += 53)
    await write(
      opened,
      Array.from({ length: 53 }, (_, n) => `entry ${i + n}`),
    );
  await opened.close();
  expect(checkpoints).toBeGreaterThan(2);
});

describe('a checkpoint', () => {
  const root = new Uint8Array(32).fill(1);
  const good = checkpointText({ origin: ORIGIN, size: 12, root });

  test('LOG-020 is read back, with extension lines ignored', () => {
    expect(parseCheckpointText(good)).toEqual({ origin: ORIGIN, size: 12, root });
    expect(parseCheckpointText(`${good}extension\n`)).toEqual({ origin: ORIGIN, size: 12, root });
  });

  test.each([
    ['nothing', ''],
    ['no newline at the end', good.slice(0, -1)],
    ['no origin', good.replace(ORIGIN, '')],
    ['a size with a leading zero', good.replace('\n12\n', '\n012\n')],
    ['a negative size', good.replace('\n12\n', '\n-1\n')],
    ['a size beyond 2^53', good.replace('\n12\n', '\n9007199254740993\n')],
    ['a short root', `${ORIGIN}\n12\nAAAA\n`],
    ['a root that is not base64', `${ORIGIN}\n12\n${'*'.repeat(44)}\n`],
    ['an empty line', `${good}\nmore\n`],
  ])('with %s is none', (_what, text) => {
    expect(parseCheckpointText(text)).toBeUndefined();
  });

  test('must be a checkpoint, not only signed', () => {
    const verifier = createNoteVerifier(ORIGIN, createVerifier(signer.publicKey));
    const opened = openCheckpoint(signNote('hello\n', { name: ORIGIN, signer }), [verifier]);
    expect(opened.ok ? '' : opened.error.code).toBe('checkpoint_malformed');
    const note = signNote(good, { name: ORIGIN, signer });
    expect(openCheckpoint(note, [verifier])).toMatchObject({ ok: true, value: { size: 12, unverified: 0 } });
    const doubled = `${note}${note.split('\n').at(-2) ?? ''}\n`;
    expect(openCheckpoint(doubled, [verifier])).toMatchObject({ ok: true, value: { unverified: 1 } });
  });
});

test('LOG-021 tiles are named as tlog-tiles names them', () => {
  expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
  expect(tilePath({ level: 1, index: 999, width: 7 })).toBe('tile/1/999.p/7');
  expect(tilePath({ level: 'entries', index: 1000, width: 256 })).toBe('tile/entries/x001/000');
  expect(tilePath({ level: 2, index: 1_234_067, width: 255 })).toBe('tile/2/x001/x234/067.p/255');
  for (const index of [0, 999, 1000, 1_234_067])
    for (const width of [1, 256]) expect(isPublishedPath(tilePath({ level: 63, index, width }))).toBe(true);
});

test('a consistency proof may not go on behind the root', () => {
  const hash = new Uint8Array(32);
  expect(verifyConsistency({ oldSize: 1, oldRoot: hash, newSize: 2, newRoot: hash, proof: [hash, hash, hash] })).toBe(false);
});

test('records larger than one read are recovered, scanned and read', async () => {
  const disk = createMemoryDisk();
  const first = await openOn(disk);
  const attachment = new Uint8Array(3_000_001).fill(5);
  for (let i = 0; i < 3; i += 1) first.append({ entry: utf8(`large ${i}`), attachments: [attachment] });
  await write(first, ['small']);
  await first.close();
  const again = await openOn(disk);
  expect(await entriesOf(again)).toEqual(['large 0', 'large 1', 'large 2', 'small']);
  const record = await again.readRecord(1);
  expect([textOf(record.entry), record.attachments[0]?.length]).toEqual(['large 1', 3_000_001]);
  await again.close();
});

describe('recovery is linear', () => {
  /** Bytes and calls that opening this journal costs. */
  async function costOf(segment: Uint8Array): Promise<{ bytes: number; calls: number }> {
    const disk = createMemoryDisk();
    disk.segments.push(segment);
    const inner = createMemoryStorage(disk);
    const cost = { bytes: 0, calls: 0 };
    const storage: LogStorage = {
      ...inner,
      read: async (number, range) => {
        const found = await inner.read(number, range);
        cost.calls += 1;
        cost.bytes += found.length;
        return found;
      },
    };
    await (await open({ storage })).close();
    return cost;
  }

  test.each([65_536, 1_048_576])('over %i bytes of magic numbers where a frame should be', async (length) => {
    const { bytes, calls } = await costOf(Buffer.from('CSJ1'.repeat(length / 4)));
    expect(bytes).toBeLessThanOrEqual(2 * length + 65_536);
    expect(calls).toBeLessThanOrEqual(3);
  });

  test.each([65_536, 1_048_576])('over %i bytes of records', async (length) => {
    const disk = createMemoryDisk();
    const first = await openOn(disk);
    await write(
      first,
      Array.from({ length: length / 128 }, (_, i) => `entry ${i}`.padEnd(64)),
    );
    await first.close();
    const segment = disk.segments[0] ?? new Uint8Array(0);
    const { bytes, calls } = await costOf(segment);
    // The last segment is read twice, and each read may end in the middle of a frame that the next one begins with.
    expect(bytes).toBeLessThanOrEqual(2 * segment.length + calls * 256);
    expect(calls).toBeLessThanOrEqual(2 + segment.length / 500_000);
  });
});
