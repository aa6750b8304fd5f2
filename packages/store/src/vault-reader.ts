/**
 * @module Opening what a vault sealed, from a copy of its file that nobody else has: nothing is written. For whoever reads a data
 * directory beside its gateway.
 */
import { DatabaseSync } from 'node:sqlite';
import { CodedError, codeOf } from '@countersign/kernel';
import { SealedOpener, unwrapKey } from './sealed-form.ts';
import type { Sealer } from './sealer.ts';
import { readKey } from './sqlite-vault.ts';
import type { KeyRow } from './vault-tables.ts';

export interface VaultReader {
  /** @throws CodedError `seal_broken`, `vault_erased`, `vault_key_missing`, `seal_key_unknown`, `vault_unavailable`. */
  open(sealed: Uint8Array, aad: Uint8Array): Uint8Array;
  close(): void;
}

function unavailable(path: string, error: unknown): CodedError {
  const message = `the copy of the vault cannot be read (${codeOf(error)})`;
  return new CodedError({ code: 'vault_unavailable', message, path, hint: 'copy it again' }, { cause: error });
}

/**
 * A copy may be of a moment at which a rotation of the master key was cut short: then the wraps of the key in force are still staged
 * (`master-rotation.ts`).
 */
function lookUp(db: DatabaseSync, master: Sealer): (id: Uint8Array) => KeyRow | undefined {
  const key = db.prepare('SELECT keys.id, wraps.wrapped, keys.erased_ms FROM keys JOIN wraps USING (serial) WHERE keys.id = ?');
  const staged = db.prepare(`SELECT wrapped FROM staged WHERE place = 'key' AND name = ?`);
  return (id) => {
    const found = key.get(id);
    const row = found === undefined ? undefined : readKey(found);
    if (row === undefined || row.wrapped === null || master.isOwn(row.wrapped)) return row;
    const wrapped = staged.get(Buffer.from(id).toString('hex'))?.['wrapped'];
    return wrapped instanceof Uint8Array && master.isOwn(wrapped) ? { ...row, wrapped } : row;
  };
}

/**
 * Opens a copy for reading.
 * @throws CodedError `vault_unavailable`.
 */
export function openVaultReader(path: string, master: Sealer): VaultReader {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    const find = lookUp(db, master);
    const opener = new SealedOpener((id) => unwrapKey(find(id), master));
    const close = db.close.bind(db);
    return { open: (sealed, aad) => opener.open(sealed, aad), close };
  } catch (error) {
    db?.close();
    throw unavailable(path, error);
  }
}
