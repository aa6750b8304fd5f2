/**
 * @module What operators do to the state: the other half of `StateStore`. The operator door and the command line speak to this port;
 * packages/store implements it. Every call is durable when it returns, and later reads in this process see it.
 */
import type { Fault, Result } from '@countersign/kernel';
import type { AgentTrust } from '@countersign/protocol';
import type { AgentRecord, OrgRecord } from './ports.ts';

/** Codes of refusals an operator can cause. */
export type AdminFaultCode =
  | 'invalid_name'
  | 'name_taken'
  | 'id_taken'
  | 'invalid_id'
  | 'invalid_scope'
  | 'invalid_label'
  | 'invalid_permission'
  | 'invalid_reason'
  | 'invalid_state_transition'
  | 'invalid_tool'
  | 'invalid_policy'
  | 'not_found'
  | 'limit_reached';

export type AdminResult<T> = Result<T, Fault<AdminFaultCode>>;

export interface AgentView extends AgentRecord {
  readonly createdMs: number;
  readonly changedMs: number;
  /** Why it is in its state: a reason code of the operator, empty after creation. */
  readonly reason: string;
}

export interface AgentDraft {
  readonly org: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** `standard` where it is not said. */
  readonly trust?: AgentTrust;
  /** A UUID to keep, when agents move in from elsewhere; a fresh one otherwise. */
  readonly id?: string;
}

/** The only time a secret is shown. */
export interface AgentCreated {
  readonly agent: AgentView;
  readonly secret: string;
}

export interface AgentStateChange {
  readonly agent: string;
  readonly state: AgentRecord['state'];
  readonly reason: string;
}

/** `write` keys carry decisions, `read` keys only look, `kill` keys only stop agents. */
export type ApiKeyKind = 'read' | 'write' | 'kill';

/** What a key may do beside its kind. Never given to a `write` key: agents hold those. */
export const KEY_PERMISSIONS = ['posture:transition'] as const;
export type KeyPermission = (typeof KEY_PERMISSIONS)[number];

export interface ApiKeyView {
  readonly id: string;
  readonly org: string;
  readonly label: string;
  readonly kind: ApiKeyKind;
  readonly environment: 'live' | 'test';
  /** Absent: none. */
  readonly permissions?: readonly KeyPermission[];
  readonly createdMs: number;
  readonly revokedMs: number | null;
}

export interface ApiKeyDraft {
  readonly org: string;
  readonly label: string;
  readonly kind: ApiKeyKind;
  readonly environment: 'live' | 'test';
  readonly permissions?: readonly KeyPermission[];
}

/** The only time a key is shown. */
export interface ApiKeyCreated {
  readonly apiKey: ApiKeyView;
  readonly key: string;
}

export interface ToolView {
  readonly org: string;
  readonly tool: string;
  /** 64 hex characters, or empty: no descriptor was given, or none is pinned. */
  readonly hash: string;
  readonly status: 'approved' | 'pending';
  readonly scope: string | null;
  readonly firstSeenMs: number;
}

export interface ToolApproval {
  readonly org: string;
  readonly tool: string;
  /** Empty: approve the tool whatever its descriptor says. */
  readonly hash: string;
  readonly scope: string | null;
}

export interface PolicyView {
  readonly name: string;
  /** From 1, per name. */
  readonly version: number;
  /** Hex SHA-256 of the canonical resolved document. */
  readonly hash: string;
  readonly active: boolean;
  readonly createdMs: number;
}

export interface PolicyDocument extends PolicyView {
  /** The document as written. */
  readonly source: string;
  /** Canonical JSON of the resolved document. */
  readonly resolved: string;
}

export type PolicyDraft = Pick<PolicyDocument, 'name' | 'source' | 'resolved' | 'hash'>;

/** A page of a list, in order of the key it is listed by. */
export interface PageRequest {
  readonly org: string;
  /** Key of the last item of the page before. */
  readonly after?: string;
  /** 1 to 1000; 1000 when absent. */
  readonly limit?: number;
}

/** @throws CodedError `state_unavailable` when the disk fails; then nothing was changed. */
export interface AdminStore {
  createOrg(draft: { readonly name: string; readonly mode: OrgRecord['mode'] }): AdminResult<OrgRecord>;
  listOrgs(): readonly OrgRecord[];
  setOrgMode(org: string, mode: OrgRecord['mode']): AdminResult<OrgRecord>;
  createAgent(draft: AgentDraft): AdminResult<AgentCreated>;
  agentView(agent: string): AgentView | undefined;
  /** By id. */
  listAgents(page: PageRequest): readonly AgentView[];
  /** Suspend, resume or kill. A killed agent only comes back by `reviveAgent`. Setting the state it has is no fault and no change. */
  setAgentState(change: AgentStateChange): AdminResult<AgentView>;
  /** Brings a killed agent back, with a new secret. */
  reviveAgent(agent: string, reason: string): AdminResult<AgentCreated>;
  setAgentScopes(agent: string, scopes: readonly string[]): AdminResult<AgentView>;
  /** Feeds D5 of the scores, which decides nothing. */
  setAgentTrust(agent: string, trust: AgentTrust): AdminResult<AgentView>;
  createApiKey(draft: ApiKeyDraft): AdminResult<ApiKeyCreated>;
  /** By id. */
  listApiKeys(page: PageRequest): readonly ApiKeyView[];
  /** By the full lower-case hex SHA-256 of the key; revoked ones too. */
  findApiKey(sha256Hex: string): ApiKeyView | undefined;
  revokeApiKey(org: string, id: string): AdminResult<ApiKeyView>;
  /** By tool and hash; `after` is `tool` + newline + `hash`. */
  listTools(page: PageRequest & { readonly status?: ToolView['status'] }): readonly ToolView[];
  approveTool(approval: ToolApproval): AdminResult<ToolView>;
  /** Makes a new version active at once. The caller has compiled it. */
  setPolicy(draft: PolicyDraft): AdminResult<PolicyView>;
  /** All versions, newest first, at most 1000. */
  listPolicies(): readonly PolicyView[];
  policy(name: string, version?: number): PolicyDocument | undefined;
  activePolicy(): PolicyDocument | undefined;
  /** Keeps a document (policy, rules) under the hash of its bytes, for bundles and replay. */
  putDocument(hash: string, text: string): void;
  document(hash: string): string | undefined;
}
