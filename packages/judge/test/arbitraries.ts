/** @module Generated inputs of the judge: findings, guard results, cuts and states, in any combination. */
import fc from 'fast-check';
import type { Action, Facts, FactsCut, Finding, GuardResult, Severity, StateSlice } from '@countersign/protocol';

const severity = fc.constantFrom<Severity>('info', 'low', 'medium', 'high', 'critical');
const span = fc.record({
  path: fc.oneof(fc.constant('/params/sql'), fc.string({ unit: 'binary', maxLength: 200 })),
  start: fc.nat(1000),
  end: fc.nat(2000),
});

export const finding: fc.Arbitrary<Finding> = fc.record({
  rule: fc.oneof(fc.constantFrom('R001', 'R009', 'R028'), fc.string({ maxLength: 100 })),
  title: fc.string({ unit: 'binary', maxLength: 300 }),
  category: fc.constant('c'),
  severity,
  score: fc.integer({ min: 0, max: 1000 }),
  evidence: fc.array(span, { maxLength: 8 }),
  evidenceCut: fc.nat(3),
  fact: fc.constantFrom('text', 'command', 'statement'),
  tags: fc.constant({ owasp: [], atlas: [], cwe: [] }),
  layers: fc.subarray(['url', 'base64', 'html']),
  exemptable: fc.boolean(),
});

export const guard: fc.Arbitrary<GuardResult> = fc.record({
  guard: fc.constantFrom('forbidden_path', 'shell_command'),
  allowed: fc.boolean(),
  severity,
  code: fc.string({ maxLength: 100 }),
  message: fc.string(),
  evidence: fc.array(span, { maxLength: 8 }),
});

const cut = fc.constantFrom<FactsCut>('texts', 'shell-unknown', 'decode-bytes', 'pii');

const opinion = fc.record({
  kind: fc.constantFrom('llm', 'threat-intel'),
  source: fc.constant('local-model'),
  severity,
  score: fc.integer({ min: 0, max: 1000 }),
  reason: fc.constantFrom('prompt_injection', 'known_bad_host'),
});

/** What was said outside: mostly nothing. */
const said = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record({ opinions: fc.array(opinion, { maxLength: 3 }) }),
  fc.record({ opinions: fc.array(opinion, { maxLength: 1 }), opinionFault: fc.constant('opinion.malformed') }),
);

export const facts: fc.Arbitrary<Facts> = fc.tuple(fc.uniqueArray(cut), said).map(([cuts, outside]) => ({
  texts: [],
  commands: [],
  statements: [],
  codes: [],
  paths: [],
  hosts: [],
  effects: [],
  secrets: [],
  pii: [],
  cuts,
  encodings: [],
  steps: 0,
  ...outside,
}));

export const action: fc.Arbitrary<Action> = fc
  .record({
    kind: fc.constantFrom('db.query', 'shell.exec', 'prompt.input', 'remote.x', 'remote.', 'nonsense', 'tool.call'),
    tool: fc.option(fc.constantFrom('database.query', 'custom.tool'), { nil: undefined }),
  })
  .map(({ kind, tool }): Action => ({
    v: 1 as const,
    id: '00000000-0000-7000-8000-000000000000',
    kind,
    source: { framework: 'test', door: 'test' },
    org: 'o',
    agent: 'a',
    session: 's',
    delegation: [],
    ...(tool === undefined ? {} : { tool }),
  }));

const grants = fc.subarray(['*', 'db:*', 'db:query:read', 'exec:shell:run', 'unknown:custom:*']);

export const state: fc.Arbitrary<StateSlice> = fc
  .record({
    agentState: fc.constantFrom('active', 'active', 'active', 'suspended', 'killed', undefined),
    scopes: fc.oneof(fc.constant(['*']), grants, fc.constant(undefined)),
    claimedScopes: fc.oneof(fc.constant(undefined), grants),
    orgMode: fc.constantFrom('learning', 'locked', undefined),
    tool: fc.constantFrom('registered', 'registered', 'pending', 'mismatch', undefined),
    toolScope: fc.constantFrom('db:query:read', undefined),
    sessionCalls: fc.constantFrom(0, 7, undefined),
  })
  .map((raw) => Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined)) as StateSlice);
