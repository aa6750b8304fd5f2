/**
 * @module One data directory, one runtime, one gateway: put together, listening, and stopped in order.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { createVerifier, sha256 } from '@countersign/crypto';
import {
  CodedError,
  codeOf,
  type Fault,
  formatTime,
  getOwn,
  isJsonObject,
  type JsonValue,
  parseJson,
  type Result,
} from '@countersign/kernel';
import { createEgress, createFeedHub, createGateway, type Evidence, type Gauge } from '@countersign/gateway';
import {
  EXPORT_FORMATS,
  openPolicyFile,
  openPolicySources,
  openRuntime,
  policyHosts,
  readHostSets,
  readPolicySigners,
  type PolicyFile,
  resolveHost,
  type RunningLog,
  type Runtime,
  type RuntimeOptions,
  runtimeStatus,
  systemTimer,
  witnessAgeSeconds,
} from '@countersign/runtime';
import { readSecretFile, replaceSecretFile } from '@countersign/store';
import { openHushd } from './hushd.ts';
import type { Settings } from './settings.ts';
import { withSharedSecret } from './shared-secret.ts';
import { readVerifyPage } from './verify-page.ts';

export interface Server {
  readonly url: string;
  /** Where the hushd door listens, where there is one. */
  readonly hushdUrl?: string;
  readonly runtime: Runtime;
  /** Refuses newcomers, lets decisions under way finish, makes everything durable, gives the directory back. Idempotent. */
  close(): Promise<void>;
}

const TOKEN_BYTES = 32;
const VERSION = '0.1.0';

/** The operator token: made once, in a file that only its owner may read. The command line finds URL and token there. */
function operatorToken(path: string): string {
  const text = readSecretFile(path);
  const parsed = text === undefined ? undefined : parseJson(text);
  const value = parsed?.ok === true ? parsed.value.value : undefined;
  const kept = isJsonObject(value) ? getOwn(value, 'token') : undefined;
  return typeof kept === 'string' && kept.length >= TOKEN_BYTES ? kept : randomBytes(TOKEN_BYTES).toString('base64url');
}

function entryOf(record: { readonly index: number; readonly entry: Uint8Array }): JsonValue {
  return { index: record.index, ...(JSON.parse(new TextDecoder().decode(record.entry)) as Record<string, JsonValue>) };
}

function evidenceOf(runtime: Runtime): Evidence {
  const { logs } = runtime;
  return {
    async receipt(id: string): Promise<JsonValue | undefined> {
      const found = await logs.locate(id);
      return found === undefined ? undefined : entryOf({ index: found.index, entry: await found.log.log.readEntry(found.index) });
    },
    async bundle(id: string, options: { readonly inputs: boolean }): Promise<Uint8Array | undefined> {
      const made = await runtime.bundle(id, options);
      if (made.ok) return made.value;
      if (made.error.code === 'receipt_not_found') return undefined;
      throw new CodedError(made.error);
    },
    exportFormats: EXPORT_FORMATS,
    async export(id: string, format: string): Promise<Result<Uint8Array, Fault> | undefined> {
      const known = EXPORT_FORMATS.find((one) => one === format);
      const made = known === undefined ? undefined : await runtime.exportReceipt(id, known);
      if (made === undefined) return undefined;
      return made.ok || made.error.code !== 'receipt_not_found' ? made : undefined;
    },
    async tail(limit: number, name: string): Promise<readonly JsonValue[] | undefined> {
      const log = logs.of(name)?.log;
      if (log === undefined) return undefined;
      const size = log.durableSize;
      const indexes = Array.from({ length: Math.min(limit, size) }, (_, back) => size - 1 - back);
      return Promise.all(indexes.map(async (index) => entryOf({ index, entry: await log.readEntry(index) })));
    },
    published: (path: string, name: string) => logs.of(name)?.log.readPublished(path) ?? Promise.resolve(undefined),
  };
}

/** A `read` key sees how the gateway is; what is sealed is the operator's to count (HTTP-049). */
function statusOf(runtime: Runtime, startedMs: number, everything: boolean): JsonValue {
  const { vault, ...seen } = runtimeStatus(runtime);
  return { version: VERSION, started: formatTime(startedMs), ...seen, ...(everything && vault !== undefined ? { vault } : {}) };
}

function gaugesOf({ logs, policy, ports }: Runtime): readonly Gauge[] {
  const gauge = (name: string, help: string, read: () => number): Gauge => ({ name, help, type: 'gauge', read });
  const open = (): readonly RunningLog[] => logs.list().flatMap(({ name }) => logs.of(name) ?? []);
  const sum = (of: (log: RunningLog) => number): number => open().reduce((total, log) => total + of(log), 0);
  const ages = (): readonly number[] =>
    open()
      .map(({ witnesses }) => witnesses.status())
      .filter(({ witnesses }) => witnesses.length > 0)
      .map((status) => witnessAgeSeconds(status, ports.clock.nowMs()));
  const oldest = (): number => (ages().includes(-1) ? -1 : Math.max(...ages()));
  const age = gauge('countersign_witness_age_seconds', 'since enough witnesses had cosigned every log; -1 where they have not', oldest);
  return [
    gauge('countersign_log_size', 'durable entries of all logs', () => sum(({ log }) => log.durableSize)),
    gauge('countersign_log_unpublished', 'durable entries that no checkpoint covers yet', () =>
      sum(({ log }) => log.durableSize - log.checkpoint.size),
    ),
    gauge('countersign_logs_failed', 'logs that take nothing', () => logs.failed().length),
    {
      ...gauge('countersign_policy_changes_total', 'policies that came into force since the start', () => policy.counts.changed),
      type: 'counter',
    },
    gauge('countersign_policy_refused', '1 while the last change of the policy is one that was refused', () =>
      policy.refused === undefined ? 0 : 1,
    ),
    // A log without witnesses has no age of a cosignature.
    ...(ages().length === 0 ? [] : [age]),
  ];
}

interface Listener {
  readonly port: number;
  readonly host: string;
}

type App = Awaited<ReturnType<typeof createGateway>>;

/** `variable`: where the port was set. */
async function listen(app: App, { port, host }: Listener, variable: string): Promise<string> {
  try {
    return await app.listen({ port, host });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new CodedError({ code: 'port_taken', message: `port ${port} on ${host} is taken`, path: variable });
  }
}

/** Puts the policy file in force and watches it. @throws {CodedError} `settings_invalid` where it is no policy: a start must not go on without it. */
async function holdPolicyFile(
  { policyFile: path, dataDir }: Settings,
  runtime: Runtime,
  warn: (message: string) => void,
): Promise<PolicyFile | undefined> {
  if (path === undefined) return undefined;
  const cacheDir = join(dataDir, 'policy-cache');
  const opened = await openPolicyFile({
    path,
    policy: runtime.policy,
    timer: runtime.ports.timer,
    warn,
    hostSets: readHostSets,
    sources: () => openPolicySources({ cwd: dirname(path), hosts: policyHosts(readHostSets()), cacheDir, resolveHost }),
  });
  if (opened.ok) return opened.value;
  const { message, hint } = opened.error;
  throw new CodedError({ code: 'settings_invalid', message, path: 'COUNTERSIGN_POLICY', ...(hint === undefined ? {} : { hint }) });
}

interface HushdListener {
  readonly app: App;
  listen(): Promise<string>;
}

/** The hushd door, not yet listening; undefined where it is not set. */
async function openHushdDoor(settings: Settings, runtime: Runtime): Promise<HushdListener | undefined> {
  const { hushd, dataDir } = settings;
  if (hushd === undefined) return undefined;
  const { app, announce } = await openHushd(runtime, { settings: hushd, dataDir, version: VERSION, gauges: gaugesOf(runtime) });
  return {
    app,
    listen: async () => {
      const url = await listen(app, hushd, 'COUNTERSIGN_HUSHD');
      announce(url);
      return url;
    },
  };
}

function openServed(settings: Settings, parts: Pick<RuntimeOptions, 'upstream' | 'feed' | 'warn'>): Promise<Runtime> {
  return openRuntime({
    dataDir: settings.dataDir,
    ruleset: settings.ruleset,
    signing: settings.signing,
    policySigners: () => [...settings.policySigners, ...Object.values(readPolicySigners())],
    environment: settings.environment,
    ...parts,
  });
}

/**
 * Starts the gateway.
 * @throws {CodedError} `port_taken`, and what the data directory says; nothing is left open then.
 */
export async function serve(settings: Settings, warn: (message: string) => void): Promise<Server> {
  const hub = createFeedHub(systemTimer);
  const egress = createEgress({ trustedOrigins: settings.trustedOrigins });
  const runtime = await openServed(settings, { upstream: egress, feed: hub, warn });
  const startedMs = runtime.ports.clock.nowMs();
  const tokenFile = join(settings.dataDir, 'operator.json');
  const token = operatorToken(tokenFile);
  const verifyPage = readVerifyPage(warn);
  const app = await createGateway({
    ports: withSharedSecret(runtime.ports, settings.sharedJwtSecret),
    scopeVerifier: createVerifier(runtime.scopeSigner.publicKey),
    feedHub: hub,
    ...(verifyPage === undefined ? {} : { verifyPage }),
    problem: () => runtime.logs.problem(),
    failedLogs: () => runtime.logs.failed(),
    refusedPolicy: () => runtime.policy.refused,
    operator: {
      admin: runtime.store,
      policies: { compile: (source) => runtime.policy.compile(source), reload: () => runtime.policy.reload() },
      rules: runtime.rules,
      evidence: evidenceOf(runtime),
      vault: runtime.vault,
      sessions: runtime.sessions,
      logDesk: (log) => runtime.logDesk(log),
      publicLog: settings.publicLog,
      logs: runtime.logs,
      operatorTokenSha256: sha256(token),
      status: ({ everything }) => statusOf(runtime, startedMs, everything),
    },
    gauges: gaugesOf(runtime),
  });
  let policyFile: PolicyFile | undefined;
  let closing: Promise<void> | undefined;
  let hushd: HushdListener | undefined;
  const close = async (): Promise<void> => {
    await policyFile?.close();
    // The gate is closed first, so that both doors refuse newcomers while what is under way ends.
    await Promise.all([app.close(), hushd?.app.close()]);
    await egress.close();
    await runtime.close();
  };
  try {
    policyFile = await holdPolicyFile(settings, runtime, warn);
    hushd = await openHushdDoor(settings, runtime);
    const url = await listen(app, settings, 'COUNTERSIGN_PORT');
    const hushdUrl = await hushd?.listen();
    replaceSecretFile(tokenFile, `${JSON.stringify({ url, token })}\n`);
    return { url, ...(hushdUrl === undefined ? {} : { hushdUrl }), runtime, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}
