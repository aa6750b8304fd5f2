/**
 * @module What a database has to offer below the rules of the state store: rows in, rows out. Synchronous, because both
 * implementations are in this process. Each throws `CodedError` `state_unavailable` when it cannot answer.
 */
import type { PostureState } from '@countersign/protocol';
import type { ApiKeyKind, AgentRecord, KeyPermission, OrgRecord, PolicyDocument, ToolView } from '@countersign/pipeline';

export interface OrgRow extends OrgRecord {
  /** The log that it wrote to before, until every change of state that it has of this org is in the tables; null once it is. */
  readonly leaving: string | null;
  readonly createdMs: number;
}

export interface AgentRow extends AgentRecord {
  /** What names are compared by. */
  readonly foldedName: string;
  readonly reason: string;
  /** Sealed JWT key; null once the agent was killed. */
  readonly sealedKey: Uint8Array | null;
  readonly createdMs: number;
  readonly changedMs: number;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly org: string;
  /** Lower-case hex of the whole key. */
  readonly sha256: string;
  readonly label: string;
  readonly kind: ApiKeyKind;
  readonly environment: 'live' | 'test';
  readonly permissions: readonly KeyPermission[];
  readonly createdMs: number;
  readonly revokedMs: number | null;
}

export type ToolRow = ToolView;

export interface Page {
  readonly org: string;
  readonly after: string;
  readonly limit: number;
}

export interface SessionCount {
  readonly org: string;
  readonly session: string;
  readonly calls: number;
  /** Unix seconds; 0 for a session that never was hot. */
  readonly hotUntil: number;
  /** Undefined where none of these decisions changed it. */
  readonly posture: PostureState | undefined;
  readonly seenMs: number;
}

/** The later one: its count is greater. */
export function laterPosture(a: PostureState | undefined, b: PostureState | undefined): PostureState | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.n > b.n ? a : b;
}

/** Two counts of one session: of each number the greater, and the later posture. */
export function joinCounts(a: SessionCount | undefined, b: SessionCount): SessionCount {
  if (a === undefined) return b;
  return {
    ...b,
    calls: Math.max(a.calls, b.calls),
    hotUntil: Math.max(a.hotUntil, b.hotUntil),
    posture: laterPosture(a.posture, b.posture),
    seenMs: Math.max(a.seenMs, b.seenMs),
  };
}

/** Deltas as they go to the disk: every field is a join (max, insert if absent), so applying one twice changes nothing. */
export interface DeltaBatch {
  readonly sessions: readonly SessionCount[];
  readonly pendingTools: readonly ToolRow[];
  /** The log that has them: a batch is of one log. */
  readonly log: string;
  /** Every delta of entries of this log up to this index is in this batch or an earlier one. */
  readonly appliedIndex: number;
}

export interface StateTables {
  org(id: string): OrgRow | undefined;
  orgs(): readonly OrgRow[];
  /** Where every org writes. */
  orgLogs(): readonly Pick<OrgRow, 'id' | 'log' | 'leaving'>[];
  /** Inserts or replaces by id; durable on return. So do the other `put`s. */
  putOrg(row: OrgRow): void;
  agent(id: string): AgentRow | undefined;
  agentNamed(org: string, foldedName: string): AgentRow | undefined;
  agents(page: Page): readonly AgentRow[];
  putAgent(row: AgentRow): void;
  /** Sealed keys of agents that have one, in the place of those they had; one transaction, and nothing of the old ones is left in the file. */
  replaceSealedKeys(keys: Iterable<{ readonly agent: string; readonly sealedKey: Uint8Array }>): void;
  apiKeyBySha256(sha256: string): ApiKeyRow | undefined;
  apiKey(id: string): ApiKeyRow | undefined;
  apiKeys(page: Page): readonly ApiKeyRow[];
  putApiKey(row: ApiKeyRow): void;
  toolRows(org: string, tool: string): readonly ToolRow[];
  tools(page: Page, status: ToolRow['status'] | undefined): readonly ToolRow[];
  pendingTools(org: string): number;
  putTool(row: ToolRow): void;
  sessionCalls(org: string, session: string): number;
  sessionHotUntil(org: string, session: string): number;
  sessionPosture(org: string, session: string): PostureState | undefined;
  /** One transaction. */
  writeDeltas(batch: DeltaBatch): void;
  /** -1 before the first batch of this log. */
  appliedIndex(log: string): number;
  /** Logs that had a batch. */
  appliedLogs(): readonly string[];
  /** True the first time. Durable on return. */
  consume(id: string, expiresAtMs: number, nowMs: number): boolean;
  policies(): readonly PolicyDocument[];
  policy(name: string, version: number | undefined): PolicyDocument | undefined;
  activePolicy(): PolicyDocument | undefined;
  /** Inserts and makes it the only active one, in one transaction. */
  putActivePolicy(row: PolicyDocument): void;
  putDocument(hash: string, text: string): void;
  document(hash: string): string | undefined;
  close(): void;
}
