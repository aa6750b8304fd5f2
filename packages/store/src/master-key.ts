/** @module The master key of one installation: 32 random bytes in a file of mode 0600. It wraps everything that is sealed. */
import { type KeySource, missing, readKeyFile, writeKeyFile } from './secret-file.ts';

const BYTES = 32;

/**
 * Reads the master key, or makes it where `create` allows.
 * @throws CodedError `key_file_missing`, `key_file_unsafe`, `key_file_malformed`, `key_file_unreadable`, `key_file_exists`.
 */
export function loadMasterKey(source: KeySource): Uint8Array {
  const request = { path: source.path, heading: 'countersign-master-key-v1', bytes: { min: BYTES, max: BYTES } };
  const known = readKeyFile(request);
  if (known !== undefined) return known;
  if (!source.create) throw missing(source.path);
  const key = source.random.bytes(BYTES);
  writeKeyFile(request, key);
  return key;
}
