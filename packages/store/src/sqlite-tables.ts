/**
 * @module Tables in SQLite (`node:sqlite`): WAL, synchronous FULL, one process at a time (exclusive lock), prepared statements.
 * A committed write survives a crash of the process and of the machine.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { CodedError, codeOf } from '@countersign/kernel';
import type { PolicyDocument } from '@countersign/pipeline';
import { STORE_LIMITS } from './limits.ts';
import { migrate } from './sqlite-schema.ts';
import type { AgentRow, ApiKeyRow, DeltaBatch, OrgRow, StateTables, ToolRow } from './state-tables.ts';

type Row = Record<string, SQLOutputValue>;

/** Turns whatever SQLite throws into the code the pipeline denies on; the message names no value. */
function unavailable(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError(
    { code: 'state_unavailable', message: `the state database failed (${codeOf(error)})`, hint: 'check the disk of the data directory' },
    { cause: error },
  );
}

interface Query {
  all(...values: SQLInputValue[]): readonly Row[];
  get(...values: SQLInputValue[]): Row | undefined;
  run(...values: SQLInputValue[]): number;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unavailable(error);
  }
}

function prepare(db: DatabaseSync, sql: string): Query {
  const statement: StatementSync = db.prepare(sql);
  return {
    all: (...values) => guarded(() => statement.all(...values)),
    get: (...values) => guarded(() => statement.get(...values)),
    run: (...values) => guarded(() => Number(statement.run(...values).changes)),
  };
}

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

function readOrg(row: Row): OrgRow {
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    mode: choice(row, 'mode', ['learning', 'locked']),
    createdMs: integer(row, 'created_ms'),
  };
}

function readAgent(row: Row): AgentRow {
  const sealedKey = row['sealed_key'];
  if (sealedKey !== null && !(sealedKey instanceof Uint8Array)) throw corrupt('sealed_key');
  const scopes = text(row, 'scopes');
  return {
    id: text(row, 'id'),
    org: text(row, 'org'),
    name: text(row, 'name'),
    foldedName: text(row, 'folded_name'),
    state: choice(row, 'state', ['active', 'suspended', 'killed']),
    reason: text(row, 'reason'),
    scopes: scopes === '' ? [] : scopes.split(' '),
    sealedKey,
    createdMs: integer(row, 'created_ms'),
    changedMs: integer(row, 'changed_ms'),
  };
}

function readApiKey(row: Row): ApiKeyRow {
  return {
    id: text(row, 'id'),
    org: text(row, 'org'),
    sha256: text(row, 'sha256'),
    label: text(row, 'label'),
    kind: choice(row, 'kind', ['read', 'write', 'kill']),
    environment: choice(row, 'environment', ['live', 'test']),
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

/** Runs `work` in one transaction. */
function transaction(db: DatabaseSync, work: () => void): void {
  guarded(() => db.exec('BEGIN IMMEDIATE'));
  try {
    work();
    guarded(() => db.exec('COMMIT'));
  } catch (error) {
    if (db.isTransaction) guarded(() => db.exec('ROLLBACK'));
    throw error;
  }
}

function createAgentTables(
  db: DatabaseSync,
): Pick<StateTables, 'org' | 'orgs' | 'putOrg' | 'agent' | 'agentNamed' | 'agents' | 'putAgent'> {
  const org = prepare(db, 'SELECT * FROM orgs WHERE id = ?');
  const orgs = prepare(db, 'SELECT * FROM orgs ORDER BY id');
  const putOrg = prepare(
    db,
    'INSERT INTO orgs (id, name, mode, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, mode = excluded.mode',
  );
  const agent = prepare(db, 'SELECT * FROM agents WHERE id = ?');
  const agentNamed = prepare(db, 'SELECT * FROM agents WHERE org = ? AND folded_name = ?');
  const agents = prepare(db, 'SELECT * FROM agents WHERE org = ? AND id > ? ORDER BY id LIMIT ?');
  const putAgent = prepare(
    db,
    `INSERT INTO agents (id, org, name, folded_name, state, reason, scopes, sealed_key, created_ms, changed_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, scopes = excluded.scopes,
       sealed_key = excluded.sealed_key, changed_ms = excluded.changed_ms`,
  );
  return {
    org: (id) => one(org.get(id), readOrg),
    orgs: () => orgs.all().map(readOrg),
    putOrg: (row) => void putOrg.run(row.id, row.name, row.mode, row.createdMs),
    agent: (id) => one(agent.get(id), readAgent),
    agentNamed: (orgId, foldedName) => one(agentNamed.get(orgId, foldedName), readAgent),
    agents: (page) => agents.all(page.org, page.after, page.limit).map(readAgent),
    putAgent: (row) =>
      void putAgent.run(
        row.id,
        row.org,
        row.name,
        row.foldedName,
        row.state,
        row.reason,
        row.scopes.join(' '),
        row.sealedKey,
        row.createdMs,
        row.changedMs,
      ),
  };
}

function createKeyTables(db: DatabaseSync): Pick<StateTables, 'apiKeyBySha256' | 'apiKey' | 'apiKeys' | 'putApiKey' | 'consume'> {
  const bySha256 = prepare(db, 'SELECT * FROM api_keys WHERE sha256 = ?');
  const byId = prepare(db, 'SELECT * FROM api_keys WHERE id = ?');
  const list = prepare(db, 'SELECT * FROM api_keys WHERE org = ? AND id > ? ORDER BY id LIMIT ?');
  const put = prepare(
    db,
    `INSERT INTO api_keys (id, org, sha256, label, kind, environment, created_ms, revoked_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET revoked_ms = excluded.revoked_ms`,
  );
  const purge = prepare(db, 'DELETE FROM consumed WHERE id IN (SELECT id FROM consumed WHERE expires_ms < ? ORDER BY expires_ms LIMIT ?)');
  const consume = prepare(db, 'INSERT INTO consumed (id, expires_ms) VALUES (?, ?) ON CONFLICT (id) DO NOTHING');
  return {
    apiKeyBySha256: (sha256) => one(bySha256.get(sha256), readApiKey),
    apiKey: (id) => one(byId.get(id), readApiKey),
    apiKeys: (page) => list.all(page.org, page.after, page.limit).map(readApiKey),
    putApiKey: (row) => void put.run(row.id, row.org, row.sha256, row.label, row.kind, row.environment, row.createdMs, row.revokedMs),
    consume(id: string, expiresAtMs: number, nowMs: number): boolean {
      let fresh = false;
      transaction(db, () => {
        purge.run(nowMs - STORE_LIMITS.consumedGraceMs, STORE_LIMITS.consumedPurgeMax);
        fresh = consume.run(id, expiresAtMs) === 1;
      });
      return fresh;
    },
  };
}

type ToolTables = Pick<StateTables, 'toolRows' | 'tools' | 'pendingTools' | 'putTool' | 'sessionCalls' | 'writeDeltas' | 'appliedIndex'>;

function createToolTables(db: DatabaseSync): ToolTables {
  const ofTool = prepare(db, 'SELECT * FROM tools WHERE org = ? AND tool = ?');
  const list = prepare(
    db,
    `SELECT * FROM tools WHERE org = ? AND tool || char(10) || hash > ? AND (? = '' OR status = ?) ORDER BY tool || char(10) || hash LIMIT ?`,
  );
  const pending = prepare(db, `SELECT count(*) AS count FROM tools WHERE org = ? AND status = 'pending'`);
  const values = 'INSERT INTO tools (org, tool, hash, status, scope, first_seen_ms) VALUES (?, ?, ?, ?, ?, ?)';
  const put = prepare(db, `${values} ON CONFLICT (org, tool, hash) DO UPDATE SET status = excluded.status, scope = excluded.scope`);
  const see = prepare(db, `${values} ON CONFLICT (org, tool, hash) DO NOTHING`);
  const calls = prepare(db, 'SELECT calls FROM sessions WHERE org = ? AND session = ?');
  const count = prepare(
    db,
    `INSERT INTO sessions (org, session, calls, seen_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (org, session) DO UPDATE SET calls = max(calls, excluded.calls), seen_ms = max(seen_ms, excluded.seen_ms)`,
  );
  const mark = prepare(
    db,
    `INSERT INTO marks (name, value) VALUES ('applied', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
  );
  const marked = prepare(db, `SELECT value FROM marks WHERE name = 'applied'`);
  return {
    toolRows: (org, tool) => ofTool.all(org, tool).map(readTool),
    tools: (page, status) => list.all(page.org, page.after, status ?? '', status ?? '', page.limit).map(readTool),
    pendingTools: (org) => one(pending.get(org), (row) => integer(row, 'count')) ?? 0,
    putTool: (row) => void put.run(row.org, row.tool, row.hash, row.status, row.scope, row.firstSeenMs),
    sessionCalls: (org, session) => one(calls.get(org, session), (row) => integer(row, 'calls')) ?? 0,
    writeDeltas: (batch: DeltaBatch) =>
      transaction(db, () => {
        for (const { org, session, calls: made, seenMs } of batch.sessions) count.run(org, session, made, seenMs);
        for (const row of batch.pendingTools) see.run(row.org, row.tool, row.hash, row.status, row.scope, row.firstSeenMs);
        mark.run(batch.appliedIndex);
      }),
    appliedIndex: () => one(marked.get(), (row) => integer(row, 'value')) ?? -1,
  };
}

type PolicyTables = Pick<StateTables, 'policies' | 'policy' | 'activePolicy' | 'putActivePolicy' | 'putDocument' | 'document'>;

function createPolicyTables(db: DatabaseSync): PolicyTables {
  const list = prepare(db, 'SELECT * FROM policies ORDER BY serial DESC LIMIT ?');
  const exact = prepare(db, 'SELECT * FROM policies WHERE name = ? AND version = ?');
  const latest = prepare(db, 'SELECT * FROM policies WHERE name = ? ORDER BY version DESC LIMIT 1');
  const active = prepare(db, 'SELECT * FROM policies WHERE active = 1');
  const retire = prepare(db, 'UPDATE policies SET active = 0 WHERE active = 1');
  const insert = prepare(
    db,
    'INSERT INTO policies (name, version, source, resolved, hash, active, created_ms) VALUES (?, ?, ?, ?, ?, 1, ?)',
  );
  const put = prepare(db, 'INSERT INTO documents (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING');
  const document = prepare(db, 'SELECT text FROM documents WHERE hash = ?');
  return {
    policies: () => list.all(STORE_LIMITS.pageMax).map(readPolicy),
    policy: (name, version) => one(version === undefined ? latest.get(name) : exact.get(name, version), readPolicy),
    activePolicy: () => one(active.get(), readPolicy),
    putActivePolicy: (row) =>
      transaction(db, () => {
        retire.run();
        insert.run(row.name, row.version, row.source, row.resolved, row.hash, row.createdMs);
      }),
    putDocument: (hash, content) => void put.run(hash, content),
    document: (hash) => one(document.get(hash), (row) => text(row, 'text')),
  };
}

function configure(db: DatabaseSync): void {
  db.exec(`PRAGMA busy_timeout = ${STORE_LIMITS.busyTimeoutMs}`);
  // SECURITY: caches are valid only while no other process can write, so the lock is held for as long as the file is open.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA trusted_schema = OFF');
}

function cannotOpen(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const locked = error instanceof Error && /locked|busy/.test(error.message);
  return new CodedError(
    locked
      ? { code: 'state_in_use', message: 'another process has the state open', hint: 'talk to the running gateway, or stop it first' }
      : {
          code: 'state_unavailable',
          message: `the state could not be opened (${codeOf(error)})`,
          hint: 'check the data directory and its rights',
        },
    { cause: error },
  );
}

/**
 * Opens (or creates) the state at `path`.
 * @throws CodedError `state_in_use`, `state_newer`, `state_unavailable`.
 */
export function openSqliteTables(path: string): StateTables {
  let db: DatabaseSync | undefined;
  try {
    // SQLite gives the rights of the database to its WAL too; made by SQLite itself the file would be readable by others.
    closeSync(openSync(path, 'a', 0o600));
    const opened = new DatabaseSync(path);
    db = opened;
    configure(opened);
    migrate(opened);
    return {
      ...createAgentTables(opened),
      ...createKeyTables(opened),
      ...createToolTables(opened),
      ...createPolicyTables(opened),
      close(): void {
        if (opened.isOpen) opened.close();
      },
    };
  } catch (error) {
    db?.close();
    throw cannotOpen(error);
  }
}
