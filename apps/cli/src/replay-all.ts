/**
 * @module Every receipt of an installation, replayed one after the other: from the journal of a data directory, in its order, with
 * each document and engine checked once; or bundle by bundle through the gateway that has the directory open.
 */
import { getOwn, isJsonObject } from '@countersign/kernel';
import type { LogRecord } from '@countersign/log';
import { RECEIPT_TYPE } from '@countersign/protocol';
import type { Runtime } from '@countersign/runtime';
import type { Context } from './command.ts';
import { createCounter } from './counter.ts';
import { createKeptDocuments, type KeptDocuments } from './kept-documents.ts';
import { CLI_LIMITS } from './limits.ts';
import { readEntry } from './log-reader.ts';
import type { Operator } from './operator.ts';
import { entryId, openDirectoryRuntime } from './operator-directory.ts';
import { findGateway } from './operator-gateway.ts';
import { replayBundle, replaySealed, type Row } from './replayed-bundle.ts';
import type { Replayer } from './replayer.ts';

interface All {
  readonly context: Context;
  readonly replayer: Replayer;
  readonly add: (row: Row) => void;
}

/** True: every entry was looked at. False: somebody stopped it. */
type Complete = boolean;

async function* eachBundle(operator: Operator, size: number): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  for (let from = 0; from < size; from += CLI_LIMITS.pageMax) {
    const page = await operator.entries(from, Math.min(CLI_LIMITS.pageMax, size - from));
    for (const { entry } of page) {
      const id = isReceipt(entry) ? entryId(entry) : undefined;
      yield id === undefined ? undefined : await operator.bundle(id);
    }
  }
}

function isReceipt(entry: ReturnType<typeof readEntry>['entry']): boolean {
  const body = getOwn(entry, 'body');
  return isJsonObject(body) && getOwn(body, 'type') === RECEIPT_TYPE;
}

/** Goes through `items` with a count on standard error, until Ctrl-C. */
async function each<Item>(
  all: All,
  items: { readonly size: number; readonly of: AsyncIterable<Item> },
  replayed: (item: Item) => Promise<Row | undefined>,
): Promise<Complete> {
  const { world } = all.context;
  const counter = createCounter(world, 'replaying: entry', items.size);
  try {
    for await (const item of items.of) {
      if (world.stop.aborted) return false;
      const row = await replayed(item);
      if (row !== undefined) all.add(row);
      counter.add();
    }
    return true;
  } finally {
    counter.end();
  }
}

async function throughGateway(all: All, operator: Operator): Promise<Complete> {
  const size = await operator.size();
  return each(all, { size, of: eachBundle(operator, size) }, async (bytes) =>
    bytes === undefined ? undefined : replayBundle(bytes, all.replayer),
  );
}

interface Directory {
  readonly runtime: Runtime;
  readonly documents: KeptDocuments;
  readonly replayer: Replayer;
}

const decoder = new TextDecoder();

async function replayRecord(record: LogRecord, { runtime, documents, replayer }: Directory): Promise<Row | undefined> {
  const { entry } = readEntry(record.index, record.entry);
  if (!isReceipt(entry)) return undefined;
  const id = entryId(entry) ?? '';
  const sealed = runtime.sealed(record, id);
  if (!sealed.ok) return { id, result: { status: 'refused', sentence: sealed.error.message } };
  const { inputs, delta } = sealed.value;
  return replaySealed({ index: record.index, entry: decoder.decode(record.entry), inputs }, { documents, delta }, replayer);
}

async function onDirectory(all: All): Promise<Complete> {
  const runtime = await all.context.progress('opening', () => openDirectoryRuntime(all.context, false));
  try {
    const documents = createKeptDocuments((hash) => runtime.store.document(hash));
    const directory = { runtime, documents, replayer: all.replayer };
    return await each(all, { size: runtime.log.durableSize, of: runtime.log.scan(0) }, (record) => replayRecord(record, directory));
  } finally {
    await runtime.close();
  }
}

/** Replays every receipt, oldest first, and gives each row to `add`. */
export async function replayAll(all: All): Promise<Complete> {
  const gateway = await findGateway(all.context);
  if (gateway === undefined) return onDirectory(all);
  try {
    return await throughGateway(all, gateway);
  } finally {
    await gateway.close();
  }
}
