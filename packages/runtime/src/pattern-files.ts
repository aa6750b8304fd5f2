/**
 * @module Files that a policy names for its pattern databases: read whole and at once, when a policy is resolved and never while one is at work.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf, err, ok, type Result } from '@countersign/kernel';
import type { PatternFiles } from '@countersign/policy';

const MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be read',
  EISDIR: 'this is a directory, not a file',
};

/** One byte more than is allowed shows that a file is too large, whatever it says of its size. */
function readBounded(path: string, bytesMax: number): Result<Uint8Array, string> {
  const file = openSync(path, 'r');
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return err('this is no regular file');
    if (stat.size > bytesMax) return err(`the file is larger than ${String(bytesMax)} bytes`);
    const buffer = Buffer.alloc(stat.size + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, length);
      if (read === 0) return ok(new Uint8Array(buffer.subarray(0, length)));
      length += read;
      if (length > stat.size) return err('the file changes while it is read');
    }
  } finally {
    closeSync(file);
  }
}

/** Relative paths begin at `directory`, or at the file that names them. */
export function patternFilesIn(directory: string): PatternFiles {
  return (path, { from, bytesMax }) => {
    const place = resolve(from === undefined ? directory : dirname(from), path);
    try {
      const bytes = readBounded(place, bytesMax);
      return bytes.ok ? ok({ place, bytes: bytes.value }) : bytes;
    } catch (error) {
      const code = codeOf(error);
      return err(MESSAGES[code] ?? `the file cannot be read (${code})`);
    }
  };
}
