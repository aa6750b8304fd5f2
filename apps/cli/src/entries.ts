/** @module A log entry in one line: who asked for what, and what was said. */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { LoggedEntry } from './operator.ts';
import type { Colour } from './render.ts';

function at(value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined {
  let here = value;
  for (const key of keys) here = isJsonObject(here) ? getOwn(here, key) : undefined;
  return here;
}

function textAt(value: JsonValue | undefined, ...keys: readonly string[]): string {
  const found = at(value, ...keys);
  if (typeof found === 'string') return found;
  return typeof found === 'number' ? String(found) : '';
}

export interface EntrySummary {
  readonly index: number;
  readonly time: string;
  readonly type: 'receipt' | 'outcome' | 'session end' | 'erasure' | 'other';
  readonly id: string;
  /** The agent of a receipt; empty otherwise. */
  readonly agent: string;
  /** Decision, status or reason. */
  readonly said: string;
  /** Kind and tool, or the receipt an outcome belongs to. */
  readonly of: string;
  /** Codes of the reasons. */
  readonly why: string;
}

const TYPES: Readonly<Record<string, EntrySummary['type']>> = {
  'countersign.receipt.v1': 'receipt',
  'countersign.outcome.v1': 'outcome',
  'countersign.session-end.v1': 'session end',
  'countersign.erasure.v1': 'erasure',
};

function reasonCodes(body: JsonValue | undefined): string {
  const reasons = at(body, 'verdict', 'reasons');
  return Array.isArray(reasons) ? reasons.map((reason: JsonValue) => textAt(reason, 'code')).join(' ') : '';
}

/** Reads what a line needs; a field that is not there is empty. */
export function summarize({ index, entry }: LoggedEntry): EntrySummary {
  const body = getOwn(entry, 'body');
  const type = TYPES[textAt(body, 'type')] ?? 'other';
  const said = type === 'receipt' ? textAt(body, 'verdict', 'decision') : textAt(body, type === 'outcome' ? 'status' : 'reason');
  const tool = [textAt(body, 'action', 'kind'), textAt(body, 'action', 'tool')].filter((part) => part !== '').join(' ');
  return {
    index,
    time: textAt(body, 'time'),
    type,
    id: textAt(body, 'id'),
    agent: textAt(body, 'principal', 'agent'),
    said,
    of: type === 'receipt' ? tool : textAt(body, 'receipt'),
    why: reasonCodes(body),
  };
}

const GOOD: ReadonlySet<string> = new Set(['allow', 'ok']);
const FAIR: ReadonlySet<string> = new Set(['warn', 'unknown']);

/** Green for allow and ok, yellow for warn and unknown, red for the rest. */
export function saidColour({ said }: EntrySummary): Colour {
  if (GOOD.has(said)) return 'green';
  return FAIR.has(said) ? 'yellow' : 'red';
}
