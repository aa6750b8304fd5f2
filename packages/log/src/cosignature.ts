/**
 * @module Cosignatures of checkpoints (C2SP tlog-cosignature, Ed25519): a witness states that at a second this was the largest tree of the
 * log that it had seen, and that all it saw before leads to it. A line of it stands in the note beside the log's own signature.
 */
import {
  createVerifier,
  isNoteName,
  noteKeyHash,
  noteSignatureLine,
  parseVerifierKey,
  verifierKeyText,
  type NoteVerifier,
  type VerifierKeyFaultCode,
  type Verifier,
} from '@countersign/crypto';
import { err, type Fault, invariant, ok, type Result } from '@countersign/kernel';
import { type NoteSigner, parseCheckpointText } from './checkpoint.ts';

/** The type byte of Ed25519 cosignatures in keys and key hashes. */
const COSIGNATURE_TYPE = 4;
const PUBLIC_KEY_BYTES = 32;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** The format bounds the time by 2^63 - 1. */
const SECONDS_MAX = 2n ** 63n - 1n;

/** The key of one witness. Its `verify` is that of a cosignature: `openNote` takes it beside the keys of logs. */
export interface CosignerKey extends NoteVerifier {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

function typed(publicKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + publicKey.length);
  key[0] = COSIGNATURE_TYPE;
  key.set(publicKey, 1);
  return key;
}

function message(seconds: bigint, text: string): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}

/**
 * The seconds since the Unix epoch that stand in a cosignature; undefined where the bytes are none. They are worth something only where
 * the cosignature verifies.
 */
export function cosignatureSeconds(signature: Uint8Array): bigint | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const seconds = new DataView(signature.buffer, signature.byteOffset, TIME_BYTES).getBigUint64(0);
  return seconds <= SECONDS_MAX ? seconds : undefined;
}

/** A verifier of cosignatures under a witness's name. @throws {InvariantError} for a bad name. */
export function createCosignerKey(name: string, verifier: Verifier): CosignerKey {
  invariant(isNoteName(name), 'the name of a witness has no spaces and no plus sign');
  return {
    name,
    keyHash: noteKeyHash(name, typed(verifier.publicKey)),
    publicKey: verifier.publicKey,
    verify: (text, signature) => {
      const seconds = cosignatureSeconds(signature);
      // Only checkpoints are cosigned: a signature over anything else says nothing.
      if (seconds === undefined || parseCheckpointText(text) === undefined) return false;
      return verifier.verify(message(seconds, text), signature.subarray(TIME_BYTES));
    },
  };
}

/** The verifier key of a witness, `name+hash+base64`. @throws {InvariantError} for a bad name or key length. */
export function cosignerKeyText(name: string, publicKey: Uint8Array): string {
  invariant(publicKey.length === PUBLIC_KEY_BYTES, 'an Ed25519 key has 32 bytes');
  return verifierKeyText(name, typed(publicKey));
}

/** The key of a witness from its text. */
export function parseCosignerKey(text: string): Result<CosignerKey, Fault<VerifierKeyFaultCode>> {
  const parsed = parseVerifierKey(text);
  if (!parsed.ok) return parsed;
  const { name, type, publicKey } = parsed.value;
  if (type !== COSIGNATURE_TYPE) {
    return err({
      code: 'vkey_unknown_type',
      message: `a verifier key of type ${type}, where that of a witness has type ${COSIGNATURE_TYPE}`,
      hint: 'ask the operator of the witness for its cosignature key; the key of a log is another one',
    });
  }
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    return err({ code: 'vkey_malformed', message: 'an Ed25519 key has 32 bytes', hint: 'copy the whole verifier key: name+hash+base64' });
  }
  return ok(createCosignerKey(name, createVerifier(publicKey)));
}

/**
 * One cosignature line over the text of a checkpoint, with its newline.
 * @throws {InvariantError} for a text that is no checkpoint, or seconds that are no whole number from 0 on: both are ours.
 */
export function cosignatureLine(text: string, seconds: number, by: NoteSigner): string {
  invariant(parseCheckpointText(text) !== undefined, 'only the text of a checkpoint is cosigned');
  invariant(Number.isSafeInteger(seconds) && seconds >= 0, 'the time of a cosignature is whole seconds');
  const time = BigInt(seconds);
  const signature = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES);
  new DataView(signature.buffer).setBigUint64(0, time);
  signature.set(by.signer.sign(message(time, text)), TIME_BYTES);
  return noteSignatureLine({ name: by.name, keyHash: noteKeyHash(by.name, typed(by.signer.publicKey)), signature });
}
