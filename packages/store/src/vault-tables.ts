/**
 * @module What a database has to offer below the rules of the vault: wrapped keys in, wrapped keys out. Synchronous. Each throws
 * `CodedError` `vault_unavailable` when it cannot answer; then nothing was changed.
 */

export interface KeyRow {
  readonly id: Uint8Array;
  /** Null once the key was destroyed. */
  readonly wrapped: Uint8Array | null;
  readonly erasedMs: number | null;
}

export interface NewKey {
  readonly id: Uint8Array;
  /** Which subject, without saying whom. */
  readonly handle: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly createdMs: number;
}

/** An erasure that has begun: kept until its entry is in the log. */
export interface IntentRow {
  /** Id of the entry. */
  readonly id: string;
  readonly wrapped: Uint8Array;
}

export interface VaultNumbers {
  /** Whose keys are there; an org counts for its own entries. */
  readonly subjects: number;
  /** Keys that open something. */
  readonly keys: number;
  /** Keys that were destroyed. */
  readonly erased: number;
}

/** Where a wrapped thing belongs: `key` and `secret` and `intent` are of the vault, `agent` of the state, `file` is a key file. */
export type WrapPlace = 'key' | 'secret' | 'intent' | 'agent' | 'file';

/** Something wrapped under a master key. */
export interface Wrap {
  readonly place: WrapPlace;
  /** Hex id of a key, name of a secret or file, id of an intent or agent. */
  readonly name: string;
  readonly wrapped: Uint8Array;
}

export interface VaultTables {
  /** A wrapped secret of the vault itself. */
  secret(name: string): Uint8Array | undefined;
  putSecret(name: string, wrapped: Uint8Array): void;
  key(id: Uint8Array): KeyRow | undefined;
  /** The key that seals for this subject now. */
  currentKey(handle: Uint8Array): KeyRow | undefined;
  /** One transaction, durable on return. */
  insertKeys(keys: readonly NewKey[]): void;
  /** From now on no key of this subject, or of any, seals. Returns how many keys of it there are; durable on return. */
  retire(handle: Uint8Array | undefined): number;
  /**
   * Overwrites every retired key of a subject and keeps the intent, in one transaction, and empties the write-ahead log. Returns how
   * many keys that were; 0: nothing was changed.
   */
  destroy(handle: Uint8Array, erasure: { readonly erasedMs: number; readonly intent: (keys: number) => IntentRow }): number;
  intents(): readonly IntentRow[];
  /** Forgets an intent: its entry is durable. */
  settle(id: string): void;
  numbers(): VaultNumbers;
  /** Copies the write-ahead log into the file and cuts it to nothing. */
  emptyLog(): void;
  /** Everything in the vault that is wrapped, a part at a time. */
  wraps(): Iterable<Wrap>;
  /** Keeps new wraps beside the old ones; one transaction, durable on return. */
  stage(wraps: Iterable<Wrap>): void;
  staged(place: WrapPlace): readonly Wrap[];
  /** Any one staged wrap: it says under which key all are. */
  anyStaged(): Wrap | undefined;
  /** Puts the staged wraps of the vault in the place of the old ones and forgets all staged ones; one transaction, and the log is emptied. */
  applyStaged(): void;
  dropStaged(): void;
  close(): void;
}
