/** @module The state store without a disk: same rules, nothing survives. */
import { createMemoryTables } from './memory-tables.ts';
import { createStateStore, type StateStoreOptions, type Store } from './state-store.ts';

/** An empty store. */
export function createMemoryStateStore(options: StateStoreOptions): Store {
  return createStateStore(createMemoryTables(), options);
}
