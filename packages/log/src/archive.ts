/**
 * @module Closed journal segments moved elsewhere and back (spec/log.md, LOG-070). What is published stays: the log is not pruned, and every
 * entry, proof and root can still be had; what goes is what was kept beside the entries. A segment is removed only after its copy was
 * read back and compared.
 */
import { sha256Hex } from '@countersign/crypto';
import { err, getOwn, isJsonObject, ok, parseJson, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import { logError } from './errors.ts';
import type { ClosedSegment } from './journal.ts';
import type { Log } from './log.ts';
import { TILE_WIDTH } from './tile-path.ts';

/** Where segments are moved to. A file that `write` has returned for survives a crash; it is there whole or not at all. */
export interface ArchiveStorage {
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

export interface ArchivedSegment {
  readonly segment: number;
  /** Records `[first, end)`. */
  readonly first: number;
  readonly end: number;
  readonly bytes: number;
  /** Lower-case hex of the whole file. */
  readonly sha256: string;
}

export interface ArchiveManifest {
  readonly type: typeof ARCHIVE_TYPE;
  /** Origin of the log. */
  readonly log: string;
  /** In order. */
  readonly segments: readonly ArchivedSegment[];
}

export const ARCHIVE_TYPE = 'countersign.archive.v1';
export const MANIFEST_NAME = 'manifest.json';
const MANIFEST_BYTES_MAX = 16_777_216;
const encoder = new TextEncoder();

/** Name of the copy of a segment in an archive. */
export function archivedName(segment: number): string {
  return `${String(segment).padStart(10, '0')}.seg`;
}

function readSegment(value: JsonValue): ArchivedSegment | undefined {
  if (!isJsonObject(value)) return undefined;
  const count = (name: string): number | undefined => {
    const number = getOwn(value, name);
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  };
  const [segment, first, end, bytes] = ['segment', 'first', 'end', 'bytes'].map(count);
  const sha256 = getOwn(value, 'sha256');
  if (segment === undefined || first === undefined || end === undefined || bytes === undefined) return undefined;
  return typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? { segment, first, end, bytes, sha256 } : undefined;
}

/** Reads a manifest. Fault: `log_archive_malformed`. */
export function readManifest(bytes: Uint8Array): Result<ArchiveManifest, Fault> {
  const malformed = (message: string): Result<never, Fault> =>
    err({ code: 'log_archive_malformed', message, path: MANIFEST_NAME, hint: 'name a directory that `log archive` wrote' });
  const parsed = parseJson(bytes, { bytesMax: MANIFEST_BYTES_MAX });
  if (!parsed.ok) return malformed(`the manifest is not JSON: ${parsed.error.message}`);
  const { value } = parsed.value;
  const log = isJsonObject(value) ? getOwn(value, 'log') : undefined;
  const list = isJsonObject(value) && getOwn(value, 'type') === ARCHIVE_TYPE ? getOwn(value, 'segments') : undefined;
  if (typeof log !== 'string' || !Array.isArray(list)) return malformed('the manifest does not have the form of one');
  const segments = (list as readonly JsonValue[]).map(readSegment);
  const wrong = segments.findIndex((segment) => segment === undefined);
  if (wrong !== -1) return malformed(`segment ${wrong} of the manifest does not have the form of one`);
  return ok({ type: ARCHIVE_TYPE, log, segments: segments.filter((segment) => segment !== undefined) });
}

async function manifestOf(log: Log, archive: ArchiveStorage): Promise<ArchiveManifest> {
  const bytes = await archive.read(MANIFEST_NAME);
  if (bytes === undefined) return { type: ARCHIVE_TYPE, log: log.origin, segments: [] };
  const manifest = readManifest(bytes);
  if (!manifest.ok) throw logError('log_archive_mismatch', manifest.error.message, { path: MANIFEST_NAME });
  if (manifest.value.log === log.origin) return manifest.value;
  throw logError('log_archive_mismatch', `the archive is of another log, ${manifest.value.log}`, {
    path: MANIFEST_NAME,
    hint: 'name another directory',
  });
}

function writeManifest(archive: ArchiveStorage, manifest: ArchiveManifest): Promise<void> {
  return archive.write(MANIFEST_NAME, encoder.encode(`${JSON.stringify(manifest, null, 1)}\n`));
}

/** Copies one segment and reads the copy back. */
async function copyOut(log: Log, { segment, first, end }: ClosedSegment, archive: ArchiveStorage): Promise<ArchivedSegment> {
  const bytes = await log.segmentBytes(segment);
  const archived = { segment, first, end, bytes: bytes.length, sha256: sha256Hex(bytes) };
  await archive.write(archivedName(segment), bytes);
  const copy = await archive.read(archivedName(segment));
  if (copy === undefined || sha256Hex(copy) !== archived.sha256)
    throw logError('log_archive_mismatch', `the copy of journal segment ${segment} is not what was copied`, {
      path: archivedName(segment),
    });
  return archived;
}

/**
 * Moves every closed segment whose records all lie below `before`, and in full published bundles, to `archive`, the oldest first; each is listed in the manifest before it is
 * removed. A crash in between leaves a segment in both places, which the next call completes.
 * @throws CodedError `log_archive_mismatch`, or what either storage throws; what was moved by then is listed.
 */
export async function archiveSegments(log: Log, archive: ArchiveStorage, before: number): Promise<readonly ArchivedSegment[]> {
  const moved: ArchivedSegment[] = [];
  const manifest = await manifestOf(log, archive);
  const listed = new Map(manifest.segments.map((one) => [one.segment, one]));
  // Entries that stand in no full bundle yet are only in the journal for good: the next opening needs them.
  const limit = Math.min(before, Math.floor(log.checkpoint.size / TILE_WIDTH) * TILE_WIDTH);
  for (const segment of log.closedSegments) {
    if (!segment.present || segment.end > limit) continue;
    const archived = await copyOut(log, segment, archive);
    listed.set(archived.segment, archived);
    await writeManifest(archive, { ...manifest, segments: [...listed.values()].sort((a, b) => a.segment - b.segment) });
    await log.releaseSegment();
    moved.push(archived);
  }
  return moved;
}

/**
 * Brings segments back from an archive, the newest first, so that what is here has no hole. They stay in the archive.
 * @throws CodedError `log_archive_mismatch` when the archive does not hold what went there.
 */
export async function restoreSegments(log: Log, archive: ArchiveStorage): Promise<readonly ArchivedSegment[]> {
  const manifest = await manifestOf(log, archive);
  const restored: ArchivedSegment[] = [];
  for (const segment of [...log.closedSegments].reverse()) {
    if (segment.present) continue;
    const listed = manifest.segments.find((one) => one.segment === segment.segment);
    if (listed === undefined) break;
    const bytes = await archive.read(archivedName(segment.segment));
    if (bytes === undefined || sha256Hex(bytes) !== listed.sha256)
      throw logError('log_archive_mismatch', `the archive does not hold journal segment ${segment.segment} as it went there`, {
        path: archivedName(segment.segment),
      });
    await log.restoreSegment(segment.segment, bytes);
    restored.push(listed);
  }
  return restored;
}
