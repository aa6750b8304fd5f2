/** @module What the log asks of its witnesses before it publishes a checkpoint (C2SP tlog-witness; spec/log.md, LOG-052). */
import type { Checkpoint } from './checkpoint.ts';

/** Consistency proof from the tree of `oldSize` to the one that is about to be published. */
export type ProveFrom = (oldSize: number) => Promise<readonly Uint8Array[]>;

/** Signature lines to publish with a checkpoint, each with its newline, each verified. Never rejects; takes a bounded time. */
export type Cosign = (checkpoint: Checkpoint, prove: ProveFrom) => Promise<readonly string[]>;
