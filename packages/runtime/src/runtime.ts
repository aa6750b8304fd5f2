/**
 * @module The embedded composition: one data directory becomes the ports of the pipeline. Server, command line and embedded SDK open
 * the same one; the log's lock lets only one of them have it at a time.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { base64url, createSigner, type Signer } from '@countersign/crypto';
import { type Clock, type CodedError, err, type Fault, type Random, type Result } from '@countersign/kernel';
import { environmentSecrets } from '@countersign/intel';
import type { Log, LogLimits, LogRecord, LogStorage } from '@countersign/log';
import {
  createGate,
  createSessionTurns,
  type Feed,
  type LogDesk,
  MAIN_LOG,
  type Ports,
  type RulesDesk,
  type SessionDesk,
  type Upstream,
  type VaultDesk,
} from '@countersign/pipeline';
import { type ReceiptRecorder, unseal, type Unsealed } from '@countersign/receipts';
import type { RuleDocument } from '@countersign/rules';
import {
  createSealer,
  createVault,
  type DiskSystem,
  finishRotation,
  loadMasterKey,
  loadSigningSeed,
  openSqliteStateStore,
  openSqliteVault,
  type Sealer,
  type Store,
  type Vault,
  type VaultTables,
} from '@countersign/store';
import { readRules } from './built-rules.ts';
import { readRulesets } from './builtin.ts';
import { bundleReceipt, RECEIPT_NOT_FOUND } from './bundle-receipt.ts';
import { openCustomRules } from './custom-rules.ts';
import { checkStateExists, checkVaultExists, makeDataDirectory } from './data-directory.ts';
import { type EngineFile, openEngineFile, readEngineFile } from './engine-file.ts';
import { type EngineStore, openEngineStore } from './engine-store.ts';
import { openVaultDesk } from './erasure.ts';
import { type ExportFormat, exportReceipt } from './export-receipt.ts';
import { type HostSets, readHostSets } from './host-sets.ts';
import { createLogDesk } from './log-desk.ts';
import type { LogKeyDesk } from './log-key-desk.ts';
import { LOG_KEY_LIST } from './log-keys.ts';
import { furtherLogs, logPlace } from './log-place.ts';
import { type Logs, runLogs, unopenedBy } from './logs.ts';
import { type LogWorld, type OpenedLog, openLogDisk, openLogOn, openOneLog } from './opened-log.ts';
import { createSystemRandom, systemClock, systemTimer } from './platform.ts';
import { createPolicyAudit } from './policy-audit.ts';
import { readPolicySigners } from './policy-signers.ts';
import { openPolicyInForce, type PolicyInForce, startWithRuleset } from './policy-in-force.ts';
import { createTokenMinter } from './scope-tokens.ts';
import { createPostureDesk } from './posture-desk.ts';
import { createSessionDesk } from './session-desk.ts';
import { createSymlinkSource } from './symlinks.ts';
import type { Witnesses } from './witnesses.ts';

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
  /** Keys whose policy bundles are believed; those of the user-level configuration where it is not said. */
  readonly policySigners?: () => readonly string[];
  /** Limits of the logs other than their own. */
  readonly logLimits?: Partial<LogLimits>;
  /** The system calls of the disk of the logs, or of each by its name; the operating system's own where it is not said. */
  readonly diskSystem?: DiskSystem | ((log: string) => DiskSystem);
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timer?: Ports['timer'];
  /** Told of trouble that nobody waits for. Never a secret. */
  readonly warn?: (message: string) => void;
  readonly scopeTokenTtlSeconds?: number;
  /** What the process was given for policies to name (`${NAME}`); nothing where it is absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface Runtime {
  readonly ports: Ports;
  readonly store: Store;
  /** The logs of this installation. What follows and names none is the main one's. */
  readonly logs: Logs;
  readonly log: Log;
  /** Whom the log asks for cosignatures, and how that goes. */
  readonly witnesses: Pick<Witnesses, 'status'>;
  /** Into all logs: the org decides which. Places that it gives are those in the log of the entry. */
  readonly recorder: ReceiptRecorder;
  readonly policy: PolicyInForce;
  /** Rules of the operator beside the built-in ones. */
  readonly rules: RulesDesk;
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
  /** What operators do with an open log, by its name. */
  logDesk(log: string): LogDesk | undefined;
  /** Bundle of one receipt or outcome by id; `inputs` discloses what was sealed with it. */
  bundle(id: string, options: { readonly inputs: boolean }): Promise<Result<Uint8Array, Fault>>;
  /** One entry, or for `spine` its session up to it, in a format of others; signed by `receiptKey` where the format has a signature. */
  exportReceipt(id: string, format: ExportFormat): Promise<Result<Uint8Array, Fault>>;
  /** What was kept with a record of a log, whose entry has this id: for whoever may read the directory. */
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

interface Keys {
  /** Seals under the master key. */
  readonly sealer: Sealer;
  readonly scopeSigner: Signer;
  readonly receiptSigner: Signer;
}

function openKeys(dataDir: string, random: Random, create: boolean): Keys {
  const keyFile = (name: string): string => join(dataDir, 'keys', name);
  const sealer = createSealer(loadMasterKey({ path: keyFile('master.key'), random, create }), random);
  const signer = (purpose: string): Signer =>
    createSigner(loadSigningSeed({ path: keyFile(`${purpose}.key`), purpose, sealer, random, create }));
  return { sealer, scopeSigner: signer('scope'), receiptSigner: signer('receipt') };
}

interface Opened {
  readonly options: RuntimeOptions;
  readonly keys: Keys;
  readonly vault: Vault;
  readonly store: Store;
  readonly world: LogWorld;
  readonly main: OpenedLog;
  readonly further: readonly OpenedLog[];
  readonly unopened: ReadonlyMap<string, CodedError>;
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: Ports['timer'];
}

/** Says what of the policy in force does not work as it is written. */
async function warnOf(policy: PolicyInForce, warn: RuntimeOptions['warn']): Promise<void> {
  const proof = await policy.prove();
  if (!proof.ok) warn?.(`a guard has nobody to ask: ${proof.error.message}`);
  const ignored = policy.ignoredRules();
  if (ignored.length > 0) warn?.(`the policy names rules that are not there, which changes nothing: ${ignored.join(', ')}`);
}

async function openPolicy({ options, store, clock, timer }: Opened, file: EngineFile): Promise<Pick<Runtime, 'policy' | 'rules'>> {
  const { dataDir, warn } = options;
  const builtin = await readRules(options.customRules ?? []);
  const [engine, rulesets] = [await openEngineFile(file), await readRulesets()];
  const custom = await openCustomRules({ dataDir, builtin, engine, file, rulesets, store });
  const hostSets = options.hostSets ?? ((): HostSets => readHostSets());
  const intel = { clock, timer, secrets: environmentSecrets(options.environment ?? {}), guardsDir: join(dataDir, 'guards') };
  const signers = options.policySigners ?? ((): readonly string[] => Object.values(readPolicySigners()));
  const policy = openPolicyInForce({
    engine,
    file,
    rules: custom.rules,
    rulesets,
    store,
    hostSets,
    intel,
    signers,
    patternsDir: join(dataDir, 'patterns'),
  });
  if (store.activePolicy() === undefined) {
    const started = await startWithRuleset(policy, options.ruleset ?? 'learning');
    if (!started.ok) warn?.(`the ruleset is refused, every action is denied: ${started.error.message}`);
  }
  await warnOf(policy, warn);
  return { policy, rules: custom.desk(policy) };
}

function makePorts(opened: Opened, parts: { readonly recorder: ReceiptRecorder; readonly policy: PolicyInForce }): Ports {
  const { options, keys, store, clock, random, timer } = opened;
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
    timer,
    gate: createGate(),
    turns: createSessionTurns(),
  };
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

interface FurtherLogs {
  readonly opened: readonly OpenedLog[];
  readonly unopened: ReadonlyMap<string, CodedError>;
}

/** The logs beside the main one. One that does not open is no reason for the others not to. */
async function openFurther(world: LogWorld): Promise<FurtherLogs> {
  const opened: OpenedLog[] = [];
  const unopened = new Map<string, CodedError>();
  for (const name of furtherLogs(world.dataDir)) {
    try {
      opened.push(await openOneLog(logPlace(world.dataDir, name), { world, opening: { create: false } }));
    } catch (error) {
      unopened.set(name, unopenedBy(name, error));
    }
  }
  return { opened, unopened };
}

/** Closes what was opened, the last first, where a later step fails. */
type Undo = (close: () => Promise<void> | void) => void;

async function openAll(options: RuntimeOptions, undo: Undo): Promise<Opened> {
  const { dataDir, clock = systemClock, random = createSystemRandom(), timer = systemTimer, diskSystem } = options;
  const place = logPlace(dataDir, MAIN_LOG);
  // The lock of the main log is that of the directory.
  const storage = await openLogDisk(place, diskSystem);
  let lock: LogStorage | undefined = storage;
  undo(() => lock?.close());
  let tables = openKnownVault(dataDir, random);
  undo(() => tables?.close());
  // Keys are made only where nothing is there that older ones would have to open.
  const create = ![STATE, VAULT, LOG_KEY_LIST].some((name) => existsSync(join(dataDir, name)));
  const keys = openKeys(dataDir, random, create);
  let vault: Vault | undefined;
  const beforeCommit = (): void => vault?.flush();
  const world: LogWorld = { dataDir, clock, random, sealer: keys.sealer, beforeCommit, diskSystem, limits: options.logLimits ?? {} };
  const main = await openLogOn(storage, place, { world, opening: { create } });
  lock = undefined;
  undo(() => main.log.close());
  const { opened: further, unopened } = await openFurther(world);
  for (const { log } of further) undo(() => log.close());
  const size = [main, ...further].reduce((sum, { log }) => sum + log.durableSize, 0);
  // A log that does not open may hold entries: without it nobody can tell that there are none.
  const entries = size + unopened.size;
  checkStateExists(join(dataDir, STATE), entries);
  checkVaultExists(join(dataDir, VAULT), entries);
  tables ??= openSqliteVault(join(dataDir, VAULT));
  vault = createVault({ tables, master: keys.sealer, clock, random, create: entries === 0 });
  const store = openSqliteStateStore(join(dataDir, STATE), { sealer: keys.sealer, clock, random });
  undo(() => store.close());
  return { options, keys, vault, store, world, main, further, unopened, clock, random, timer };
}

/**
 * Opens a data directory, making it where it is new.
 * @throws {CodedError} what the disk, the keys, the main log or the engine file say; nothing is left open then.
 */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  await makeDataDirectory(options.dataDir);
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const opened = await openAll(options, (close) => void closers.push(close));
    return await compose(opened, (close) => void closers.push(close));
  } catch (error) {
    for (const close of closers.reverse()) await close();
    throw error;
  }
}

function startLogs({ options, main, further, unopened, world, store, vault, clock, random, timer, keys }: Opened): Promise<Logs> {
  const entrySigner = options.signing === 'each' ? keys.receiptSigner : undefined;
  const warn = (message: string): void => options.warn?.(message);
  return runLogs({ main, further, unopened, world, crew: { store, vault, clock, random, timer, entrySigner, warn } });
}

/** A record says itself in which log it is: its bytes are those that we wrote. */
function originOf(record: LogRecord): string {
  return (JSON.parse(new TextDecoder().decode(record.entry)) as { body: { log: string } }).body.log;
}

function evidenceOf({ vault, store, keys }: Opened, logs: Logs): Pick<Runtime, 'bundle' | 'exportReceipt' | 'sealed'> {
  return {
    bundle: async (id, { inputs }) => {
      const found = await logs.locate(id);
      if (found === undefined) return err(RECEIPT_NOT_FOUND);
      return bundleReceipt({ log: found.log.log, index: found.index, vault, store }, { id, inputs });
    },
    exportReceipt: async (id, format) => {
      const found = await logs.locate(id);
      if (found === undefined) return err(RECEIPT_NOT_FOUND);
      return exportReceipt({ log: found.log.log, index: found.index, signer: keys.receiptSigner }, format);
    },
    sealed: (record, id) => unseal(record, { log: originOf(record), id, opener: vault }),
  };
}

/** One desk a log, so that changes of a log come one after the other. */
function openDesks({ store, clock, random }: Opened, logs: Logs, ports: Ports): Pick<Runtime, 'sessions' | 'logDesk'> {
  const desks = new Map<string, LogDesk>();
  const logDesk = (name: string): LogDesk | undefined => {
    const log = logs.of(name);
    const desk = desks.get(name) ?? (log === undefined ? undefined : createLogDesk({ log, store }));
    if (desk !== undefined) desks.set(name, desk);
    return desk;
  };
  const { recorder } = logs;
  const logOf = (org: string): Log => logs.ofOrg(org).log;
  const sessions = {
    ...createSessionDesk({ logOf, recorder, turns: ports.turns, feed: ports.feed, clock, random }),
    ...createPostureDesk({ ports, recorder, store, clock }),
  };
  return { logDesk, sessions };
}

async function compose(opened: Opened, undo: Undo): Promise<Runtime> {
  const { options, store, keys, vault, clock, random } = opened;
  const logs = await startLogs(opened);
  undo(() => logs.close());
  const { recorder, main } = logs;
  const desk = await openVaultDesk({ vault, logs, recorder, clock, random });
  const engineFile = await readEngineFile();
  const engines = await openEngineStore(options.dataDir);
  await engines.keep(engineFile);
  const { policy, rules } = await openPolicy(opened, engineFile);
  const receiptKey = base64url(keys.receiptSigner.publicKey);
  await writeFile(join(options.dataDir, 'receipt.pub'), `${receiptKey}\n`);
  const ports = makePorts(opened, { recorder, policy });
  policy.onChange(createPolicyAudit(ports, (message) => options.warn?.(message)));
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await ports.gate.close();
    try {
      await logs.close();
    } finally {
      store.close();
      vault.close();
      await policy.close();
    }
  };
  return {
    ports,
    store,
    logs,
    log: main.log,
    witnesses: main.witnesses,
    recorder,
    policy,
    rules,
    engines,
    engineFile,
    get logKey() {
      return main.keyDesk.view().active.at(-1) ?? '';
    },
    logKeys: main.keyDesk,
    ...openDesks(opened, logs, ports),
    receiptKey,
    scopeSigner: keys.scopeSigner,
    vault: desk,
    ...evidenceOf(opened, logs),
    close: () => (closing ??= close()),
  };
}
