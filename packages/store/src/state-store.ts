/**
 * @module The state store: what the pipeline reads, what operators change, and the fold of what decisions change; over any tables.
 */
import type { Clock, Random } from '@countersign/kernel';
import type { AdminStore, Ports, StateStore } from '@countersign/pipeline';
import type { Principal, StateDelta } from '@countersign/protocol';
import type { AdminContext } from './admin-context.ts';
import { createAgentAdmin } from './agent-admin.ts';
import { DeltaFold, type LogPosition } from './delta-fold.ts';
import { createKeyAdmin } from './key-admin.ts';
import { STORE_LIMITS } from './limits.ts';
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

/** One delta as the log kept it. */
export interface LoggedDelta {
  readonly index: number;
  readonly principal: Principal & { readonly session: string };
  readonly delta: StateDelta;
}

export interface WriteBackOptions {
  readonly position: LogPosition;
  readonly timer: Ports['timer'];
  /** Told when a write-back failed; it is tried again. */
  readonly failed: (error: unknown) => void;
}

export interface Store extends StateStore, AdminStore {
  /** Deltas of log entries up to this index are in the tables; -1 when none are. */
  appliedIndex(): number;
  /** Folds one delta that the log has and the tables may not have; call in log order at start, then `flush`. */
  foldDelta(logged: LoggedDelta): void;
  /** Writes what is staged, as the deltas of durable log entries up to `appliedIndex`. */
  flush(appliedIndex: number): void;
  /** Every delta staged before the call is in the tables when this returns. @throws CodedError what log or tables say; nothing is lost. */
  settle(position: LogPosition): Promise<void>;
  /** Writes staged deltas from now on, as the log makes their receipts durable. The function stops it after a last write-back. */
  startWriteBack(options: WriteBackOptions): () => Promise<void>;
  /** Closes the tables. Staged deltas that were not written stay in the log and are folded at the next start. */
  close(): void;
}

function startWriteBack(fold: DeltaFold, options: WriteBackOptions): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => undefined;
  const writeBack = async (): Promise<void> => {
    try {
      await fold.writeBack(options.position);
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

/** A store over `tables`. */
export function createStateStore(tables: StateTables, options: StateStoreOptions): Store {
  const cache = createStateCache(tables, options.sealer);
  const fold = new DeltaFold(tables);
  const context: AdminContext = { tables, cache, fold, ...options };
  const reads: StateStore = {
    org: async (id) => cache.org(id),
    agent: async (id) => cache.agent(id),
    apiKey: async (sha256) => cache.apiKey(sha256),
    agentJwtKey: async (agent) => cache.agentJwtKey(agent),
    tool: async ({ org, tool, descriptorHash }) => registrationOf(fold.toolRows(org, tool), descriptorHash),
    sessionCalls: async (org, session) => fold.sessionCalls(org, session),
    consumeOnce: async (id, expiresAtMs) => tables.consume(id, expiresAtMs, options.clock.nowMs()),
    stageDelta: (principal, delta) => fold.stage(principal, delta, options.clock.nowMs()),
  };
  return {
    ...reads,
    ...createAgentAdmin(context),
    ...createKeyAdmin(context),
    ...createPolicyAdmin(context),
    appliedIndex: () => tables.appliedIndex(),
    foldDelta: ({ principal, delta }) => fold.stage(principal, delta, options.clock.nowMs()),
    flush: (appliedIndex) => fold.write(appliedIndex),
    settle: (position) => fold.settle(position),
    startWriteBack: (writeBackOptions) => startWriteBack(fold, writeBackOptions),
    close: () => tables.close(),
  };
}
