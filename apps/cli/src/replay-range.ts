/**
 * @module A range of a log, replayed: every receipt in it, in order, with what was sealed with it, and the hashes of its entries, so that
 * whoever puts ranges together sees that they are the log. Runs in a thread; what it gives is plain data.
 */
import { codeOf, type Fault, getOwn, isJsonObject, type JsonObject } from '@countersign/kernel';
import { leafHash, type LogRecord } from '@countersign/log';
import { RECEIPT_TYPE } from '@countersign/protocol';
import { checkReceipt, readLeaf } from '@countersign/receipts';
import { createHashRange, type EvidenceDirectory, type Subtree } from '@countersign/runtime';
import { createKeptDocuments, type KeptDocuments } from './kept-documents.ts';
import { createTally, type TallyPart } from './replay-tally.ts';
import type { Row } from './replayed-bundle.ts';
import type { Replayer } from './replayer.ts';

export interface Range {
  readonly from: number;
  readonly until: number;
}

/** Receipts of these times only, `[since, until)`, as RFC 3339 texts in UTC with milliseconds, which sort as times do. */
export interface TimeSpan {
  readonly since?: string;
  readonly until?: string;
}

export interface ReplayedRange extends Range {
  readonly tally: TallyPart;
  /** Hashes of all entries of the range, as perfect subtrees. */
  readonly subtrees: readonly Subtree[];
}

interface Setting {
  readonly evidence: EvidenceDirectory;
  readonly replayer: Replayer;
  readonly documents: KeptDocuments;
  readonly times: TimeSpan;
}

function textAt(body: JsonObject, name: string): string {
  const value = getOwn(body, name);
  return typeof value === 'string' ? value : '';
}

function isWithin(time: string, { since, until }: TimeSpan): boolean {
  return (since === undefined || time >= since) && (until === undefined || time < until);
}

function refused(id: string, sentence: string): Row {
  return { id, result: { status: 'refused', sentence } };
}

/** Why a receipt whose content does not open cannot be judged. */
function unopened(id: string, { code, message }: Fault): Row {
  return { id, result: { status: code === 'vault_erased' ? 'erased' : 'refused', sentence: message } };
}

/** The row of a receipt; undefined for any other entry, and for a receipt of another time. */
async function replayRecord(record: LogRecord, setting: Setting): Promise<Row | undefined> {
  const leaf = readLeaf(record.entry);
  if (!leaf.ok) return refused('', `entry ${record.index}: ${leaf.error.message}`);
  const body = getOwn(leaf.value, 'body');
  if (!isJsonObject(body) || getOwn(body, 'type') !== RECEIPT_TYPE || !isWithin(textAt(body, 'time'), setting.times)) return undefined;
  const id = textAt(body, 'id');
  const sealed = setting.evidence.sealed(record, id);
  if (!sealed.ok) return unopened(id, sealed.error);
  const { inputs, delta } = sealed.value;
  const receipt = checkReceipt(leaf.value, inputs);
  if (!receipt.ok) return refused(id, receipt.error.message);
  return { id, result: await setting.replayer.replay(receipt.value, { documents: setting.documents, delta }) };
}

/** Replays ranges of one directory. */
export interface RangeReplayer {
  /** @throws CodedError where the journal is damaged or an engine file is not what its name says. */
  replay(range: Range): Promise<ReplayedRange>;
}

export function createRangeReplayer(evidence: EvidenceDirectory, replayer: Replayer, times: TimeSpan): RangeReplayer {
  const documents = createKeptDocuments((hash) => evidence.document(hash));
  const setting: Setting = { evidence, replayer, documents, times };
  return {
    replay: async ({ from, until }) => {
      const tally = createTally();
      const hashes = createHashRange(from);
      for await (const records of evidence.journal.records(from, until)) {
        for (const record of records) {
          hashes.push({ height: 0, hash: leafHash(record.entry) });
          const row = await replayRecord(record, setting);
          if (row !== undefined) tally.add(row);
        }
      }
      return { from, until, tally: tally.part(), subtrees: [...hashes.parts] };
    },
  };
}

/** What went wrong in a thread, as plain data. */
export interface ThreadFault {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly hint?: string;
}

export function faultOf(error: unknown): ThreadFault {
  const fault = error instanceof Error && 'fault' in error ? (error.fault as ThreadFault) : undefined;
  if (fault !== undefined) return fault;
  return { code: codeOf(error), message: error instanceof Error ? error.message : 'something failed' };
}
