/**
 * @module 1 admit: is there room, and is the request of a shape that can be judged at all? Nothing is recorded of what ends here.
 */
import type { Fault } from '@countersign/kernel';
import type { ActionRequest, RefusalCode } from './action-request.ts';
import { PIPELINE_LIMITS } from './limits.ts';
import { type Passage, refuse, step } from './passage.ts';
import type { Ports } from './ports.ts';

const SESSION_ID = /^[A-Za-z0-9_:.-]{1,128}$/;
/** Chains of the vault and of the log itself: no agent writes to them. */
const RESERVED_PREFIX = 'countersign.';
const FULL = { overloaded: 'too many decisions are under way', shutting_down: 'the gateway is stopping' } as const;

function checkDelegation(chain: readonly string[], agent: string): Fault<RefusalCode> | undefined {
  const path = '/delegation';
  if (chain.length > PIPELINE_LIMITS.delegationDepthMax) {
    return {
      code: 'invalid_delegation_chain',
      message: `Delegation depth ${chain.length} exceeds maximum ${PIPELINE_LIMITS.delegationDepthMax}`,
      path,
    };
  }
  const seen = new Set<string>([agent.toLowerCase()]);
  for (const member of chain) {
    const name = member.toLowerCase();
    if (member === '' || member.length > PIPELINE_LIMITS.delegationMemberCharsMax) {
      return { code: 'invalid_delegation_chain', message: 'a delegation chain member must have 1 to 128 characters', path };
    }
    if (seen.has(name))
      return { code: 'invalid_delegation_chain', message: 'Circular delegation: an agent appears twice in the chain', path };
    seen.add(name);
  }
  return undefined;
}

function checkShape(request: ActionRequest): Fault<RefusalCode> | undefined {
  const { draft, session } = request;
  if (session !== undefined && !SESSION_ID.test(session)) {
    return { code: 'invalid_session_id', message: 'a session id has 1 to 128 characters of `A-Z a-z 0-9 _ : . -`', path: '/session' };
  }
  if (session?.startsWith(RESERVED_PREFIX) === true) {
    return {
      code: 'invalid_session_id',
      message: `session ids that begin with \`${RESERVED_PREFIX}\` are reserved`,
      path: '/session',
      hint: 'send another id, or none',
    };
  }
  if (draft.kind.length > PIPELINE_LIMITS.kindCharsMax)
    return { code: 'invalid_action', message: 'the action kind is too long', path: '/kind' };
  if (draft.tool !== undefined && draft.tool.length > PIPELINE_LIMITS.toolNameCharsMax) {
    return { code: 'invalid_action', message: `a tool name has at most ${PIPELINE_LIMITS.toolNameCharsMax} characters`, path: '/tool' };
  }
  return checkDelegation(draft.delegation, request.caller.agent);
}

/** Takes a place at the gate and checks the shape. */
export async function admit(passage: Passage, ports: Ports): Promise<Passage> {
  await step(passage, 'admit', () => {
    const full = ports.gate.enter();
    if (full !== undefined) return refuse(passage, { code: full, message: FULL[full], hint: 'retry after a moment' });
    passage.admitted = true;
    const fault = checkShape(passage.request);
    if (fault !== undefined) refuse(passage, fault);
    return undefined;
  });
  return passage;
}
