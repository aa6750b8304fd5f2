/**
 * @module The posture of sessions at the hushd door: seen by the owner, moved by a key with the scope `admin` and by nobody else. What a
 * transition may do is the policy's to say (spec/policy.md POL-220); this door only asks.
 */
import { getOwn, isJsonObject, type JsonObject } from '@countersign/kernel';
import type { SessionPosture } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, nowText, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import { needText, objectBody, pathText, refuse } from './hushd-fields.ts';
import type { HushdSession } from './hushd-session-store.ts';
import { ownSession } from './hushd-sessions.ts';

/** `state` and `budgets` of a check, as hushd shows them. */
export interface PostureWire {
  readonly state: string;
  readonly budgets: SessionPosture['budgets'];
}

function notInitialized(message: string): HushdError {
  return new HushdError({ code: 'POSTURE_STATE_NOT_INITIALIZED', message });
}

/** Where sessions begin under the policy in force; undefined where it has no posture. */
function initialState({ door }: HushdRoom): string | undefined {
  const resolved: unknown = JSON.parse(door.admin.activePolicy()?.resolved ?? '{}');
  const posture = isJsonObject(resolved) ? getOwn(resolved, 'posture') : undefined;
  const initial = isJsonObject(posture) ? getOwn(posture, 'initial') : undefined;
  return typeof initial === 'string' ? initial : undefined;
}

/** The posture of a session in which something was judged; undefined before that. */
async function begun(room: HushdRoom, { id, key }: HushdSession): Promise<SessionPosture | undefined> {
  const found = await room.door.sessionDesk.posture(key.org, id);
  if (found.ok) return found.value;
  if (found.error.code === 'session_unknown') return undefined;
  throw refuse('INVALID_SESSION', `${found.error.message} (${found.error.code})`, '/session_id');
}

/** What stands beside a check of an opened session; undefined where the policy has no posture. */
export async function postureWire(room: HushdRoom, session: HushdSession): Promise<PostureWire | undefined> {
  const posture = await begun(room, session);
  return posture === undefined || posture.state === '' ? undefined : { state: posture.state, budgets: posture.budgets };
}

async function view(room: HushdRoom, session: HushdSession): Promise<JsonObject> {
  const posture = await begun(room, session);
  const state = posture === undefined ? initialState(room) : posture.state;
  if (state === undefined || state === '') throw notInitialized('the policy in force has no posture, so no session has one');
  const history = (posture?.history ?? []).map(({ from, to, on, at }) => ({ from, to, trigger: on, at }));
  const budgets = Object.entries(posture?.budgets ?? {}).map(([name, { used, limit }]) => [name, { used, limit }] as const);
  return { state, enteredAt: posture?.entered ?? null, budgets: Object.fromEntries(budgets), transitionHistory: history };
}

const TRIGGERS = { user_approval: 'user_approval', user_denial: 'user_denial' } as const;

function triggerOf(body: JsonObject): keyof typeof TRIGGERS {
  const text = needText(body, 'trigger');
  if (text === TRIGGERS.user_approval || text === TRIGGERS.user_denial) return text;
  throw refuse('INVALID_TRIGGER', 'a trigger is `user_approval` or `user_denial`', '/trigger');
}

/** A session of the key's org, whoever opened it: an approval is another person's. */
function orgSession(room: HushdRoom, key: HushdKey, id: string): HushdSession {
  const session = room.sessions.find(id);
  if (session !== undefined && session.key.org === key.org) return session;
  throw new HushdError({ code: 'SESSION_NOT_FOUND', message: 'there is no open session of this id' });
}

async function transition(room: HushdRoom, request: FastifyRequest): Promise<JsonObject> {
  const key = room.keyFor(request);
  const body = objectBody(request.body);
  const to = needText(body, 'toState');
  const on = triggerOf(body);
  const session = orgSession(room, key, pathText(request.params, 'id'));
  const warrant = { by: `key:hushd-${key.id}`, authority: 'posture:transition', reason: 'asked for at the hushd door' } as const;
  const moved = await room.door.sessionDesk.transition({ org: key.org, session: session.id, to, on, ...warrant });
  if (!moved.ok) {
    const { code, message, hint } = moved.error;
    if (code === 'session_unknown') throw notInitialized('nothing was judged in this session yet, so there is nothing to move');
    throw new HushdError({ code: 'TRANSITION_REFUSED', message: `${message} (${code})`, ...(hint === undefined ? {} : { hint }) });
  }
  const { from, receipt, time } = moved.value;
  const data = {
    event_id: `transition:${receipt}`,
    timestamp: nowText(room),
    session_id: session.id,
    from,
    to: moved.value.to,
    trigger: on,
  };
  room.events.publish({ type: 'session_posture_transition', org: key.org, session: session.id, data });
  return { success: true, fromState: from, toState: moved.value.to, receipt_id: receipt, at: time };
}

export function addPostureRoutes(app: FastifyInstance, room: HushdRoom): void {
  app.get('/api/v1/session/:id/posture', async (request, reply) =>
    send(reply, await view(room, ownSession(room, room.keyFor(request), pathText(request.params, 'id')))),
  );
  app.post('/api/v1/session/:id/transition', async (request, reply) => send(reply, await transition(room, request)));
}
