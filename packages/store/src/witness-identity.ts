/** @module The name and the signing key of a witness: 32 random bytes in a file of mode 0600, bound to the state of what they signed. */
import { join } from 'node:path';
import { createSigner, isNoteName } from '@countersign/crypto';
import { CodedError, type Random } from '@countersign/kernel';
import type { NoteSigner } from '@countersign/log';
import { STORE_LIMITS } from './limits.ts';
import { missing, readKeyFile, writeKeyFile } from './secret-file.ts';
import { WITNESS_KEY_FILE, type WitnessStore } from './witness-store.ts';

const SEED_BYTES = 32;

export interface WitnessIdentityOptions {
  readonly directory: string;
  readonly store: WitnessStore;
  readonly random: Random;
  /** Wanted where the witness has no name yet; where it has one, the same or nothing. */
  readonly name: string | undefined;
}

function readName(wanted: string | undefined, bound: string | undefined): string {
  const name = wanted ?? bound;
  if (name === undefined) {
    throw new CodedError({
      code: 'witness_name_invalid',
      message: 'a new witness has no name',
      hint: 'name it once, like an address without a scheme: --name witness.example.org/w1',
    });
  }
  if (name.length <= STORE_LIMITS.witnessOriginCharsMax && isNoteName(name)) return name;
  throw new CodedError({
    code: 'witness_name_invalid',
    message: `the name of a witness has at most ${STORE_LIMITS.witnessOriginCharsMax} characters, no spaces and no plus sign`,
    hint: 'like an address without a scheme: witness.example.org/w1',
  });
}

/**
 * The key of a witness, made at its first start. The state that was opened before stays bound to it.
 * @throws CodedError `witness_name_invalid`, `witness_named`, and those of a key file.
 */
export function openWitnessIdentity({ directory, store, random, name: wanted }: WitnessIdentityOptions): NoteSigner {
  const bound = store.identity();
  const name = readName(wanted, bound?.name);
  const request = {
    path: join(directory, WITNESS_KEY_FILE),
    heading: 'countersign-witness-key-v1',
    bytes: { min: SEED_BYTES, max: SEED_BYTES },
  };
  let seed = readKeyFile(request);
  if (seed === undefined) {
    if (bound !== undefined) throw missing(request.path);
    seed = random.bytes(SEED_BYTES);
    writeKeyFile(request, seed);
  }
  const signer = createSigner(seed);
  store.bind({ name, publicKey: signer.publicKey });
  return { name, signer };
}
