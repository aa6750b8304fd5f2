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

function rowOf({ index, entry }: LoggedEntry): SessionRow | undefined {
  const body = objectOf(getOwn(entry, 'body'));
  const principal = objectOf(getOwn(body, 'principal'));
  const [session, seq] = [text(body, 'session'), getOwn(body, 'seq')];
  if (session === '' || session.startsWith(RESERVED_PREFIX) || typeof seq !== 'number') return undefined;
  const named = text(principal, 'org');
  const org = named === '' ? text(body, 'org') : named;
  const state = text(body, 'type') === SESSION_END ? 'ended' : 'open';
  return { session, org, agent: text(principal, 'agent'), entries: seq + 1, newest: text(body, 'time'), index, state };
}

/** Takes one entry, newest first: the first of a chain that comes is its head. */
function take(found: Map<string, SessionRow>, row: SessionRow): void {
  const key = `${row.org}\n${row.session}`;
  const head = found.get(key);
  if (head === undefined) found.set(key, row);
  else if (head.agent === '' && row.agent !== '') found.set(key, { ...head, agent: row.agent });
}

/** At most `wanted` sessions, the newest first, among the newest `sessionEntriesMax` entries of the log; `looked` says how many those were. */
export async function recentSessions(
  operator: Pick<Operator, 'size' | 'entries'>,
  { wanted, org }: { readonly wanted: number; readonly org?: string },
): Promise<{ readonly rows: readonly SessionRow[]; readonly looked: number }> {
  const size = await operator.size();
  const first = Math.max(0, size - CLI_LIMITS.sessionEntriesMax);
  const found = new Map<string, SessionRow>();
  let end = size;
  while (end > first && found.size < wanted) {
    const from = Math.max(first, end - CLI_LIMITS.pageMax);
    const page = await operator.entries(from, end - from);
    for (const entry of page.toReversed()) {
      const row = rowOf(entry);
      if (row !== undefined && (org === undefined || row.org === org)) take(found, row);
    }
    end = from;
  }
  return { rows: [...found.values()].slice(0, wanted), looked: size - end };
}
