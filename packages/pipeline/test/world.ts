/** @module A world for the pipeline made of plain objects, in which each port can be told to fail. Everything that happens is written down in order. */
import { canonicalize, CodedError, type JsonValue } from '@countersign/kernel';
import type { Action, Judgement, ReceiptBody, Signal, Verdict } from '@countersign/protocol';
import { createGate, createSessionTurns, type ActionRequest, type Ports } from '../src/index.ts';

export const ORG = 'org-1';
export const AGENT = '00000000-0000-7000-8000-000000000001';

export type Fault =
  | 'state'
  | 'engine-none'
  | 'engine-throws'
  | 'judge-throws'
  | 'stage-throws'
  | 'vault'
  | 'disk'
  | 'mint'
  | 'upstream'
  | 'fence'
  | 'outcome-disk'
  | 'signals'
  | 'ended-throws'
  | 'ask-throws'
  | 'ask-never';

export interface WorldOptions {
  readonly faults?: ReadonlySet<Fault>;
  readonly decision?: Verdict['decision'];
  readonly fenceDecision?: Verdict['decision'];
  readonly agentState?: 'active' | 'suspended' | 'killed';
  readonly inFlightMax?: number;
  /** What guards are told about an action of this kind; nobody is asked where it is absent. */
  readonly answers?: (kind: string) => readonly Signal[];
  readonly ended?: (org: string, session: string) => boolean;
}

export interface World {
  readonly ports: Ports;
  /** What happened, in order: `staged`, `durable`, `minted`, `forwarded`, `outcome-staged`, `outcome-durable`. */
  readonly journal: string[];
  /** Actions that an engine was given, in order. */
  readonly understood: Action[];
  /** Fires every timer. */
  expire(): void;
  /** Lets the disk finish; until then nothing is durable when `holdDisk` was called. */
  holdDisk(): () => void;
  setAgentState(state: 'active' | 'suspended' | 'killed'): void;
}

export function verdict(decision: Verdict['decision']): Verdict {
  return { decision, risk: decision === 'allow' ? 0 : 900, severity: 'info', reasons: [], reasonsCut: 0, obligations: [], by: 'judge' };
}

export function judgement(decision: Verdict['decision']): Judgement {
  return {
    verdict: verdict(decision),
    findings: [],
    guards: [],
    delta: { sessionCalls: 1 },
    encodings: [],
    scope: 'db:query:read',
    counts: { pii: {}, secrets: {} },
  };
}

export function request(overrides: Partial<ActionRequest> = {}): ActionRequest {
  return {
    caller: { org: ORG, agent: AGENT },
    draft: {
      kind: 'db.query',
      tool: 'database.query',
      params: { sql: 'select 1' },
      source: { framework: 'test', door: 'test' },
      delegation: [],
    },
    fingerprint: 'f',
    mode: 'evaluate',
    ...overrides,
  };
}

export function forwardRequest(): ActionRequest {
  const base = request();
  return { ...base, mode: 'forward', paramsText: '{"sql":"select 1"}', draft: { ...base.draft, targetUrl: 'https://tool.example/run' } };
}

const failure = (code: string): CodedError => new CodedError({ code, message: code });

/** A fresh world. */
export function createWorld(options: WorldOptions = {}): World {
  const has = (fault: Fault): boolean => options.faults?.has(fault) ?? false;
  const journal: string[] = [];
  const understood: Action[] = [];
  const timers = new Set<() => void>();
  let disk: Promise<void> = Promise.resolve();
  let tick = 1_700_000_000_000;
  let counter = 0;
  let seq = 0;
  const durable = (name: string, fails: boolean): Promise<void> =>
    disk.then(() => {
      if (fails) throw failure('log_failed');
      journal.push(name);
    });
  let agentState: 'active' | 'suspended' | 'killed' = options.agentState ?? 'active';

  const ports: Ports = {
    clock: { nowMs: () => (tick += 1) },
    random: { bytes: (length) => Uint8Array.from({ length }, () => (counter += 1) & 0xff) },
    gate: createGate(options.inFlightMax),
    turns: createSessionTurns(2),
    timer: {
      after(_, work) {
        timers.add(work);
        return () => timers.delete(work);
      },
    },
    state: {
      org: () =>
        has('state')
          ? Promise.reject(failure('state_unavailable'))
          : Promise.resolve({ id: ORG, name: 'o', mode: 'learning' as const, log: 'main' }),
      agent: (id) => Promise.resolve(id === AGENT ? { id: AGENT, org: ORG, name: 'a', state: agentState, scopes: ['*'] } : undefined),
      apiKey: () => Promise.resolve(undefined),
      agentJwtKey: () => Promise.resolve(undefined),
      tool: () => Promise.resolve({}),
      sessionCalls: () => Promise.resolve(0),
      sessionHotUntil: () => Promise.resolve(0),
      sessionRisk: () => Promise.resolve(0),
      sessionPosture: () => Promise.resolve(undefined),
      agentWindow: () => Promise.resolve(undefined),
      consumeOnce: () => Promise.resolve(true),
      stageDelta: () => journal.push('delta'),
    },
    engines: {
      engineFor: () =>
        has('engine-none')
          ? undefined
          : {
              inputs: { policy: 'a'.repeat(64), rules: 'b'.repeat(64), engine: 'c'.repeat(64) },
              policyName: 'test',
              understand: (action) => {
                if (has('engine-throws')) throw failure('engine_failed');
                understood.push(action);
                const isFence = action.kind === 'tool.response';
                const ask = (): Promise<readonly Signal[]> => {
                  journal.push(`asked:${action.kind}`);
                  if (has('ask-throws')) throw failure('a_bug');
                  if (has('ask-never')) return new Promise(() => undefined);
                  return Promise.resolve(options.answers?.(action.kind) ?? []);
                };
                const asks = options.answers !== undefined || has('ask-throws') || has('ask-never');
                return {
                  ...(asks ? { ask } : {}),
                  judge: () => {
                    if (asks) journal.push(`judged:${action.kind}`);
                    if (has(isFence ? 'fence' : 'judge-throws')) throw new Error('a bug');
                    return judgement(isFence ? (options.fenceDecision ?? 'allow') : (options.decision ?? 'allow'));
                  },
                  release: () => undefined,
                };
              },
            },
    },
    recorder: {
      stageReceipt: (draft) => {
        if (has('vault')) throw failure('vault_unavailable');
        if (has('stage-throws')) throw failure('log_queue_full');
        journal.push('staged');
        if (draft.signals.length > 0) journal.push(`signals:${draft.signals.map(({ kind }) => kind).join()}`);
        if (draft.actionText !== canonicalize(draft.action as unknown as JsonValue)) throw new Error('the text is not that of the action');
        const body = {
          id: draft.id,
          time: draft.time,
          session: draft.action.session,
          seq: seq++,
          verdict: draft.verdict,
          action: { tool: draft.action.tool },
          outcomeBy: draft.outcomeBy,
        } as unknown as ReceiptBody;
        return { body, durable: durable('durable', has('disk')) };
      },
      isEnded: (org, session) => {
        if (has('ended-throws')) throw failure('memory_gone');
        return options.ended?.(org, session) === true;
      },
      stageOutcome: (draft) => {
        journal.push(`outcome-staged:${draft.status}`);
        return { body: {} as never, durable: durable('outcome-durable', has('outcome-disk')) };
      },
    },
    upstream: {
      forward: () => {
        journal.push('forwarded');
        return has('upstream')
          ? Promise.reject(failure('ECONNREFUSED'))
          : Promise.resolve({ status: 'ok', code: 200, body: new TextEncoder().encode('rows') });
      },
    },
    signals: { signalsFor: () => (has('signals') ? Promise.reject(failure('resolver')) : Promise.resolve([])) },
    tokens: {
      mint: () => {
        if (has('mint')) throw failure('key');
        journal.push('minted');
        return 'token';
      },
    },
    feed: { publish: (event) => journal.push(`feed:${(event.data as { decision?: JsonValue }).decision as string}`) },
  };
  return {
    ports,
    journal,
    understood,
    expire: () => {
      for (const work of timers) work();
    },
    holdDisk: () => {
      let release = (): void => undefined;
      disk = new Promise((resolve) => (release = resolve));
      return release;
    },
    setAgentState: (state) => {
      agentState = state;
    },
  };
}
