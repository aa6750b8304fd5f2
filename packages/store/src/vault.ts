/**
 * @module The vault: what decisions leave is sealed under a key of its subject, and destroying the keys of a subject erases it
 * (spec/receipt.md RCPT-050 to RCPT-053). Subject keys are random, wrapped under the master key, and found by a handle that names
 * nobody. Sealing is synchronous; a key that is new is made durable by `flush`, before the journal has the record that needs it.
 */
import { hmacSha256 } from '@countersign/crypto';
import { canonicalize, type Clock, CodedError, getOwn, invariant, isJsonObject, parseJson, type Random } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import { createSealing, KEY_ID_BYTES, SealedOpener, type Sealing, sealWith, unwrapKey, WRAPPED_KEY } from './sealed-form.ts';
import type { Sealer } from './sealer.ts';
import type { VaultNumbers, VaultTables } from './vault-tables.ts';

/** Whose content it is: an end user or an agent of an org; an empty name is the org itself. */
export interface VaultSubject {
  readonly org: string;
  readonly name: string;
}

/** An erasure whose keys are destroyed and whose entry may not be in the log yet. */
export interface ErasureIntent {
  /** Id of the entry. */
  readonly id: string;
  readonly time: string;
  readonly org: string;
  readonly subject: string;
  readonly keys: number;
  readonly by: string;
  readonly reason: string;
}

export interface Vault {
  /** Sealed bytes that only `open` with the same aad gives back. @throws CodedError `vault_unavailable`. */
  seal(subject: VaultSubject, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  /** @throws CodedError `seal_broken`, `vault_erased`, `vault_key_missing`, `vault_unavailable`. */
  open(sealed: Uint8Array, aad: Uint8Array): Uint8Array;
  /** Makes new keys durable. Costs nothing where there are none. @throws CodedError `vault_unavailable`; they stay pending. */
  flush(): void;
  /** What comes is sealed under a new key, of one subject or of all. Returns how many keys are there; durable on return. */
  retire(subject?: VaultSubject): number;
  /**
   * Destroys the retired keys of a subject and keeps the intent, in one transaction; nothing of them is left in the files or in this
   * process. Returns the intent, or undefined where there was no such key.
   */
  destroy(intent: Omit<ErasureIntent, 'keys'>): ErasureIntent | undefined;
  /** Erasures that were not settled. */
  intents(): readonly ErasureIntent[];
  settle(id: string): void;
  numbers(): VaultNumbers;
  close(): void;
}

export interface VaultOptions {
  readonly tables: VaultTables;
  /** Wraps keys under the master key. */
  readonly master: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  /** False where the vault must have been used before: its data directory is not new. */
  readonly create: boolean;
}

const KEY_BYTES = 32;
const INDEX_KEY = 'index-key';

/** Purposes that wraps under the master key are bound to. */
export const WRAPPED_SECRET = 'vault-secret';
export const WRAPPED_INTENT = 'vault-intent';

const encoder = new TextEncoder();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A key that is not durable yet. */
interface PendingKey {
  readonly id: Uint8Array;
  readonly handle: Uint8Array;
  readonly key: Uint8Array;
}

function cacheKey({ org, name }: VaultSubject): string {
  return `${org}\n${name}`;
}

/** Reads the vault's own secret, or makes it where the vault is new. */
function openIndexKey({ tables, master, random, create }: VaultOptions): Uint8Array {
  const aad = encoder.encode(INDEX_KEY);
  const wrapped = tables.secret(INDEX_KEY);
  if (wrapped !== undefined) return master.open(WRAPPED_SECRET, wrapped, aad);
  if (!create) {
    throw new CodedError({
      code: 'vault_missing',
      message: 'the vault is empty, but entries of the log were sealed with its keys',
      hint: 'restore `vault.db` from a backup',
    });
  }
  const key = random.bytes(KEY_BYTES);
  tables.putSecret(INDEX_KEY, master.seal(WRAPPED_SECRET, key, aad));
  return key;
}

function readIntent(plaintext: Uint8Array): ErasureIntent {
  const parsed = parseJson(plaintext);
  const value = parsed.ok ? parsed.value.value : undefined;
  const word = (name: string): string => {
    const found = isJsonObject(value) ? getOwn(value, name) : undefined;
    return typeof found === 'string' ? found : '';
  };
  const keys = isJsonObject(value) ? getOwn(value, 'keys') : undefined;
  const [id, time, org, subject, by, reason] = (['id', 'time', 'org', 'subject', 'by', 'reason'] as const).map(word);
  invariant(
    typeof keys === 'number' && id !== undefined && time !== undefined && org !== undefined && subject !== undefined,
    'an intent that opens is one that was written here',
  );
  return { id, time, org, subject, keys, by: by ?? '', reason: reason ?? '' };
}

/** What subject keys there are, durable or not. */
class KeyRing {
  readonly #options: VaultOptions;
  readonly #indexKey: Uint8Array;
  /** By handle; and by id, for whoever opens what was sealed a moment ago. */
  readonly #pending = new Map<string, PendingKey>();
  readonly #pendingIds = new Map<string, PendingKey>();

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#indexKey = openIndexKey(options);
  }

  handleOf({ org, name }: VaultSubject): Uint8Array {
    return hmacSha256(this.#indexKey, `countersign-subject-v2\n${org}\n${name}`);
  }

  /** The key that seals for a subject now, made where there is none. */
  current(subject: VaultSubject): { readonly id: Uint8Array; readonly key: Uint8Array } {
    const handle = this.handleOf(subject);
    const waiting = this.#pending.get(hex(handle));
    if (waiting !== undefined) return waiting;
    const row = this.#options.tables.currentKey(handle);
    return row === undefined ? this.#make(handle) : { id: row.id, key: unwrapKey(row, this.#options.master) };
  }

  /** @throws CodedError `vault_erased`, `vault_key_missing`. */
  byId(id: Uint8Array): Uint8Array {
    const waiting = this.#pendingIds.get(hex(id));
    if (waiting !== undefined) return waiting.key;
    return unwrapKey(this.#options.tables.key(id), this.#options.master);
  }

  flush(): void {
    if (this.#pending.size === 0) return;
    const { tables, master, clock } = this.#options;
    const createdMs = clock.nowMs();
    const keys = [...this.#pending.values()];
    tables.insertKeys(keys.map(({ id, handle, key }) => ({ id, handle, wrapped: master.seal(WRAPPED_KEY, key, id), createdMs })));
    this.#pending.clear();
    this.#pendingIds.clear();
  }

  #make(handle: Uint8Array): PendingKey {
    const { tables, random } = this.#options;
    let id = random.bytes(KEY_ID_BYTES);
    while (this.#pendingIds.has(hex(id)) || tables.key(id) !== undefined) id = random.bytes(KEY_ID_BYTES);
    const made = { id, handle, key: random.bytes(KEY_BYTES) };
    this.#pending.set(hex(handle), made);
    this.#pendingIds.set(hex(id), made);
    return made;
  }
}

/** Keys that seal, by subject, as long as they are remembered. */
class Seals {
  readonly #ring: KeyRing;
  readonly #random: Random;
  readonly #sealing = new LruMap<Sealing>(STORE_LIMITS.sealingKeysMax);

  constructor(ring: KeyRing, random: Random) {
    this.#ring = ring;
    this.#random = random;
  }

  forget(subject: VaultSubject | undefined): void {
    if (subject === undefined) this.#sealing.clear();
    else this.#sealing.delete(cacheKey(subject));
  }

  seal(subject: VaultSubject, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
    const name = cacheKey(subject);
    let sealing = this.#sealing.get(name);
    if (sealing === undefined || sealing.used >= STORE_LIMITS.sealsPerKeyMax) {
      sealing = createSealing(this.#ring.current(subject), this.#random);
      this.#sealing.set(name, sealing);
    }
    return sealWith(sealing, plaintext, aad);
  }
}

/** Keys of the erased subject go from the tables and from memory in the same moment. */
function destroy(options: VaultOptions, ring: KeyRing, intent: Omit<ErasureIntent, 'keys'>): ErasureIntent | undefined {
  const { tables, master } = options;
  const { id, time, org, subject, by, reason } = intent;
  const aad = encoder.encode(id);
  let whole: ErasureIntent | undefined;
  tables.destroy(ring.handleOf({ org, name: subject }), {
    erasedMs: Date.parse(time),
    intent(keys) {
      whole = { id, time, org, subject, keys, by, reason };
      return { id, wrapped: master.seal(WRAPPED_INTENT, encoder.encode(canonicalize({ ...whole })), aad) };
    },
  });
  return whole;
}

/**
 * A vault over `tables`. What a crash left in the write-ahead log is emptied first.
 * @throws CodedError `vault_missing`, `seal_key_unknown` where another master key wrapped what is there, `seal_broken`, `vault_unavailable`.
 */
export function createVault(options: VaultOptions): Vault {
  const { tables, master } = options;
  tables.emptyLog();
  const ring = new KeyRing(options);
  const seals = new Seals(ring, options.random);
  const opener = new SealedOpener((id) => ring.byId(id));
  return {
    seal: (subject, plaintext, aad) => seals.seal(subject, plaintext, aad),
    open: (sealed, aad) => opener.open(sealed, aad),
    flush: () => ring.flush(),
    retire(subject) {
      ring.flush();
      const keys = tables.retire(subject === undefined ? undefined : ring.handleOf(subject));
      seals.forget(subject);
      return keys;
    },
    destroy(intent) {
      try {
        return destroy(options, ring, intent);
      } finally {
        opener.forget();
      }
    },
    intents: () => tables.intents().map(({ id, wrapped }) => readIntent(master.open(WRAPPED_INTENT, wrapped, encoder.encode(id)))),
    settle: (id) => tables.settle(id),
    numbers: () => tables.numbers(),
    close: () => tables.close(),
  };
}
