/**
 * @module Which state an agent may go to from which. Killed is final here; the one way back is a revival, which changes the secret.
 */
import type { AgentRecord } from '@countersign/pipeline';

type AgentState = AgentRecord['state'];

const MAY_BECOME: Readonly<Record<AgentState, readonly AgentState[]>> = {
  active: ['suspended', 'killed'],
  suspended: ['active', 'killed'],
  killed: [],
};

/** True when an operator may set `to` on an agent in `from`. Staying where it is counts as allowed. */
export function mayBecome(from: AgentState, to: AgentState): boolean {
  return from === to || MAY_BECOME[from].includes(to);
}
