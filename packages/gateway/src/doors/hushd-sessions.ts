/**
 * @module Sessions of the hushd door. A session belongs to the key that made it and acts as its agent; what the client says of itself
 * stands beside it and gives no right.
 */
import { formatTime, type JsonObject } from '@countersign/kernel';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, nowText, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import type { HushdSession } from './hushd-session-store.ts';
import { field, objectBody, objectField, pathText, refuse, textField } from './hushd-fields.ts';

/** The session that a decision names, where it may. @throws HushdError where it may not. */
export function sessionFor(room: HushdRoom, key: HushdKey, claim: { readonly id: string; readonly endpointAgent?: string }): HushdSession {
  const session = room.sessions.find(claim.id);
  if (session === undefined) throw refuse('INVALID_SESSION', 'this session is not open', '/session_id');
  if (session.key.id !== key.id) throw refuse('API_KEY_SESSION_BINDING_MISMATCH', 'this session belongs to another key', '/session_id');
  if (session.endpointAgent !== undefined && claim.endpointAgent !== undefined && session.endpointAgent !== claim.endpointAgent)
    throw refuse('SESSION_IDENTITY_MISMATCH', 'this session was made for another endpoint agent', '/endpoint_agent_id');
  session.lastActivityMs = room.door.ports.clock.nowMs();
  return session;
}

function wireOf(session: HushdSession): JsonObject {
  const { id, key, request, state, endpointAgent } = session;
  return {
    session_id: id,
    identity: { type: 'api_key', id: key.id, name: key.name, org: key.org, agent: key.agent },
    created_at: formatTime(session.createdMs),
    last_activity_at: formatTime(session.lastActivityMs),
    expires_at: formatTime(session.expiresMs),
    effective_roles: [],
    effective_permissions: [...key.scopes],
    request: request ?? null,
    metadata: endpointAgent === undefined ? null : { endpoint_agent_id: endpointAgent },
    state,
  };
}

/** What a session may not be given by whoever opens it: only the gateway says these. */
const RESERVED_STATE = ['posture', 'bound_api_key_id', 'identity', 'effective_roles', 'effective_permissions'] as const;

function stateOf(body: JsonObject): JsonObject {
  const state = objectField(body, 'state') ?? {};
  for (const name of RESERVED_STATE)
    if (Object.hasOwn(state, name))
      throw refuse('SESSION_STATE_REFUSED', `a session cannot be opened with \`${name}\` in its state`, `/state/${name}`);
  return state;
}

const TTL_DEFAULT_SECONDS = 3600;

function secondsOf(body: JsonObject): number {
  const seconds = field(body, 'ttl_seconds') ?? TTL_DEFAULT_SECONDS;
  if (typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= LIMITS.hushdSessionSecondsMax)
    return seconds;
  throw refuse('INVALID_TTL', `a session lasts 1 to ${LIMITS.hushdSessionSecondsMax} seconds`, '/ttl_seconds');
}

/** A session that this key sees; one of another key is no different from none. */
export function ownSession(room: HushdRoom, key: HushdKey, id: string): HushdSession {
  const session = room.sessions.find(id);
  if (session !== undefined && session.key.id === key.id) return session;
  throw new HushdError({ code: 'SESSION_NOT_FOUND', message: 'there is no open session of this id for this key' });
}

function tell(room: HushdRoom, type: string, session: HushdSession): void {
  const { id, key } = session;
  const data = { event_id: `${type}:${id}`, timestamp: nowText(room), session_id: id, agent_id: key.agent };
  room.events.publish({ type, org: key.org, session: id, data });
}

/** Ends the session here and in the log. One that has no entry has nothing to close there. */
async function end(room: HushdRoom, session: HushdSession): Promise<void> {
  room.sessions.remove(session.id);
  const ended = await room.door.sessionDesk.end({ org: session.key.org, session: session.id, reason: 'deleted at the hushd door' });
  if (ended.ok || ended.error.code === 'session_unknown' || ended.error.code === 'session_ended') return;
  // It is closed for this door; the chain can be ended when what is under way is done.
  throw new HushdError({
    code: 'SESSION_BUSY',
    message: `the session takes nothing more, and its chain is still open (${ended.error.code})`,
  });
}

export function addSessionRoutes(app: FastifyInstance, room: HushdRoom): void {
  app.post('/api/v1/session', (request, reply) => {
    const body = objectBody(request.body ?? {});
    const endpointAgent = textField(body, 'endpoint_agent_id');
    const about = objectField(body, 'request');
    const draft = {
      state: stateOf(body),
      ...(about === undefined ? {} : { request: about }),
      ...(endpointAgent === undefined ? {} : { endpointAgent }),
    };
    const session = room.sessions.create(room.keyFor(request), secondsOf(body), draft);
    tell(room, 'session_created', session);
    return send(reply, { session: wireOf(session) });
  });
  app.get('/api/v1/session/:id', (request, reply) =>
    send(reply, { session: wireOf(ownSession(room, room.keyFor(request), pathText(request.params, 'id'))) }),
  );
  app.delete('/api/v1/session/:id', async (request, reply) => {
    const session = ownSession(room, room.keyFor(request), pathText(request.params, 'id'));
    await end(room, session);
    tell(room, 'session_terminated', session);
    return send(reply, { success: true, session_id: session.id });
  });
}
