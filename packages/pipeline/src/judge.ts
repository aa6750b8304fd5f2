/**
 * @module 4 judge: in this session's turn, with the state as the last staged decision left it.
 */
import { formatTime, invariant } from '@countersign/kernel';
import type { Action, StateSlice } from '@countersign/protocol';
import { type Passage, refuse, SESSION_ENDED, step } from './passage.ts';
import type { Ports } from './ports.ts';

/** What is known of the tool; nothing where the action has none. */
async function readTool(action: Action, ports: Ports): Promise<Pick<StateSlice, 'tool' | 'toolScope'>> {
  if (action.tool === undefined) return {};
  const descriptorHash = action.descriptor?.hash;
  const known = await ports.state.tool({ org: action.org, tool: action.tool, ...(descriptorHash === undefined ? {} : { descriptorHash }) });
  return {
    ...(known.registration === undefined ? {} : { tool: known.registration }),
    ...(known.scope === undefined ? {} : { toolScope: known.scope }),
  };
}

async function readState(passage: Passage, ports: Ports, nowMs: number): Promise<StateSlice> {
  const { action, orgMode } = passage;
  invariant(action !== undefined, 'state is read for an identified action');
  const [agent, tool, sessionCalls, hotUntil, posture] = await Promise.all([
    ports.state.agent(action.agent),
    readTool(action, ports),
    ports.state.sessionCalls(action.org, action.session),
    ports.state.sessionHotUntil(action.org, action.session),
    ports.state.sessionPosture(action.org, action.session),
  ]);
  const claimed = passage.request.caller.scopes;
  return {
    ...(agent === undefined ? {} : { agentState: agent.state, scopes: agent.scopes }),
    ...(agent?.trust === undefined ? {} : { trust: agent.trust }),
    ...(claimed === undefined ? {} : { claimedScopes: claimed }),
    orgMode: orgMode ?? 'locked',
    sessionCalls,
    // What has cooled down is not kept with every receipt.
    ...(hotUntil * 1000 > nowMs ? { hotUntil } : {}),
    ...tool,
    ...(posture === undefined ? {} : { posture }),
    ...(passage.authority === undefined ? {} : { authority: passage.authority }),
  };
}

/** Takes the session's turn and asks the engine. The turn is held until `record` has staged the receipt. */
export async function judge(passage: Passage, ports: Ports): Promise<Passage> {
  await step(passage, 'judge', async () => {
    const { action, understood } = passage;
    invariant(action !== undefined && understood !== undefined, 'only an understood action can be judged');
    const turn = ports.turns.take(`${action.org}\n${action.session}`);
    if (turn === undefined)
      return refuse(passage, { code: 'overloaded', message: 'too many decisions wait in this session', hint: 'retry after a moment' });
    const endTurn = await turn;
    if (passage.refusal !== undefined) return endTurn();
    passage.endTurn = endTurn;
    // It may have been ended while this action waited for its turn.
    if (ports.recorder.isEnded(action.org, action.session)) return refuse(passage, SESSION_ENDED);
    const nowMs = ports.clock.nowMs();
    passage.state = await readState(passage, ports, nowMs);
    passage.time = formatTime(nowMs);
    passage.judgement = await understood.judge({ now: passage.time, state: passage.state });
    return undefined;
  });
  return passage;
}
