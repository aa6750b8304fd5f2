/**
 * @module A disk whose n-th change fails, once or from then on, with what a system says: no space, an I/O error, a quota; a write may put
 * half of its bytes down first. Reads go through: what fails is what a log does to a disk.
 */
import type { DiskFile, DiskSystem } from '@countersign/store';

export interface DiskFault {
  /** Which change fails, from 1. */
  readonly at: number;
  readonly code: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS';
  /** A write leaves half of its bytes behind. */
  readonly torn?: boolean;
  /** Everything after fails too, as on a disk that is full or gone. */
  readonly lasting?: boolean;
}

export interface FaultyDisk {
  readonly system: DiskSystem;
  /** Changes asked for so far. */
  readonly changes: () => number;
  /** What the fault met, in words; undefined before. */
  readonly met: () => string | undefined;
}

function failure(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code });
}

/** `inner`, with the fault. Without one it only counts. */
export function createFaultyDisk(inner: DiskSystem, fault?: DiskFault): FaultyDisk {
  let changes = 0;
  let met: string | undefined;

  /** True where this change fails. */
  const fails = (call: string): boolean => {
    changes += 1;
    const now = fault !== undefined && (changes === fault.at || (fault.lasting === true && changes > fault.at));
    if (now) met ??= call;
    return now;
  };
  const guarded = <Args extends readonly unknown[], T>(call: string, work: (...args: Args) => Promise<T>) => {
    return (...args: Args): Promise<T> => (fails(call) ? Promise.reject(failure(fault?.code ?? 'EIO', call)) : work(...args));
  };

  const fileOver = (file: DiskFile): DiskFile => ({
    ...file,
    write: (bytes, position) => {
      if (!fails('write')) return file.write(bytes, position);
      const half = bytes.subarray(0, bytes.length >> 1);
      if (fault?.torn !== true || half.length === 0) throw failure(fault?.code ?? 'EIO', 'write');
      return Promise.resolve(file.write(half, position)).then(() => {
        throw failure(fault.code, 'write');
      });
    },
    truncate: guarded('truncate', (sizeBytes: number) => file.truncate(sizeBytes)),
    datasync: guarded('datasync', () => file.datasync()),
    sync: guarded('sync', () => file.sync()),
  });

  return {
    changes: () => changes,
    met: () => met,
    system: {
      ...inner,
      open: async (path, mode) => {
        if (mode !== 'read' && fails(`open to ${mode}`)) throw failure(fault?.code ?? 'EIO', 'open');
        return fileOver(await inner.open(path, mode));
      },
      makeFolder: guarded('makeFolder', (path: string) => inner.makeFolder(path)),
      rename: guarded('rename', (from: string, to: string) => inner.rename(from, to)),
      removeFile: guarded('removeFile', (path: string) => inner.removeFile(path)),
      removeFolder: guarded('removeFolder', (path: string) => inner.removeFolder(path)),
      syncFolder: guarded('syncFolder', (path: string) => inner.syncFolder(path)),
    },
  };
}
