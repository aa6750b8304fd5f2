/**
 * @module What the recorder remembers of its log: where each chain stands, and where each id is. Taken up at open from the notes of closed
 * segments, and from the records of what has no notes (`segment-notes.ts`).
 */
import { sha256Hex } from '@countersign/crypto';
import { getOwn, isJsonObject, parseJson } from '@countersign/kernel';
import type { ClosedSegment, Log, LogRecord } from '@countersign/log';
import { ERASURE_TYPE, LOG_KEY_TYPE, OUTCOME_TYPE, RECEIPT_TYPE, SESSION_END_TYPE, type EntryBody } from '@countersign/protocol';
import { chainName, createChains, type Chains, type Head } from './chains.ts';
import { bodyTextOf } from './entry.ts';
import { createIdIndex, hashOfId, type IdIndex } from './id-index.ts';
import { utf8Text } from './jcs.ts';
import { readSegmentNotes, type SegmentNotes, writeSegmentNotes } from './segment-notes.ts';

/** One entry, as far as it is remembered. */
export interface Noted {
  readonly id: string;
  readonly chain: string;
  readonly head: Head;
}

export interface LogMemory {
  readonly chains: Chains;
  readonly ids: IdIndex;
  /** Takes note of an entry that was staged. Entries are noted in the order of the log, without gap. */
  note(entry: Noted): void;
}

export interface Replay {
  readonly replay: ((body: EntryBody, record: LogRecord) => void) | undefined;
  readonly replayFrom: number;
}

const OWN_TYPES: ReadonlySet<unknown> = new Set([RECEIPT_TYPE, OUTCOME_TYPE, SESSION_END_TYPE, ERASURE_TYPE, LOG_KEY_TYPE]);

/** Body of an entry that this room wrote; undefined for an entry of another type. */
export function ownBody(entry: Uint8Array): { readonly text: string; readonly body: EntryBody } | undefined {
  const whole = utf8Text(entry);
  const text = whole === undefined ? '' : bodyTextOf(whole);
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : null;
  if (!isJsonObject(value)) return undefined;
  if (!OWN_TYPES.has(getOwn(value, 'type'))) return undefined;
  // The journal's checksum says that these are the bytes that were staged.
  return { text, body: value as unknown as EntryBody };
}

function orgOf(body: EntryBody): string {
  return body.type === RECEIPT_TYPE ? body.principal.org : body.org;
}

/** Entries behind the last closed segment: what its notes will be made of. */
interface Recent {
  first: number;
  entries: (Noted | undefined)[];
}

function noteOf(record: LogRecord): { readonly noted: Noted; readonly body: EntryBody } | undefined {
  const own = ownBody(record.entry);
  if (own === undefined) return undefined;
  const { body, text } = own;
  const head = { seq: body.seq, hash: sha256Hex(text), index: record.index, closed: body.type === SESSION_END_TYPE };
  return { noted: { id: body.id, chain: chainName(orgOf(body), body.session), head }, body };
}

function notesOf(entries: readonly (Noted | undefined)[]): SegmentNotes {
  const heads = new Map<string, Head>();
  for (const entry of entries) {
    if (entry === undefined) continue;
    const { chain, head } = entry;
    heads.set(chain, heads.get(chain)?.closed === true ? { ...head, closed: true } : head);
  }
  return { idHashes: entries.map((entry) => (entry === undefined ? 0 : hashOfId(entry.id))), heads };
}

function takeNotes(memory: Pick<LogMemory, 'chains' | 'ids'>, notes: SegmentNotes, first: number): void {
  for (const [i, hash] of notes.idHashes.entries()) memory.ids.add(hash, first + i);
  for (const [name, head] of notes.heads) memory.chains.restore(name, head);
}

/** The notes of a closed segment, from its index or from its records; then they are kept for the next time. */
async function notesOfClosed(log: Log, segment: ClosedSegment): Promise<SegmentNotes> {
  const kept = segment.notes === undefined ? undefined : readSegmentNotes(segment.notes);
  if (kept?.idHashes.length === segment.end - segment.first) return kept;
  const entries: (Noted | undefined)[] = [];
  for await (const record of log.scan(segment.first)) {
    if (record.index >= segment.end) break;
    entries.push(noteOf(record)?.noted);
  }
  log.describeSegments(() => writeSegmentNotes(notesOf(entries)));
  await log.keepIndex(segment);
  return notesOf(entries);
}

/** Calls `replay` for records of closed segments. */
async function replayClosed(log: Log, end: number, { replay, replayFrom }: Replay): Promise<void> {
  if (replay === undefined || replayFrom >= end) return;
  for await (const record of log.scan(replayFrom)) {
    if (record.index >= end) return;
    const own = ownBody(record.entry);
    if (own !== undefined) replay(own.body, record);
  }
}

/** Takes up a log that was just opened. @throws CodedError what reading the log throws. */
export async function recallLog(log: Log, replay: Replay): Promise<LogMemory> {
  const known = { chains: createChains(), ids: createIdIndex() };
  for (const segment of log.closedSegments) takeNotes(known, await notesOfClosed(log, segment), segment.first);
  const closedEnd = log.closedSegments.at(-1)?.end ?? 0;
  await replayClosed(log, closedEnd, replay);
  const recent: Recent = { first: closedEnd, entries: [] };
  const take = (noted: Noted | undefined): void => {
    recent.entries.push(noted);
    if (noted === undefined) return;
    known.ids.add(hashOfId(noted.id), noted.head.index);
    known.chains.restore(noted.chain, noted.head);
  };
  for await (const record of log.scan(closedEnd)) {
    const own = noteOf(record);
    take(own?.noted);
    if (own !== undefined && record.index >= replay.replayFrom) replay.replay?.(own.body, record);
  }
  log.describeSegments((first, end) => {
    while (recent.first + recent.entries.length < end) recent.entries.push(undefined);
    const entries = recent.entries.slice(first - recent.first, end - recent.first);
    recent.entries = recent.entries.slice(end - recent.first);
    recent.first = end;
    return writeSegmentNotes(notesOf(entries));
  });
  return {
    ...known,
    note: (entry) => {
      // Entries of another room may stand between.
      while (recent.first + recent.entries.length < entry.head.index) recent.entries.push(undefined);
      take(entry);
    },
  };
}
