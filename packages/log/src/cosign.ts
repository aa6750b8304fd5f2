/** @module How a log asks for cosignatures between its tiles and its checkpoint. Whoever speaks to witnesses implements it. */
import type { Checkpoint } from './checkpoint.ts';

/** The RFC 6962 consistency proof from an older size of the log to the size of the checkpoint that is being cosigned; empty from size 0. */
export type ProveSince = (oldSize: number) => Promise<readonly Uint8Array[]>;

/**
 * Asks every witness for its cosignature of a checkpoint that is not yet published. Gives the lines that verified, each with its newline,
 * one a witness, to be appended to the note as they are. Never rejects, and ends within a limit of time: what did not come by then is
 * left out.
 */
export type Cosign = (checkpoint: Checkpoint, prove: ProveSince) => Promise<readonly string[]>;
