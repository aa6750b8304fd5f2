/** @module Heartbeats of agents at the hushd door, in memory: what an agent says of itself, shown and never believed. */
import { formatTime, type JsonObject } from '@countersign/kernel';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, send } from './hushd-door.ts';
import { agentIdentity } from './hushd-draft.ts';
import { HushdError } from './hushd-errors.ts';
import { needText, objectBody, textField } from './hushd-fields.ts';

interface Heartbeat {
  readonly org: string;
  readonly key: string;
  readonly endpoint: string;
  readonly runtime: string | null;
  readonly runtimeKind: string | null;
  readonly policyVersion: string | null;
  readonly daemonVersion: string | null;
  readonly session: string | null;
  readonly seenMs: number;
}

const STALE_SECONDS = 90;

function heartbeatOf(body: JsonObject, key: HushdKey, nowMs: number): Heartbeat {
  const { runtime, runtimeKind } = agentIdentity(body);
  return {
    org: key.org,
    key: key.name,
    endpoint: needText(body, 'endpoint_agent_id'),
    runtime: runtime ?? null,
    runtimeKind: runtimeKind ?? null,
    policyVersion: textField(body, 'policy_version') ?? null,
    daemonVersion: textField(body, 'daemon_version') ?? null,
    session: textField(body, 'session_id') ?? null,
    seenMs: nowMs,
  };
}

function wireOf(beat: Heartbeat, now: { readonly ms: number; readonly policy: string | undefined; readonly version: string }): JsonObject {
  const stale = now.ms - beat.seenMs > STALE_SECONDS * 1000;
  return {
    endpoint_agent_id: beat.endpoint,
    runtime_agent_id: beat.runtime,
    runtime_agent_kind: beat.runtimeKind,
    session_id: beat.session,
    reported_by: beat.key,
    last_heartbeat_at: formatTime(beat.seenMs),
    policy_version: beat.policyVersion,
    daemon_version: beat.daemonVersion,
    online: !stale,
    drift: {
      policy_drift: beat.policyVersion !== null && beat.policyVersion !== now.policy,
      daemon_drift: beat.daemonVersion !== null && beat.daemonVersion !== now.version,
      stale,
    },
  };
}

export function addAgentRoutes(app: FastifyInstance, room: HushdRoom): void {
  const beats = new Map<string, Heartbeat>();
  const { clock } = room.door.ports;
  app.post('/api/v1/agent/heartbeat', (request, reply) => {
    const beat = heartbeatOf(objectBody(request.body), room.keyFor(request), clock.nowMs());
    const name = JSON.stringify([beat.org, beat.endpoint, beat.runtime]);
    if (!beats.has(name) && beats.size >= LIMITS.hushdAgentsMax) {
      const silent = [...beats].find(([, { seenMs }]) => beat.seenMs - seenMs > STALE_SECONDS * 1000)?.[0];
      if (silent === undefined) throw new HushdError({ code: 'AGENT_LIMIT', message: 'too many agents report already' });
      beats.delete(silent);
    }
    // Who reports goes to the end, so that the silent ones stand first.
    beats.delete(name);
    beats.set(name, beat);
    return send(reply, { success: true, received_at: formatTime(beat.seenMs) });
  });
  app.get('/api/v1/agents/status', (request, reply) => {
    const { org } = room.keyFor(request);
    const now = { ms: clock.nowMs(), policy: room.door.admin.activePolicy()?.hash, version: room.door.version };
    const seen = [...beats.values()].filter((beat) => beat.org === org);
    return send(reply, {
      generated_at: formatTime(now.ms),
      stale_after_secs: STALE_SECONDS,
      endpoints: seen.filter(({ runtime }) => runtime === null).map((beat) => wireOf(beat, now)),
      runtimes: seen.filter(({ runtime }) => runtime !== null).map((beat) => wireOf(beat, now)),
    });
  });
}
