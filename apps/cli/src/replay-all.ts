/**
 * @module Every receipt of an installation, replayed one after the other: from the journal of a data directory, in its order, with
 * each document and engine checked once; or bundle by bundle through the gateway that has the directory open.
 */
import { type Fault, getOwn, isJsonObject } from '@countersign/kernel';
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
import { CliError } from './outcome.ts';
import { replayBundle, replaySealed, type Row } from './replayed-bundle.ts';
import type { Replayer } from './replayer.ts';

interface All {
  readonly context: Context;
  readonly replayer: Replayer;
  readonly add: (row: Row) => void;
}

/** True: every entry was looked at. False: somebody stopped it. */
type Complete = boolean;

/** Why a receipt whose content does not open cannot be replayed. */
function unopened(id: string, { code, message }: Fault): Row {
  return { id, result: { status: code === 'vault_erased' ? 'erased' : 'refused', sentence: message } };
}

/** The bundle of a receipt, or, where its content was erased, what is to be said of it. */
async function bundleOf(operator: Operator, id: string): Promise<Uint8Array | Row> {
  try {
    return await operator.bundle(id, { inputs: true });
  } catch (error) {
    const fault = error instanceof CliError ? error.faults[0] : undefined;
    if (fault?.code !== 'vault_erased') throw error;
    return unopened(id, fault);
  }
}

async function* eachBundle(operator: Operator, size: number): AsyncGenerator<Uint8Array | Row | undefined, void, undefined> {
  for (let from = 0; from < size; from += CLI_LIMITS.pageMax) {
    const page = await operator.entries(from, Math.min(CLI_LIMITS.pageMax, size - from));
    for (const { entry } of page) {
      const id = isReceipt(entry) ? entryId(entry) : undefined;
      yield id === undefined ? undefined : await bundleOf(operator, id);
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
  return each(all, { size, of: eachBundle(operator, size) }, async (found) =>
    found instanceof Uint8Array ? replayBundle(found, all.replayer) : found,
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
  if (!sealed.ok) return unopened(id, sealed.error);
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
