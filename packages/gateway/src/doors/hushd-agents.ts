/** @module Heartbeats of agents at the hushd door, in memory: what an agent says of itself, shown and never believed. */
import { formatTime, type JsonObject } from '@countersign/kernel';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, send } from './hushd-door.ts';
import { agentIdentity } from './hushd-draft.ts';
import { HushdError } from './hushd-errors.ts';
import { needText, objectBody, textField } from './hushd-fields.ts';

export interface Heartbeat {
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

export interface Heartbeats {
  /** @throws HushdError `AGENT_LIMIT` where too many agents report and none has fallen silent. */
  take(beat: Heartbeat): void;
  of(org: string): readonly Heartbeat[];
}

export function createHeartbeats(): Heartbeats {
  const beats = new Map<string, Heartbeat>();
  return {
    take(beat: Heartbeat): void {
      const name = JSON.stringify([beat.org, beat.endpoint, beat.runtime]);
      // Who reports goes to the end, so the first is the one that has been silent for longest.
      beats.delete(name);
      const [silent] = beats.size < LIMITS.hushdAgentsMax ? [] : beats;
      if (silent !== undefined) {
        if (beat.seenMs - silent[1].seenMs <= STALE_SECONDS * 1000)
          throw new HushdError({ code: 'AGENT_LIMIT', message: 'too many agents report already' });
        beats.delete(silent[0]);
      }
      beats.set(name, beat);
    },
    of: (org) => [...beats.values()].filter((beat) => beat.org === org),
  };
}

export function addAgentRoutes(app: FastifyInstance, room: HushdRoom): void {
  const beats = createHeartbeats();
  const { clock } = room.door.ports;
  app.post('/api/v1/agent/heartbeat', (request, reply) => {
    const beat = heartbeatOf(objectBody(request.body), room.keyFor(request), clock.nowMs());
    beats.take(beat);
    return send(reply, { success: true, received_at: formatTime(beat.seenMs) });
  });
  app.get('/api/v1/agents/status', (request, reply) => {
    const { org } = room.keyFor(request);
    const now = { ms: clock.nowMs(), policy: room.door.admin.activePolicy()?.hash, version: room.door.version };
    const seen = beats.of(org);
    return send(reply, {
      generated_at: formatTime(now.ms),
      stale_after_secs: STALE_SECONDS,
      endpoints: seen.filter(({ runtime }) => runtime === null).map((beat) => wireOf(beat, now)),
      runtimes: seen.filter(({ runtime }) => runtime !== null).map((beat) => wireOf(beat, now)),
    });
  });
}
