/** @module The schema of the state, as a list of migrations: add-only. */

export const STATE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE orgs (id TEXT PRIMARY KEY, name TEXT NOT NULL, mode TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE agents (
    id TEXT PRIMARY KEY, org TEXT NOT NULL REFERENCES orgs(id), name TEXT NOT NULL, folded_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'killed')), reason TEXT NOT NULL, scopes TEXT NOT NULL,
    sealed_key BLOB, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
    UNIQUE (org, folded_name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, org TEXT NOT NULL REFERENCES orgs(id), sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
    label TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('read', 'write', 'kill')),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')), created_ms INTEGER NOT NULL, revoked_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX api_keys_by_org ON api_keys (org, id);
  CREATE TABLE tools (
    org TEXT NOT NULL REFERENCES orgs(id), tool TEXT NOT NULL, hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('approved', 'pending')), scope TEXT, first_seen_ms INTEGER NOT NULL,
    PRIMARY KEY (org, tool, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sessions (
    org TEXT NOT NULL, session TEXT NOT NULL, calls INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
    PRIMARY KEY (org, session)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE consumed (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX consumed_by_expiry ON consumed (expires_ms);
  CREATE TABLE policies (
    serial INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL, resolved TEXT NOT NULL,
    hash TEXT NOT NULL, active INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    UNIQUE (name, version)
  ) STRICT;
  CREATE TABLE documents (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE orgs ADD COLUMN log TEXT NOT NULL DEFAULT 'main';
  ALTER TABLE orgs ADD COLUMN leaving TEXT;
  `,
  `
  ALTER TABLE sessions ADD COLUMN hot_until INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN trust TEXT NOT NULL DEFAULT 'standard' CHECK (trust IN ('untrusted', 'standard', 'elevated', 'privileged'));
  `,
  `
  ALTER TABLE sessions ADD COLUMN posture TEXT NOT NULL DEFAULT '';
  ALTER TABLE sessions ADD COLUMN posture_n INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE api_keys ADD COLUMN permissions TEXT NOT NULL DEFAULT '';
  `,
];
