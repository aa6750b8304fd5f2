/**
 * @module The hushd door of an installation: its keys, and the ports it is given. Keys are made at the first start with the door and kept
 * in one file that only its owner may read; deleting it makes new ones at the next start.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createHushdGateway, type Gauge, HUSHD_SCOPES, type HushdOptions, type HushdScope } from '@countersign/gateway';
import { CodedError, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import { POLICY_VERSIONS } from '@countersign/policy';
import { verifyExport } from '@countersign/receipts/exports';
import type { Runtime } from '@countersign/runtime';
import { readSecretFile, replaceSecretFile } from '@countersign/store';
import { HUSHD_FILE, keyringOf, type KeptKey, readHushdKeys } from './hushd-keys.ts';
import type { HushdSettings } from './settings.ts';

const KEY_BYTES = 32;
const AGENT_NAME = 'hushd';

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
function environmentKeys([first]: readonly KeptKey[], { apiKey, adminKey }: HushdSettings): readonly KeptKey[] {
  const of = (name: string, key: string | undefined, scopes: readonly HushdScope[]): readonly KeptKey[] =>
    key === undefined || first === undefined ? [] : [{ name, key, scopes, org: first.org, agent: first.agent }];
  return [...of('CLAWDSTRIKE_API_KEY', apiKey, ['check', 'read']), ...of('CLAWDSTRIKE_ADMIN_KEY', adminKey, HUSHD_SCOPES)];
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

export interface HushdOpening {
  readonly settings: HushdSettings;
  readonly dataDir: string;
  readonly version: string;
  /** Beside what is counted at the door. */
  readonly gauges: readonly Gauge[];
}

/**
 * The door, ready to listen.
 * @throws {CodedError} `hushd_keys_invalid`, `first_start_failed`.
 */
export async function openHushd(runtime: Runtime, { settings, dataDir, version, gauges }: HushdOpening): Promise<OpenedHushd> {
  const path = join(dataDir, HUSHD_FILE);
  const text = readSecretFile(path);
  const kept = text === undefined ? makeKeys(runtime) : readHushdKeys(text);
  const app = await createHushdGateway({
    ports: runtime.ports,
    keyring: keyringOf([...kept, ...environmentKeys(kept, settings)]),
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
    gauges,
  });
  return { app, announce: (url) => replaceSecretFile(path, `${JSON.stringify({ url, keys: kept }, null, 2)}\n`) };
}
