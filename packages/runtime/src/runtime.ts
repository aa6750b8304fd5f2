/**
 * @module The embedded composition: one data directory becomes the ports of the pipeline. Server, command line and embedded SDK open
 * the same one; the log's lock lets only one of them have it at a time.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { base64url, createSigner, noteVerifierKey, sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, type Clock, err, type Fault, type JsonValue, ok, type Random, type Result } from '@countersign/kernel';
import { type Log, type LogRecord, openLog } from '@countersign/log';
import { createGate, createSessionTurns, type Feed, type Ports, type Upstream } from '@countersign/pipeline';
import { createRecorder, disclose, makeBundle, type ReceiptRecorder } from '@countersign/receipts';
import type { RuleDocument } from '@countersign/rules';
import {
  createSealer,
  loadMasterKey,
  loadSigningSeed,
  openDiskLogStorage,
  openSqliteStateStore,
  type Sealer,
  type Store,
} from '@countersign/store';
import { readRules } from './built-rules.ts';
import { readRulesets } from './builtin.ts';
import { checkLogReaches, checkStateExists, makeDataDirectory } from './data-directory.ts';
import { type EngineFile, openEngineFile, readEngineFile } from './engine-file.ts';
import { type EngineStore, openEngineStore } from './engine-store.ts';
import { type ExportFormat, exportReceipt } from './export-receipt.ts';
import { type HostSets, readHostSets } from './host-sets.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { followDurability } from './log-position.ts';
import { createSystemRandom, systemClock, systemTimer } from './platform.ts';
import { openPolicyInForce, type PolicyInForce, startWithRuleset } from './policy-in-force.ts';
import { createTokenMinter } from './scope-tokens.ts';
import { openSealed, type SealedDecision } from './sealed-decision.ts';
import { createSymlinkSource } from './symlinks.ts';

export interface RuntimeOptions {
  readonly dataDir: string;
  /** Built-in ruleset that a new directory starts with. */
  readonly ruleset?: string;
  readonly signing?: 'batch' | 'each';
  /** Rule documents beside the built-in packs. */
  readonly customRules?: readonly RuleDocument[];
  readonly upstream?: Upstream;
  readonly feed?: Feed;
  readonly hostSets?: () => HostSets;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Told of trouble that nobody waits for. Never a secret. */
  readonly warn?: (message: string) => void;
  readonly scopeTokenTtlSeconds?: number;
}

export interface Runtime {
  readonly ports: Ports;
  readonly store: Store;
  readonly log: Log;
  readonly recorder: ReceiptRecorder;
  readonly policy: PolicyInForce;
  readonly engines: EngineStore;
  readonly engineFile: EngineFile;
  /** Verifier key of the log, `name+hash+base64`. */
  readonly logKey: string;
  /** Public key that signs receipts (`signing: each`) and exports, base64url of 32 bytes. */
  readonly receiptKey: string;
  readonly scopeSigner: Signer;
  /** Bundle of one receipt or outcome by id; `inputs` discloses what was sealed with it. */
  bundle(id: string, options: { readonly inputs: boolean }): Promise<Result<Uint8Array, Fault>>;
  /** One entry, or for `spine` its whole session, in a format of others; signed by `receiptKey` where the format has a signature. */
  exportReceipt(id: string, format: ExportFormat): Promise<Result<Uint8Array, Fault>>;
  /** What was kept with a record of the log, whose entry has this id: for whoever may read the directory. */
  sealed(record: LogRecord, id: string): Result<SealedDecision, Fault>;
  /** Lets decisions under way finish, makes everything durable, and gives the directory back. Idempotent. */
  close(): Promise<void>;
}

const SCOPE_TOKEN_TTL_SECONDS = 300;
const NO_FEED: Feed = { publish: () => undefined };
/** Where nobody gave a way out, nothing goes out. */
const NO_UPSTREAM: Upstream = { forward: () => Promise.resolve({ status: 'blocked', body: new Uint8Array(0), reason: 'no_upstream' }) };

/** Receipts are durable before this: only their public form waits, so that a busy log does not sign and write a tree for each batch. */
function pace(): Promise<void> {
  return new Promise((resolve) => void systemTimer.after(RUNTIME_LIMITS.publishPaceMs, resolve));
}

interface Keys {
  readonly sealer: Sealer;
  readonly logSigner: Signer;
  readonly scopeSigner: Signer;
  readonly receiptSigner: Signer;
}

function openKeys(dataDir: string, random: Random): Keys {
  const create = !existsSync(join(dataDir, 'state.db'));
  const keyFile = (name: string): string => join(dataDir, 'keys', name);
  const sealer = createSealer(loadMasterKey({ path: keyFile('master.key'), random, create }), random);
  const signer = (purpose: string): Signer =>
    createSigner(loadSigningSeed({ path: keyFile(`${purpose}.key`), purpose, sealer, random, create }));
  return { sealer, logSigner: signer('log'), scopeSigner: signer('scope'), receiptSigner: signer('receipt') };
}

interface Opened {
  readonly options: RuntimeOptions;
  readonly keys: Keys;
  readonly store: Store;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** Chains go on where the log stands, and state takes up the deltas that a crash kept from it. */
async function openRecorder({ options, keys, store, log, random }: Opened): Promise<ReceiptRecorder> {
  const applied = store.appliedIndex();
  checkLogReaches(applied, { size: log.durableSize, path: join(options.dataDir, 'log') });
  const recorder = await createRecorder({
    log,
    random,
    sealer: keys.sealer,
    durability: 'synced',
    coverage: 'L1',
    ...(options.signing === 'each' ? { signing: 'each', signer: keys.receiptSigner } : { signing: 'batch' }),
    replay: (body, delta, index) => {
      if (index > applied && body.type === 'countersign.receipt.v1')
        store.foldDelta({ index, principal: { ...body.principal, session: body.session }, delta });
    },
  });
  if (log.durableSize > 0) store.flush(log.durableSize - 1);
  return recorder;
}

async function openPolicy({ options, store }: Opened, file: EngineFile): Promise<PolicyInForce> {
  const rules = await readRules(options.customRules ?? []);
  const rulesText = canonicalize(rules);
  store.putDocument(sha256Hex(rulesText), rulesText);
  const policy = openPolicyInForce({
    engine: await openEngineFile(file),
    file,
    rules,
    rulesets: await readRulesets(),
    store,
    hostSets: options.hostSets ?? (() => readHostSets()),
  });
  if (store.activePolicy() !== undefined) return policy;
  const started = await startWithRuleset(policy, options.ruleset ?? 'learning');
  if (!started.ok) options.warn?.(`the ruleset is refused, every action is denied: ${started.error.message}`);
  return policy;
}

function makePorts(opened: Opened, parts: { readonly recorder: ReceiptRecorder; readonly policy: PolicyInForce }): Ports {
  const { options, keys, store, clock, random } = opened;
  return {
    clock,
    random,
    state: store,
    engines: parts.policy,
    recorder: parts.recorder,
    upstream: options.upstream ?? NO_UPSTREAM,
    signals: createSymlinkSource(),
    tokens: createTokenMinter({
      signer: keys.scopeSigner,
      clock,
      random,
      ttlSeconds: options.scopeTokenTtlSeconds ?? SCOPE_TOKEN_TTL_SECONDS,
    }),
    feed: options.feed ?? NO_FEED,
    timer: systemTimer,
    gate: createGate(),
    turns: createSessionTurns(),
  };
}

async function bundleOf(
  opened: Opened,
  recorder: ReceiptRecorder,
  request: { readonly id: string; readonly inputs: boolean },
): Promise<Result<Uint8Array, Fault>> {
  const { log, keys, store } = opened;
  const record = await recorder.find(request.id);
  if (record === undefined)
    return err({ code: 'receipt_not_found', message: 'there is no receipt with this id', hint: 'list some with `countersign log tail`' });
  if (!request.inputs) return ok(await makeBundle({ log, index: record.index }));
  const inputs = disclose(record, { log: log.origin, id: request.id, opener: keys.sealer });
  if (!inputs.ok) return inputs;
  const { body } = JSON.parse(new TextDecoder().decode(record.entry)) as { body: { inputs?: { policy: string; rules: string } } };
  const policy = body.inputs === undefined ? undefined : store.document(body.inputs.policy);
  const rules = body.inputs === undefined ? undefined : store.document(body.inputs.rules);
  const documents =
    policy === undefined || rules === undefined
      ? {}
      : { documents: { policy: JSON.parse(policy) as JsonValue, rules: JSON.parse(rules) as JsonValue } };
  return ok(await makeBundle({ log, index: record.index, inputs: inputs.value, ...documents }));
}

async function openParts(options: RuntimeOptions): Promise<Opened> {
  const { dataDir, clock = systemClock, random = createSystemRandom() } = options;
  await makeDataDirectory(dataDir);
  const storage = await openDiskLogStorage({ directory: join(dataDir, 'log'), durability: 'synced' });
  try {
    const keys = openKeys(dataDir, random);
    const origin = `countersign.local/${keys.logSigner.keyId}`;
    const log = await openLog({ storage, origin, noteSigner: { name: origin, signer: keys.logSigner }, pace });
    const statePath = join(dataDir, 'state.db');
    checkStateExists(statePath, log.durableSize);
    const store = openSqliteStateStore(statePath, { sealer: keys.sealer, clock, random });
    return { options, keys, store, log, clock, random };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/**
 * Opens a data directory, making it where it is new.
 * @throws {CodedError} what the disk, the keys, the log or the engine file say; nothing is left open then.
 */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const opened = await openParts(options);
  try {
    return await compose(opened);
  } catch (error) {
    await opened.log.close();
    opened.store.close();
    throw error;
  }
}

async function compose(opened: Opened): Promise<Runtime> {
  const { options, log, store, keys } = opened;
  const plain = await openRecorder(opened);
  const { recorder, position } = followDurability(plain, log);
  const engineFile = await readEngineFile();
  const engines = await openEngineStore(options.dataDir);
  await engines.keep(engineFile);
  const policy = await openPolicy(opened, engineFile);
  const logKey = noteVerifierKey(log.origin, keys.logSigner.publicKey);
  const receiptKey = base64url(keys.receiptSigner.publicKey);
  await writeFile(join(options.dataDir, 'log.vkey'), `${logKey}\n`);
  await writeFile(join(options.dataDir, 'receipt.pub'), `${receiptKey}\n`);
  const stopWriteBack = store.startWriteBack({
    position,
    timer: systemTimer,
    failed: () => options.warn?.('state could not be written; it is kept and tried again'),
  });
  const ports = makePorts(opened, { recorder, policy });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await ports.gate.close();
    await log.close();
    await stopWriteBack();
    store.close();
    await policy.close();
  };
  return {
    ports,
    store,
    log,
    recorder,
    policy,
    engines,
    engineFile,
    logKey,
    receiptKey,
    scopeSigner: keys.scopeSigner,
    bundle: (id, { inputs }) => bundleOf(opened, plain, { id, inputs }),
    exportReceipt: (id, format) => exportReceipt({ log, recorder: plain, signer: keys.receiptSigner }, { id, format }),
    sealed: (record, id) => openSealed(record, { log: log.origin, id, opener: keys.sealer }),
    close: () => (closing ??= close()),
  };
}
