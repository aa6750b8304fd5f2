/**
 * @module Every change of the policy in force, and every one that was refused, as an action of its own in the log: judged and sealed like any
 * other, so that its receipt proves, verifies and replays (spec/policy.md POL-283). What the verdict says of it changes nothing.
 */
import { codeOf, formatTime, type JsonObject, uuidv7 } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';
import type { Action, StateSlice } from '@countersign/protocol';
import type { PolicyChange } from './policy-changes.ts';

/** The gateway itself: an org and an agent that nobody else can be, and a session of reserved name. */
const SELF = 'countersign';
const SESSION = 'countersign.policy';
const KIND = 'session.policy';
const STATE: StateSlice = { agentState: 'active', scopes: ['*'], orgMode: 'locked' };

export type AuditPorts = Pick<Ports, 'clock' | 'random' | 'engines' | 'recorder' | 'state' | 'feed'>;

/** Hashes and codes only: a policy and its faults may quote what is not for the log. */
function paramsOf(change: PolicyChange): JsonObject {
  const { event, by, before, after, code } = change;
  return { event, by, before: before ?? null, after: after ?? null, ...(code === undefined ? {} : { code }) };
}

async function record(ports: AuditPorts, change: PolicyChange): Promise<void> {
  const engine = ports.engines.engineFor(SELF);
  if (engine === undefined) return;
  const now = formatTime(ports.clock.nowMs());
  const origin = { source: { framework: SELF, door: 'policy' }, org: SELF, agent: SELF, session: SESSION, delegation: [] };
  const action: Action = { v: 1, id: uuidv7(ports.clock, ports.random), kind: KIND, params: paramsOf(change), ...origin };
  const understood = await engine.understand(action, []);
  try {
    const { verdict, delta } = await understood.judge({ now, state: STATE });
    const draft = { id: action.id, action, inputs: engine.inputs, outcomeBy: null, time: now, state: STATE, signals: [], verdict, delta };
    const staged = ports.recorder.stageReceipt(draft);
    ports.state.stageDelta({ org: SELF, agent: SELF, delegation: [], session: SESSION }, delta);
    await staged.durable;
  } finally {
    understood.release();
  }
}

/** Hears of changes, in order; the promise that it gives never fails: a log that takes nothing is told of by others too. */
export function createPolicyAudit(ports: AuditPorts, warn: (message: string) => void): (change: PolicyChange) => Promise<void> {
  let last = Promise.resolve();
  return (change) => {
    const { event, by, before, after, code } = change;
    if (by === 'file') {
      const data = { event, by, hash: after ?? before ?? null, ...(code === undefined ? {} : { code }) };
      ports.feed.publish({ type: 'policy', time: formatTime(ports.clock.nowMs()), org: '', data });
    }
    last = last.then(() =>
      record(ports, change).catch((error: unknown) => warn(`the change of the policy could not be recorded (${codeOf(error)})`)),
    );
    return last;
  };
}
