/**
 * @module 6 act: only here does an allow leave. The receipt is durable by now; a crash from here on leaves a receipt whose outcome is overdue.
 */
import { invariant } from '@countersign/kernel';
import { type Passage, refuse, step } from './passage.ts';
import type { Ports } from './ports.ts';

/** True when the recorded verdict releases the action. */
export function isReleased(passage: Passage): boolean {
  const decision = passage.verdict?.decision;
  return passage.refusal === undefined && passage.receipt !== undefined && (decision === 'allow' || decision === 'warn');
}

function mintToken(passage: Passage, ports: Ports): string | Promise<string> {
  const { action, judgement } = passage;
  invariant(action !== undefined && judgement !== undefined, 'a token is minted for a judged action');
  return ports.tokens.mint({
    agent: action.agent,
    scope: judgement.scope,
    tool: action.tool ?? action.kind,
    params: action.params ?? null,
    requestId: passage.requestId,
    session: action.session,
  });
}

/** Mints the scope token, and in forward mode calls the upstream. */
export async function act(passage: Passage, ports: Ports): Promise<Passage> {
  if (!isReleased(passage) || passage.request.mode === 'scan') return passage;
  await step(passage, 'release', async () => {
    // A kill that was acknowledged while the receipt went to disk holds for this action too.
    const agent = await ports.state.agent(passage.request.caller.agent);
    if (agent?.state !== 'active')
      return refuse(passage, { code: 'agent_killed', message: 'the agent was stopped before the action was released' });
    const token = await mintToken(passage, ports);
    const { mode, paramsText } = passage.request;
    if (mode === 'forward') {
      const url = passage.action?.targetUrl;
      invariant(url !== undefined && paramsText !== undefined, 'forward mode needs a target and the text of the params');
      passage.forwardedMs = ports.clock.nowMs();
      passage.response = await ports.upstream.forward({ url, body: paramsText, token });
    }
    passage.scopeToken = token;
    return undefined;
  });
  return passage;
}
