/**
 * @module Audit events of others at the hushd door. Each becomes an action of its own, judged and recorded like any other: what the
 * receipt proves is that it was said here, and by which key; never that it is true.
 */
import { sha256Hex } from '@countersign/crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { countersignAction } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, send } from './hushd-door.ts';
import { field, objectBody, refuse } from './hushd-fields.ts';
import { movedNumbers } from './hushd-draft.ts';

const KIND = 'session.audit';

type Fate = 'accepted' | 'duplicate' | 'rejected';

/** Ids that were recorded since the start, the newest `auditIdsMax`. */
export function createSeenIds(): { has(id: string): boolean; add(id: string): void } {
  const seen = new Set<string>();
  return {
    has: (id) => seen.has(id),
    add(id): void {
      seen.add(id);
      const [oldest] = seen.size > LIMITS.auditIdsMax ? seen : [];
      if (oldest !== undefined) seen.delete(oldest);
    },
  };
}

function idOf(event: JsonValue): string | undefined {
  const id = isJsonObject(event) ? field(event, 'id') : undefined;
  return typeof id === 'string' && id !== '' && id.length <= LIMITS.hushdTextCharsMax ? id : undefined;
}

/** True when the event is in the log. */
async function recorded(
  room: HushdRoom,
  key: HushdKey,
  event: { readonly value: JsonObject; readonly exactNumbers: readonly string[] },
): Promise<boolean> {
  const { value, exactNumbers } = event;
  const answer = await countersignAction(
    {
      caller: { org: key.org, agent: key.agent },
      draft: {
        kind: KIND,
        params: value,
        source: { framework: 'hushd', door: 'hushd' },
        delegation: [],
        ...(exactNumbers.length === 0 ? {} : { exactNumbers }),
      },
      session: `audit:${sha256Hex(key.id).slice(0, 16)}`,
      fingerprint: `hushd\n${key.id}`,
      mode: 'scan',
    },
    room.door.ports,
  );
  return answer.receipt !== null && answer.refusal === undefined;
}

export function addBatchRoute(app: FastifyInstance, room: HushdRoom): void {
  const seen = createSeenIds();

  async function fateOf(request: FastifyRequest, event: JsonValue, place: number): Promise<Fate> {
    const id = idOf(event);
    if (id === undefined || !isJsonObject(event)) return 'rejected';
    const key = room.keyFor(request);
    const name = `${key.org}\n${id}`;
    if (seen.has(name)) return 'duplicate';
    const exactNumbers = movedNumbers(room.exactNumbersOf(request), [[`/events/${place}`, '/params']]);
    if (!(await recorded(room, key, { value: event, exactNumbers }))) return 'rejected';
    seen.add(name);
    return 'accepted';
  }

  app.post('/api/v1/audit/batch', async (request, reply) => {
    const events = field(objectBody(request.body), 'events');
    if (!Array.isArray(events) || events.length > LIMITS.auditBatchMax)
      throw refuse('INVALID_BODY', `\`events\` is a list of at most ${LIMITS.auditBatchMax}`, '/events');
    const ids: Record<Fate, (string | null)[]> = { accepted: [], duplicate: [], rejected: [] };
    for (const [place, event] of (events as readonly JsonValue[]).entries())
      ids[await fateOf(request, event, place)].push(idOf(event) ?? null);
    return send(reply, {
      accepted: ids.accepted.length,
      duplicates: ids.duplicate.length,
      rejected: ids.rejected.length,
      accepted_ids: ids.accepted,
      duplicate_ids: ids.duplicate,
      rejected_ids: ids.rejected,
    });
  });
}
