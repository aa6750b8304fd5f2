/**
 * @module The state store: what the pipeline reads, what operators change, and the fold of what decisions change; over any tables.
 */
import type { Clock, Random } from '@countersign/kernel';
import { type AdminStore, MAIN_LOG, type OrgRecord, type Ports, type StateStore } from '@countersign/pipeline';
import type { Principal, StateDelta } from '@countersign/protocol';
import type { AdminContext } from './admin-context.ts';
import { createAgentAdmin } from './agent-admin.ts';
import { DeltaFold } from './delta-fold.ts';
import { createKeyAdmin } from './key-admin.ts';
import { STORE_LIMITS } from './limits.ts';
import type { LogDeltas, LogPosition } from './log-deltas.ts';
import { createOrgLogs, type OrgLog } from './org-logs.ts';
import { createPolicyAdmin } from './policy-admin.ts';
import type { Sealer } from './sealer.ts';
import { createStateCache } from './state-cache.ts';
import type { StateTables } from './state-tables.ts';
import { registrationOf } from './tool-registration.ts';

export interface StateStoreOptions {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
}

/** One delta as a log kept it. */
export interface LoggedDelta {
  /** `main` where it is not said. */
  readonly log?: string;
  readonly index: number;
  readonly principal: Principal & { readonly session: string };
  readonly delta: StateDelta;
}

export interface WriteBackOptions {
  /** Whose deltas; `main` where it is not said. */
  readonly log?: string;
  readonly position: LogPosition;
  readonly timer: Ports['timer'];
  /** Told when a write-back failed; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** `log` is the name of a log, `main` where it is not said. */
export interface Store extends StateStore, AdminStore {
  /** Where an org writes; also of one that does not exist. Never fails. */
  orgLog(org: string): OrgLog;
  /** How many orgs write to a log. */
  orgsOn(log: string): number;
  /** Orgs that left `log` and were not settled (`OrgRow.leaving`). */
  orgsLeaving(log: string): readonly string[];
  /** From its return on, durably, the org writes there. Undefined where there is no such org. */
  setOrgLog(org: string, place: OrgLog): OrgRecord | undefined;
  /** Deltas of entries of a log up to this index are in the tables; -1 when none are. */
  appliedIndex(log?: string): number;
  /** Logs that the tables have seen, or that an org writes to or left. */
  knownLogs(): readonly string[];
  /** Folds one delta that a log has and the tables may not have; call in the order of the log at start, then `flush`. */
  foldDelta(logged: LoggedDelta): void;
  /** Writes what is staged of a log, as the deltas of its durable entries up to `appliedIndex`. */
  flush(appliedIndex: number, log?: string): void;
  /** Every delta of a log that was staged before the call is in the tables when this returns. @throws CodedError what log or tables say; nothing is lost. */
  settle(position: LogPosition, log?: string): Promise<void>;
  /** Logs of which a delta of this org is staged and not yet in the tables. */
  logsHolding(org: string): readonly string[];
  /** Writes staged deltas of a log from now on, as it makes their receipts durable. The function stops it after a last write-back. */
  startWriteBack(options: WriteBackOptions): () => Promise<void>;
  /** Closes the tables. Staged deltas that were not written stay in their logs and are folded at the next start. */
  close(): void;
}

function startWriteBack(deltas: LogDeltas, options: WriteBackOptions): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => undefined;
  const writeBack = async (): Promise<void> => {
    try {
      await deltas.writeBack(options.position);
    } catch (error) {
      options.failed(error);
    }
  };
  const arm = (): void => {
    cancel = options.timer.after(STORE_LIMITS.writeBackMs, () => {
      running = writeBack().then(() => (stopped ? undefined : arm()));
    });
  };
  let running: Promise<void> = Promise.resolve();
  arm();
  return async () => {
    stopped = true;
    cancel();
    await running;
    await writeBack();
  };
}

type LogSide = Pick<
  Store,
  | 'orgLog'
  | 'orgsOn'
  | 'orgsLeaving'
  | 'setOrgLog'
  | 'appliedIndex'
  | 'knownLogs'
  | 'foldDelta'
  | 'flush'
  | 'settle'
  | 'logsHolding'
  | 'startWriteBack'
>;

/** What the logs and the state have to do with each other. */
function createLogSide({ tables, cache, fold, orgLogs, clock }: AdminContext): LogSide {
  return {
    orgLog: (org) => orgLogs.of(org),
    orgsOn: (log) => orgLogs.count(log),
    orgsLeaving: (log) => orgLogs.leaving(log),
    setOrgLog(org, place) {
      try {
        if (!orgLogs.put(org, place)) return undefined;
      } finally {
        cache.forgetOrg(org);
      }
      return cache.org(org);
    },
    appliedIndex: (log = MAIN_LOG) => tables.appliedIndex(log),
    knownLogs: () => [...new Set([...tables.appliedLogs(), ...orgLogs.names()])],
    foldDelta: ({ log = MAIN_LOG, principal, delta }) => fold.stage({ log, principal, delta, seenMs: clock.nowMs() }),
    flush: (appliedIndex, log = MAIN_LOG) => fold.of(log).write(appliedIndex),
    settle: (position, log = MAIN_LOG) => fold.of(log).settle(position),
    logsHolding: (org) => fold.logsHolding(org),
    startWriteBack: (options) => startWriteBack(fold.of(options.log ?? MAIN_LOG), options),
  };
}

/** A store over `tables`. */
export function createStateStore(tables: StateTables, options: StateStoreOptions): Store {
  const cache = createStateCache(tables, options.sealer);
  const fold = new DeltaFold(tables);
  const orgLogs = createOrgLogs(tables);
  const context: AdminContext = { tables, cache, fold, orgLogs, ...options };
  const reads: StateStore = {
    org: async (id) => cache.org(id),
    agent: async (id) => cache.agent(id),
    apiKey: async (sha256) => cache.apiKey(sha256),
    agentJwtKey: async (agent) => cache.agentJwtKey(agent),
    tool: async ({ org, tool, descriptorHash }) => registrationOf(fold.toolRows(org, tool), descriptorHash),
    sessionCalls: async (org, session) => fold.sessionCalls(orgLogs.of(org).log, org, session),
    sessionHotUntil: async (org, session) => fold.sessionHotUntil(org, session),
    sessionPosture: async (org, session) => fold.sessionPosture(org, session),
    consumeOnce: async (id, expiresAtMs) => tables.consume(id, expiresAtMs, options.clock.nowMs()),
    stageDelta: (principal, delta) => fold.stage({ log: orgLogs.of(principal.org).log, principal, delta, seenMs: options.clock.nowMs() }),
  };
  return {
    ...reads,
    ...createAgentAdmin(context),
    ...createKeyAdmin(context),
    ...createPolicyAdmin(context),
    ...createLogSide(context),
    close: () => tables.close(),
  };
}
