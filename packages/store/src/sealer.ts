/**
 * @module Sealing under the master key: subject keys of the vault, key files, keys of agent tokens. AES-256-GCM under keys derived
 * from the master key. What decisions leave is sealed by the vault (`vault.ts`).
 *
 * Sealed form: version 1 (1 byte), id of the wrapping key (8), salt (16), nonce (12, a counter), ciphertext with tag (16).
 * The AEAD key is HMAC-SHA-256(master, "countersign-seal-v1\n" || salt): each salt is used by one sealer only, so a counter
 * never repeats a nonce and the birthday bound of random nonces does not apply.
 */
import { hmacSha256, openAesGcm, sealAesGcm, sha256 } from '@countersign/crypto';
import { CodedError, invariant, type Random } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';

export interface Sealer {
  /** True for bytes that name this master key as the one that sealed them. */
  isOwn(sealed: Uint8Array): boolean;
  /** Sealed bytes that only `open` with the same subject and aad gives back. */
  seal(subject: string, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  /** @throws CodedError `seal_broken` when the bytes are not what was sealed, `seal_key_unknown` when another key sealed them. */
  open(subject: string, sealed: Uint8Array, aad: Uint8Array): Uint8Array;
}

const VERSION = 1;
const KEY_ID_BYTES = 8;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES;
const SEALED_BYTES_MIN = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

const encoder = new TextEncoder();
const DERIVE = encoder.encode('countersign-seal-v1\n');
const KEY_ID = encoder.encode('countersign-master-key-id-v1\n');

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Subject and aad with their lengths, so that no two pairs give the same bytes; the header is bound too. */
function bind(header: Uint8Array, subject: string, aad: Uint8Array): Uint8Array {
  const name = encoder.encode(subject);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(name.length, 0);
  lengths.writeUInt32BE(aad.length, 4);
  return concat(header, lengths, name, aad);
}

/** First 8 bytes of a hash of the key: says which key sealed something, and nothing else about it. */
function idOf(masterKey: Uint8Array): Uint8Array {
  return sha256(concat(KEY_ID, masterKey)).slice(0, KEY_ID_BYTES);
}

function broken(): CodedError {
  return new CodedError({
    code: 'seal_broken',
    message: 'the sealed bytes are damaged or belong elsewhere',
    hint: 'restore them from a backup',
  });
}

interface SealingKey {
  readonly header: Uint8Array;
  readonly key: Uint8Array;
  used: number;
}

/** A sealer for one installation. `masterKey` has 32 bytes. */
export function createSealer(masterKey: Uint8Array, random: Random): Sealer {
  invariant(masterKey.length === 32, 'a master key has 32 bytes');
  const keyId = idOf(masterKey);
  const derive = (salt: Uint8Array): Uint8Array => hmacSha256(masterKey, concat(DERIVE, salt));
  const openKeys = new LruMap<Uint8Array>(STORE_LIMITS.openKeysMax);
  let current: SealingKey | undefined;

  function sealingKey(): SealingKey {
    if (current !== undefined && current.used < STORE_LIMITS.sealsPerKeyMax) return current;
    const salt = random.bytes(SALT_BYTES);
    current = { header: concat(Uint8Array.of(VERSION), keyId, salt), key: derive(salt), used: 0 };
    return current;
  }

  function openKey(salt: Uint8Array): Uint8Array {
    const name = Buffer.from(salt).toString('hex');
    const known = openKeys.get(name) ?? derive(salt);
    openKeys.set(name, known);
    return known;
  }

  const isOwn = (sealed: Uint8Array): boolean => Buffer.from(keyId).equals(sealed.subarray(1, 1 + KEY_ID_BYTES));

  return {
    isOwn,
    seal(subject: string, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
      const sealing = sealingKey();
      const nonce = Buffer.alloc(NONCE_BYTES);
      nonce.writeUInt32BE(sealing.used, NONCE_BYTES - 4);
      sealing.used += 1;
      const ciphertext = sealAesGcm({ key: sealing.key, nonce, plaintext, aad: bind(sealing.header, subject, aad) });
      return concat(sealing.header, nonce, ciphertext);
    },
    open(subject: string, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
      if (sealed.length < SEALED_BYTES_MIN || sealed[0] !== VERSION) throw broken();
      const header = sealed.slice(0, HEADER_BYTES);
      if (!isOwn(header)) {
        throw new CodedError({
          code: 'seal_key_unknown',
          message: 'another master key sealed these bytes',
          hint: 'put back the master key of this data directory',
        });
      }
      const nonce = sealed.slice(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
      const ciphertext = sealed.slice(HEADER_BYTES + NONCE_BYTES);
      const key = openKey(header.slice(1 + KEY_ID_BYTES));
      const opened = openAesGcm({ key, nonce, ciphertext, aad: bind(header, subject, aad) });
      if (opened === undefined) throw broken();
      return opened;
    },
  };
}
