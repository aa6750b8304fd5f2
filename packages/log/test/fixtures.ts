import { createSigner, type Signer } from '@countersign/crypto';
import {
  createMemoryDisk,
  createMemoryStorage,
  openLog,
  type Log,
  type LogOptions,
  type LogStorage,
  type MemoryDisk,
} from '../src/index.ts';

export const ORIGIN = 'example.org/countersign/test';
export const signer: Signer = createSigner(new Uint8Array(32).fill(7));
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

export function open(extra: Partial<LogOptions> = {}): Promise<Log> {
  return openLog({ storage: createMemoryStorage(), origin: ORIGIN, noteSigner: { name: ORIGIN, signer }, ...extra });
}

export function openOn(disk: MemoryDisk, extra: Partial<LogOptions> = {}): Promise<Log> {
  return open({ storage: createMemoryStorage(disk), ...extra });
}

export function copyDisk(disk: MemoryDisk): MemoryDisk {
  const copy = createMemoryDisk();
  for (const segment of disk.segments) copy.segments.push(segment.slice());
  for (const segment of disk.removed) copy.removed.add(segment);
  for (const [segment, bytes] of disk.indexes) copy.indexes.set(segment, bytes.slice());
  for (const [path, bytes] of disk.files) copy.files.set(path, bytes.slice());
  return copy;
}

/** Writes each list of entries as one batch. */
export async function write(log: Log, ...batches: readonly (readonly string[])[]): Promise<void> {
  for (const batch of batches) {
    const staged = batch.map((entry) => log.append({ entry: utf8(entry), attachments: [utf8(`side of ${entry}`), new Uint8Array(0)] }));
    await Promise.all(staged.map(({ durable }) => durable));
  }
}

export async function entriesOf(log: Log): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const record of log.scan(0)) found.push(textOf(record.entry));
  return found;
}

/** A storage whose appends wait for `release`, or fail. */
export interface Gate {
  readonly storage: LogStorage;
  /** Sizes of the batches that were written. */
  readonly writes: number[];
  hold(): void;
  release(): void;
  failWith(error: Error, where: 'append' | 'replaceFile'): void;
}

export function gated(inner: LogStorage): Gate {
  const writes: number[] = [];
  let held: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  let failure: { readonly error: Error; readonly where: string } | undefined;
  const fail = (where: string): void => {
    if (failure?.where === where) throw failure.error;
  };
  return {
    writes,
    hold: () => {
      held = Promise.withResolvers<void>();
    },
    release: () => {
      held?.resolve();
      held = undefined;
    },
    failWith: (error, where) => {
      failure = { error, where };
    },
    storage: {
      ...inner,
      append: async (segment, offset, bytes) => {
        writes.push(bytes.length);
        await held?.promise;
        fail('append');
        await inner.append(segment, offset, bytes);
      },
      replaceFiles: async (files) => {
        fail('replaceFile');
        await inner.replaceFiles(files);
      },
      replaceFile: async (path, bytes) => {
        fail('replaceFile');
        await inner.replaceFile(path, bytes);
      },
    },
  };
}
