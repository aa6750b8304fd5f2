import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { createSigner, noteVerifierKey, signNote, type Signer } from '@countersign/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkpointText, createMemoryDisk, type MemoryDisk, parseCheckpointText, parseTilePath, tilePath } from '../src/index.ts';
import { openOn, ORIGIN, signer, utf8, write } from './fixtures.ts';
import { buildGoTools, type LogServer, missingGo, runTool, serveDirectory, type Tool, TOOLS } from '../../../test/interop/go-tools.ts';

/** Around every edge of tiles and levels. */
const SIZES = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000] as const;
const LARGEST = 70_000;
const VKEY = noteVerifierKey(ORIGIN, signer.publicKey);

const reason = missingGo();
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

const made = new Map<string, readonly string[]>();

/** Entries of both lengths that the format allows at most and at least, and of many between. */
function entriesOf(tag: string): readonly string[] {
  const known = made.get(tag);
  if (known !== undefined) return known;
  const entries = Array.from({ length: LARGEST }, (_, i) => {
    if (i === 300) return 'y'.repeat(65_535);
    return i % 1000 === 0 ? 'x'.repeat(i % 7000) : `${tag} ${i}`;
  });
  made.set(tag, entries);
  return entries;
}

function digestOf(entries: readonly string[]): string {
  const hash = createHash('sha256');
  const length = Buffer.alloc(4);
  for (const entry of entries) {
    const bytes = utf8(entry);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

let folder = '';
let program = '';
const folderOf = (size: number, tag = 'entry'): string => join(folder, `${tag}-${size}`);
const checkpointOf = (size: number): string => join(folderOf(size), 'checkpoint');

function store(directory: string, disk: MemoryDisk): void {
  for (const [path, bytes] of disk.files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** Grows one log through the sizes and keeps its published files at each. */
async function growLog(tag: string, sizes: readonly number[]): Promise<void> {
  const disk = createMemoryDisk();
  const log = await openOn(disk);
  const entries = entriesOf(tag);
  for (const size of sizes) {
    await write(log, entries.slice(log.size, size));
    if (size > 0) await log.whenPublished(size - 1);
    store(folderOf(size, tag), disk);
  }
  await log.close();
}

const servers: LogServer[] = [];
beforeAll(async () => {
  if (reason !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'countersign-go-tiles-'));
  program = join(folder, 'go-tiles');
  buildGoTools(program);
  await growLog('entry', SIZES);
  await growLog('other', [50_000, LARGEST]);
}, 120_000);
afterAll(() => {
  for (const server of servers) server.close();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

async function serve(directory: string): Promise<LogServer> {
  const server = await serveDirectory(directory);
  servers.push(server);
  return server;
}

describe.skipIf(reason !== undefined)(
  `LOG-020 LOG-021 LOG-022 LOG-023 LOG-026 the public Go tools accept what we publish, as files and over HTTP${skipped}`,
  () => {
    test.each(SIZES)('a log of %i entries, grown from every smaller one', async (size) => {
      const head = parseCheckpointText(`${readFileSync(checkpointOf(size), 'utf8').split('\n\n', 1)[0]}\n`);
      const root = Buffer.from(head?.root ?? []).toString('base64');
      const entries = digestOf(entriesOf('entry').slice(0, size));
      const older = SIZES.filter((smaller) => smaller <= size).map(checkpointOf);
      const server = await serve(folderOf(size));
      for (const log of [folderOf(size), server.address]) {
        const verdicts = await Promise.all(TOOLS.map((tool) => runTool({ program }, tool, [log, VKEY, ...older])));
        expect(verdicts.map(({ refusal }) => refusal)).toEqual(['', '', '', '']);
        for (const [i, { report }] of verdicts.entries()) {
          expect(report).toMatchObject({ tool: TOOLS[i], size, root, older: older.length });
          if (TOOLS[i] !== 'fsck') expect(report).toMatchObject({ entries, proofs: expect.any(Number) });
        }
      }
    });
  },
);

describe('LOG-021 LOG-022 LOG-025 the files that are published', () => {
  /** Full tiles and the partial one of a level, as tlog-tiles counts them. */
  const tilesOf = (level: number | 'entries', hashes: number): readonly string[] => {
    const full = Array.from({ length: Math.floor(hashes / 256) }, (_, index) => tilePath({ level, index, width: 256 }));
    return hashes % 256 === 0 ? full : [...full, tilePath({ level, index: full.length, width: hashes % 256 })];
  };

  test.each([
    [0, 0, 0],
    [1, 1, 1],
    [255, 1, 1],
    [256, 2, 1],
    [257, 3, 2],
    [65_535, 257, 256],
    [65_536, 258, 256],
    [65_537, 259, 257],
    // The example of tlog-tiles: 273 full and one partial tile, one full and one partial above, one partial at the top.
    [70_000, 277, 274],
  ])('of %i entries are %i tiles and %i bundles, none of them empty', async (size, tiles, bundles) => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    await write(log, entriesOf('entry').slice(0, Math.min(size, 65_536)), entriesOf('entry').slice(65_536, size));
    await log.close();
    const hashTiles = [0, 1, 2].flatMap((level) => tilesOf(level, Math.floor(size / 256 ** level)));
    const expected = ['checkpoint', ...hashTiles, ...tilesOf('entries', size)];
    expect([hashTiles.length, tilesOf('entries', size).length]).toEqual([tiles, bundles]);
    expect(expected.filter((path) => !disk.files.has(path))).toEqual([]);
    // What is there beside these are partial tiles of smaller sizes that were published, whose full ones are not there yet.
    const older = [...disk.files.keys()].filter((path) => !expected.includes(path));
    expect(older.filter((path) => !/\.p\/[0-9]+$/.test(path) || disk.files.has(path.replace(/\.p\/.*/, '')))).toEqual([]);
    for (const [path, bytes] of disk.files) {
      const tile = parseTilePath(path);
      if (tile !== undefined && tile.level !== 'entries') expect([path, bytes.length]).toEqual([path, tile.width * 32]);
      expect(path === 'checkpoint' || tile !== undefined).toBe(true);
    }
  });
});

/** What is done to a copy of the log of 70,000 entries, and how the tools call it. */
interface Damage {
  readonly what: string;
  readonly harm: (directory: string) => void;
  /** What each refusal has to say. */
  readonly named: RegExp;
  /** Checkpoints that are remembered. */
  readonly older?: () => readonly string[];
  /** Tools that can see it; all where left out. */
  readonly tools?: readonly Tool[];
}

function change(directory: string, path: string, edit: (bytes: Buffer) => Uint8Array): void {
  const file = join(directory, path);
  writeFileSync(file, edit(readFileSync(file)));
}

const flip =
  (at: number) =>
  (bytes: Buffer): Uint8Array => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };

function takeFrom(from: string, paths: Readonly<Record<string, string>>): (directory: string) => void {
  return (directory) => {
    const found = Object.entries(paths).map(
      ([to, path]) => [to, readFileSync(join(from === '' ? directory : folderOf(LARGEST, from), path))] as const,
    );
    for (const [to, bytes] of found) writeFileSync(join(directory, to), bytes);
  };
}

interface Forgery {
  readonly origin?: string;
  readonly size?: number;
  readonly name?: string;
  readonly by?: Signer;
}

/** Puts a checkpoint in place that says what it should not. */
function forge({ origin = ORIGIN, size = LARGEST, name = ORIGIN, by = signer }: Forgery): (directory: string) => void {
  return (directory) => {
    change(directory, 'checkpoint', (bytes) => {
      const head = parseCheckpointText(`${bytes.toString().split('\n\n', 1)[0]}\n`);
      return utf8(signNote(checkpointText({ origin, size, root: head?.root ?? new Uint8Array(32) }), { name, signer: by }));
    });
  };
}

const remove =
  (path: string) =>
  (directory: string): void =>
    rmSync(join(directory, path));
const FOLLOWERS: readonly Tool[] = ['client', 'torchwood', 'sumdb'];

const LEAVES = 'tile/0/100';
const BUNDLE = 'tile/entries/100';
const UNSIGNED = /no verifiable signatures/;
const BROKEN_SIGNATURE = /invalid signature for key/;

const TILE_DAMAGES: readonly Damage[] = [
  { what: 'one bit in a leaf hash', harm: (dir) => change(dir, LEAVES, flip(5)), named: /tile\/0\/100|entry 25600/ },
  {
    what: 'one bit in a tile above',
    harm: (dir) => change(dir, 'tile/1/000', flip(4097)),
    named: /tile\/1\/000|inclusion: entry 0:|inconsistent tile/,
  },
  {
    what: 'one bit in the partial tile of the edge',
    harm: (dir) => change(dir, 'tile/1/001.p/17', flip(0)),
    named: /tile\/1\/001\.p\/17|lead to root|inconsistent tile/,
  },
  {
    what: 'one bit in the partial leaf tile',
    harm: (dir) => change(dir, 'tile/0/273.p/112', flip(32 * 112 - 1)),
    named: /tile\/0\/273\.p\/112|lead to root|inconsistent tile/,
  },
  {
    what: 'a tile cut in half',
    harm: (dir) => change(dir, LEAVES, (bytes) => bytes.subarray(0, 4096)),
    named: /tile\/0\/100|only got 128 leaves|len=4096, want 8192/,
  },
  {
    what: 'a tile one byte short',
    harm: (dir) => change(dir, LEAVES, (bytes) => bytes.subarray(0, -1)),
    named: /tile\/0\/100|8191 is not a multiple of 32|len=8191, want 8192/,
  },
  { what: 'a tile of another log', harm: takeFrom('other', { [LEAVES]: LEAVES }), named: /tile\/0\/100|entry 25600/ },
  {
    what: 'a tile and its bundle of another log, which fit each other',
    harm: takeFrom('other', { [LEAVES]: LEAVES, [BUNDLE]: BUNDLE }),
    named: /tile\/[12]\/000|inclusion: .*entry 25600/,
  },
  {
    what: 'two tiles and their bundles in the place of each other',
    harm: takeFrom('', {
      [LEAVES]: 'tile/0/101',
      'tile/0/101': LEAVES,
      [BUNDLE]: 'tile/entries/101',
      'tile/entries/101': BUNDLE,
    }),
    named: /tile\/[12]\/000|inclusion: .*entry 25600/,
  },
  { what: 'a tile of another level', harm: takeFrom('', { [LEAVES]: 'tile/1/000' }), named: /tile\/0\/100|entry 25600/ },
  { what: 'a missing tile', harm: remove(LEAVES), named: /tile\/0\/100: no such file/ },
  { what: 'a missing tile above', harm: remove('tile/1/000'), named: /tile\/1\/000: no such file/ },
  {
    what: 'more damaged tiles than fsck has workers, where it would wait for ever',
    harm: (dir) => {
      for (let n = 100; n < 140; n += 1) change(dir, `tile/0/${n}`, flip(5));
    },
    tools: ['fsck'],
    named: /check: (?:stuck at tile\/0: \[100, |failed: tile\/[012]\/)/,
  },
];

const BUNDLE_DAMAGES: readonly Damage[] = [
  { what: 'one bit in an entry', harm: (dir) => change(dir, BUNDLE, flip(9)), named: /tile\/[012]\/|entry 25600/ },
  {
    what: 'one bit in the length of an entry',
    harm: (dir) => change(dir, BUNDLE, flip(1)),
    named: /require 12288 bytes|entry 25600/,
  },
  {
    what: 'a bundle one byte short',
    harm: (dir) => change(dir, BUNDLE, (bytes) => bytes.subarray(0, -1)),
    named: /require 11 bytes from byte index 3317|entry 25855/,
  },
  {
    what: 'a bundle without its last entry',
    harm: (dir) => change(dir, BUNDLE, (bytes) => bytes.subarray(0, -13)),
    named: /index out of range \[255\]|255 entries, want 256|unexpected end of tile data for tile 100|entry 25855 is cut off/,
  },
  {
    what: 'a bundle with one entry more, which Tessera does not look at',
    harm: (dir) => change(dir, BUNDLE, (bytes) => Buffer.concat([bytes, Buffer.from([0, 0])])),
    tools: ['torchwood', 'sumdb'],
    named: /leftover data in tile 100|left behind entry 25855/,
  },
  { what: 'a missing bundle', harm: remove(BUNDLE), named: /tile\/entries\/100: no such file/ },
];

const CHECKPOINT_DAMAGES: readonly Damage[] = [
  { what: 'no checkpoint', harm: remove('checkpoint'), named: /checkpoint: no such file/ },
  {
    what: 'a checkpoint of the future, whose tiles are missing',
    harm: forge({ size: LARGEST + 1 }),
    named: /tile\/(?:entries|0)\/273(?:\.p\/113)?: no such file/,
  },
  {
    what: 'a checkpoint of a future full of missing tiles',
    harm: forge({ size: 2 ** 40 }),
    named: /tile\/[0-9a-z]+\/(?:x\d\d\d\/)*\d\d\d(?:\.p\/\d+)?: no such file/,
  },
  { what: 'a checkpoint of a size with another root', harm: forge({ size: 256 * 273 }), named: /root|tile\/[12]\/|inconsistent tile/ },
  { what: 'a checkpoint by another key', harm: forge({ by: createSigner(new Uint8Array(32).fill(8)) }), named: UNSIGNED },
  { what: 'a checkpoint under another key name', harm: forge({ name: 'example.org/other' }), named: UNSIGNED },
  {
    what: 'a checkpoint of another origin, signed by our key',
    harm: forge({ origin: 'example.org/other' }),
    named: /example\.org\/other|only 1\/2 policy components/,
  },
  {
    what: 'one bit in the signature',
    harm: (dir) => change(dir, 'checkpoint', (bytes) => flip(bytes.length - 20)(bytes)),
    named: BROKEN_SIGNATURE,
  },
  { what: 'one bit in the root', harm: (dir) => change(dir, 'checkpoint', flip(ORIGIN.length + 12)), named: BROKEN_SIGNATURE },
  {
    what: 'fewer entries than are remembered',
    harm: (dir) => cpSync(folderOf(65_537), dir, { recursive: true }),
    older: () => [checkpointOf(LARGEST)],
    tools: FOLLOWERS,
    named: /rolled back: 70000 entries are remembered, the log shows 65537/,
  },
  {
    what: 'another past than is remembered',
    harm: (dir) => cpSync(folderOf(LARGEST, 'other'), dir, { recursive: true }),
    older: () => [checkpointOf(65_537)],
    tools: FOLLOWERS,
    named: /consistency check failed|consistency: invalid transparency proof/,
  },
  {
    what: 'another root of the size that is remembered',
    harm: (dir) => cpSync(folderOf(LARGEST, 'other'), dir, { recursive: true }),
    older: () => [checkpointOf(LARGEST)],
    tools: FOLLOWERS,
    named: /two roots of size 70000|consistency: invalid transparency proof/,
  },
];

const DAMAGES = [...TILE_DAMAGES, ...BUNDLE_DAMAGES, ...CHECKPOINT_DAMAGES];

function copyOf(directory: string): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(directory, copy, { recursive: true });
  return copy;
}

describe.skipIf(reason !== undefined)(`LOG-007 LOG-020 LOG-021 LOG-022 LOG-023 the public Go tools refuse by name${skipped}`, () => {
  test.each(DAMAGES)('$what', async ({ harm, named, older, tools = TOOLS }) => {
    const directory = copyOf(folderOf(LARGEST));
    harm(directory);
    const verdicts = await Promise.all(tools.map((tool) => runTool({ program }, tool, [directory, VKEY, ...(older?.() ?? [])])));
    for (const { refusal } of verdicts) expect.soft(refusal).toMatch(named);
    rmSync(directory, { recursive: true });
  });

  test('over HTTP as well', async () => {
    const directory = copyOf(folderOf(LARGEST));
    remove('tile/1/000')(directory);
    const { address } = await serve(directory);
    const verdicts = await Promise.all(TOOLS.map((tool) => runTool({ program }, tool, [address, VKEY])));
    for (const { refusal } of verdicts) expect.soft(refusal).toMatch(/tile\/1\/000.*(?:404|file does not exist)/);
  });
});

describe.skipIf(reason !== undefined)(`LOG-025 LOG-090 a reader that is slower than the log${skipped}`, () => {
  test('gets the partial tiles of its checkpoint over HTTP after the full ones have taken their place', async () => {
    const directory = copyOf(folderOf(257));
    cpSync(checkpointOf(255), join(directory, 'checkpoint'));
    const entries = digestOf(entriesOf('entry').slice(0, 255));
    const { address } = await serve(directory);
    const overHttp = await Promise.all(FOLLOWERS.map((tool) => runTool({ program }, tool, [address, VKEY])));
    for (const { report } of overHttp) expect.soft(report).toMatchObject({ size: 255, entries });
    // From a directory Tessera looks for the full tile by itself; torchwood and x/mod do not.
    const fromFiles = await Promise.all(FOLLOWERS.map((tool) => runTool({ program }, tool, [directory, VKEY])));
    expect(fromFiles.map(({ refusal }) => /\.p\/255: no such file/.test(refusal))).toEqual([false, true, true]);
    expect(fromFiles[0]?.report).toMatchObject({ size: 255, entries });
  });
});
