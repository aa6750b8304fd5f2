/** @module Suites and fixtures that more than one package's tests need. */
export { createFaultyDisk, type DiskFault, type FaultyDisk } from './faulty-disk.ts';
export { logStorageContract, type StorageBed } from './log-storage-contract.ts';
export { createBench, stateStoreContract, type ContractStore, type StateBed } from './state-store-contract.ts';
