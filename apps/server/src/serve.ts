/**
 * @module One data directory, one runtime, one gateway: put together, listening, and stopped in order.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
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
import { createEgress, createFeedHub, createGateway, type Evidence } from '@countersign/gateway';
import { EXPORT_FORMATS, openRuntime, type Runtime, systemTimer } from '@countersign/runtime';
import { readSecretFile, replaceSecretFile } from '@countersign/store';
import type { Settings } from './settings.ts';
import { withSharedSecret } from './shared-secret.ts';
import { readVerifyPage } from './verify-page.ts';

export interface Server {
  readonly url: string;
  readonly runtime: Runtime;
  /** Refuses newcomers, lets decisions under way finish, makes everything durable, gives the directory back. Idempotent. */
  close(): Promise<void>;
}

const TOKEN_BYTES = 32;

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
  const { logs, recorder } = runtime;
  return {
    async receipt(id: string): Promise<JsonValue | undefined> {
      const record = await recorder.find(id);
      return record === undefined ? undefined : entryOf(record);
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
      return (await Promise.all(indexes.map((index) => log.readRecord(index)))).map((record) => entryOf(record));
    },
    published: (path: string, name: string) => logs.of(name)?.log.readPublished(path) ?? Promise.resolve(undefined),
  };
}

function statusOf(runtime: Runtime, startedMs: number): JsonValue {
  const { log, logs, policy, engineFile, logKey, receiptKey } = runtime;
  return {
    version: '0.1.0',
    started: formatTime(startedMs),
    policy: policy.engineFor('')?.policyName ?? null,
    problem: policy.problem ?? logs.problem() ?? null,
    engine: engineFile.hash,
    logKey,
    receiptKey,
    logSize: log.durableSize,
    logs: logs.list().map(({ name, origin, size, problem }) => ({ name, origin, size, problem })),
  };
}

function portTaken(port: number, host: string): CodedError {
  return new CodedError({ code: 'port_taken', message: `port ${port} on ${host} is taken`, path: 'COUNTERSIGN_PORT' });
}

async function listen(app: Awaited<ReturnType<typeof createGateway>>, { port, host }: Settings): Promise<string> {
  try {
    return await app.listen({ port, host });
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw portTaken(port, host);
    throw error;
  }
}

/**
 * Starts the gateway.
 * @throws {CodedError} `port_taken`, and what the data directory says; nothing is left open then.
 */
export async function serve(settings: Settings, warn: (message: string) => void): Promise<Server> {
  const hub = createFeedHub(systemTimer);
  const egress = createEgress({ trustedOrigins: settings.trustedOrigins });
  const runtime = await openRuntime({
    dataDir: settings.dataDir,
    ruleset: settings.ruleset,
    signing: settings.signing,
    upstream: egress,
    feed: hub,
    warn,
  });
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
    gauges: [{ name: 'countersign_logs_failed', help: 'logs that take nothing', type: 'gauge', read: () => runtime.logs.failed().length }],
    operator: {
      admin: runtime.store,
      policies: { compile: (source) => runtime.policy.compile(source), reload: () => runtime.policy.reload() },
      evidence: evidenceOf(runtime),
      vault: runtime.vault,
      logs: runtime.logs,
      operatorTokenSha256: sha256(token),
      status: () => statusOf(runtime, startedMs),
    },
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await app.close();
    await egress.close();
    await runtime.close();
  };
  try {
    const url = await listen(app, settings);
    replaceSecretFile(tokenFile, `${JSON.stringify({ url, token })}\n`);
    return { url, runtime, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}
