/**
 * @module Clampd's fallback for agents without a secret of their own: one shared HMAC secret, given by the operator. An agent that has
 * its own is never verified with it, and what an agent may do is still looked up afterwards.
 */
import { agentJwtKey } from '@countersign/crypto';
import type { Ports } from '@countersign/pipeline';

/** The same ports, with the shared secret behind `agentJwtKey`. Unchanged where there is none. */
export function withSharedSecret(ports: Ports, secret: string | undefined): Ports {
  if (secret === undefined) return ports;
  const shared = agentJwtKey(secret);
  const { state } = ports;
  return {
    ...ports,
    state: {
      org: (id) => state.org(id),
      agent: (id) => state.agent(id),
      apiKey: (hash) => state.apiKey(hash),
      agentJwtKey: async (agent) => (await state.agentJwtKey(agent)) ?? shared,
      tool: (request) => state.tool(request),
      sessionCalls: (org, session) => state.sessionCalls(org, session),
      sessionHotUntil: (org, session) => state.sessionHotUntil(org, session),
      sessionPosture: (org, session) => state.sessionPosture(org, session),
      consumeOnce: (id, expiresAtMs) => state.consumeOnce(id, expiresAtMs),
      stageDelta: (principal, delta) => state.stageDelta(principal, delta),
    },
  };
}
