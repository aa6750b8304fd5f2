/**
 * @module The embedded composition: one data directory becomes the ports of the pipeline. Server, command line and embedded SDK open
 * the same one; the log's lock lets only one of them have it at a time.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { base64url, createSigner, sha256Hex, type Signer } from '@countersign/crypto';
import {
  canonicalize,
  type Clock,
  CodedError,
  err,
  type Fault,
  invariant,
  type JsonValue,
  ok,
  type Random,
  type Result,
} from '@countersign/kernel';
import { type Log, type LogLimits, type LogRecord, openLog } from '@countersign/log';
import {
  createGate,
  createSessionTurns,
  type Feed,
  type LogDesk,
  type Ports,
  type SessionDesk,
  type Upstream,
  type VaultDesk,
} from '@countersign/pipeline';
import type { EntryBody, StateDelta } from '@countersign/protocol';
import {
  createRecorder,
  deltaOf,
  disclose,
  makeBundle,
  openContent,
  type ReceiptRecorder,
  unseal,
  type Unsealed,
} from '@countersign/receipts';
import type { RuleDocument } from '@countersign/rules';
import {
  type DiskSystem,
  type LogPosition,
  createSealer,
  createVault,
  finishRotation,
  loadMasterKey,
  loadSigningSeed,
  openDiskLogStorage,
  openSqliteStateStore,
  openSqliteVault,
  type Sealer,
  type Store,
  type Vault,
  type VaultTables,
} from '@countersign/store';
import { readRules } from './built-rules.ts';
import { readRulesets } from './builtin.ts';
import { checkLogReaches, checkStateExists, checkVaultExists, makeDataDirectory } from './data-directory.ts';
import { type EngineFile, openEngineFile, readEngineFile } from './engine-file.ts';
import { type EngineStore, openEngineStore } from './engine-store.ts';
import { openVaultDesk } from './erasure.ts';
import { type ExportFormat, exportReceipt } from './export-receipt.ts';
import { type HostSets, readHostSets } from './host-sets.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { createLogDesk } from './log-desk.ts';
import { type LogKeyDesk, openLogKeyDesk } from './log-key-desk.ts';
import { LOG_KEY_LIST, type LogKeys, openLogKeys } from './log-keys.ts';
import { followDurability } from './log-position.ts';
import { createSystemRandom, systemClock, systemTimer } from './platform.ts';
import { openPolicyInForce, type PolicyInForce, startWithRuleset } from './policy-in-force.ts';
import { createTokenMinter } from './scope-tokens.ts';
import { createSessionDesk } from './session-desk.ts';
import { createSymlinkSource } from './symlinks.ts';
import { readWitnessConfig } from './witness-config.ts';
import { createWitnesses, type Witnesses } from './witnesses.ts';

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
  /** Limits of the log other than its own. */
  readonly logLimits?: Partial<LogLimits>;
  /** The system calls of the log's disk; the operating system's own where it is not said. */
  readonly diskSystem?: DiskSystem;
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
  /** Whom the log asks for cosignatures, and how that goes. */
  readonly witnesses: Pick<Witnesses, 'status'>;
  readonly recorder: ReceiptRecorder;
  readonly policy: PolicyInForce;
  readonly engines: EngineStore;
  readonly engineFile: EngineFile;
  /** Verifier key of the log, `name+hash+base64`: the newest of those that sign. */
  readonly logKey: string;
  /** All of them, and changing them. */
  readonly logKeys: LogKeyDesk;
  /** Public key that signs receipts (`signing: each`) and exports, base64url of 32 bytes. */
  readonly receiptKey: string;
  readonly scopeSigner: Signer;
  readonly vault: VaultDesk;
  readonly sessions: SessionDesk;
  readonly logDesk: LogDesk;
  /** When the log stopped, by our clock, once it has. */
  readonly logFailedMs: number | undefined;
  /** Bundle of one receipt or outcome by id; `inputs` discloses what was sealed with it. */
  bundle(id: string, options: { readonly inputs: boolean }): Promise<Result<Uint8Array, Fault>>;
  /** One entry, or for `spine` its session up to it, in a format of others; signed by `receiptKey` where the format has a signature. */
  exportReceipt(id: string, format: ExportFormat): Promise<Result<Uint8Array, Fault>>;
  /** What was kept with a record of the log, whose entry has this id: for whoever may read the directory. */
  sealed(record: LogRecord, id: string): Result<Unsealed, Fault>;
  /** Lets decisions under way finish, makes everything durable, and gives the directory back. Idempotent. */
  close(): Promise<void>;
}

const STATE = 'state.db';
const VAULT = 'vault.db';
const SCOPE_TOKEN_TTL_SECONDS = 300;
const NO_FEED: Feed = { publish: () => undefined };
/** Where nobody gave a way out, nothing goes out. */
const NO_UPSTREAM: Upstream = { forward: () => Promise.resolve({ status: 'blocked', body: new Uint8Array(0), reason: 'no_upstream' }) };

/** Receipts are durable before this: only their public form waits, so that a busy log does not sign and write a tree for each batch. */
function pace(): Promise<void> {
  return new Promise((resolve) => void systemTimer.after(RUNTIME_LIMITS.publishPaceMs, resolve));
}

interface Keys {
  /** Seals under the master key. */
  readonly sealer: Sealer;
  readonly log: LogKeys;
  readonly scopeSigner: Signer;
  readonly receiptSigner: Signer;
}

async function openKeys(dataDir: string, random: Random): Promise<Keys> {
  // Keys are made only where nothing is there that older ones would have to open.
  const create = ![STATE, VAULT, LOG_KEY_LIST].some((name) => existsSync(join(dataDir, name)));
  const keyFile = (name: string): string => join(dataDir, 'keys', name);
  const sealer = createSealer(loadMasterKey({ path: keyFile('master.key'), random, create }), random);
  const signer = (purpose: string): Signer =>
    createSigner(loadSigningSeed({ path: keyFile(`${purpose}.key`), purpose, sealer, random, create }));
  const log = await openLogKeys({ dataDir, sealer, random, create });
  return { sealer, log, scopeSigner: signer('scope'), receiptSigner: signer('receipt') };
}

interface Opened {
  readonly options: RuntimeOptions;
  readonly keys: Keys;
  readonly vault: Vault;
  readonly store: Store;
  readonly log: Log;
  readonly witnesses: Witnesses;
  readonly failedMs: () => number | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** The change of state that an entry sealed; undefined where it was erased, which happens only after it went to the tables. */
function sealedDelta({ log, vault }: Opened, body: EntryBody, record: LogRecord): StateDelta | undefined {
  const content = openContent(record, { log: log.origin, id: body.id, opener: vault });
  if (content.ok) return deltaOf(content.value);
  if (content.error.code === 'vault_erased') return undefined;
  throw new CodedError(content.error);
}

/** Chains go on where the log stands, and state takes up the deltas that a crash kept from it. */
async function openRecorder(opened: Opened): Promise<ReceiptRecorder> {
  const { options, keys, vault, store, log, random } = opened;
  const applied = store.appliedIndex();
  checkLogReaches(applied, { size: log.durableSize, path: join(options.dataDir, 'log') });
  let lost = 0;
  const recorder = await createRecorder({
    log,
    random,
    sealer: vault,
    durability: 'synced',
    coverage: 'L1',
    ...(options.signing === 'each' ? { signing: 'each', signer: keys.receiptSigner } : { signing: 'batch' }),
    replayFrom: applied + 1,
    replay: (body, record) => {
      if (body.type !== 'countersign.receipt.v1') return;
      const delta = sealedDelta(opened, body, record);
      if (delta === undefined) lost += 1;
      else store.foldDelta({ index: record.index, principal: { ...body.principal, session: body.session }, delta });
    },
  });
  // The tables had them when they were erased, so these tables are older than the vault: a backup, put back.
  if (lost > 0) options.warn?.(`${lost} changes of state were erased since this state.db was saved: counts of their sessions start lower`);
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
  const { log, vault, store } = opened;
  const index = await recorder.placeOf(request.id);
  if (index === undefined)
    return err({ code: 'receipt_not_found', message: 'there is no receipt with this id', hint: 'list some with `countersign log tail`' });
  if (!request.inputs) return ok(await makeBundle({ log, index }));
  if (index < log.firstPresent)
    return err({
      code: 'log_archived',
      message: 'what was kept with this receipt is in an archive',
      hint: 'bring it back with `countersign log restore`, or ask for the bundle without inputs',
    });
  const record = await log.readRecord(index);
  const inputs = disclose(record, { log: log.origin, id: request.id, opener: vault });
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

/** A vault that is there already; a rotation of the master key that was cut short is ended first. */
function openKnownVault(dataDir: string, random: Random): VaultTables | undefined {
  const path = join(dataDir, VAULT);
  if (!existsSync(path)) return undefined;
  const tables = openSqliteVault(path);
  try {
    finishRotation({ keys: join(dataDir, 'keys'), state: join(dataDir, STATE), vault: tables, random });
    return tables;
  } catch (error) {
    tables.close();
    throw error;
  }
}

/** Everything that is closed again where one of them does not open. */
async function openParts(options: RuntimeOptions): Promise<Opened> {
  const { dataDir, clock = systemClock, random = createSystemRandom() } = options;
  await makeDataDirectory(dataDir);
  const storage = await openDiskLogStorage({
    directory: join(dataDir, 'log'),
    durability: 'synced',
    ...(options.diskSystem === undefined ? {} : { system: options.diskSystem }),
  });
  let tables: VaultTables | undefined;
  try {
    tables = openKnownVault(dataDir, random);
    const keys = await openKeys(dataDir, random);
    let vault: Vault | undefined;
    const beforeCommit = (): void => vault?.flush();
    const [noteSigner, ...furtherSigners] = keys.log.signers();
    invariant(noteSigner !== undefined, 'a log has a key');
    const formerKeys = keys.log.former();
    const witnesses = createWitnesses({ config: readWitnessConfig(dataDir), clock, timer: systemTimer });
    const { cosign } = witnesses;
    const { origin } = keys.log.list;
    let failedMs: number | undefined;
    const onFailure = (): void => {
      failedMs = clock.nowMs();
    };
    const limits = options.logLimits ?? {};
    const log = await openLog({ storage, origin, noteSigner, furtherSigners, formerKeys, pace, beforeCommit, cosign, limits, onFailure });
    checkStateExists(join(dataDir, STATE), log.durableSize);
    checkVaultExists(join(dataDir, VAULT), log.durableSize);
    tables ??= openSqliteVault(join(dataDir, VAULT));
    vault = createVault({ tables, master: keys.sealer, clock, random, create: log.durableSize === 0 });
    const store = openSqliteStateStore(join(dataDir, STATE), { sealer: keys.sealer, clock, random });
    return { options, keys, vault, store, log, witnesses, failedMs: () => failedMs, clock, random };
  } catch (error) {
    tables?.close();
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
    opened.vault.close();
    throw error;
  }
}

interface DeskParts {
  readonly recorder: ReceiptRecorder;
  readonly position: LogPosition;
  readonly logKeys: LogKeyDesk;
  readonly ports: Ports;
}

function openDesks(
  { log, store, clock, random, options }: Opened,
  { recorder, position, logKeys, ports }: DeskParts,
): Pick<Runtime, 'sessions' | 'logDesk'> {
  return {
    sessions: createSessionDesk({ log, recorder, turns: ports.turns, feed: ports.feed, clock, random }),
    logDesk: createLogDesk({ dataDir: options.dataDir, log, keys: logKeys, store, position }),
  };
}

async function compose(opened: Opened): Promise<Runtime> {
  const { options, log, store, keys, vault, clock, random } = opened;
  const plain = await openRecorder(opened);
  const { recorder, position } = followDurability(plain, log);
  const desk = await openVaultDesk({ vault, store, recorder, position, clock, random });
  const engineFile = await readEngineFile();
  const engines = await openEngineStore(options.dataDir);
  await engines.keep(engineFile);
  const policy = await openPolicy(opened, engineFile);
  const logKeys = await openLogKeyDesk({
    keys: keys.log,
    log,
    recorder,
    clock,
    random,
    publish: (vkeys) => writeFile(join(options.dataDir, 'log.vkey'), `${vkeys.join('\n')}\n`),
  });
  const receiptKey = base64url(keys.receiptSigner.publicKey);
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
    vault.close();
    await policy.close();
  };
  return {
    ports,
    store,
    log,
    witnesses: opened.witnesses,
    recorder,
    policy,
    engines,
    engineFile,
    get logKey() {
      return logKeys.view().active.at(-1) ?? '';
    },
    logKeys,
    ...openDesks(opened, { recorder, position, logKeys, ports }),
    get logFailedMs() {
      return opened.failedMs();
    },
    receiptKey,
    scopeSigner: keys.scopeSigner,
    vault: desk,
    bundle: (id, { inputs }) => bundleOf(opened, plain, { id, inputs }),
    exportReceipt: (id, format) => exportReceipt({ log, recorder: plain, signer: keys.receiptSigner }, { id, format }),
    sealed: (record, id) => unseal(record, { log: log.origin, id, opener: vault }),
    close: () => (closing ??= close()),
  };
}
