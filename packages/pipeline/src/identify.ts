/**
 * @module 2 identify: who acts, for which org, in which session, on whose behalf. From here on every end is recorded.
 */
import { canonicalize, type JsonValue, utf8Length } from '@countersign/kernel';
import { sha256Hex } from '@countersign/crypto';
import { type Action, PROTOCOL_LIMITS } from '@countersign/protocol';
import type { RefusalCode } from './action-request.ts';
import { PIPELINE_LIMITS } from './limits.ts';
import { type Passage, refuse, SESSION_ENDED, step } from './passage.ts';
import type { AgentRecord, Ports } from './ports.ts';

const REFUSED_STATES: Readonly<Record<AgentRecord['state'], { code: RefusalCode; message: string } | undefined>> = {
  active: undefined,
  suspended: { code: 'agent_suspended', message: 'the agent is suspended' },
  killed: { code: 'agent_killed', message: 'the agent is killed' },
};

/** A session for a client that names none: stable for one agent, client and quarter of an hour. */
function implicitSession(passage: Passage): string {
  const { caller, fingerprint } = passage.request;
  const window = Math.floor(passage.startedMs / PIPELINE_LIMITS.implicitSessionWindowMs);
  const digest = sha256Hex(`${caller.org}\n${caller.agent}\n${window}\n${fingerprint}`).slice(0, 16);
  return `implicit:${caller.agent}:${window}:${digest}`;
}

function buildAction(passage: Passage): Action {
  const { caller, draft, session } = passage.request;
  return { ...draft, v: 1, id: passage.requestId, org: caller.org, agent: caller.agent, session: session ?? implicitSession(passage) };
}

async function checkDelegators(passage: Passage, ports: Ports): Promise<void> {
  const { caller, draft } = passage.request;
  for (const member of draft.delegation) {
    const agent = await ports.state.agent(member);
    if (agent === undefined || agent.org !== caller.org) {
      return refuse(passage, {
        code: 'delegation_unknown_caller',
        message: 'a member of the delegation chain is not an agent of this org',
        path: '/delegation',
      });
    }
    const refused = REFUSED_STATES[agent.state];
    if (refused !== undefined)
      return refuse(passage, { ...refused, message: `${refused.message} (a delegating agent)`, path: '/delegation' });
  }
  return undefined;
}

async function identifyAgent(passage: Passage, ports: Ports): Promise<void> {
  const { caller } = passage.request;
  const [org, agent] = await Promise.all([ports.state.org(caller.org), ports.state.agent(caller.agent)]);
  if (org === undefined || (agent !== undefined && agent.org !== org.id)) {
    return refuse(passage, { code: 'org_mismatch', message: 'the agent does not belong to the org of the API key' });
  }
  if (agent === undefined)
    return refuse(passage, { code: 'agent_not_found', message: 'no such agent', hint: 'register it with `countersign agent create`' });
  passage.orgMode = org.mode;
  const refused = REFUSED_STATES[agent.state];
  if (refused !== undefined) return refuse(passage, { ...refused, hint: 'see `countersign agent list`' });
  return checkDelegators(passage, ports);
}

/** Names the actor and builds the canonical action. */
export async function identify(passage: Passage, ports: Ports): Promise<Passage> {
  await step(passage, 'identify', () => {
    const action = buildAction(passage);
    const text = canonicalize(action as unknown as JsonValue);
    const bytes = utf8Length(text);
    if (bytes > PROTOCOL_LIMITS.actionBytesMax) {
      return refuse(passage, {
        code: 'action_too_large',
        message: `an action has at most ${PROTOCOL_LIMITS.actionBytesMax} bytes, and this one has ${bytes}`,
        hint: 'what names the agent, the session and the tool counts too: split the call',
      });
    }
    // Before the action is one that is recorded: its chain is closed, so there is nowhere to record it.
    if (ports.recorder.isEnded(action.org, action.session)) return refuse(passage, SESSION_ENDED);
    passage.action = action;
    passage.actionText = text;
    return identifyAgent(passage, ports);
  });
  return passage;
}
