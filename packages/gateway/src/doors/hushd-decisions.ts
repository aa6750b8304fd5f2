/** @module `check` and `eval` at the hushd door: one action through the pipeline, and what came of it for whoever watches. */
import { sha256Hex } from '@countersign/crypto';
import { codeOf, type JsonObject } from '@countersign/kernel';
import { type ActionRequest, type Answer, countersignAction } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { within } from '../deadline.ts';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { checkWire, evalWire } from './hushd-answer.ts';
import { type HushdRoom, nowText, send } from './hushd-door.ts';
import { type AgentIdentity, agentIdentity, checkDraft, type Drafted, originOf } from './hushd-draft.ts';
import { HushdError, refusalError } from './hushd-errors.ts';
import { eventDraft } from './hushd-event.ts';
import { field, objectBody, objectField, textField } from './hushd-fields.ts';
import { postureWire } from './hushd-posture.ts';
import { sessionFor } from './hushd-sessions.ts';

const FRAMEWORK = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}/;
const SESSION_ID = /^[A-Za-z0-9_:.-]{1,128}$/;
const RESERVED_SESSION = 'countersign.';

/** An action on its way, and how its watchers will know it. */
interface Work {
  readonly key: HushdKey;
  readonly drafted: Drafted;
  readonly origin: JsonObject;
  readonly session: string | undefined;
  readonly identity: AgentIdentity;
  /** Word of the client for what it wants to do. */
  readonly actionType: string;
  readonly event: 'check' | 'eval';
}

function actionRequest(request: FastifyRequest, work: Work): ActionRequest {
  const { key, drafted, session } = work;
  const origin = { ...drafted.origin, ...work.origin };
  const userAgent = request.headers['user-agent'] ?? '';
  return {
    caller: { org: key.org, agent: key.agent },
    draft: {
      ...drafted,
      source: { framework: FRAMEWORK.exec(userAgent)?.[0].toLowerCase() ?? 'unknown', door: 'hushd' },
      delegation: [],
      ...(Object.keys(origin).length === 0 ? {} : { origin }),
    },
    // The key tells clients without a session apart: addresses behind a proxy are not theirs.
    fingerprint: `hushd\n${key.id}\n${userAgent.slice(0, LIMITS.hushdTextCharsMax)}`,
    mode: 'scan',
    ...(session === undefined ? {} : { session }),
  };
}

function isAllowed({ verdict }: Answer): boolean {
  return verdict.decision === 'allow' || verdict.decision === 'warn';
}

/** What watchers are told: codes and names, never a value. */
function eventData({ identity, actionType, key }: Work, answer: Answer, timestamp: string): JsonObject {
  const [first] = answer.verdict.reasons;
  const { receipt } = answer;
  return {
    event_id: answer.requestId,
    timestamp,
    action_type: actionType,
    // What it was about is in the vault, not in a feed.
    target: null,
    allowed: isAllowed(answer),
    guard: first?.code ?? null,
    severity: answer.verdict.severity,
    message: first?.text ?? 'Allowed',
    policy_hash: receipt?.inputs.policy ?? null,
    session_id: answer.session,
    agent_id: key.agent,
    receipt_id: receipt?.id ?? null,
    endpoint_agent_id: identity.endpoint ?? null,
    runtime_agent_id: identity.runtime ?? null,
    runtime_agent_kind: identity.runtimeKind ?? null,
  };
}

function publish(room: HushdRoom, work: Work, answer: Answer): void {
  const { identity, event, key } = work;
  room.events.publish({
    type: event === 'check' && !isAllowed(answer) ? 'violation' : event,
    org: key.org,
    session: answer.session,
    ...(identity.endpoint === undefined ? {} : { endpointAgent: identity.endpoint }),
    ...(identity.runtime === undefined ? {} : { runtimeAgent: identity.runtime }),
    ...(identity.runtimeKind === undefined ? {} : { runtimeKind: identity.runtimeKind }),
    data: eventData(work, answer, answer.receipt?.time ?? nowText(room)),
  });
}

/** Nothing else may ever come of a failure here than an error. */
function workError(error: unknown): unknown {
  if (codeOf(error) !== 'door_timeout') return error;
  return new HushdError({ code: 'UNAVAILABLE', message: 'the decision took too long', hint: 'retry after a moment' });
}

async function countersigned(room: HushdRoom, request: FastifyRequest, work: Work): Promise<Answer> {
  const { ports } = room.door;
  try {
    return await within(ports.timer, LIMITS.answerTimeoutMs, countersignAction(actionRequest(request, work), ports));
  } catch (error) {
    throw workError(error);
  }
}

/** Has one action judged and recorded. @throws HushdError where that could not be done. */
async function decide(room: HushdRoom, request: FastifyRequest, work: Work): Promise<Answer> {
  const { ports } = room.door;
  const startedMs = ports.clock.nowMs();
  const answer = await countersigned(room, request, work);
  const latencyMs = Math.max(0, Math.round(ports.clock.nowMs() - startedMs));
  publish(room, work, answer);
  if (answer.refusal !== undefined) {
    room.metrics.decided('refused', latencyMs);
    room.metrics.refused(answer.refusal.code);
    room.tally.violations += 1;
    throw refusalError(answer.refusal, { requestId: answer.requestId, receiptId: answer.receipt?.id ?? null });
  }
  const { decision } = answer.verdict;
  room.metrics.decided(decision === 'allow' ? 'allowed' : decision === 'warn' ? 'flagged' : 'denied', latencyMs);
  if (decision === 'allow' || decision === 'warn') room.tally.allowed += 1;
  else room.tally.violations += 1;
  return answer;
}

function checkWork(room: HushdRoom, request: FastifyRequest, sessionOf: SessionOf): Work {
  const body = objectBody(request.body);
  const key = room.keyFor(request);
  const identity = agentIdentity(body);
  const { type, drafted } = checkDraft(body, room.exactNumbersOf(request));
  const session = sessionOf(room, key, { id: textField(body, 'session_id'), identity });
  return { key, drafted, origin: originOf(body, identity), session, identity, actionType: type, event: 'check' };
}

type SessionOf = (
  room: HushdRoom,
  key: HushdKey,
  claim: { readonly id: string | undefined; readonly identity: AgentIdentity },
) => string | undefined;

/** Under a policy with a posture it is the session that may do something: who names none is told so, and nothing is judged. */
function needSession(room: HushdRoom, { org }: HushdKey, id: string | undefined): void {
  if ((id !== undefined && id !== '') || room.initialPosture(org) === undefined) return;
  throw new HushdError({
    code: 'SESSION_ID_REQUIRED',
    message: 'the policy in force has a posture, so a decision needs a session',
    hint: 'open one with `POST /api/v1/session` and name it',
  });
}

/** A session that was opened here, by this key. */
const openedSession: SessionOf = (room, key, { id, identity }) => {
  needSession(room, key, id);
  if (id === undefined) return undefined;
  return sessionFor(room, key, { id, ...(identity.endpoint === undefined ? {} : { endpointAgent: identity.endpoint }) }).id;
};

/** A session that the client counts itself: its name as it is where it can be one, else a name made of it. One of another key is refused. */
const claimedSession: SessionOf = (room, key, { id }) => {
  if (id === undefined || id === '') return undefined;
  if (room.sessions.find(id) !== undefined) return sessionFor(room, key, { id }).id;
  if (SESSION_ID.test(id) && !id.startsWith(RESERVED_SESSION)) return id;
  return `event:${sha256Hex(id).slice(0, 32)}`;
};

/** With the posture of the session, where it has one or was opened here. */
async function withPosture(
  room: HushdRoom,
  { key, session }: Work,
  answered: { readonly answer: Answer; readonly wire: object },
): Promise<object> {
  const { answer, wire } = answered;
  const opened = session !== undefined && room.sessions.find(session) !== undefined;
  const posture = opened || room.initialPosture(key.org) !== undefined ? await postureWire(room, key.org, answer) : undefined;
  return posture === undefined ? wire : { ...wire, posture };
}

async function check(room: HushdRoom, request: FastifyRequest, sessionOf: SessionOf): Promise<object> {
  const work = checkWork(room, request, sessionOf);
  const answer = await decide(room, request, work);
  return withPosture(room, work, { answer, wire: checkWire(answer) });
}

/** The event of a body: bare, or under `event`; with its own pointers. */
function eventOf(room: HushdRoom, request: FastifyRequest): { readonly event: JsonObject; readonly numbers: readonly string[] } {
  const body = objectBody(request.body);
  const numbers = room.exactNumbersOf(request);
  if (field(body, 'event') === undefined) return { event: body, numbers };
  const inside = numbers.filter((path) => path.startsWith('/event/')).map((path) => path.slice('/event'.length));
  return { event: objectField(body, 'event') ?? {}, numbers: inside };
}

async function evaluate(room: HushdRoom, request: FastifyRequest): Promise<object> {
  const { event, numbers } = eventOf(room, request);
  const key = room.keyFor(request);
  const { drafted, origin, session, type, unseen } = eventDraft(event, numbers);
  needSession(room, key, session);
  const claimed = claimedSession(room, key, { id: session, identity: {} });
  const work: Work = { key, drafted, origin, session: claimed, identity: {}, actionType: type, event: 'eval' };
  const answer = await decide(room, request, work);
  return withPosture(room, work, { answer, wire: evalWire(answer, unseen) });
}

export function addDecisionRoutes(app: FastifyInstance, room: HushdRoom): void {
  const answered = (work: (request: FastifyRequest) => Promise<object>) => async (request: FastifyRequest, reply: FastifyReply) =>
    send(reply, await work(request));
  app.post(
    '/api/v1/check',
    answered((request) => check(room, request, openedSession)),
  );
  // Hooks name their own sessions and open none.
  app.post(
    '/api/v1/agent/policy-check',
    answered((request) => check(room, request, claimedSession)),
  );
  app.post(
    '/api/v1/eval',
    answered((request) => evaluate(room, request)),
  );
}
