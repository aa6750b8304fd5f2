/**
 * @module Who called whom: the chain of agents that led to a call, carried along asynchronous work without being passed by hand.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { CodedError } from '@countersign/kernel';
import { SDK_LIMITS } from './limits.ts';

export interface Delegation {
  /** 16 hex characters, one per outermost `agent` scope. */
  readonly traceId: string;
  /** From the root agent to the one that acts. */
  readonly chain: readonly string[];
}

const storage = new AsyncLocalStorage<Delegation>();
const MEMBER = /^[A-Za-z0-9_.:-]+$/;

/** The chain in force, or undefined outside every `agent` scope. */
export function currentDelegation(): Delegation | undefined {
  return storage.getStore();
}

function extend(outer: Delegation | undefined, id: string): Delegation {
  if (id.length > SDK_LIMITS.agentIdCharsMax || !MEMBER.test(id)) {
    throw new CodedError({
      code: 'invalid_agent_id',
      message: `an agent id has 1 to ${SDK_LIMITS.agentIdCharsMax} characters of \`A-Z a-z 0-9 _ . : -\``,
    });
  }
  if (outer === undefined) return { traceId: randomUUID().replaceAll('-', '').slice(0, 16), chain: [id] };
  // The agent that acts already is not delegating to itself.
  if (outer.chain.at(-1)?.toLowerCase() === id.toLowerCase()) return outer;
  const chain = [...outer.chain, id];
  const shown = chain.join(' -> ');
  if (outer.chain.some((member) => member.toLowerCase() === id.toLowerCase())) {
    throw new CodedError({ code: 'delegation_cycle', message: `circular delegation detected: ${shown}` });
  }
  if (chain.length > SDK_LIMITS.delegationDepthMax) {
    throw new CodedError({
      code: 'delegation_too_deep',
      message: `delegation depth ${chain.length} exceeds maximum ${SDK_LIMITS.delegationDepthMax}: ${shown}`,
    });
  }
  return { traceId: outer.traceId, chain };
}

/**
 * Runs `work` as agent `id`: calls made inside carry the chain of all `agent` scopes around them.
 * @throws {CodedError} `invalid_agent_id`, `delegation_too_deep` (more than 5), `delegation_cycle` (case-insensitive), before `work` starts.
 */
export function agent<T>(id: string, work: () => T): T {
  return storage.run(extend(storage.getStore(), id), work);
}

/** Headers that carry the chain to another service; none where there is no delegation. */
export function delegationHeaders(): Readonly<Record<string, string>> {
  const current = storage.getStore();
  if (current === undefined || current.chain.length < 2) return {};
  return {
    'x-clampd-delegation-trace': current.traceId,
    'x-clampd-delegation-chain': current.chain.join(','),
    'x-clampd-delegation-confidence': 'declared',
  };
}
