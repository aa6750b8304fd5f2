/**
 * @module The posture of sessions at the hushd door: seen by the owner, moved by a key with the scope `admin` and by nobody else. What a
 * transition may do is the policy's to say (spec/policy.md POL-220); this door only asks.
 */
import { formatTime, getOwn, isJsonObject, type JsonObject } from '@countersign/kernel';
import type { Answer, SessionPosture } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HushdKey } from './hushd-access.ts';
import { type HushdDoor, type HushdRoom, nowText, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import { needText, objectBody, pathText, refuse } from './hushd-fields.ts';
import type { HushdSession } from './hushd-session-store.ts';
import { ownSession } from './hushd-sessions.ts';

/** `state` and `budgets` of a check, as hushd shows them. */
export interface PostureWire {
  readonly state: string;
  readonly budgets: SessionPosture['budgets'];
  /** What this decision, or a time that was over, made of it. */
  readonly transition?: { readonly from: string; readonly to: string; readonly trigger: string; readonly at: string };
}

function notInitialized(message: string): HushdError {
  return new HushdError({ code: 'POSTURE_STATE_NOT_INITIALIZED', message });
}

function readInitial(resolved: string): string | undefined {
  const policy: unknown = JSON.parse(resolved);
  const posture = isJsonObject(policy) ? getOwn(policy, 'posture') : undefined;
  const initial = isJsonObject(posture) ? getOwn(posture, 'initial') : undefined;
  return typeof initial === 'string' ? initial : undefined;
}

/** Where sessions begin under the policy in force, read once while it is; undefined where it has no posture. */
export function createInitialPosture({ admin, ports }: Pick<HushdDoor, 'admin' | 'ports'>): (org: string) => string | undefined {
  let known: { readonly hash: string; readonly initial: string | undefined } | undefined;
  return (org) => {
    const inForce = ports.engines.engineFor(org)?.inputs.policy;
    if (known !== undefined && known.hash === inForce) return known.initial;
    const active = admin.activePolicy();
    if (active === undefined) return undefined;
    const read = { hash: active.hash, initial: readInitial(active.resolved) };
    if (read.hash === inForce) known = read;
    return read.initial;
  };
}

/** The posture of a session in which something was judged; undefined before that. */
async function begun(room: HushdRoom, org: string, id: string): Promise<SessionPosture | undefined> {
  const found = await room.door.sessionDesk.posture(org, id);
  if (found.ok) return found.value;
  if (found.error.code === 'session_unknown') return undefined;
  throw refuse('INVALID_SESSION', `${found.error.message} (${found.error.code})`, '/session_id');
}

/** A change is named by the verdict that made it; the last of the history is that one. */
function transitionOf({ verdict, judgement }: Answer): PostureWire['transition'] {
  const made = verdict.reasons.some(({ code }) => code === 'posture.transition') ? judgement?.delta.posture?.history.at(-1) : undefined;
  return made === undefined ? undefined : { from: made.from, to: made.to, trigger: made.on, at: formatTime(made.at * 1000) };
}

/** What stands beside a decision in a session; undefined where there is no posture. */
export async function postureWire(room: HushdRoom, org: string, answer: Answer): Promise<PostureWire | undefined> {
  const posture = await begun(room, org, answer.session);
  if (posture === undefined || posture.state === '') return undefined;
  const made = transitionOf(answer);
  return { state: posture.state, budgets: posture.budgets, ...(made === undefined ? {} : { transition: made }) };
}

async function view(room: HushdRoom, session: HushdSession): Promise<JsonObject> {
  const posture = await begun(room, session.key.org, session.id);
  const state = posture === undefined ? room.initialPosture(session.key.org) : posture.state;
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
