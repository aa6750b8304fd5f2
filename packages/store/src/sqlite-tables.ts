/** @module The tables of the state in a SQLite file. */
import { CodedError } from '@countersign/kernel';
import { KEY_PERMISSIONS, MAIN_LOG, type PolicyDocument } from '@countersign/pipeline';
import { AGENT_TRUSTS, type PostureState } from '@countersign/protocol';
import { STORE_LIMITS } from './limits.ts';
import { type Database, openDatabase, type Row } from './sqlite-database.ts';
import { parsePosture, writePosture } from './posture-text.ts';
import { STATE_MIGRATIONS } from './sqlite-schema.ts';
import type { AgentRow, ApiKeyRow, DeltaBatch, OrgRow, StateTables, ToolRow } from './state-tables.ts';

/** A stored value that is not of its column's type means the file was tampered with or torn. */
function corrupt(column: string): CodedError {
  return new CodedError({ code: 'state_unavailable', message: `the state database holds a bad value in \`${column}\`` });
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw corrupt(column);
  return value;
}

function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw corrupt(column);
  return value;
}

function choice<T extends string>(row: Row, column: string, allowed: readonly T[]): T {
  const value = text(row, column);
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw corrupt(column);
  return found;
}

function readOrgLog(row: Row): Pick<OrgRow, 'id' | 'log' | 'leaving'> {
  return { id: text(row, 'id'), log: text(row, 'log'), leaving: row['leaving'] === null ? null : text(row, 'leaving') };
}

function readOrg(row: Row): OrgRow {
  return {
    ...readOrgLog(row),
    name: text(row, 'name'),
    mode: choice(row, 'mode', ['learning', 'locked']),
    createdMs: integer(row, 'created_ms'),
  };
}

function readAgent(row: Row): AgentRow {
  const sealedKey = row['sealed_key'];
  if (sealedKey !== null && !(sealedKey instanceof Uint8Array)) throw corrupt('sealed_key');
  const scopes = text(row, 'scopes');
  const trust = choice(row, 'trust', AGENT_TRUSTS);
  return {
    id: text(row, 'id'),
    org: text(row, 'org'),
    name: text(row, 'name'),
    foldedName: text(row, 'folded_name'),
    state: choice(row, 'state', ['active', 'suspended', 'killed']),
    reason: text(row, 'reason'),
    scopes: scopes === '' ? [] : scopes.split(' '),
    ...(trust === 'standard' ? {} : { trust }),
    sealedKey,
    createdMs: integer(row, 'created_ms'),
    changedMs: integer(row, 'changed_ms'),
  };
}

function permissionsOf(row: Row): ApiKeyRow['permissions'] {
  const words = text(row, 'permissions').split(' ');
  const known = KEY_PERMISSIONS.filter((permission) => words.includes(permission));
  if (known.join(' ') !== words.join(' ')) throw corrupt('permissions');
  return known;
}

function readApiKey(row: Row): ApiKeyRow {
  return {
    id: text(row, 'id'),
    org: text(row, 'org'),
    sha256: text(row, 'sha256'),
    label: text(row, 'label'),
    kind: choice(row, 'kind', ['read', 'write', 'kill']),
    environment: choice(row, 'environment', ['live', 'test']),
    permissions: permissionsOf(row),
    createdMs: integer(row, 'created_ms'),
    revokedMs: row['revoked_ms'] === null ? null : integer(row, 'revoked_ms'),
  };
}

function readTool(row: Row): ToolRow {
  return {
    org: text(row, 'org'),
    tool: text(row, 'tool'),
    hash: text(row, 'hash'),
    status: choice(row, 'status', ['approved', 'pending']),
    scope: row['scope'] === null ? null : text(row, 'scope'),
    firstSeenMs: integer(row, 'first_seen_ms'),
  };
}

function readPolicy(row: Row): PolicyDocument {
  return {
    name: text(row, 'name'),
    version: integer(row, 'version'),
    source: text(row, 'source'),
    resolved: text(row, 'resolved'),
    hash: text(row, 'hash'),
    active: integer(row, 'active') === 1,
    createdMs: integer(row, 'created_ms'),
  };
}

function one<T>(row: Row | undefined, read: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : read(row);
}

function createAgentTables(
  db: Database,
): Pick<StateTables, 'org' | 'orgs' | 'orgLogs' | 'putOrg' | 'agent' | 'agentNamed' | 'agents' | 'putAgent' | 'replaceSealedKeys'> {
  const org = db.query('SELECT * FROM orgs WHERE id = ?');
  const orgs = db.query('SELECT * FROM orgs ORDER BY id');
  const orgLogs = db.query('SELECT id, log, leaving FROM orgs');
  const putOrg = db.query(
    `INSERT INTO orgs (id, name, mode, log, leaving, created_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, mode = excluded.mode, log = excluded.log, leaving = excluded.leaving`,
  );
  const agent = db.query('SELECT * FROM agents WHERE id = ?');
  const agentNamed = db.query('SELECT * FROM agents WHERE org = ? AND folded_name = ?');
  const agents = db.query('SELECT * FROM agents WHERE org = ? AND id > ? ORDER BY id LIMIT ?');
  const putAgent = db.query(
    `INSERT INTO agents (id, org, name, folded_name, state, reason, scopes, trust, sealed_key, created_ms, changed_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, scopes = excluded.scopes, trust = excluded.trust,
       sealed_key = excluded.sealed_key, changed_ms = excluded.changed_ms`,
  );
  const replaceKey = db.query('UPDATE agents SET sealed_key = ? WHERE id = ? AND sealed_key IS NOT NULL');
  return {
    org: (id) => one(org.get(id), readOrg),
    orgs: () => orgs.all().map(readOrg),
    orgLogs: () => orgLogs.all().map(readOrgLog),
    putOrg: (row) => void putOrg.run(row.id, row.name, row.mode, row.log, row.leaving, row.createdMs),
    agent: (id) => one(agent.get(id), readAgent),
    agentNamed: (orgId, foldedName) => one(agentNamed.get(orgId, foldedName), readAgent),
    agents: (page) => agents.all(page.org, page.after, page.limit).map(readAgent),
    replaceSealedKeys(keys) {
      db.transaction(() => {
        for (const { agent: id, sealedKey } of keys) replaceKey.run(sealedKey, id);
      });
      db.compact();
    },
    putAgent: (row) =>
      void putAgent.run(
        row.id,
        row.org,
        row.name,
        row.foldedName,
        row.state,
        row.reason,
        row.scopes.join(' '),
        row.trust ?? 'standard',
        row.sealedKey,
        row.createdMs,
        row.changedMs,
      ),
  };
}

function createKeyTables(db: Database): Pick<StateTables, 'apiKeyBySha256' | 'apiKey' | 'apiKeys' | 'putApiKey' | 'consume'> {
  const bySha256 = db.query('SELECT * FROM api_keys WHERE sha256 = ?');
  const byId = db.query('SELECT * FROM api_keys WHERE id = ?');
  const list = db.query('SELECT * FROM api_keys WHERE org = ? AND id > ? ORDER BY id LIMIT ?');
  const put = db.query(
    `INSERT INTO api_keys (id, org, sha256, label, kind, environment, permissions, created_ms, revoked_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET revoked_ms = excluded.revoked_ms`,
  );
  const purge = db.query('DELETE FROM consumed WHERE id IN (SELECT id FROM consumed WHERE expires_ms < ? ORDER BY expires_ms LIMIT ?)');
  const consume = db.query('INSERT INTO consumed (id, expires_ms) VALUES (?, ?) ON CONFLICT (id) DO NOTHING');
  return {
    apiKeyBySha256: (sha256) => one(bySha256.get(sha256), readApiKey),
    apiKey: (id) => one(byId.get(id), readApiKey),
    apiKeys: (page) => list.all(page.org, page.after, page.limit).map(readApiKey),
    putApiKey: ({ id, org, sha256, label, kind, environment, permissions, createdMs, revokedMs }) =>
      void put.run(id, org, sha256, label, kind, environment, permissions.join(' '), createdMs, revokedMs),
    consume(id: string, expiresAtMs: number, nowMs: number): boolean {
      let fresh = false;
      db.transaction(() => {
        purge.run(nowMs - STORE_LIMITS.consumedGraceMs, STORE_LIMITS.consumedPurgeMax);
        fresh = consume.run(id, expiresAtMs) === 1;
      });
      return fresh;
    },
  };
}

function readPosture(row: Row): PostureState | undefined {
  const kept = text(row, 'posture');
  if (kept === '') return undefined;
  const posture = parsePosture(kept);
  if (posture === undefined) throw corrupt('posture');
  return posture;
}

type ToolTables = Pick<
  StateTables,
  | 'toolRows'
  | 'tools'
  | 'pendingTools'
  | 'putTool'
  | 'sessionCalls'
  | 'sessionHotUntil'
  | 'sessionPosture'
  | 'writeDeltas'
  | 'appliedIndex'
  | 'appliedLogs'
>;

/** The mark of the main log has the name that it had when there was no other. */
const MAIN_MARK = 'applied';

function markOf(log: string): string {
  return log === MAIN_LOG ? MAIN_MARK : `${MAIN_MARK}/${log}`;
}

function logOf(mark: string): string {
  return mark === MAIN_MARK ? MAIN_LOG : mark.slice(MAIN_MARK.length + 1);
}

function createToolTables(db: Database): ToolTables {
  const ofTool = db.query('SELECT * FROM tools WHERE org = ? AND tool = ?');
  const list = db.query(
    `SELECT * FROM tools WHERE org = ? AND tool || char(10) || hash > ? AND (? = '' OR status = ?) ORDER BY tool || char(10) || hash LIMIT ?`,
  );
  const pending = db.query(`SELECT count(*) AS count FROM tools WHERE org = ? AND status = 'pending'`);
  const values = 'INSERT INTO tools (org, tool, hash, status, scope, first_seen_ms) VALUES (?, ?, ?, ?, ?, ?)';
  const put = db.query(`${values} ON CONFLICT (org, tool, hash) DO UPDATE SET status = excluded.status, scope = excluded.scope`);
  const see = db.query(`${values} ON CONFLICT (org, tool, hash) DO NOTHING`);
  const calls = db.query('SELECT calls FROM sessions WHERE org = ? AND session = ?');
  const hot = db.query('SELECT hot_until FROM sessions WHERE org = ? AND session = ?');
  const posture = db.query('SELECT posture FROM sessions WHERE org = ? AND session = ?');
  const count = db.query(
    `INSERT INTO sessions (org, session, calls, hot_until, posture, posture_n, seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (org, session) DO UPDATE SET calls = max(calls, excluded.calls), hot_until = max(hot_until, excluded.hot_until),
       posture = CASE WHEN excluded.posture_n > posture_n THEN excluded.posture ELSE posture END,
       posture_n = max(posture_n, excluded.posture_n), seen_ms = max(seen_ms, excluded.seen_ms)`,
  );
  const mark = db.query(
    `INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
  );
  const marked = db.query('SELECT value FROM marks WHERE name = ?');
  const marks = db.query(`SELECT name FROM marks WHERE name = 'applied' OR name GLOB 'applied/*' ORDER BY name`);
  return {
    toolRows: (org, tool) => ofTool.all(org, tool).map(readTool),
    tools: (page, status) => list.all(page.org, page.after, status ?? '', status ?? '', page.limit).map(readTool),
    pendingTools: (org) => one(pending.get(org), (row) => integer(row, 'count')) ?? 0,
    putTool: (row) => void put.run(row.org, row.tool, row.hash, row.status, row.scope, row.firstSeenMs),
    sessionCalls: (org, session) => one(calls.get(org, session), (row) => integer(row, 'calls')) ?? 0,
    sessionHotUntil: (org, session) => one(hot.get(org, session), (row) => integer(row, 'hot_until')) ?? 0,
    sessionPosture: (org, session) => one(posture.get(org, session), readPosture),
    writeDeltas: (batch: DeltaBatch) =>
      db.transaction(() => {
        for (const { org, session, calls: made, hotUntil, posture: kept, seenMs } of batch.sessions) {
          const written = kept === undefined ? '' : writePosture(kept);
          count.run(org, session, made, hotUntil, written, kept?.n ?? 0, seenMs);
        }
        for (const row of batch.pendingTools) see.run(row.org, row.tool, row.hash, row.status, row.scope, row.firstSeenMs);
        mark.run(markOf(batch.log), batch.appliedIndex);
      }),
    appliedIndex: (log) => one(marked.get(markOf(log)), (row) => integer(row, 'value')) ?? -1,
    appliedLogs: () => marks.all().map((row) => logOf(text(row, 'name'))),
  };
}

type PolicyTables = Pick<StateTables, 'policies' | 'policy' | 'activePolicy' | 'putActivePolicy' | 'putDocument' | 'document'>;

function createPolicyTables(db: Database): PolicyTables {
  const list = db.query('SELECT * FROM policies ORDER BY serial DESC LIMIT ?');
  const exact = db.query('SELECT * FROM policies WHERE name = ? AND version = ?');
  const latest = db.query('SELECT * FROM policies WHERE name = ? ORDER BY version DESC LIMIT 1');
  const active = db.query('SELECT * FROM policies WHERE active = 1');
  const retire = db.query('UPDATE policies SET active = 0 WHERE active = 1');
  const insert = db.query('INSERT INTO policies (name, version, source, resolved, hash, active, created_ms) VALUES (?, ?, ?, ?, ?, 1, ?)');
  const put = db.query('INSERT INTO documents (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING');
  const document = db.query('SELECT text FROM documents WHERE hash = ?');
  return {
    policies: () => list.all(STORE_LIMITS.pageMax).map(readPolicy),
    policy: (name, version) => one(version === undefined ? latest.get(name) : exact.get(name, version), readPolicy),
    activePolicy: () => one(active.get(), readPolicy),
    putActivePolicy: (row) =>
      db.transaction(() => {
        retire.run();
        insert.run(row.name, row.version, row.source, row.resolved, row.hash, row.createdMs);
      }),
    putDocument: (hash, content) => void put.run(hash, content),
    document: (hash) => one(document.get(hash), (row) => text(row, 'text')),
  };
}

/**
 * Opens (or creates) the state at `path`.
 * @throws CodedError `state_in_use`, `state_newer`, `state_unavailable`.
 */
export function openSqliteTables(path: string): StateTables {
  return openDatabase(path, { name: 'state', migrations: STATE_MIGRATIONS, pragmas: [] }, (db) => ({
    ...createAgentTables(db),
    ...createKeyTables(db),
    ...createToolTables(db),
    ...createPolicyTables(db),
    close: () => db.close(),
  }));
}
