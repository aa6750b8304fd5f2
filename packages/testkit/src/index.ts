/** @module Suites and fixtures that more than one package's tests need. */
export { createFaultyDisk, type DiskFault, type FaultyDisk } from './faulty-disk.ts';
export { logStorageContract, type StorageBed } from './log-storage-contract.ts';
export { createMemoryWitnessState, type MemoryWitness, type WitnessMemory } from './memory-witness-state.ts';
export { createBench, stateStoreContract, type ContractStore, type StateBed } from './state-store-contract.ts';
export { witnessStateContract, type WitnessBed } from './witness-state-contract.ts';
