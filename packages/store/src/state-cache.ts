/**
 * @module The reads of a hot decision, from memory: orgs, agents with their opened JWT keys, API keys. One process owns the tables, so
 * an entry is right until this process writes; every write goes through `forget*`.
 */
import { constantTimeEqual } from '@countersign/crypto';
import { isUuid } from '@countersign/kernel';
import type { AgentRecord, ApiKeyRecord, OrgRecord } from '@countersign/pipeline';
import { STORE_LIMITS } from './limits.ts';
import { LruMap } from './lru-map.ts';
import type { Sealer } from './sealer.ts';
import type { AgentRow, StateTables } from './state-tables.ts';

const encoder = new TextEncoder();
const SHA256_HEX = /^[0-9a-f]{64}$/;
const JWT_KEY_AAD = encoder.encode('countersign-agent-jwt-key-v1');

interface CachedAgent {
  readonly record: AgentRecord;
  readonly jwtKey: Uint8Array | undefined;
}

interface CachedKey {
  readonly sha256: Uint8Array;
  readonly record: ApiKeyRecord;
}

/** The same key under another master key. */
export function resealJwtKey(from: Sealer, to: Sealer, row: { readonly agent: string; readonly sealedKey: Uint8Array }): Uint8Array {
  return sealJwtKey(to, row.agent, from.open(row.agent, row.sealedKey, JWT_KEY_AAD));
}

/** Seals the JWT key of an agent; only for that agent does it open again. */
export function sealJwtKey(sealer: Sealer, agent: string, key: Uint8Array): Uint8Array {
  return sealer.seal(agent, key, JWT_KEY_AAD);
}

export interface StateCache {
  org(id: string): OrgRecord | undefined;
  agent(id: string): AgentRecord | undefined;
  agentJwtKey(id: string): Uint8Array | undefined;
  apiKey(sha256: string): ApiKeyRecord | undefined;
  forgetOrg(id: string): void;
  forgetAgent(id: string): void;
  forgetApiKey(sha256: string): void;
}

function openAgent(row: AgentRow, sealer: Sealer): CachedAgent {
  const { id, org, name, state, scopes, trust } = row;
  return {
    record: { id, org, name, state, scopes, ...(trust === undefined ? {} : { trust }) },
    jwtKey: row.sealedKey === null ? undefined : sealer.open(id, row.sealedKey, JWT_KEY_AAD),
  };
}

/** Nothing that is absent is remembered: strangers cannot push out what is in use by asking for what does not exist. */
export function createStateCache(tables: StateTables, sealer: Sealer): StateCache {
  const orgs = new LruMap<OrgRecord>(STORE_LIMITS.cacheEntriesMax);
  const agents = new LruMap<CachedAgent>(STORE_LIMITS.cacheEntriesMax);
  const apiKeys = new LruMap<CachedKey>(STORE_LIMITS.cacheEntriesMax);

  function cachedAgent(id: string): CachedAgent | undefined {
    const known = agents.get(id);
    if (known !== undefined) return known;
    if (!isUuid(id)) return undefined;
    const row = tables.agent(id);
    if (row === undefined) return undefined;
    const opened = openAgent(row, sealer);
    agents.set(id, opened);
    return opened;
  }

  function cachedKey(sha256: string): CachedKey | undefined {
    const known = apiKeys.get(sha256);
    if (known !== undefined) return known;
    const row = tables.apiKeyBySha256(sha256);
    if (row === undefined) return undefined;
    const record = { id: row.id, org: row.org, kind: row.kind, active: row.revokedMs === null };
    const fresh = { sha256: encoder.encode(row.sha256), record };
    apiKeys.set(sha256, fresh);
    return fresh;
  }

  return {
    org(id: string): OrgRecord | undefined {
      const known = orgs.get(id);
      if (known !== undefined) return known;
      const row = tables.org(id);
      if (row === undefined) return undefined;
      const record = { id: row.id, name: row.name, mode: row.mode, log: row.log };
      orgs.set(id, record);
      return record;
    },
    agent: (id) => cachedAgent(id)?.record,
    agentJwtKey: (id) => cachedAgent(id)?.jwtKey,
    apiKey(sha256: string): ApiKeyRecord | undefined {
      if (!SHA256_HEX.test(sha256)) return undefined;
      const found = cachedKey(sha256);
      return found !== undefined && constantTimeEqual(found.sha256, encoder.encode(sha256)) ? found.record : undefined;
    },
    forgetOrg: (id) => orgs.delete(id),
    forgetAgent: (id) => agents.delete(id),
    forgetApiKey: (sha256) => apiKeys.delete(sha256),
  };
}
