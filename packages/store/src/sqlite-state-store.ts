/** @module The state store of the embedded tier: one SQLite file, one process. */
import { openSqliteTables } from './sqlite-tables.ts';
import { createStateStore, type StateStoreOptions, type Store } from './state-store.ts';

/**
 * Opens (or creates) the store at `path`.
 * @throws CodedError `state_in_use` when another process has it, `state_newer`, `state_unavailable`.
 */
export function openSqliteStateStore(path: string, options: StateStoreOptions): Store {
  const tables = openSqliteTables(path);
  try {
    return createStateStore(tables, options);
  } catch (error) {
    tables.close();
    throw error;
  }
}
