/**
 * @module What an operator can do, whoever does it: a running gateway through its operator door, or this process on the data
 * directory itself where no gateway has it open.
 */
import type {
  AgentCreated,
  AgentView,
  ApiKeyCreated,
  ApiKeyDraft,
  ApiKeyView,
  ArchiveRequest,
  Erased,
  LogKeysView,
  MovedSegments,
  LogDraft,
  LogView,
  OrgRecord,
  PolicyDocument,
  PolicyView,
  RulePackView,
  RulesView,
  SessionEnded,
  SessionEntry,
  SessionPosture,
  SessionTransition,
  SessionTransitionRequest,
  ToolApproval,
  ToolView,
  VaultView,
} from '@countersign/pipeline';
import type { JsonObject } from '@countersign/kernel';
import type { ExportFormat } from '@countersign/receipts/exports';
import { CLI_LIMITS } from './limits.ts';

/** One entry of the log, newest last. */
export interface LoggedEntry {
  readonly index: number;
  /** The entry as it stands in the log: `{body, signatures}`. */
  readonly entry: JsonObject;
}

/** A subject, and its org where there are several. */
export interface SubjectRequest {
  readonly org?: string;
  readonly subject: string;
}

/** A session, and its org where there are several. */
export interface SessionRequest {
  readonly org?: string;
  readonly session: string;
}

export interface Operator {
  /** For people: `gateway http://...` or `directory ...`. */
  readonly where: string;
  createAgent(draft: { readonly name: string; readonly scopes: readonly string[] }): Promise<AgentCreated>;
  listAgents(): Promise<readonly AgentView[]>;
  setAgentState(agent: string, state: AgentView['state'], reason: string): Promise<AgentView>;
  createApiKey(draft: Omit<ApiKeyDraft, 'org'>): Promise<ApiKeyCreated>;
  listApiKeys(): Promise<readonly ApiKeyView[]>;
  revokeApiKey(id: string): Promise<ApiKeyView>;
  listOrgs(): Promise<readonly OrgRecord[]>;
  setOrgMode(org: string, mode: OrgRecord['mode']): Promise<OrgRecord>;
  /** Every tool, or every one of this status, by name. */
  listTools(status: ToolView['status'] | undefined): Promise<readonly ToolView[]>;
  /** `tool` is the canonical name: the one that is judged. */
  approveTool(approval: Omit<ToolApproval, 'org'>): Promise<ToolView>;
  listPolicies(): Promise<readonly PolicyView[]>;
  /** Puts a document in force: the whole of it, or nothing. */
  setPolicy(source: string): Promise<PolicyView>;
  /** The policy in force as written and as resolved; undefined where there is none. */
  activePolicy(): Promise<PolicyDocument | undefined>;
  /** Rules of the operator, and what is in force. */
  rules(): Promise<RulesView>;
  /** Puts a rule document in force: the whole of it, or nothing. */
  putRules(pack: string, source: string): Promise<RulePackView>;
  removeRules(pack: string): Promise<RulesView>;
  reloadRules(): Promise<RulesView>;
  /** Verifier keys of a log; here and below `main` where none is named. */
  logKeys(log?: string): Promise<LogKeysView>;
  /** A further key signs from now on. */
  rotateLogKey(log?: string): Promise<LogKeysView>;
  /** The oldest key signs no more. */
  retireLogKey(log?: string): Promise<LogKeysView>;
  /** A consistency file from one signed checkpoint to another, or to the newest. */
  consistency(notes: { readonly old: string; readonly newer?: string }, log?: string): Promise<Uint8Array>;
  archive(request: ArchiveRequest, log?: string): Promise<MovedSegments>;
  restore(directory: string, log?: string): Promise<MovedSegments>;
  endSession(request: SessionRequest & { readonly reason: string }): Promise<SessionEnded>;
  /** Where a session stands under the policy in force. */
  sessionPosture(request: SessionRequest): Promise<SessionPosture>;
  /** Moves a session along a transition of the policy. */
  moveSession(request: SessionRequest & Pick<SessionTransitionRequest, 'to' | 'on' | 'reason'>): Promise<SessionTransition>;
  /** The entries of a chain, oldest first. */
  sessionEntries(request: SessionRequest): Promise<readonly SessionEntry[]>;
  /** What the installation says of itself: `spec/http.md`, `GET /api/v1/status`. */
  status(): Promise<JsonObject>;
  listLogs(): Promise<readonly LogView[]>;
  createLog(draft: LogDraft): Promise<LogView>;
  /** From now on the org writes to this log. */
  setOrgLog(org: string, log: string): Promise<OrgRecord>;
  /** Public key that signs receipts and exports, base64url. */
  receiptKey(): Promise<string>;
  /** The newest signed checkpoint, as text. */
  checkpoint(log?: string): Promise<string>;
  /** Durable entries in the log. */
  size(log?: string): Promise<number>;
  /** Entries from `from` on, oldest first, at most `count` and at most 1000. */
  entries(from: number, count: number, log?: string): Promise<readonly LoggedEntry[]>;
  /** The bundle of an entry; `inputs`: with everything that was sealed with it. */
  bundle(id: string, options: { readonly inputs: boolean }): Promise<Uint8Array>;
  vault(): Promise<VaultView>;
  /** Destroys the keys of a subject and enters it in the log. */
  eraseSubject(request: SubjectRequest & { readonly reason: string }): Promise<Erased>;
  /** What comes is sealed under a new key: of one subject, or of all where none is named. */
  rotateKeys(subject: SubjectRequest | undefined): Promise<VaultView>;
  /** The entry in a format of others; for `spine` its session up to it. */
  exportReceipt(id: string, format: ExportFormat): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Every page of a list of tools; `after` is the last tool of the page before. */
export async function collectTools(page: (after: string | undefined) => Promise<readonly ToolView[]>): Promise<readonly ToolView[]> {
  const found: ToolView[] = [];
  for (let after: string | undefined; ;) {
    const tools = await page(after);
    found.push(...tools);
    const last = tools.at(-1);
    const next = last === undefined ? undefined : `${last.tool}\n${last.hash}`;
    // A gateway that gives the same page again must not keep us here.
    if (next === undefined || next === after || tools.length < CLI_LIMITS.pageMax || found.length >= CLI_LIMITS.toolsMax) return found;
    after = next;
  }
}
