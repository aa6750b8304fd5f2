import type { JsonValue } from '@countersign/kernel';
import type { Action, Facts, Finding, StateSlice } from '@countersign/protocol';
import {
  type CompiledPolicy,
  compilePolicy,
  exempt,
  judgeCedar,
  POLICY_LIMITS,
  type ResolvedPolicy,
  resolvePolicy,
  touchedEntities,
} from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryFor, judgeBoundary } from '../src/boundaries.ts';
import { isForbid } from '../src/cedar/split-policies.ts';
import { cedar } from './cedar-world.ts';
import {
  assignments,
  BOUNDARY_SECTION,
  boundaryStep,
  CEDAR_SECTION,
  documentWith,
  ENTITY_SECTION,
  EXEMPTION_SECTION,
  type Assignment,
} from './later-overlays.ts';
import { laid, wider } from './attenuated.ts';
import { actionOf, documentOf, noFacts, rulesets, understanding } from './support.ts';

/** As in `attenuation.test.ts`. */
const OVERLAYS = Number(process.env['COUNTERSIGN_OVERLAYS'] ?? '2000');

const PERMIT = 'permit(principal, action, resource);';
const FORBID = 'forbid(principal, action in Action::"fs", resource);';
const NOTED = '@id("a; permit") // a note\n@reason("x \\" y") forbid(principal, action, resource);';

describe('POL-111 attenuate_only, the section cedar', () => {
  const section = (cedarSection: object): string => JSON.stringify({ cedar: cedarSection });
  const child = (cedarSection: object): string => `cedar: ${JSON.stringify(cedarSection)}`;
  const entry = { id: 'one', compiled: FORBID };
  const parent = section({ text: PERMIT, policies: [entry] });
  it.each<readonly [what: string, child: string, parent: string, paths: readonly string[]]>([
    ['a section where there was none', child({ text: PERMIT }), 'extends: permissive\n', []],
    ['a default that denies', child({ default: 'deny' }), section({ default: 'allow' }), []],
    ['one that allows', child({ default: 'allow' }), parent, ['cedar.default']],
    ['a text with one more that forbids', child({ text: `${NOTED}${PERMIT}` }), parent, []],
    [
      'a text with one more that permits',
      child({ text: `${PERMIT} permit(principal, action in Action::"fs", resource);` }),
      parent,
      ['cedar.text'],
    ],
    ['a text with one less', child({ text: FORBID }), parent, ['cedar.text']],
    ['an entry more that forbids', child({ policies: [{ id: 'two', compiled: `${FORBID}\n${NOTED}` }] }), parent, []],
    ['an entry more that permits', child({ policies: [{ id: 'two', compiled: `${FORBID}\n${PERMIT}` }] }), parent, ['cedar.policies']],
    ['an entry that says something else', child({ policies: [{ id: 'one', compiled: NOTED }] }), parent, ['cedar.policies']],
    ['a permit where none is needed', child({ text: PERMIT }), section({ default: 'allow' }), []],
    ['scopes', child({ scopes: ['acme:x:y'] }), parent, []],
    ['a section that is gone', 'merge_strategy: replace', parent, ['cedar']],
  ])('%s', (...[, text, below, paths]) => {
    expect(wider(text, below)).toEqual(paths);
  });

  it('what forbids is read, not guessed', () => {
    for (const text of [FORBID, NOTED, '// a\n@a forbid(principal, action, resource);', '@a("x")@b\nforbid (principal'])
      expect(isForbid(text)).toBe(true);
    for (const text of [PERMIT, '@a("forbid") permit(', '@a("\\") forbid', 'forbidden(', '"forbid"', '', '@ forbid(', '@a(1) forbid('])
      expect(isForbid(text)).toBe(false);
  });
});

describe('POL-111 attenuate_only, boundaries, exemptions and protected entities', () => {
  const boundary = (fields: string): string => `boundaries: [{name: one, agents: [agent]${fields}}]`;
  const full =
    ', max_records: 10, max_calls_per_minute: 10, max_bytes_per_hour: 10, max_calls_per_session: 10, max_payment_per_tx_cents: 10, max_payment_per_hour_cents: 10, days: [mon, tue], hours: {from: 8, to: 18}, allow_scopes: ["db:*"], allow_domains: ["*.example"], block_domains: [bad.example], approved_vendors: [Shop, bank]';
  const rows: readonly (readonly [field: string, tighter: string, wider: string])[] = [
    ['max_records', '9', '11'],
    ['max_calls_per_minute', '9', '11'],
    ['max_bytes_per_hour', '9', '11'],
    ['max_calls_per_session', '9', '11'],
    ['max_payment_per_tx_cents', '9', '11'],
    ['max_payment_per_hour_cents', '9', '11'],
    ['days', '[mon]', '[mon, wed]'],
    ['hours', '{from: 9, to: 18}', '{from: 8, to: 19}'],
    ['utc_offset_minutes', '0', '60'],
    ['allow_scopes', '["db:query:*"]', '["db:*", "fs:*"]'],
    ['allow_domains', '["a.example"]', '["*"]'],
    ['block_domains', '["*.example", bad.example]', '[]'],
    ['approved_vendors', '[SHOP]', '[shop, other]'],
  ];
  it.each(rows.map((row) => [row[0], ...row] as const))('boundaries[0].%s', (...[, field, tight, wide]) => {
    const kept = full.replace(new RegExp(`, ${field}: (?:\\[[^\\]]*\\]|\\{[^}]*\\}|\\d+)`), '');
    expect(wider(boundary(`${kept}, ${field}: ${tight}`), boundary(full))).toEqual([]);
    expect(wider(boundary(`${kept}, ${field}: ${wide}`), boundary(full))).toEqual([`boundaries[0].${field}`]);
  });

  it('a limit that is left out is none, and a record that holds for other agents is another', () => {
    expect(wider(boundary(full.replace(', max_calls_per_session: 10', '')), boundary(full))).toEqual([
      'boundaries[0].max_calls_per_session',
    ]);
    expect(wider('boundaries: [{name: one, agents: [other]}]', boundary(full))).toEqual(['boundaries']);
    expect(wider('merge_strategy: replace', boundary(''))).toEqual(['boundaries']);
    expect(wider(boundary(full), 'extends: permissive\n')).toEqual([]);
  });

  it('a record that stands before others holds for their agents too, unless they never hold for them', () => {
    const two = 'boundaries: [{name: one, agents: [agent], max_records: 5}, {name: two, max_records: 9}]';
    expect(wider('boundaries: [{name: new, agents: ["a*"], max_records: 5}]', two)).toEqual([]);
    expect(wider('boundaries: [{name: new, agents: ["a*"], max_records: 6}]', two)).toEqual(['boundaries[0].max_records']);
    // `agent` goes by the record that it went by.
    expect(wider('boundaries: [{name: one, agents: [agent], max_records: 5}, {name: two, max_records: 4}]', two)).toEqual([]);
    expect(wider('boundaries: [{name: two, max_records: 6}]', two)).toEqual(['boundaries[0].max_records']);
  });

  it('holds as many pairs of records against each other as the limit, and takes one more for wider', () => {
    const half = Math.sqrt(POLICY_LIMITS.attenuationPairsMax);
    const records = (count: number, name: string, from: number): string =>
      Array.from(
        { length: count },
        (_, i) => `{name: ${name}${String(i)}, agents: ["${name}${String(i)}"], max_records: ${String(from + i)}}`,
      ).join(', ');
    // Each record of the parent is met by all that are new, which stand before it, and by itself.
    const parent = (count: number): string => `boundaries: [${records(count, 'p', 9000)}]`;
    const child = `boundaries: [${records(half - 1, 'c', 10)}]`;
    expect(wider(child, parent(half))).toEqual([]);
    expect(wider(child, parent(half + 1))).toEqual(['boundaries']);
  });

  it('exemptions: none is added, and one that stays lifts no more', () => {
    const parent = 'exemptions: [{label: one, rules: [R1, R2], scope: "db:*"}, {label: two, rules: [R3], scope: "fs:*"}]';
    expect(
      wider('exemptions: [{label: one, rules: [R2], scope: "db:query:*"}, {label: mixed, rules: [R1], scope: "db:query:read"}]', parent),
    ).toEqual([]);
    expect(wider('exemptions: [{label: one, rules: [R1, R3], scope: "db:*"}]', parent)).toEqual(['exemptions[0]']);
    expect(wider('exemptions: [{label: two, rules: [R3], scope: "*"}]', parent)).toEqual(['exemptions[0]']);
    expect(wider('exemptions: [{label: x, rules: [R1], scope: "fs:*"}]', 'extends: permissive\n')).toEqual(['exemptions[0]']);
    expect(wider('merge_strategy: replace', parent)).toEqual([]);
  });

  it('protected entities: all stay, with all that they name', () => {
    const parent =
      'protected_entities: [{name: pay, tables: [a], hosts: ["*.pay.example"], paths: ["/srv/pay/**"]}, {name: soft, tables: [b], action: warn}]';
    const entity = (fields: string): string => `protected_entities: [{name: pay, ${fields}}]`;
    expect(wider(entity('tables: [a, c], hosts: ["*.example"], paths: ["/srv/pay/**", /x]'), parent)).toEqual([]);
    expect(wider('protected_entities: [{name: soft, tables: [b]}, {name: more, paths: [/y]}]', parent)).toEqual([]);
    expect(wider(entity('tables: [c], hosts: [pay.example], paths: [], action: warn'), parent)).toEqual([
      'protected_entities[0].tables',
      'protected_entities[0].hosts',
      'protected_entities[0].paths',
      'protected_entities[0].action',
    ]);
    expect(wider('merge_strategy: replace', parent)).toEqual(['protected_entities', 'protected_entities']);
  });

  it('says where: the entry of the child, or what it extends', () => {
    const { faults } = laid(
      `extends: default\nattenuate_only: true\nboundaries:\n  - name: one\n    max_records: 11\n`,
      'boundaries: [{name: one, max_records: 10}]\n',
    );
    expect(faults).toMatchObject([{ path: 'boundaries[0].max_records', line: 5, column: 5 }]);
    const gone = laid(
      'extends: default\nattenuate_only: true\nmerge_strategy: merge\nposture: {}\n',
      'posture: {initial: a, states: {a: {}}}\n',
    );
    expect(gone.faults.map(({ code }) => code)).toEqual(['policy_required']);
  });
});

interface Question {
  readonly action: Action;
  readonly facts: Facts;
  readonly scope: string;
  readonly atSeconds: number;
  readonly state: StateSlice;
}

const DAY = 86_400;
/** A Sunday at midnight, UTC. */
const SUNDAY = 1_798_329_600 - (1_798_329_600 % DAY) + 3 * DAY;
const SCOPES = ['db:query:read', 'db:mutate:write', 'fs:file:read', 'payment:card:charge'];
const TIMES = [0, 5, 8.5, 12, 21, 32, 4 * 24 + 9].map((hours) => SUNDAY + hours * 3600);

function* questions(): Generator<Question> {
  const hosts = ['a.example', 'x.b.example', 'other.org'];
  const bodies: readonly (Partial<Action> & { readonly kind: string })[] = [
    ...[0, 3, 50, 5000].map((limit) => ({ kind: 'tool.call', tool: 'x.list', params: { limit } })),
    ...hosts.map((host) => ({ kind: 'net.egress', params: { host } })),
    ...[1, 50, 500].flatMap((cents) =>
      ['shop', 'other'].map((vendor) => ({ kind: 'tool.call', tool: 'payment.charge', params: { amount_cents: cents, vendor } })),
    ),
    { kind: 'db.query', params: { query: 'SELECT * FROM users' } },
    { kind: 'db.query', params: { query: 'SELECT * FROM shop.payroll WHERE id = 1' } },
    { kind: 'file.read', params: { path: '/srv/x' } },
    { kind: 'file.read', params: { path: '/etc/hosts' } },
  ];
  const windows = [
    {},
    {
      window: { minute: Math.floor(SUNDAY / 60), calls: 3, hour: Math.floor(SUNDAY / 3600), bytes: 3, cents: 4, paid: [] },
      sessionCalls: 2,
    },
  ];
  let turn = 0;
  for (const body of bodies)
    for (const agent of ['agent', 'anna', 'bob']) {
      turn += 1;
      const action = actionOf({ ...body, agent });
      const scope = SCOPES[turn % SCOPES.length] ?? '';
      const facts = understanding.understand(action, []);
      yield { action, facts, scope, atSeconds: TIMES[turn % TIMES.length] ?? SUNDAY, state: windows[turn % 2] ?? {} };
      yield { action, facts, scope, atSeconds: SUNDAY, state: windows[(turn + 1) % 2] ?? {} };
    }
}

const FINDINGS: readonly Finding[] = ['R1', 'R2', 'R3', 'R4'].map((rule) => ({
  rule,
  title: 'a finding',
  category: 'x',
  severity: 'high',
  score: rule === 'R4' ? 900 : 600,
  evidence: [],
  evidenceCut: 0,
  fact: 'text',
  tags: { owasp: [], atlas: [], cwe: [] },
  layers: [],
  exemptable: rule !== 'R4',
}));

type Refuses = (policy: CompiledPolicy, question: Question) => readonly string[];

const SECTIONS: Readonly<Record<string, Refuses>> = {
  boundaries: (policy, question) => {
    const found = boundaryFor(policy.clampd?.boundaries ?? [], question.action);
    if (found === undefined) return [];
    return judgeBoundary(found, { ...question, now: '', text: false }).violations.map(({ id }) => id);
  },
  exemptions: (policy, { scope }) =>
    [FINDINGS, FINDINGS.slice(0, 3)].flatMap((findings, i) =>
      exempt(policy.clampd?.exemptions ?? [], { findings, scope, text: false, block: 800 }).kept.map(({ rule }) => `${rule} ${String(i)}`),
    ),
  protected_entities: (policy, { facts }) =>
    [facts, { ...noFacts, cuts: ['hosts' as const] }].flatMap((one, i) =>
      touchedEntities(policy.clampd?.entities ?? [], one).map(({ action }) => `${action} ${String(i)}`),
    ),
  cedar: (policy, { action, scope, state }) => {
    if (policy.cedar === undefined) return [];
    const asked = { action, scope, state, findings: [], nonExemptableBlock: false, hot: false };
    return [0, 600].flatMap((risk) => judgeCedar(policy.cedar ?? never(), { ...asked, risk }).map(() => String(risk)));
  },
};

/** How dear one overlay is, against one of `attenuation.test.ts`; Cedar is asked through WebAssembly. */
const DIVIDED: Readonly<Record<string, number>> = { boundaries: 4, exemptions: 4, protected_entities: 4, cedar: 40 };

function never(): never {
  throw new Error('the section is there');
}

function compile(policy: ResolvedPolicy): CompiledPolicy {
  const done = compilePolicy(policy, { cedar });
  if (!done.ok) throw new Error(done.error[0]?.message);
  return done.value;
}

/** Most of a parent, and one field of one record changed: near the edge. */
function boundaryPairs(): fc.Arbitrary<readonly [readonly Assignment[], readonly Assignment[]]> {
  return fc
    .tuple(assignments(BOUNDARY_SECTION, 1), boundaryStep(), fc.nat(2), fc.array(fc.nat(20), { minLength: 1, maxLength: 2 }))
    .map(([parent, step, place, fields]): readonly [readonly Assignment[], readonly Assignment[]] => {
      const records = (parent[0]?.[1] ?? []) as readonly Readonly<Record<string, JsonValue>>[];
      const keys = Object.keys(step);
      const picked = Object.fromEntries(
        fields.flatMap((n) => keys.slice(n % keys.length).slice(0, 1)).map((key) => [key, step[key] ?? null]),
      );
      const own = { name: 'four', ...records[place], ...picked };
      const others = records.filter(({ name }, i) => i !== place && name !== own.name);
      return [parent, [['boundaries', [...others.slice(0, place), own, ...others.slice(place)]]]];
    });
}

const PAIRS: Readonly<Record<string, fc.Arbitrary<readonly [readonly Assignment[], readonly Assignment[]]>>> = {
  boundaries: boundaryPairs(),
  exemptions: fc.tuple(assignments(EXEMPTION_SECTION, 1), assignments(EXEMPTION_SECTION, 1)),
  protected_entities: fc.tuple(assignments(ENTITY_SECTION, 1), assignments(ENTITY_SECTION, 1)),
  cedar: fc.tuple(assignments(CEDAR_SECTION, 4), assignments(CEDAR_SECTION, 1)),
};

describe(`POL-113 over overlays of each section, a part of ${String(OVERLAYS)}`, () => {
  const asked = [...questions()];
  it.each(Object.keys(SECTIONS))('%s: what the parent refuses, no child that is accepted allows', { timeout: 3_600_000 }, (section) => {
    const seen = { accepted: 0, refused: 0, denied: 0 };
    const [refuses, pairs] = [SECTIONS[section] ?? never(), PAIRS[section] ?? never()];
    const runs = Math.ceil(OVERLAYS / (DIVIDED[section] ?? never()));
    const property = fc.property(pairs, fc.constantFrom('deep_merge', 'deep_merge', 'merge'), ([below, above], strategy) => {
      const parentText = documentWith(below);
      const known = resolvePolicy(documentOf(parentText), { rulesets, hostSets: new Map() });
      if (!known.ok) throw new Error(known.error[0]?.message);
      const more = { extends: 'default', attenuate_only: true, merge_strategy: strategy };
      const { policy } = laid(documentWith(above, more), parentText);
      seen[policy === undefined ? 'refused' : 'accepted'] += 1;
      if (policy === undefined) return;
      const [parent, child] = [compile(known.value), compile(policy)];
      for (const question of asked) {
        const [was, is] = [refuses(parent, question), new Set(refuses(child, question))];
        seen.denied += was.length === 0 ? 0 : 1;
        // A warning may become a denial.
        const lost = was.filter((one) => !is.has(one) && !is.has(one.replace('warn', 'block')));
        if (lost.length > 0) expect({ lost, below, above, question: question.action }).toBeUndefined();
      }
    });
    fc.assert(property, { numRuns: runs, seed: 20_261_126, endOnFailure: true });
    expect(seen.accepted).toBeGreaterThan(runs / 20);
    expect(seen.refused).toBeGreaterThan(runs / 20);
    expect(seen.denied).toBeGreaterThan(runs / 10);
  });
});
