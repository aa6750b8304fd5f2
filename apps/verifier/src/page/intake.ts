/** @module How files come in: dropped, picked or pasted. Each is held as the bytes it is, or as the reason why it was not read. */
import { PAGE_LIMITS } from './limits.ts';

export interface HeldFile {
  readonly name: string;
  /** Absent where the file was not read. */
  readonly bytes?: Uint8Array;
  /** Why it was not read: a stable code and a sentence. */
  readonly refused?: { readonly code: 'file_too_large' | 'file_unreadable'; readonly sentence: string };
}

const encoder = new TextEncoder();

async function readOne(file: File): Promise<HeldFile> {
  const { name, size } = file;
  if (size > PAGE_LIMITS.fileBytesMax) {
    const sentence = `The file has ${size} bytes; a bundle has at most ${PAGE_LIMITS.fileBytesMax}. It was not read.`;
    return { name, refused: { code: 'file_too_large', sentence } };
  }
  try {
    return { name, bytes: new Uint8Array(await file.arrayBuffer()) };
  } catch {
    return {
      name,
      refused: { code: 'file_unreadable', sentence: 'The browser could not read the file: perhaps it is a folder, or gone.' },
    };
  }
}

/** Why these cannot be taken on top of what is held, or undefined. */
export function tooMany(held: readonly HeldFile[], coming: readonly { readonly size: number }[]): string | undefined {
  const count = held.length + coming.length;
  if (count > PAGE_LIMITS.filesMax) return `At most ${PAGE_LIMITS.filesMax} files at once, and these would be ${count}. Nothing was added.`;
  // What is too large by itself is not read, and so takes no room.
  const sizes = coming.map(({ size }) => (size > PAGE_LIMITS.fileBytesMax ? 0 : size));
  const bytes = [...held.map((file) => file.bytes?.length ?? 0), ...sizes].reduce((sum, size) => sum + size, 0);
  if (bytes > PAGE_LIMITS.listBytesMax)
    return `At most ${PAGE_LIMITS.listBytesMax} bytes at once, and these would be ${bytes}. Nothing was added.`;
  return undefined;
}

export async function readFiles(files: readonly File[]): Promise<readonly HeldFile[]> {
  const read: HeldFile[] = [];
  for (const file of files) read.push(await readOne(file));
  return read;
}

/** A pasted text, exactly as it was pasted: a bundle has no newline, so a browser has none to change. */
export function pastedFile(text: string, number: number): HeldFile {
  return { name: `pasted text ${number}`, bytes: encoder.encode(text) };
}
