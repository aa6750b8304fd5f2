/** @module The log of a data directory, for reading: no lock is taken, no folder made, no file changed. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, CodedError } from '@countersign/kernel';
import { isPublishedPath, type JournalSource } from '@countersign/log';

export interface EvidenceStorage extends JournalSource {
  /** A published file, whole, or undefined. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

const SEGMENT = /^([0-9]{10})\.seg$/;

function unreadable(path: string, error: unknown): CodedError {
  const missing = codeOf(error) === 'ENOENT';
  return new CodedError(
    {
      code: missing ? 'no_data_directory' : 'log_unreadable',
      message: missing ? 'there is no Countersign log here' : `the log cannot be read (${codeOf(error)})`,
      path,
      hint: missing ? 'name a data directory: the one that holds `log`, `keys` and `state.db`' : 'check its rights',
    },
    { cause: error },
  );
}

async function readRange(
  handle: Awaited<ReturnType<typeof open>>,
  range: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(range.length);
  let done = 0;
  while (done < range.length) {
    const { bytesRead } = await handle.read(bytes, done, range.length - done, range.offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Opens the log below `folder`. One segment is held open at a time: reading goes forward. */
export function openEvidenceStorage(folder: string): EvidenceStorage {
  const journal = join(folder, 'journal');
  let held: { readonly segment: number; readonly handle: Awaited<ReturnType<typeof open>> } | undefined;
  const handleOf = async (segment: number): Promise<Awaited<ReturnType<typeof open>>> => {
    if (held?.segment === segment) return held.handle;
    await held?.handle.close();
    held = { segment, handle: await open(join(journal, `${String(segment).padStart(10, '0')}.seg`), 'r') };
    return held.handle;
  };
  return {
    segments: async () => {
      try {
        const names = (await readdir(journal)).filter((name) => SEGMENT.test(name)).toSorted();
        return await Promise.all(
          names.map(async (name) => ({ segment: Number(name.slice(0, 10)), sizeBytes: (await stat(join(journal, name))).size })),
        );
      } catch (error) {
        throw unreadable(folder, error);
      }
    },
    read: async (segment, range) => {
      try {
        return await readRange(await handleOf(segment), range);
      } catch (error) {
        throw unreadable(journal, error);
      }
    },
    readFile: async (path) => {
      if (!isPublishedPath(path)) return undefined;
      try {
        return await readFile(join(folder, 'public', path));
      } catch (error) {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
        throw unreadable(folder, error);
      }
    },
    close: async () => {
      await held?.handle.close();
      held = undefined;
    },
  };
}
