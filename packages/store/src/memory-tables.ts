/**
 * @module Tables in maps: for tests, simulations and embedded use without a disk. Nothing survives the process.
 */
import type { PolicyDocument } from '@countersign/pipeline';
import { STORE_LIMITS } from './limits.ts';
import {
  type AgentRow,
  type ApiKeyRow,
  joinCounts,
  type OrgRow,
  type Page,
  type SessionCount,
  type StateTables,
  type ToolRow,
} from './state-tables.ts';

function pageOf<Row>(rows: Iterable<Row>, page: Page, keyOf: (row: Row) => string): readonly Row[] {
  return [...rows]
    .filter((row) => keyOf(row) > page.after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .slice(0, page.limit);
}

const toolKey = (row: { readonly tool: string; readonly hash: string }): string => `${row.tool}\n${row.hash}`;
const sessionKey = (org: string, session: string): string => `${org}\n${session}`;

function ofOrg<Row extends { readonly org: string }>(rows: Map<string, Row>, org: string): readonly Row[] {
  return [...rows.values()].filter((row) => row.org === org);
}

type Evidence = Pick<StateTables, 'consume' | 'policies' | 'policy' | 'activePolicy' | 'putActivePolicy' | 'putDocument' | 'document'>;

function createDocuments(): Evidence {
  const consumed = new Map<string, number>();
  const documents = new Map<string, string>();
  let policies: readonly PolicyDocument[] = [];
  return {
    consume(id: string, expiresAtMs: number, nowMs: number): boolean {
      let looked = 0;
      for (const [old, expiry] of consumed) {
        if (looked >= STORE_LIMITS.consumedPurgeMax) break;
        looked += 1;
        if (expiry + STORE_LIMITS.consumedGraceMs < nowMs) consumed.delete(old);
      }
      if (consumed.has(id)) return false;
      consumed.set(id, expiresAtMs);
      return true;
    },
    policies: () => policies,
    policy: (name, version) => policies.find((row) => row.name === name && (version === undefined || row.version === version)),
    activePolicy: () => policies.find((row) => row.active),
    putActivePolicy(row: PolicyDocument): void {
      const retired = policies.map((old) => (old.active ? Object.assign({}, old, { active: false }) : old));
      policies = [row, ...retired];
    },
    putDocument: (hash, text) => void documents.set(hash, text),
    document: (hash) => documents.get(hash),
  };
}

/** Empty tables. */
export function createMemoryTables(): StateTables {
  const orgs = new Map<string, OrgRow>();
  const agents = new Map<string, AgentRow>();
  const apiKeys = new Map<string, ApiKeyRow>();
  const tools = new Map<string, ToolRow>();
  const sessions = new Map<string, SessionCount>();
  const applied = new Map<string, number>();
  const putTool = (row: ToolRow): void => void tools.set(`${row.org}\n${toolKey(row)}`, row);
  return {
    ...createDocuments(),
    org: (id) => orgs.get(id),
    orgs: () => [...orgs.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    orgLogs: () => [...orgs.values()],
    putOrg: (row) => void orgs.set(row.id, row),
    agent: (id) => agents.get(id),
    agentNamed: (org, foldedName) => ofOrg(agents, org).find((row) => row.foldedName === foldedName),
    agents: (page) => pageOf(ofOrg(agents, page.org), page, (row) => row.id),
    putAgent: (row) => void agents.set(row.id, row),
    replaceSealedKeys(keys) {
      for (const { agent, sealedKey } of keys) {
        const row = agents.get(agent);
        if (row !== undefined && row.sealedKey !== null) agents.set(agent, { ...row, sealedKey });
      }
    },
    apiKeyBySha256: (sha256) => [...apiKeys.values()].find((row) => row.sha256 === sha256),
    apiKey: (id) => apiKeys.get(id),
    apiKeys: (page) => pageOf(ofOrg(apiKeys, page.org), page, (row) => row.id),
    putApiKey: (row) => void apiKeys.set(row.id, row),
    toolRows: (org, tool) => ofOrg(tools, org).filter((row) => row.tool === tool),
    tools: (page, status) =>
      pageOf(
        ofOrg(tools, page.org).filter((row) => status === undefined || row.status === status),
        page,
        toolKey,
      ),
    pendingTools: (org) => ofOrg(tools, org).filter((row) => row.status === 'pending').length,
    putTool,
    sessionCalls: (org, session) => sessions.get(sessionKey(org, session))?.calls ?? 0,
    sessionHotUntil: (org, session) => sessions.get(sessionKey(org, session))?.hotUntil ?? 0,
    sessionPosture: (org, session) => sessions.get(sessionKey(org, session))?.posture,
    writeDeltas(batch): void {
      for (const count of batch.sessions) {
        const key = sessionKey(count.org, count.session);
        sessions.set(key, joinCounts(sessions.get(key), count));
      }
      for (const row of batch.pendingTools) if (!tools.has(`${row.org}\n${toolKey(row)}`)) putTool(row);
      applied.set(batch.log, Math.max(applied.get(batch.log) ?? -1, batch.appliedIndex));
    },
    appliedIndex: (log) => applied.get(log) ?? -1,
    appliedLogs: () => [...applied.keys()].sort(),
    close: () => undefined,
  };
}
