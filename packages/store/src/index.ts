/** @module State behind one interface (SQLite, memory), sealed secrets and key files. */
export { type LogPosition } from './delta-fold.ts';
export { openDiskLogStorage, type DiskLogOptions } from './disk-log-storage.ts';
export { STORE_LIMITS } from './limits.ts';
export { loadSigningSeed, type SeedSource } from './log-key.ts';
export { loadMasterKey } from './master-key.ts';
export { finishRotation, rotateMaster, type Rotated, type RotationStep, type WrappedPlaces } from './master-rotation.ts';
export { createMemoryStateStore } from './memory-state-store.ts';
export { createSealer, type Sealer } from './sealer.ts';
export { createSecretFile, readSecretFile, replaceSecretFile, type KeySource, type SecretFileCode } from './secret-file.ts';
export { createMemoryVault } from './memory-vault.ts';
export { openSqliteStateStore } from './sqlite-state-store.ts';
export { type LoggedDelta, type StateStoreOptions, type Store, type WriteBackOptions } from './state-store.ts';
export { openSqliteVault } from './sqlite-vault.ts';
export { createVault, type ErasureIntent, type Vault, type VaultOptions, type VaultSubject } from './vault.ts';
export { openVaultReader, type VaultReader } from './vault-reader.ts';
export type { VaultNumbers, VaultTables } from './vault-tables.ts';
