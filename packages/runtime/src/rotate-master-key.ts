/** @module A fresh master key for a data directory that nobody has open. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, type Random } from '@countersign/kernel';
import { openDiskLogStorage, openSqliteVault, rotateMaster, type Rotated, type RotationStep } from '@countersign/store';
import { createSystemRandom } from './platform.ts';

export interface RotateMasterKeyOptions {
  readonly dataDir: string;
  readonly random?: Random;
  /** Told of each step; what it throws stops the rotation there, as a crash would. */
  readonly step?: (name: RotationStep) => void;
}

/**
 * Wraps every subject key, sealed key file and agent key anew; the old master key opens nothing afterwards.
 * @throws {CodedError} `vault_missing`, `log_locked` while a gateway runs, and what files, state and vault say. The directory opens as
 * it did before, or under the new key.
 */
export async function rotateMasterKey(options: RotateMasterKeyOptions): Promise<Rotated> {
  const { dataDir, random = createSystemRandom(), step } = options;
  const path = join(dataDir, 'vault.db');
  if (!existsSync(path))
    throw new CodedError({
      code: 'vault_missing',
      message: 'there is no vault here',
      path,
      hint: 'name the data directory with --data DIR',
    });
  // The lock of the log is that of the directory.
  const lock = await openDiskLogStorage({ directory: join(dataDir, 'log'), durability: 'synced' });
  try {
    const vault = openSqliteVault(path);
    try {
      return rotateMaster({ keys: join(dataDir, 'keys'), state: join(dataDir, 'state.db'), vault, random }, step);
    } finally {
      vault.close();
    }
  } finally {
    await lock.close();
  }
}
