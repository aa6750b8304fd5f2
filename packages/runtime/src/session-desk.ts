/**
 * @module Ending a session (spec/receipt.md RCPT-034, RCPT-035): in its own turn, so that no decision is half under way, and not while an
 * outcome is awaited, which would have nowhere to go.
 */
import { type Clock, err, type Fault, formatTime, getOwn, isJsonObject, ok, parseJson, type Random, uuidv7 } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import type { Feed, SessionDesk, SessionEndRequest, SessionEnded, SessionEntry, SessionResult, SessionTurns } from '@countersign/pipeline';
import type { SessionEndBody } from '@countersign/protocol';
import type { ReceiptRecorder, StagedEntry } from '@countersign/receipts';
import { reasonFault } from './plain-reason.ts';
import { sessionFault, unknownSession } from './session-faults.ts';

export interface SessionDeskParts {
  /** The log that an org writes to. @throws CodedError `log_failed`. */
  readonly logOf: (org: string) => Pick<Log, 'readEntry'>;
  readonly recorder: Pick<ReceiptRecorder, 'stageSessionEnd' | 'isEnded' | 'isAwaiting' | 'newest' | 'chain'>;
  readonly turns: SessionTurns;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
}

const BUSY: Fault<'session_busy'> = {
  code: 'session_busy',
  message: 'a call of this session is under way, and its outcome is still to come',
  path: '/session',
  hint: 'try again in a moment; suspend the agent first if it does not stop: `countersign agent suspend`',
};

/** Whether the chain can be closed now; nothing may come between this and the staging. */
function stateFault({ recorder }: SessionDeskParts, { org, session }: SessionEndRequest): Fault<SessionFault> | undefined {
  if (recorder.newest(org, session) === undefined) return unknownSession();
  if (recorder.isEnded(org, session)) return { code: 'session_ended', message: 'the session was ended already', path: '/session' };
  return recorder.isAwaiting(org, session) ? BUSY : undefined;
}

type SessionFault = 'session_unknown' | 'session_ended' | 'session_busy';

async function stageInTurn(parts: SessionDeskParts, request: SessionEndRequest): Promise<SessionResult<StagedEntry<SessionEndBody>>> {
  const turn = parts.turns.take(`${request.org}\n${request.session}`);
  if (turn === undefined) return err(BUSY);
  const endTurn = await turn;
  try {
    const fault = stateFault(parts, request);
    if (fault !== undefined) return err(fault);
    const { clock, random, recorder } = parts;
    return ok(recorder.stageSessionEnd({ id: uuidv7(clock, random), time: formatTime(clock.nowMs()), ...request }));
  } finally {
    endTurn();
  }
}

async function end(parts: SessionDeskParts, request: SessionEndRequest): Promise<SessionResult<SessionEnded>> {
  const fault = sessionFault(request.session) ?? reasonFault(request.reason);
  if (fault !== undefined) return err(fault);
  const staged = await stageInTurn(parts, request);
  if (!staged.ok) return staged;
  const { body, index, durable } = staged.value;
  await durable;
  const { id, time, session, seq, org } = body;
  parts.feed.publish({ type: 'session', time, org, data: { session, state: 'ended', receipt: id } });
  return ok({ id, index, time, session, entries: seq + 1 });
}

function entryAt(index: number, bytes: Uint8Array): readonly SessionEntry[] {
  const parsed = parseJson(bytes);
  const body = parsed.ok && isJsonObject(parsed.value.value) ? getOwn(parsed.value.value, 'body') : undefined;
  if (!isJsonObject(body)) return [];
  const [id, seq] = [getOwn(body, 'id'), getOwn(body, 'seq')];
  return typeof id === 'string' && typeof seq === 'number' ? [{ id, index, seq }] : [];
}

async function entries(
  { logOf, recorder }: SessionDeskParts,
  org: string,
  session: string,
): Promise<SessionResult<readonly SessionEntry[]>> {
  const fault = sessionFault(session);
  if (fault !== undefined) return err(fault);
  const places = await recorder.chain(org, session);
  if (places.length === 0) return err(unknownSession());
  const log = logOf(org);
  const found: SessionEntry[] = [];
  for (const index of places) found.push(...entryAt(index, await log.readEntry(index)));
  return ok(found);
}

export function createSessionDesk(parts: SessionDeskParts): Pick<SessionDesk, 'end' | 'entries'> {
  return { end: (request) => end(parts, request), entries: (org, session) => entries(parts, org, session) };
}
