/**
 * @module The form of sealed content (spec/receipt.md RCPT-050): which key, which salt, which nonce, and what they are bound to.
 */
import { hmacSha256, openAesGcm, sealAesGcm } from '@countersign/crypto';
import { CodedError, formatTime, type Random } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import type { Sealer } from './sealer.ts';
import type { KeyRow } from './vault-tables.ts';

const VERSION = 2;
export const KEY_ID_BYTES = 8;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES;
const SEALED_BYTES_MIN = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

/** What a subject key is wrapped for under the master key; its id is the additional data. */
export const WRAPPED_KEY = 'vault-key';

const DERIVE = new TextEncoder().encode('countersign-seal-v2\n');

function broken(): CodedError {
  return new CodedError({
    code: 'seal_broken',
    message: 'the sealed bytes are damaged or belong elsewhere',
    hint: 'restore them from a backup',
  });
}

function keyMissing(): CodedError {
  return new CodedError({
    code: 'vault_key_missing',
    message: 'the vault does not hold the key that sealed these bytes',
    hint: 'restore `vault.db` from a backup that is at least as new as they are',
  });
}

function erased(erasedMs: number): CodedError {
  return new CodedError({
    code: 'vault_erased',
    message: `the content was erased on ${formatTime(erasedMs)}`,
    hint: 'its proof still holds: export it without inputs',
  });
}

/** The subject key of a row. @throws CodedError `vault_key_missing`, `vault_erased`, and those of the master key. */
export function unwrapKey(row: KeyRow | undefined, master: Sealer): Uint8Array {
  if (row === undefined) throw keyMissing();
  if (row.erasedMs !== null) throw erased(row.erasedMs);
  if (row.wrapped === null) throw keyMissing();
  return master.open(WRAPPED_KEY, row.wrapped, row.id);
}

/** The header and the length of the given data stand before it, so that no two pairs give the same bytes. */
function bind(header: Uint8Array, aad: Uint8Array): Uint8Array {
  const bound = Buffer.allocUnsafe(HEADER_BYTES + 4 + aad.length);
  bound.set(header, 0);
  bound.writeUInt32BE(aad.length, HEADER_BYTES);
  bound.set(aad, HEADER_BYTES + 4);
  return bound;
}

function derive(subjectKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return hmacSha256(subjectKey, Buffer.concat([DERIVE, salt]));
}

/** A key of a subject, ready to seal: the salt is its own, so its counter never repeats a nonce. */
export interface Sealing {
  readonly header: Uint8Array;
  readonly key: Uint8Array;
  used: number;
}

export function createSealing(subjectKey: { readonly id: Uint8Array; readonly key: Uint8Array }, random: Random): Sealing {
  const salt = random.bytes(SALT_BYTES);
  return { header: Buffer.concat([Uint8Array.of(VERSION), subjectKey.id, salt]), key: derive(subjectKey.key, salt), used: 0 };
}

export function sealWith(sealing: Sealing, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(sealing.used, NONCE_BYTES - 4);
  sealing.used += 1;
  const ciphertext = sealAesGcm({ key: sealing.key, nonce, plaintext, aad: bind(sealing.header, aad) });
  return Buffer.concat([sealing.header, nonce, ciphertext]);
}

/** Opens sealed content with keys that it is given by their id, and remembers what it derived from them. */
export class SealedOpener {
  readonly #keyById: (id: Uint8Array) => Uint8Array;
  readonly #derived = new LruMap<Uint8Array>(STORE_LIMITS.openKeysMax);

  constructor(keyById: (id: Uint8Array) => Uint8Array) {
    this.#keyById = keyById;
  }

  /** @throws CodedError `seal_broken`, and what giving the key throws. */
  open(sealed: Uint8Array, aad: Uint8Array): Uint8Array {
    if (sealed.length < SEALED_BYTES_MIN || sealed[0] !== VERSION) throw broken();
    const header = sealed.slice(0, HEADER_BYTES);
    const nonce = sealed.slice(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
    const ciphertext = sealed.slice(HEADER_BYTES + NONCE_BYTES);
    const opened = openAesGcm({ key: this.#keyFor(header), nonce, ciphertext, aad: bind(header, aad) });
    if (opened === undefined) throw broken();
    return opened;
  }

  forget(): void {
    this.#derived.clear();
  }

  #keyFor(header: Uint8Array): Uint8Array {
    const name = Buffer.from(header).toString('hex');
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const subjectKey = this.#keyById(header.slice(1, 1 + KEY_ID_BYTES));
    const key = derive(subjectKey, header.slice(1 + KEY_ID_BYTES));
    this.#derived.set(name, key);
    return key;
  }
}
