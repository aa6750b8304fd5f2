/** @module What the hushd door is made of, and what its files lend each other. */
import type { Fault, JsonValue } from '@countersign/kernel';
import { formatTime } from '@countersign/kernel';
import type { AdminStore, Ports, SessionDesk } from '@countersign/pipeline';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { HushdKey, HushdKeyring } from './hushd-access.ts';
import type { HushdEvents } from './hushd-events.ts';
import type { HushdSessions } from './hushd-session-store.ts';
import type { PolicyDesk } from './operator-policies.ts';

/** The log as an audit: entries by their place. */
export interface HushdAudit {
  /** Durable entries of a log; undefined: there is no such log. */
  size(log: string): number | undefined;
  /** `{index, body, signatures}`. */
  entry(log: string, index: number): Promise<JsonValue>;
}

export interface HushdReceipts {
  /** A SignedReceipt 1.0.0, its exact bytes; or why there is none. Undefined: no such receipt. */
  signed(id: string): Promise<Uint8Array | Fault | undefined>;
  /** Org of a receipt; undefined: no such receipt. */
  orgOf(id: string): Promise<string | undefined>;
  /** Verifies a file by the receipt key of this installation. */
  verify(file: Uint8Array): Promise<{
    readonly ok: boolean;
    readonly checks: readonly { readonly name: string; readonly status: string; readonly code: string; readonly sentence: string }[];
  }>;
}

export interface HushdDoor {
  readonly ports: Ports;
  readonly keyring: HushdKeyring;
  readonly admin: Pick<AdminStore, 'activePolicy' | 'setPolicy' | 'listOrgs'>;
  readonly policies: PolicyDesk;
  /** Versions of policy documents that are read, the newest last. */
  readonly policyVersions: readonly string[];
  readonly sessionDesk: Pick<SessionDesk, 'end' | 'posture' | 'transition'>;
  readonly audit: HushdAudit;
  readonly receipts: HushdReceipts;
  /** Why nothing can be allowed now, or undefined. */
  readonly problem: () => string | undefined;
  readonly version: string;
}

/** What was decided since the start. */
export interface HushdTally {
  allowed: number;
  violations: number;
}

export interface HushdRoom {
  readonly door: HushdDoor;
  readonly metrics: Metrics;
  readonly sessions: HushdSessions;
  readonly events: HushdEvents;
  readonly tally: HushdTally;
  readonly startedMs: number;
  /** Names this run of the process. */
  readonly run: string;
  /** Where sessions begin under the policy in force; undefined where it has no posture. */
  readonly initialPosture: (org: string) => string | undefined;
  /** The key of a request that was let in. @throws HushdError where there is none. */
  readonly keyFor: (request: FastifyRequest) => HushdKey;
  /** Pointers into the body to numbers that a double cannot hold. */
  readonly exactNumbersOf: (request: FastifyRequest) => readonly string[];
  /** The body as it was sent. */
  readonly bytesOf: (request: FastifyRequest) => Uint8Array;
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function send(reply: FastifyReply, value: object, status = 200): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(value));
}

export function nowText({ door }: HushdRoom): string {
  return formatTime(door.ports.clock.nowMs());
}
