/** @module Ed25519 seeds of the log and of scope tokens: sealed under the master key, in a file of mode 0600 each. */
import { type KeySource, missing, readKeyFile, writeKeyFile } from './secret-file.ts';
import type { Sealer } from './sealer.ts';

const SEED_BYTES = 32;
const SEALED_BYTES_MAX = 256;

const HEADING = /^countersign-([a-z0-9-]{1,64})-seed-v1$/;

/** The purpose in the first line of a seed file, or undefined where the line is none. */
export function seedPurpose(heading: string): string | undefined {
  return HEADING.exec(heading)?.[1];
}

export interface SeedSource extends KeySource {
  readonly sealer: Sealer;
  /** What the seed signs: `log`, `scope`, `receipt`. A seed sealed for one purpose does not open for another. */
  readonly purpose: string;
}

/**
 * Reads a signing seed, or makes it where `create` allows.
 * @throws CodedError as `loadMasterKey`, and `seal_broken` or `seal_key_unknown` when the master key is another one.
 */
export function loadSigningSeed(source: SeedSource): Uint8Array {
  const request = {
    path: source.path,
    heading: `countersign-${source.purpose}-seed-v1`,
    bytes: { min: SEED_BYTES, max: SEALED_BYTES_MAX },
  };
  const aad = new TextEncoder().encode(request.heading);
  const sealed = readKeyFile(request);
  if (sealed !== undefined) return source.sealer.open(source.purpose, sealed, aad);
  if (!source.create) throw missing(source.path);
  const seed = source.random.bytes(SEED_BYTES);
  writeKeyFile(request, source.sealer.seal(source.purpose, seed, aad));
  return seed;
}
