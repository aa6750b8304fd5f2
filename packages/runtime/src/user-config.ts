/** @module Files of the user-level configuration: small, JSON, read whole, and replaced in one step. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, CodedError, type JsonValue, parseJson } from '@countersign/kernel';

/** Where a file stands. `home` is the user's home directory; no variable of the environment moves it. */
export function userConfigPath(name: string, home: string = userInfo().homedir): string {
  return join(home, '.config', 'countersign', name);
}

/** What is read, and how its faults are called. */
export interface UserConfig {
  readonly bytesMax: number;
  readonly unreadable: { readonly code: string; readonly message: string };
  readonly invalid: (message: string) => CodedError;
}

/** What a file says; undefined where there is none. @throws {CodedError} `unreadable`, or `invalid` where it is no JSON. */
export function readUserConfig(path: string, { bytesMax, unreadable, invalid }: UserConfig): JsonValue | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CodedError(unreadable, { cause: error });
  }
  const parsed = parseJson(bytes, { bytesMax });
  if (!parsed.ok) throw invalid(parsed.error.message);
  return parsed.value.value;
}

/** Replaces a file, atomically; only its owner may read it. */
export function replaceUserConfig(path: string, value: object): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
