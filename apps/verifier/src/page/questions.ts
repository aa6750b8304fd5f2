/** @module What else the reader of the page may ask: how many witnesses, since which checkpoint, due by when. A bad answer is the stricter one. */
import type { Trust } from '@countersign/receipts/verify';

/** Whom to believe, and what to ask. */
export interface Questions {
  readonly trust: Trust;
  /** A checkpoint that was kept from before: consistency files must begin at it. */
  readonly seen?: string;
  /** RFC 3339 in UTC with milliseconds: outcomes that are due by then must be there. */
  readonly now?: string;
}

export interface ReadQuorum {
  readonly quorum?: number;
  readonly complaint?: string;
}

/** The number of witnesses that must have cosigned. A text that is no such number asks for more than there are, so that it proves nothing. */
export function readQuorum(text: string, witnesses: number): ReadQuorum {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  const quorum = /^[0-9]{1,4}$/.test(trimmed) ? Number(trimmed) : 0;
  if (quorum >= 1 && quorum <= witnesses) return { quorum };
  return { quorum: witnesses + 1, complaint: `a number from 1 to ${witnesses}, the witness keys above` };
}

export interface ReadNow {
  readonly now?: string;
  readonly complaint?: string;
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$/;
/** When everything was due. */
const LATEST = '9999-12-31T23:59:59.999Z';

/** The time at which what is due is judged. A text that is no time makes everything due. */
export function readNow(text: string): ReadNow {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  if (!TIME.test(trimmed) || Number.isNaN(Date.parse(trimmed)))
    return { now: LATEST, complaint: 'a time in UTC such as 2026-01-02T03:04:05Z' };
  return { now: new Date(trimmed).toISOString() };
}
