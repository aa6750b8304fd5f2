/** @module Entries of a log from its published files alone, as C2SP tlog-tiles lays them out. */
import { CHECKPOINT_PATH, parseBundle, TILE_WIDTH, tilePath } from '@countersign/log';
import { isJsonObject, parseJson } from '@countersign/kernel';
import { CLI_LIMITS } from './limits.ts';
import type { LoggedEntry } from './operator.ts';
import { CliError, EXIT } from './outcome.ts';

/** Fetches one published file, by its path in the log. */
export type ReadPublished = (path: string) => Promise<Uint8Array>;

function malformed(what: string): CliError {
  return new CliError(EXIT.runtime, [{ code: 'log_malformed', message: `${what} of the log is not readable` }]);
}

/** An entry as it stands in the log. @throws {CliError} exit 4 where the bytes are no entry. */
export function readEntry(index: number, bytes: Uint8Array): LoggedEntry {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isJsonObject(parsed.value.value)) throw malformed(`entry ${index}`);
  return { index, entry: parsed.value.value };
}

/** The text of the newest checkpoint. */
export async function readCheckpoint(read: ReadPublished): Promise<string> {
  return new TextDecoder().decode(await read(CHECKPOINT_PATH));
}

/** How many entries a checkpoint covers. */
export function checkpointSize(note: string): number {
  const size = note.split('\n', 2)[1] ?? '';
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size)) throw malformed('the checkpoint');
  return Number(size);
}

/** Entries `from` to `from + count`, as far as the newest checkpoint reaches. */
export async function readEntries(read: ReadPublished, from: number, count: number): Promise<readonly LoggedEntry[]> {
  const size = checkpointSize(await readCheckpoint(read));
  const end = Math.min(size, from + Math.min(count, CLI_LIMITS.pageMax));
  const found: LoggedEntry[] = [];
  for (let tile = Math.floor(from / TILE_WIDTH); tile * TILE_WIDTH < end; tile += 1) {
    const width = Math.min(TILE_WIDTH, size - tile * TILE_WIDTH);
    const entries = parseBundle(await read(tilePath({ level: 'entries', index: tile, width })), width);
    if (entries === undefined) throw malformed(`bundle ${tile}`);
    const first = tile * TILE_WIDTH;
    const wanted = entries.map((bytes, i) => ({ bytes, index: first + i })).filter(({ index }) => index >= from && index < end);
    found.push(...wanted.map(({ bytes, index }) => readEntry(index, bytes)));
  }
  return found;
}
