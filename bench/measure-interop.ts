/**
 * @module A log of a million entries on disk, read whole by the public Go tools for C2SP tlog-tiles (test/interop/go-tiles): how long
 * each takes, and whether it accepts the log with every entry as it was appended.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner, noteVerifierKey, sha256 } from '@countersign/crypto';
import { type Log, openLog } from '@countersign/log';
import { openDiskLogStorage } from '@countersign/store';
import { buildGoTools, missingGo, runTool, type Tool, TOOLS } from '../test/interop/go-tools.ts';
import { type BenchRow, round } from './bench-rows.ts';

const ORIGIN = 'bench.countersign.example/interop';
const ENTRIES = 1_000_000;
const ENTRY_BYTES = 900;
/** Appends under way at once; less than the queue holds. */
const IN_FLIGHT = 8000;

const NAMES: Readonly<Record<Tool, string>> = {
  fsck: 'Tessera 1.0.4 fsck: every tile rebuilt from the bundles and compared',
  client: 'Tessera 1.0.4 client: every entry against its leaf, proofs of a sample',
  torchwood: 'torchwood 0.9.0 client: every entry, tlog-proofs of a sample',
  sumdb: 'x/mod 0.33.0 sumdb/tlog: every entry, proofs of a sample',
};

/** A line of its own and filling that gzip cannot take away whole. */
function entryOf(n: number): Uint8Array {
  const bytes = Buffer.alloc(ENTRY_BYTES, 0x61);
  bytes.write(`${n} ${createHash('sha256').update(String(n)).digest('base64')}`);
  return new Uint8Array(bytes);
}

function addTo(digest: Hash, entry: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(entry.length);
  digest.update(length).update(entry);
}

interface Built {
  readonly directory: string;
  readonly vkey: string;
  readonly size: number;
  readonly root: string;
  /** SHA-256 over all entries, as the Go tools report it. */
  readonly entries: string;
  readonly seconds: number;
}

async function appendAll(log: Log): Promise<string> {
  const digest = createHash('sha256');
  const waiting: Promise<void>[] = [];
  for (let n = 0; n < ENTRIES; n += 1) {
    const entry = entryOf(n);
    addTo(digest, entry);
    waiting.push(log.append({ entry, attachments: [] }).durable);
    if (waiting.length === IN_FLIGHT) await Promise.all(waiting.splice(0, IN_FLIGHT / 2));
  }
  await Promise.all(waiting);
  return digest.digest('hex');
}

async function build(directory: string): Promise<Built> {
  const signer = createSigner(sha256('bench interop'));
  const startedAt = performance.now();
  const storage = await openDiskLogStorage({ directory, durability: 'synced' });
  const log = await openLog({ storage, origin: ORIGIN, noteSigner: { name: ORIGIN, signer } });
  try {
    const entries = await appendAll(log);
    const { size, root } = await log.whenPublished(ENTRIES - 1);
    const seconds = (performance.now() - startedAt) / 1000;
    const vkey = noteVerifierKey(ORIGIN, signer.publicKey);
    return { directory: join(directory, 'public'), vkey, size, root: Buffer.from(root).toString('base64'), entries, seconds };
  } finally {
    await log.close();
  }
}

async function publishedBytes(folder: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  let bytes = 0;
  for (const entry of entries) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return { files: entries.length, bytes };
}

async function toolRow(tool: Tool, built: Built, program: string): Promise<BenchRow> {
  process.stderr.write(`  ${tool} over ${built.size} entries\n`);
  const startedAt = performance.now();
  const { report, refusal } = await runTool({ program }, tool, [built.directory, built.vkey]);
  const seconds = round((performance.now() - startedAt) / 1000);
  const { size, root, entries, proofs = 0 } = report ?? {};
  const isSame = size === built.size && root === built.root && (tool === 'fsck' || entries === built.entries);
  const perSecond = Math.round(built.size / seconds);
  return {
    area: 'interop',
    name: NAMES[tool],
    target: tool === 'fsck' ? 'accepts the log' : 'accepts the log, every entry equal',
    measured: isSame
      ? `accepted in ${seconds} s (${perSecond} entries/s)${proofs === 0 ? '' : `, ${proofs} proofs`}`
      : refusal || 'what it read is not what was appended',
    met: isSame,
    figures: { seconds, perSecond, proofs },
  };
}

function notMeasured(why: string): BenchRow {
  return { area: 'interop', name: 'public Go tools', target: 'accept the log', measured: `not here: ${why}`, met: null, figures: {} };
}

/** Rows of the Go tools, over a log in a fresh directory: some 2 GB, removed afterwards. */
export async function measureInterop(): Promise<BenchRow[]> {
  const missing = missingGo();
  if (missing !== undefined) return [notMeasured(missing)];
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-interop-'));
  try {
    const program = join(folder, 'go-tiles');
    buildGoTools(program);
    process.stderr.write(`  building a log of ${ENTRIES} entries\n`);
    const built = await build(join(folder, 'log'));
    const { files, bytes } = await publishedBytes(built.directory);
    const rows: BenchRow[] = [
      {
        area: 'interop',
        name: `log of ${built.size} entries of ${ENTRY_BYTES} bytes on disk, journal, tiles and checkpoints`,
        target: 'for comparison',
        measured: `${round(built.seconds)} s, ${files} published files, ${Math.round(bytes / 1e6)} MB`,
        met: null,
        figures: { seconds: round(built.seconds), entries: built.size, files, bytes },
      },
    ];
    for (const tool of TOOLS) rows.push(await toolRow(tool, built, program));
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
