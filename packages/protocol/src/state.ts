/**
 * @module StateSlice and Signal: the only memory and the only outside opinions that a judge may read, both recorded.
 */
import type { JsonValue } from '@countersign/kernel';
import type { AgentWindow } from './agent-window.ts';

/** What is known of the tool that is called. */
export type ToolRegistration = 'registered' | 'pending' | 'mismatch';

/** What the operator holds of an agent. */
export const AGENT_TRUSTS = ['untrusted', 'standard', 'elevated', 'privileged'] as const;
export type AgentTrust = (typeof AGENT_TRUSTS)[number];

/** One change of posture. */
export interface PostureChange {
  readonly from: string;
  readonly to: string;
  /** The trigger, e.g. `user_approval`. */
  readonly on: string;
  /** Unix time in seconds. */
  readonly at: number;
}

/** The origin that a session stands in, as its client says (spec/policy.md POL-308). */
export interface SessionOrigin {
  /** The first 32 hex digits of the SHA-256 of the place: never what was said of it. */
  readonly at: string;
  /** The profile it was judged by; empty for the minimal one. */
  readonly profile: string;
}

/** Where a session stands in the posture of its policy (spec/policy.md POL-210). */
export interface PostureState {
  /** Counts what changed it: of two, the greater is the later one. */
  readonly n: number;
  /** A state of the policy, or `locked`. Empty: unlocked under a policy without posture; the next policy with one begins anew. */
  readonly state: string;
  /** Unix time in seconds. */
  readonly entered: number;
  /** Spent since then, by budget; absent is nothing. */
  readonly used: Readonly<Record<string, number>>;
  /** The last 8 changes, oldest first. */
  readonly history: readonly PostureChange[];
  /** Unix time in seconds at which something was denied last. Absent: never. */
  readonly violated?: number;
  /** Absent: no policy with origins has seen the session. */
  readonly origin?: SessionOrigin;
  /** What was used of budgets of origin profiles and of brokered providers, by their keys; never less than before. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** What an operator's credential was found to permit; no request of an agent can say so. */
export type Authority = 'posture:transition' | 'posture:lock';

/**
 * The keyed values that the judge may read; `JCS` of it is at most 4 KB. A key that is absent is unknown, and unknown is the stricter case.
 */
export interface StateSlice {
  readonly agentState?: 'active' | 'suspended' | 'killed';
  /** Scopes granted to the agent; `*` is all. Absent: none. */
  readonly scopes?: readonly string[];
  /** Scopes the caller's token asked to be narrowed to; absent: no narrowing. */
  readonly claimedScopes?: readonly string[];
  /** `learning`: unregistered tools are pending; `locked`: they are refused. Absent: locked. */
  readonly orgMode?: 'learning' | 'locked';
  /** Absent: never seen. */
  readonly tool?: ToolRegistration;
  /** Scope the registered tool asks for, e.g. `db:query:read`; absent: derived from its name. */
  readonly toolScope?: string;
  /** Decisions so far in this session. */
  readonly sessionCalls?: number;
  /** Set by the operator for the agent. Absent: `standard` for an agent that is known. */
  readonly trust?: AgentTrust;
  /** Unix time in seconds until which the session is hot: each grave result adds to it, and it passes by itself. Absent: it is not. */
  readonly hotUntil?: number;
  /** Rolling risk of the session's messages and when it was so, as one number of which the greater is the later. Absent: none. */
  readonly sessionRisk?: number;
  /** Absent: the session has not begun under a policy with posture. */
  readonly posture?: PostureState;
  /** Set by the operator door alone, for an action that an operator takes. */
  readonly authority?: Authority;
  /** Absent: nothing was counted in this hour. */
  readonly window?: AgentWindow;
}

/**
 * What a decision changes; durable in the same batch as its receipt. Absent keys stay as they are.
 */
export interface StateDelta {
  /** Tool descriptor to remember as pending: first sight of a tool in a learning org. */
  readonly pendingTool?: { readonly tool: string; readonly hash: string };
  readonly sessionCalls?: number;
  /** Only where this decision made the session hotter. */
  readonly hotUntil?: number;
  /** Only where this decision changed it. */
  readonly sessionRisk?: number;
  readonly posture?: PostureState;
  /** Only where a boundary counts what the agent does. */
  readonly window?: AgentWindow;
}

/** An answer from outside that the judge used: symlink target, DNS, an opinion. Recorded with the inputs. */
export interface Signal {
  /** `symlink`, `dns`, `threat-intel`, `llm`, `guard`. */
  readonly kind: string;
  /** What was asked, e.g. the normalized path. */
  readonly subject: string;
  readonly value: JsonValue;
}

/** Limits that cross floors. */
export const PROTOCOL_LIMITS = {
  stateSliceBytesMax: 4096,
  /** Changes of posture that a state remembers. */
  postureHistoryMax: 8,
  /** Budgets of origins and providers that a session counts; what would be one more is refused. */
  sessionCountsMax: 24,
  entryBytesMax: 16_384,
  reasonsMax: 32,
  evidenceMax: 8,
  reasonTextMax: 160,
  /** UTF-8 bytes of `JCS(Verdict)`: what keeps a receipt within an entry. Reasons beyond it are counted in `reasonsCut`. */
  verdictBytesMax: 9216,
  /** Characters of an evidence path in a verdict. */
  evidencePathMax: 64,
  /** Actions up to this many bytes are judged on the main loop; larger ones in the worker pool. */
  inlineActionBytesMax: 65_536,
  actionBytesMax: 1_048_576,
  /** Questions that the guards of one policy have for the outside about one action; what is beyond is not asked, and denies. */
  guardQuestionsMax: 32,
  /** Characters of the JSON of one answer; a longer one is none. */
  guardAnswerCharsMax: 524_288,
} as const;
