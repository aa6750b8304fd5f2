/**
 * @module The credentials that `npm start` prints: an org in learning mode, an agent and a key, made at the first start and shown again
 * at later ones while they are still good. Kept in one file that only its owner may read.
 */
import { join } from 'node:path';
import { CodedError, type Fault, getOwn, isJsonObject, parseJson, type Result } from '@countersign/kernel';
import type { AdminStore } from '@countersign/pipeline';
import { readSecretFile, replaceSecretFile } from '@countersign/store';

export interface StartCredentials {
  readonly org: string;
  readonly apiKey: string;
  readonly agentId: string;
  readonly agentSecret: string;
}

const FILE = 'start.json';
const FIELDS = ['org', 'apiKey', 'agentId', 'agentSecret'] as const;

function mustBe<T>(result: Result<T, Fault>): T {
  if (result.ok) return result.value;
  throw new CodedError({ ...result.error, code: 'first_start_failed' });
}

function readKept(path: string): StartCredentials | undefined {
  const text = readSecretFile(path);
  const parsed = text === undefined ? undefined : parseJson(text);
  const value = parsed?.ok === true ? parsed.value.value : undefined;
  if (!isJsonObject(value)) return undefined;
  const fields = FIELDS.map((name) => [name, getOwn(value, name)] as const);
  if (fields.some(([, field]) => typeof field !== 'string')) return undefined;
  return Object.fromEntries(fields) as unknown as StartCredentials;
}

async function stillGood(kept: StartCredentials, store: AdminStore, keyIsActive: (key: string) => Promise<boolean>): Promise<boolean> {
  return store.agentView(kept.agentId)?.state === 'active' && (await keyIsActive(kept.apiKey));
}

function freshName(store: AdminStore, org: string): string {
  const taken = new Set(store.listAgents({ org }).map(({ name }) => name));
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? 'first-agent' : `first-agent-${n}`;
    if (!taken.has(name)) return name;
  }
}

/** The credentials of this installation, made where there are none that still work. */
export async function startCredentials(
  dataDir: string,
  store: AdminStore,
  keyIsActive: (key: string) => Promise<boolean>,
): Promise<StartCredentials> {
  const path = join(dataDir, FILE);
  const kept = readKept(path);
  if (kept !== undefined && (await stillGood(kept, store, keyIsActive))) return kept;
  const org = store.listOrgs()[0] ?? mustBe(store.createOrg({ name: 'local', mode: 'learning' }));
  const { agent, secret } = mustBe(store.createAgent({ org: org.id, name: freshName(store, org.id), scopes: ['*'] }));
  const { key } = mustBe(store.createApiKey({ org: org.id, label: 'npm start', kind: 'write', environment: 'live' }));
  const credentials = { org: org.id, apiKey: key, agentId: agent.id, agentSecret: secret };
  replaceSecretFile(path, `${JSON.stringify(credentials)}\n`);
  return credentials;
}
