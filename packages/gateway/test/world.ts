/** @module A gateway over plain-object ports, each of which can be told to fail; credentials are real, decisions are chosen by the test. */
import {
  type AgentClaims,
  agentJwtKey,
  createSigner,
  createVerifier,
  mintAgentJwt,
  mintScopeToken,
  scopeBinding,
  sha256Hex,
  type Signer,
} from '@countersign/crypto';
import { canonicalize, CodedError } from '@countersign/kernel';
import { createGate, createSessionTurns, type ForwardRequest, type ForwardResponse, type Ports } from '@countersign/pipeline';
import type { Action, Finding, Judgement, ReceiptBody, Verdict } from '@countersign/protocol';
import type { FastifyInstance } from 'fastify';
import { createGateway, type GatewayOptions } from '../src/index.ts';

export const ORG = 'org-1';
export const AGENT = '00000000-0000-7000-8000-000000000001';
export const OTHER = '00000000-0000-7000-8000-000000000002';
export const SECRET = ['ags', 'x'.repeat(43)].join('_');
export const API_KEY = ['ag', 'test', 'k'.repeat(43)].join('_');
export const NOW_MS = 1_700_000_000_000;
export const NOW = NOW_MS / 1000;

export type Fault =
  | 'key-read'
  | 'jwt-read'
  | 'org-read'
  | 'agent-read'
  | 'tool-read'
  | 'calls-read'
  | 'engine-none'
  | 'engine-throws'
  | 'judge-throws'
  | 'judge-hangs'
  | 'stage-throws'
  | 'session-ended'
  | 'disk'
  | 'disk-hangs'
  | 'delta-throws'
  | 'mint'
  | 'upstream'
  | 'outcome-disk'
  | 'signals'
  | 'feed'
  | 'clock'
  | 'random'
  | 'timer';

export interface WorldOptions {
  readonly faults?: readonly Fault[];
  readonly verdict?: Partial<Verdict>;
  readonly findings?: readonly Finding[];
  readonly counts?: Judgement['counts'];
  readonly responseVerdict?: Partial<Verdict>;
  readonly response?: Partial<ForwardResponse>;
  readonly agentState?: 'active' | 'suspended' | 'killed';
  readonly inFlightMax?: number;
  readonly gateway?: Partial<GatewayOptions>;
}

export interface World {
  readonly app: FastifyInstance;
  readonly ports: Ports;
  readonly signer: Signer;
  /** Actions as the engine got them. */
  readonly actions: Action[];
  readonly forwarded: ForwardRequest[];
  /** Fires every timer that is set. */
  readonly expire: () => void;
  readonly headers: (extra?: Record<string, string>) => Record<string, string>;
  readonly token: (claims?: Partial<Parameters<typeof mintScopeToken>[0]>) => string;
}

const failure = (code: string): CodedError => new CodedError({ code, message: `test fault ${code}` });

export function verdictOf(overrides: Partial<Verdict> = {}): Verdict {
  return { decision: 'allow', risk: 0, severity: 'info', reasons: [], reasonsCut: 0, obligations: [], by: 'judge', ...overrides };
}

export function findingOf(rule: string): Finding {
  const tags = { owasp: [], atlas: [], cwe: [] };
  return {
    rule,
    title: rule,
    category: 'test',
    severity: 'high',
    score: 900,
    evidence: [],
    evidenceCut: 0,
    fact: 'text',
    tags,
    layers: [],
    exemptable: true,
  };
}

/** An agent token as the SDKs mint it. */
export function jwt(overrides: Partial<AgentClaims> = {}, secret: string = SECRET): string {
  const claims = { sub: AGENT, iss: 'clampd-sdk', iat: NOW, exp: NOW + 3600, ...overrides };
  return mintAgentJwt({ key: agentJwtKey(secret), claims });
}

type Has = (fault: Fault) => boolean;

function createState(has: Has, options: WorldOptions): Ports['state'] {
  const consumed = new Set<string>();
  const read = <T>(fault: Fault, value: T): Promise<T> =>
    has(fault) ? Promise.reject(failure('state_unavailable')) : Promise.resolve(value);
  const agents = new Map(
    [AGENT, OTHER].map((id) => [id, { id, org: ORG, name: id, state: options.agentState ?? ('active' as const), scopes: ['*'] }]),
  );
  return {
    org: (id) => read('org-read', id === ORG ? { id: ORG, name: 'o', mode: 'learning' as const, log: 'main' } : undefined),
    agent: (id) => read('agent-read', agents.get(id)),
    apiKey: (hash) =>
      read('key-read', hash === sha256Hex(API_KEY) ? { id: 'k', org: ORG, kind: 'write' as const, active: true } : undefined),
    agentJwtKey: (id) => read('jwt-read', id === AGENT ? agentJwtKey(SECRET) : undefined),
    tool: () => read('tool-read', { registration: 'registered' as const }),
    sessionCalls: () => read('calls-read', 0),
    sessionHotUntil: () => read('calls-read', 0),
    sessionPosture: () => read('calls-read', undefined),
    consumeOnce: (id) => {
      const fresh = !consumed.has(id);
      consumed.add(id);
      return Promise.resolve(fresh);
    },
    stageDelta: () => {
      if (has('delta-throws')) throw failure('state_unavailable');
    },
  };
}

function createEngines(has: Has, options: WorldOptions, actions: Action[]): Ports['engines'] {
  const judged = (action: Action): Judgement => ({
    verdict: verdictOf(
      action.kind === 'tool.response' && options.responseVerdict !== undefined ? options.responseVerdict : options.verdict,
    ),
    findings: options.findings ?? [],
    guards: [],
    delta: { sessionCalls: 1 },
    encodings: [],
    scope: 'db:query:read',
    counts: options.counts ?? { pii: {}, secrets: {} },
  });
  const engine = {
    inputs: { policy: 'a'.repeat(64), rules: 'b'.repeat(64), engine: 'c'.repeat(64) },
    policyName: 'test',
    understand: (action: Action) => {
      if (has('engine-throws')) throw failure('engine_failed');
      actions.push(action);
      return {
        judge: () => {
          if (has('judge-hangs')) return new Promise<Judgement>(() => undefined);
          if (has('judge-throws')) throw new Error('a bug in the judge');
          return judged(action);
        },
        release: () => undefined,
      };
    },
  };
  if (has('engine-none')) return { engineFor: () => undefined, problem: 'there is no policy' };
  return { engineFor: () => engine };
}

function createRecorder(has: Has): Ports['recorder'] {
  let seq = 0;
  const durable = (fault: Fault): Promise<void> => {
    if (has('disk-hangs') && fault === 'disk') return new Promise(() => undefined);
    return has(fault) ? Promise.reject(failure('log_failed')) : Promise.resolve();
  };
  return {
    stageReceipt: (draft) => {
      if (has('stage-throws')) throw failure('log_failed');
      const body = {
        id: draft.id,
        time: draft.time,
        session: draft.action.session,
        seq: seq++,
        verdict: draft.verdict,
        action: { tool: draft.action.tool },
        inputs: draft.inputs,
        outcomeBy: draft.outcomeBy,
      } as unknown as ReceiptBody;
      return { body, durable: durable('disk') };
    },
    isEnded: () => has('session-ended'),
    stageOutcome: () => ({ body: {} as never, durable: durable('outcome-disk') }),
  };
}

/** A gateway that is ready for `inject`. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const faults = new Set(options.faults);
  const has: Has = (fault) => faults.has(fault);
  const actions: Action[] = [];
  const forwarded: ForwardRequest[] = [];
  const timers = new Set<() => void>();
  const signer = createSigner(new Uint8Array(32).fill(7));
  let counter = 0;
  const ports: Ports = {
    clock: {
      nowMs: () => {
        if (has('clock')) throw failure('clock_failed');
        return NOW_MS;
      },
    },
    random: {
      bytes: (length) => {
        if (has('random')) throw failure('random_failed');
        return Uint8Array.from({ length }, () => (counter += 1) & 0xff);
      },
    },
    gate: createGate(options.inFlightMax),
    turns: createSessionTurns(16),
    timer: {
      after(_, work) {
        if (has('timer')) throw failure('timer_failed');
        timers.add(work);
        return () => timers.delete(work);
      },
    },
    state: createState(has, options),
    engines: createEngines(has, options, actions),
    recorder: createRecorder(has),
    upstream: {
      forward: (request) => {
        forwarded.push(request);
        if (has('upstream')) return Promise.reject(failure('upstream_failed'));
        return Promise.resolve({ status: 'ok', code: 200, body: new TextEncoder().encode('{"rows":[1]}'), ...options.response });
      },
    },
    signals: { signalsFor: () => (has('signals') ? Promise.reject(failure('resolver_failed')) : Promise.resolve([])) },
    tokens: {
      mint: ({ agent, scope, tool, requestId }) => {
        if (has('mint')) throw failure('mint_failed');
        return token({ sub: agent, scope, tool, rid: requestId });
      },
    },
    feed: {
      publish: () => {
        if (has('feed')) throw failure('feed_failed');
      },
    },
  };
  function token(claims: Partial<Parameters<typeof mintScopeToken>[0]> = {}): string {
    const jti = `jti-${(counter += 1)}`;
    const binding = scopeBinding('database.query', sha256Hex(canonicalize({})));
    const base = {
      sub: AGENT,
      scope: 'db:query:read',
      tool: 'database.query',
      binding,
      exp: NOW + 300,
      rid: 'r',
      jti,
      iat: NOW,
      aud: 'tools',
    };
    return mintScopeToken({ ...base, ...claims }, signer);
  }
  const app = await createGateway({ ports, scopeVerifier: createVerifier(signer.publicKey), ...options.gateway });
  return {
    app,
    ports,
    signer,
    actions,
    forwarded,
    token,
    expire: () => {
      for (const work of Array.from(timers)) work();
    },
    headers: (extra = {}) => ({
      'x-ag-key': API_KEY,
      authorization: `Bearer ${jwt()}`,
      'content-type': 'application/json',
      'user-agent': 'node',
      ...extra,
    }),
  };
}

/** A call as the SDKs send it. */
export function call(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { tool: 'db.query', params: { sql: 'SELECT 1' }, target_url: '', ...overrides };
}
