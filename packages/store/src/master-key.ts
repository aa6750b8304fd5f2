/** @module The master key of one installation: 32 random bytes in a file of mode 0600. It wraps everything that is sealed. */
import { base64url } from '@countersign/crypto';
import type { Random } from '@countersign/kernel';
import { type KeySource, missing, readKeyFile, replaceSecretFile, writeKeyFile } from './secret-file.ts';

const BYTES = 32;
const HEADING = 'countersign-master-key-v1';

export function freshMasterKey(random: Random): Uint8Array {
  return random.bytes(BYTES);
}

/** Writes a master key file, in place of one that may be there. @throws CodedError `key_file_unreadable`. */
export function writeMasterKey(path: string, key: Uint8Array): void {
  replaceSecretFile(path, `${HEADING}\n${base64url(key)}\n`);
}

/**
 * Reads the master key, or makes it where `create` allows.
 * @throws CodedError `key_file_missing`, `key_file_unsafe`, `key_file_malformed`, `key_file_unreadable`, `key_file_exists`.
 */
export function loadMasterKey(source: KeySource): Uint8Array {
  const request = { path: source.path, heading: HEADING, bytes: { min: BYTES, max: BYTES } };
  const known = readKeyFile(request);
  if (known !== undefined) return known;
  if (!source.create) throw missing(source.path);
  const key = freshMasterKey(source.random);
  writeKeyFile(request, key);
  return key;
}
