/** @module A witness's memory that lives as long as the test. Its content outlives it in `MemoryWitness`, so that it can be opened again. */
import { parseNoteVerifierKey, type NoteVerifier } from '@countersign/crypto';
import { invariant } from '@countersign/kernel';
import { EMPTY_TREE, sameTree, type WitnessedTree, type WitnessState } from '@countersign/log';

/** What is remembered: keys and newest tree of each origin. */
export type MemoryWitness = Map<string, { readonly keys: Map<string, NoteVerifier>; tree: WitnessedTree }>;

export interface WitnessMemory extends WitnessState {
  addKey(origin: string, key: string): void;
  close(): void;
}

export function createMemoryWitnessState(memory: MemoryWitness = new Map()): WitnessMemory {
  return {
    log: (origin) => {
      const known = memory.get(origin);
      return known === undefined ? undefined : { keys: [...known.keys.values()], tree: known.tree };
    },
    advance: ({ origin, from, to }) => {
      const known = memory.get(origin);
      if (known === undefined || !sameTree(known.tree, from)) return false;
      known.tree = { size: to.size, root: to.root.slice() };
      return true;
    },
    addKey: (origin, key) => {
      const parsed = parseNoteVerifierKey(key);
      invariant(parsed.ok, 'a test gives a verifier key');
      const known = memory.get(origin) ?? { keys: new Map<string, NoteVerifier>(), tree: EMPTY_TREE };
      known.keys.set(key, parsed.value);
      memory.set(origin, known);
    },
    close: () => undefined,
  };
}
