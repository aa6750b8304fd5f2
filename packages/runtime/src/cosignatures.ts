/** @module Which of the configured witnesses have cosigned a checkpoint, from the note alone. */
import { openNote } from '@countersign/crypto';
import { cosignatureSeconds } from '@countersign/log';
import type { ConfiguredWitness, WitnessConfig } from './witness-config.ts';

export interface CosignedBy {
  readonly witness: ConfiguredWitness;
  /** POSIX seconds that the witness wrote; undefined where no line of it is there that verifies. */
  readonly seconds: number | undefined;
}

export interface Cosignatures {
  readonly quorum: number;
  readonly reached: boolean;
  readonly witnesses: readonly CosignedBy[];
}

function secondsOf(note: string, { cosigner }: ConfiguredWitness): number | undefined {
  const opened = openNote(note, [cosigner]);
  const signature = opened.ok ? opened.value.signatures[0] : undefined;
  const seconds = signature === undefined ? undefined : cosignatureSeconds(signature.signature);
  return seconds === undefined ? undefined : Number(seconds);
}

/** Checks a checkpoint's note against the witnesses of a log. Total. */
export function checkCosignatures(note: string, { quorum, witnesses }: WitnessConfig): Cosignatures {
  const found = witnesses.map((witness) => ({ witness, seconds: secondsOf(note, witness) }));
  return { quorum, reached: found.filter(({ seconds }) => seconds !== undefined).length >= quorum, witnesses: found };
}
