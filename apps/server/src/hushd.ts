/**
 * @module The hushd door of an installation: its keys, and the ports it is given. Keys are made at the first start with the door and kept
 * in one file that only its owner may read; deleting it makes new ones at the next start.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import {
  createHushdGateway,
  HUSHD_SCOPES,
  type HushdKey,
  type HushdKeyring,
  type HushdOptions,
  type HushdScope,
} from '@countersign/gateway';
import { CodedError, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson, type Result } from '@countersign/kernel';
import { POLICY_VERSIONS } from '@countersign/policy';
import { verifyExport } from '@countersign/receipts/exports';
import type { Runtime } from '@countersign/runtime';
import { readSecretFile, replaceSecretFile } from '@countersign/store';
import type { HushdSettings } from './settings.ts';

const FILE = 'hushd.json';
const KEY_BYTES = 32;
const KEYS_MAX = 1024;
const AGENT_NAME = 'hushd';

/** A key as the file keeps it. */
interface KeptKey {
  readonly name: string;
  readonly key: string;
  readonly scopes: readonly HushdScope[];
  readonly org: string;
  readonly agent: string;
  /** RFC 3339. */
  readonly expires_at?: string;
}

function invalid(path: string, message: string): CodedError {
  return new CodedError({
    code: 'hushd_keys_invalid',
    message,
    path,
    hint: `mend ${FILE} of the data directory, or delete it: new keys are made then`,
  });
}

function textAt(value: JsonObject, name: string, path: string): string {
  const text = getOwn(value, name);
  if (typeof text === 'string' && text !== '') return text;
  throw invalid(`${path}/${name}`, `\`${name}\` of a key is missing`);
}

function readScopes(value: JsonValue | undefined, path: string): readonly HushdScope[] {
  const list: readonly JsonValue[] = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  if (list.length === 1 && list[0] === '*') return HUSHD_SCOPES;
  const known = HUSHD_SCOPES.filter((scope) => list.includes(scope));
  if (list.length > 0 && known.length === list.length) return known;
  throw invalid(path, `scopes are a list of ${HUSHD_SCOPES.join(', ')}, or of \`*\` alone`);
}

function readKey(value: JsonValue, path: string): KeptKey {
  if (!isJsonObject(value)) throw invalid(path, 'a key is an object');
  const key = textAt(value, 'key', path);
  if (!/^[\x21-\x7e]{16,512}$/.test(key)) throw invalid(`${path}/key`, 'a key has 16 to 512 printable characters');
  const expires = getOwn(value, 'expires_at');
  if (expires !== undefined && (typeof expires !== 'string' || Number.isNaN(Date.parse(expires))))
    throw invalid(`${path}/expires_at`, 'the time is none');
  return {
    name: textAt(value, 'name', path),
    key,
    scopes: readScopes(getOwn(value, 'scopes'), `${path}/scopes`),
    org: textAt(value, 'org', path),
    agent: textAt(value, 'agent', path),
    ...(expires === undefined ? {} : { expires_at: expires }),
  };
}

/** The keys of the file; undefined where there is no file. A file that cannot be read ends the start: nobody gets in by it. */
function readKept(path: string): readonly KeptKey[] | undefined {
  const text = readSecretFile(path);
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : undefined;
  const keys = isJsonObject(value) ? getOwn(value, 'keys') : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MAX)
    throw invalid('/keys', `${FILE} has no list of 1 to ${KEYS_MAX} keys`);
  return (keys as readonly JsonValue[]).map((one, i) => readKey(one, `/keys/${i}`));
}

function mustBe<T>(result: Result<T, Fault>): T {
  if (result.ok) return result.value;
  throw new CodedError({ ...result.error, code: 'first_start_failed' });
}

function freshName({ store }: Runtime, org: string): string {
  const taken = new Set(store.listAgents({ org }).map(({ name }) => name));
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? AGENT_NAME : `${AGENT_NAME}-${n}`;
    if (!taken.has(name)) return name;
  }
}

/** An agent, and three keys that act as it: one for clients, one that looks, one that may do everything. */
function makeKeys(runtime: Runtime): readonly KeptKey[] {
  const { store } = runtime;
  const org = store.listOrgs()[0] ?? mustBe(store.createOrg({ name: 'local', mode: 'learning' }));
  const { agent } = mustBe(store.createAgent({ org: org.id, name: freshName(runtime, org.id), scopes: ['*'] }));
  const make = (name: string, scopes: readonly HushdScope[]): KeptKey => {
    return { name, key: `hsk_${randomBytes(KEY_BYTES).toString('base64url')}`, scopes, org: org.id, agent: agent.id };
  };
  return [make('check', ['check']), make('read', ['read']), make('admin', HUSHD_SCOPES)];
}

/** Keys of the environment act as the agent of the first key. */
function environmentKeys(first: KeptKey, { apiKey, adminKey }: HushdSettings): readonly KeptKey[] {
  const { org, agent } = first;
  const of = (name: string, key: string | undefined, scopes: readonly HushdScope[]): readonly KeptKey[] =>
    key === undefined ? [] : [{ name, key, scopes, org, agent }];
  return [...of('CLAWDSTRIKE_API_KEY', apiKey, ['check', 'read']), ...of('CLAWDSTRIKE_ADMIN_KEY', adminKey, HUSHD_SCOPES)];
}

function keyringOf(kept: readonly KeptKey[]): HushdKeyring {
  const keys = new Map<string, HushdKey>();
  for (const { name, key, scopes, org, agent, expires_at: expires } of kept) {
    const hash = sha256Hex(key);
    if (keys.has(hash)) throw invalid('/keys', 'two keys are the same');
    const id = hash.slice(0, 16);
    keys.set(hash, { id, name, scopes, org, agent, ...(expires === undefined ? {} : { expiresMs: Date.parse(expires) }) });
  }
  return { find: (hash) => keys.get(hash) };
}

function entryOf(index: number, entry: Uint8Array): JsonObject {
  return { index, ...(JSON.parse(new TextDecoder().decode(entry)) as JsonObject) };
}

function auditOf({ logs }: Runtime): HushdOptions['audit'] {
  return {
    size: (name) => logs.of(name)?.log.durableSize,
    async entry(name, index): Promise<JsonValue> {
      const log = logs.of(name)?.log;
      if (log === undefined) throw new CodedError({ code: 'log_unknown', message: 'the log is not open' });
      return entryOf(index, await log.readEntry(index));
    },
  };
}

function receiptsOf(runtime: Runtime): HushdOptions['receipts'] {
  const { logs, receiptKey } = runtime;
  return {
    async signed(id): Promise<Uint8Array | Fault | undefined> {
      const made = await runtime.exportReceipt(id, 'signed-receipt');
      if (made.ok) return made.value;
      return made.error.code === 'receipt_not_found' ? undefined : made.error;
    },
    async orgOf(id): Promise<string | undefined> {
      const found = await logs.locate(id);
      if (found === undefined) return undefined;
      const body = getOwn(entryOf(found.index, await found.log.log.readEntry(found.index)), 'body');
      const principal = isJsonObject(body) ? getOwn(body, 'principal') : undefined;
      const org = isJsonObject(principal) ? getOwn(principal, 'org') : undefined;
      return typeof org === 'string' ? org : undefined;
    },
    async verify(file): ReturnType<HushdOptions['receipts']['verify']> {
      const { ok, checks } = await verifyExport('signed-receipt', file, { receiptKeys: [receiptKey] });
      return { ok, checks };
    },
  };
}

export interface OpenedHushd {
  readonly app: Awaited<ReturnType<typeof createHushdGateway>>;
  /** Writes where it listens beside the keys, for whoever reads the file. */
  readonly announce: (url: string) => void;
}

/**
 * The door, ready to listen.
 * @throws {CodedError} `hushd_keys_invalid`, `first_start_failed`.
 */
export async function openHushd(
  runtime: Runtime,
  { settings, dataDir, version }: { readonly settings: HushdSettings; readonly dataDir: string; readonly version: string },
): Promise<OpenedHushd> {
  const path = join(dataDir, FILE);
  const kept = readKept(path) ?? makeKeys(runtime);
  const [first] = kept;
  if (first === undefined) throw invalid('/keys', 'there are no keys');
  const app = await createHushdGateway({
    ports: runtime.ports,
    keyring: keyringOf([...kept, ...environmentKeys(first, settings)]),
    admin: runtime.store,
    policies: { compile: (source) => runtime.policy.compile(source), reload: () => runtime.policy.reload() },
    policyVersions: POLICY_VERSIONS,
    sessionDesk: runtime.sessions,
    audit: auditOf(runtime),
    receipts: receiptsOf(runtime),
    problem: () => runtime.logs.problem() ?? runtime.ports.engines.problem,
    version,
    rateLimit: settings.rateLimit,
    trustedProxies: settings.trustedProxies,
  });
  return { app, announce: (url) => replaceSecretFile(path, `${JSON.stringify({ url, keys: kept }, null, 2)}\n`) };
}
