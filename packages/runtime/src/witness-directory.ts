/** @module A witness from its directory: what it remembers, its key, and the lock that makes this process the only one that signs. */
import type { Clock, Random } from '@countersign/kernel';
import { createWitness, type Witness } from '@countersign/log';
import { lockWitness, openWitnessIdentity, openWitnessStore } from '@countersign/store';

export interface WitnessDirectoryOptions {
  readonly directory: string;
  /** Needed at the first start. */
  readonly name: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

export interface OpenedWitness extends Witness {
  readonly name: string;
  /** Lets the directory go. */
  close(): void;
}

/**
 * Opens a witness, making its directory and key where they are new.
 * @throws {CodedError} what the lock, the state or the key file say; nothing is left open then.
 */
export function openWitness({ directory, name, clock, random }: WitnessDirectoryOptions): OpenedWitness {
  const unlock = lockWitness(directory);
  try {
    const store = openWitnessStore(directory);
    try {
      const noteSigner = openWitnessIdentity({ directory, store, random, name });
      const close = (): void => {
        store.close();
        unlock();
      };
      return { ...createWitness({ state: store, clock, noteSigner }), name: noteSigner.name, close };
    } catch (error) {
      store.close();
      throw error;
    }
  } catch (error) {
    unlock();
    throw error;
  }
}
