/**
 * @module What the pipeline needs from the world. Each port says what is true when a call returns, and after a crash.
 */
import type { Clock, JsonValue, Random } from '@countersign/kernel';
import type {
  AgentWindow,
  Action,
  AgentTrust,
  Judgement,
  PostureState,
  Principal,
  ReceiptInputs,
  Recorder,
  Signal,
  StateDelta,
  StateSlice,
  ToolRegistration,
} from '@countersign/protocol';
import type { Gate } from './gate.ts';
import type { SessionTurns } from './session-turns.ts';

export type { OutcomeDraft, ReceiptDraft, Recorder, Staged } from '@countersign/protocol';

export interface OrgRecord {
  readonly id: string;
  readonly name: string;
  readonly mode: 'learning' | 'locked';
  /** Name of the log that it writes to. */
  readonly log: string;
}

export interface AgentRecord {
  readonly id: string;
  readonly org: string;
  readonly name: string;
  readonly state: 'active' | 'suspended' | 'killed';
  readonly scopes: readonly string[];
  /** What the operator holds of it; absent: `standard`. */
  readonly trust?: AgentTrust;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly org: string;
  readonly active: boolean;
  /** Only `write` keys carry decisions. */
  readonly kind: 'read' | 'write' | 'kill';
}

/**
 * State. Reads see every delta that was staged before them in this process; after a restart, every delta whose batch was durable.
 * A read that cannot be answered throws `CodedError`; the pipeline denies.
 */
export interface StateStore {
  org(id: string): Promise<OrgRecord | undefined>;
  agent(id: string): Promise<AgentRecord | undefined>;
  /** By the full lower-case hex SHA-256 of the key; compared in constant time. */
  apiKey(sha256Hex: string): Promise<ApiKeyRecord | undefined>;
  /** The HMAC key of an agent's JWTs: 64 ASCII bytes (reference/clampd.md 4.1), or undefined: the agent cannot authenticate. */
  agentJwtKey(agent: string): Promise<Uint8Array | undefined>;
  tool(request: {
    readonly org: string;
    readonly tool: string;
    readonly descriptorHash?: string;
  }): Promise<{ readonly registration?: ToolRegistration; readonly scope?: string }>;
  sessionCalls(org: string, session: string): Promise<number>;
  /** Unix seconds until which grave results keep the session hot (`StateSlice.hotUntil`); 0 for one that never was. */
  sessionHotUntil(org: string, session: string): Promise<number>;
  /** Rolling risk of the session's messages and its time as one number (`StateSlice.sessionRisk`); 0 for none. */
  sessionRisk(org: string, session: string): Promise<number>;
  /** Where a session stands in the posture of its policy; undefined for one that no posture has seen. */
  sessionPosture(org: string, session: string): Promise<PostureState | undefined>;
  /** What the agent did lately (`StateSlice.window`); undefined where nothing was ever counted. */
  agentWindow(org: string, agent: string): Promise<AgentWindow | undefined>;
  /** Consumes a single-use id. True the first time; false ever after (until it expires), across restarts. */
  consumeOnce(id: string, expiresAtMs: number): Promise<boolean>;
  /** Makes a staged delta visible to later reads at once. Durability comes with the batch of its receipt. */
  stageDelta(principal: Principal & { readonly session: string }, delta: StateDelta): void;
}

/** Facts behind a handle: they may live in a worker. */
export interface Understood {
  /**
   * Asks the outside what guards of the policy want to know, and judges with the answers from here on. Total: what was not answered is an
   * answer too. Absent where no guard asks.
   * @returns the answers, to be recorded with the other signals.
   */
  readonly ask?: () => Promise<readonly Signal[]>;
  judge(input: { readonly now: string; readonly state: StateSlice }): Judgement | Promise<Judgement>;
  /** Frees what a worker holds. Idempotent. */
  release(): void;
}

/** One engine loaded with one policy and one set of rules. Immutable: a reload makes another. */
export interface LoadedEngine {
  readonly inputs: Pick<ReceiptInputs, 'policy' | 'rules' | 'engine'>;
  readonly policyName: string;
  /** @throws CodedError `engine_busy` when the pool is full, `engine_failed` when a worker died. */
  understand(action: Action, signals: readonly Signal[]): Understood | Promise<Understood>;
}

/** The policy in force. Undefined: there is none, or it is bad; deny all and say so. */
export interface EngineProvider {
  engineFor(org: string): LoadedEngine | undefined;
  /** Why there is none. */
  readonly problem?: string | undefined;
}

export interface ForwardRequest {
  readonly url: string;
  /** Exact JSON text of the params as the caller sent them. */
  readonly body: string;
  readonly token: string;
}

export interface ForwardResponse {
  /** `unknown`: the call went out and nothing is known of what became of it. */
  readonly status: 'ok' | 'error' | 'blocked' | 'timeout' | 'unknown';
  readonly code?: number;
  readonly body: Uint8Array;
  /** Why, where status is `blocked`: `ssrf_blocked`, `redirect_blocked`, `too_large`. */
  readonly reason?: string;
}

/** The upstream tool. Resolves addresses itself, connects only to those it checked, never follows a redirect unchecked. */
export interface Upstream {
  forward(request: ForwardRequest): Promise<ForwardResponse>;
}

/**
 * Outside questions whose answers are recorded as signals (symlink targets). No answer is an empty list.
 * @throws CodedError `too_many_paths` when not every question can be asked; the action is refused.
 */
export interface SignalSource {
  signalsFor(action: Action): Promise<readonly Signal[]>;
}

export interface ScopeTokenRequest {
  readonly agent: string;
  readonly scope: string;
  readonly tool: string;
  readonly params: JsonValue;
  readonly requestId: string;
  readonly session: string;
}

export interface TokenMinter {
  mint(request: ScopeTokenRequest): string | Promise<string>;
}

/** Something that happened, for whoever watches. Already stripped of values. Must not throw, must not block. */
export interface FeedEvent {
  readonly type: 'decision' | 'outcome' | 'session' | 'agent' | 'policy' | 'rules' | 'log';
  readonly time: string;
  readonly org: string;
  readonly data: JsonValue;
}

export interface Feed {
  publish(event: FeedEvent): void;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: StateStore;
  readonly engines: EngineProvider;
  readonly recorder: Recorder;
  readonly upstream: Upstream;
  readonly signals: SignalSource;
  readonly tokens: TokenMinter;
  readonly feed: Feed;
  /** Runs `work` after `ms`; returns a canceller. Only composition roots make a real one. */
  readonly timer: { after(ms: number, work: () => void): () => void };
  /** One per process: how many decisions may be under way. */
  readonly gate: Gate;
  /** One per process: whose turn it is in each session. */
  readonly turns: SessionTurns;
}
