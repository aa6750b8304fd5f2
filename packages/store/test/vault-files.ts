/** @module A vault on a disk of its own, its files as bytes, and faults in its tables. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '@countersign/kernel';
import { createSealer, createVault, openSqliteVault, type Vault, type VaultTables } from '@countersign/store';
import { createBench } from '@countersign/testkit';

export const MASTER: Uint8Array = Uint8Array.from({ length: 32 }, (_, n) => n + 1);
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Random bytes that are remembered: what was a key can be looked for. */
export function watchedRandom(): { readonly random: Random; readonly drawn: Uint8Array[] } {
  const { random } = createBench();
  const drawn: Uint8Array[] = [];
  return {
    drawn,
    random: {
      bytes(length) {
        const made = random.bytes(length);
        drawn.push(made.slice());
        return made;
      },
    },
  };
}

export interface VaultBed {
  readonly folder: string;
  readonly drawn: readonly Uint8Array[];
  /** The vault, opened anew each time; the one before is closed. */
  open(master?: Uint8Array): Vault;
  tables(): VaultTables;
  /** Every file of the folder, one after the other. */
  files(): Buffer;
  remove(): void;
}

/** `over` stands between the vault and its tables. */
export function vaultBed(over: (tables: VaultTables) => VaultTables = (tables) => tables): VaultBed {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-vault-'));
  const { clock } = createBench();
  const { random, drawn } = watchedRandom();
  let tables: VaultTables | undefined;
  const reopen = (): VaultTables => {
    tables?.close();
    tables = over(openSqliteVault(join(folder, 'vault.db')));
    return tables;
  };
  return {
    folder,
    drawn,
    tables: reopen,
    open: (master = MASTER) => createVault({ tables: reopen(), master: createSealer(master, random), clock, random, create: true }),
    files: () => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))),
    remove() {
      tables?.close();
      rmSync(folder, { recursive: true });
    },
  };
}
