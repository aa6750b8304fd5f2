/** @module The sessions that wrote last, from the end of the log backwards, as far as is looked. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { CLI_LIMITS } from './limits.ts';
import type { LoggedEntry, Operator } from './operator.ts';

export interface SessionRow {
  readonly session: string;
  readonly org: string;
  /** The agent of the newest receipt that was looked at; empty where none was. */
  readonly agent: string;
  /** Entries of the chain. */
  readonly entries: number;
  /** Time of the newest entry. */
  readonly newest: string;
  /** Place in the log of the newest entry. */
  readonly index: number;
  readonly log: string;
  readonly state: 'open' | 'ended';
}

const RESERVED_PREFIX = 'countersign.';
const SESSION_END = 'countersign.session-end.v1';

function text(body: JsonObject, name: string): string {
  const value = getOwn(body, name);
  return typeof value === 'string' ? value : '';
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function rowOf({ index, entry }: LoggedEntry, log: string): SessionRow | undefined {
  const body = objectOf(getOwn(entry, 'body'));
  const principal = objectOf(getOwn(body, 'principal'));
  const [session, seq] = [text(body, 'session'), getOwn(body, 'seq')];
  if (session === '' || session.startsWith(RESERVED_PREFIX) || typeof seq !== 'number') return undefined;
  const named = text(principal, 'org');
  const org = named === '' ? text(body, 'org') : named;
  const state = text(body, 'type') === SESSION_END ? 'ended' : 'open';
  return { session, org, agent: text(principal, 'agent'), entries: seq + 1, newest: text(body, 'time'), index, log, state };
}

/** Takes one entry, newest first: the first of a chain that comes is its head. */
function take(found: Map<string, SessionRow>, row: SessionRow): void {
  const key = `${row.org}\n${row.session}`;
  const head = found.get(key);
  if (head === undefined) found.set(key, row);
  else if (head.agent === '' && row.agent !== '') found.set(key, { ...head, agent: row.agent });
}

interface Asked {
  readonly wanted: number;
  readonly org?: string;
}

interface Found {
  readonly rows: readonly SessionRow[];
  /** Entries that were looked through. */
  readonly looked: number;
}

async function recentOf(operator: Reader, log: string, { wanted, org }: Asked): Promise<Found> {
  const size = await operator.size(log);
  const first = Math.max(0, size - CLI_LIMITS.sessionEntriesMax);
  const found = new Map<string, SessionRow>();
  let end = size;
  while (end > first && found.size < wanted) {
    const from = Math.max(first, end - CLI_LIMITS.pageMax);
    const page = await operator.entries(from, end - from, log);
    for (const entry of page.toReversed()) {
      const row = rowOf(entry, log);
      if (row !== undefined && (org === undefined || row.org === org)) take(found, row);
    }
    end = from;
  }
  return { rows: [...found.values()], looked: size - end };
}

type Reader = Pick<Operator, 'size' | 'entries' | 'listLogs'>;

/** At most `wanted` sessions, the newest first, among the newest `sessionEntriesMax` entries of each log that is open. */
export async function recentSessions(operator: Reader, asked: Asked): Promise<Found> {
  const logs = (await operator.listLogs()).filter(({ size }) => size !== null);
  const found: Found[] = [];
  for (const { name } of logs) found.push(await recentOf(operator, name, asked));
  // Times have one form and length, so that their order is that of their texts.
  const rows = found.flatMap((one) => one.rows).sort((a, b) => (a.newest < b.newest ? 1 : a.newest > b.newest ? -1 : b.index - a.index));
  return { rows: rows.slice(0, asked.wanted), looked: found.reduce((sum, { looked }) => sum + looked, 0) };
}
