/** @module The body of `POST /api/v1/eval` -> action: what a PolicyEvent means is said once for all, in the room of policies. */
import type { JsonObject } from '@countersign/kernel';
import { POLICY_EVENT_TYPES, type PolicyEvent, type PolicyEventFault, type PolicyEventUnseen, readPolicyEvent } from '@countersign/policy';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { Drafted } from './hushd-draft.ts';
import type { HushdError } from './hushd-errors.ts';
import { field, refuse } from './hushd-fields.ts';

export interface EventDraft {
  readonly drafted: Drafted;
  readonly origin: JsonObject;
  /** As the client counts it; undefined where the event has none. */
  readonly session: string | undefined;
  /** Word for what it is about: the type of the event, or the kind that nobody knows. */
  readonly type: string;
  readonly unseen: PolicyEventUnseen | undefined;
}

function invalid({ code, message, path = '' }: PolicyEventFault): HushdError {
  return refuse('INVALID_EVENT', `${message} (${code})`, path === '' ? '' : `/${path.replaceAll('.', '/')}`);
}

/** Ids and types travel beside the action, so they are short. */
function checkShort({ id, type }: PolicyEvent): void {
  const max = LIMITS.hushdTextCharsMax;
  if (id.length > max) throw refuse('INVALID_EVENT', `an event id has at most ${max} characters`, '/eventId');
  if (type.length > max) throw refuse('INVALID_EVENT', `an event type has at most ${max} characters`, '/eventType');
}

/**
 * Reads one event. A type that nobody knows becomes a kind that every judge denies, so that it is on record.
 * @param exactNumbers Pointers into the event to numbers that a double cannot hold.
 * @throws HushdError where it has not the form of one.
 */
export function eventDraft(event: JsonObject, exactNumbers: readonly string[]): EventDraft {
  const read = readPolicyEvent(event, exactNumbers, 'unknown-kind');
  if (!read.ok) throw invalid(read.error);
  checkShort(read.value);
  const { id, type, session, action, unseen } = read.value;
  const metadata = field(event, 'metadata');
  return {
    drafted: action,
    origin: { event_id: id, ...(metadata === undefined ? {} : { metadata }) },
    session,
    type: POLICY_EVENT_TYPES.includes(type) ? type : action.kind,
    unseen,
  };
}
