import { describe, expect, it } from 'vitest';
import type { Action, Finding, StateSlice } from '@countersign/protocol';
import { type CedarQuestion, compilePolicy, createCedar, judgeCedar, parsePolicy, POLICY_LIMITS } from '@countersign/policy';
import { splitPolicies } from '../src/cedar/split-policies.ts';
import { cedar, cedarFaults, cedarPolicy } from './cedar-world.ts';
import { actionOf, documentOf, resolved } from './support.ts';
import { resolvePolicy } from '../src/index.ts';

const STATE: StateSlice = { agentState: 'active', scopes: ['db:*'], tool: 'registered', trust: 'elevated', sessionCalls: 3 };

function question(over: Partial<CedarQuestion> = {}, action: Partial<Action> = {}): CedarQuestion {
  return {
    action: actionOf({ kind: 'db.query', tool: 'database.query', ...action }),
    state: STATE,
    scope: 'db:query:read',
    risk: 0,
    findings: [],
    nonExemptableBlock: false,
    hot: false,
    ...over,
  };
}

function codes(section: object, asked: CedarQuestion = question()): readonly string[] {
  const { cedar: compiled } = cedarPolicy(section);
  if (compiled === undefined) throw new Error('the section is gone');
  return judgeCedar(compiled, asked).map(({ code, text }) => `${code} ${text}`);
}

const PERMIT = 'permit(principal, action, resource);';
const finding = (rule: string, category: string): Finding => ({
  rule,
  title: 'a finding',
  category,
  severity: 'high',
  score: 800,
  evidence: [],
  evidenceCut: 0,
  fact: 'text',
  tags: { owasp: [], atlas: [], cwe: [] },
  layers: [],
  exemptable: true,
});

describe('a section cedar', () => {
  it('POL-230 denies what no policy permits, unless its default is allow', () => {
    const none = ['policy.cedar_no_permit no cedar policy permits this action'];
    expect(codes({})).toEqual(none);
    expect(codes({ text: 'permit(principal, action in Action::"scm", resource);' })).toEqual(none);
    expect(codes({ text: 'permit(principal, action in Action::"db", resource) when { context.risk_score_bps > 5 };' })).toEqual(none);
    expect(codes({ text: 'permit(principal, action in Action::"db:query", resource in Tool::"database");' })).toEqual([]);
    expect(codes({ default: 'allow' })).toEqual([]);
    expect(codes({ default: 'allow', text: 'permit(principal, action in Action::"scm", resource);' })).toEqual([]);
  });

  it('POL-231 denies what a policy forbids, whatever permits it, with the words of its entry', () => {
    const policies = [
      { id: 'no-sql', compiled: 'forbid(principal, action in Action::"db", resource);', cedar_reason: 'the data room is closed' },
    ];
    const said = ['policy.cedar_forbid cedar policy no-sql: the data room is closed forbids this action'];
    expect(codes({ text: PERMIT, policies })).toEqual(said);
    expect(codes({ default: 'allow', policies })).toEqual(said);
    expect(codes({ default: 'allow', policies }, question({ scope: 'scm:git:push' }, { kind: 'tool.call', tool: 'git.push' }))).toEqual([]);
  });

  it('POL-232 denies on an error of any policy, also where another one permits', () => {
    const broken = {
      id: 'sum',
      compiled: 'permit(principal, action, resource) when { context.risk_score_bps * 9223372036854775807 > 3 };',
    };
    expect(codes({ text: PERMIT, policies: [broken] }, question({ risk: 2 }))).toEqual([
      'policy.cedar_error cedar policy sum failed on this action',
    ]);
    expect(codes({ text: PERMIT, policies: [broken] }, question({ risk: 1 }))).toEqual([]);
    const removal = { id: 'sum', cedar_action: 'remove_scope', cedar_scope: 'db:*', compiled: broken.compiled.replace('permit', 'forbid') };
    expect(codes({ text: PERMIT, policies: [removal] }, question({ risk: 2 }))).toEqual([
      'policy.cedar_error cedar policy sum failed on this action',
    ]);
  });

  it('POL-233 takes a scope away where an entry says so, and nothing else', () => {
    const entry = (scope: string): object => ({
      text: PERMIT,
      policies: [{ id: 'less', compiled: 'forbid(principal, action, resource);', cedar_action: 'remove_scope', cedar_scope: scope }],
    });
    expect(codes(entry('db:query:read'))).toEqual(['policy.cedar_scope_removed cedar policy less takes away the scope of this action']);
    expect(codes(entry('db:*'))).toHaveLength(1);
    expect(codes(entry('db:mutate:delete'))).toEqual([]);
    expect(cedarFaults({ policies: [{ id: 'a', compiled: PERMIT, cedar_action: 'remove_scope', cedar_scope: 'db:*' }] })[0]?.message).toBe(
      'only a `forbid` takes a scope away',
    );
    expect(cedarFaults({ policies: [{ id: 'a', compiled: PERMIT, cedar_action: 'remove_scope' }] })[0]?.path).toBe('cedar.policies[0]');
  });

  it.each([
    ['agent', 'principal == Agent::"agent"', {}],
    ['org of the agent', 'principal in Org::"org"', {}],
    ['trust', 'principal is Agent, action, resource', { when: 'principal.trust == "elevated"' }],
    ['scope', 'principal, action == Action::"db:query:read", resource', {}],
    ['group of scopes', 'principal, action in Action::"db", resource', {}],
    ['kind', 'principal, action in Action::"db.query", resource', {}],
    ['tool', 'principal, action, resource == Tool::"database.query"', {}],
    ['group of tools', 'principal, action, resource in Tool::"database"', {}],
    ['registration', 'principal, action, resource', { when: 'resource.registered' }],
    ['agent id', 'principal, action, resource', { when: 'context.agent_id == "agent" && context.org_id == "org"' }],
    ['tool name', 'principal, action, resource', { when: 'context.tool_name like "database.*" && context.kind == "db.query"' }],
    ['session', 'principal, action, resource', { when: 'context.session.calls == 3 && context.session in Org::"org"' }],
    ['risk', 'principal, action, resource', { when: 'context.risk_score_bps == 800 && context.intent_class == "Dangerous"' }],
    ['labels', 'principal, action, resource', { when: 'context.labels.contains("pii") && context.rules.contains("R020")' }],
    [
      'scopes',
      'principal, action, resource',
      { when: 'context.scopes.contains("db:query:read") && context.allowed_scopes.contains("db:*")' },
    ],
    ['flags', 'principal, action, resource', { when: 'context.session_flags.contains("hot")' }],
    ['delegation', 'principal, action, resource', { when: 'context.delegation_depth == 2 && context.delegation.contains(Agent::"root")' }],
    ['block', 'principal, action, resource', { when: 'context.has_non_exemptable_block && context.category == "db"' }],
  ])('POL-234 can speak of the %s', (_what, head, { when = 'true' }: { readonly when?: string }) => {
    const scope = head.includes('action') ? head : `${head}, action, resource`;
    const asked = question(
      { risk: 800, findings: [finding('R020', 'pii')], nonExemptableBlock: true, hot: true },
      { delegation: ['root', 'middle'] },
    );
    expect(codes({ text: `permit(${scope}) when { ${when} };` }, asked)).toEqual([]);
    expect(codes({ default: 'allow', text: `forbid(${scope}) when { ${when} };` }, asked)).toHaveLength(1);
  });

  it('POL-235 judges texts by what forbids them: to speak needs no permit', () => {
    const asked = question({ findings: [finding('R013', 'injection')], scope: 'unknown:prompt:input' }, { kind: 'prompt.input' });
    expect(codes({}, asked)).toEqual([]);
    expect(
      codes(
        { text: 'forbid(principal, action == Action::"prompt.input", resource) when { context.labels.contains("injection") };' },
        asked,
      ),
    ).toHaveLength(1);
    expect(codes({ text: PERMIT.replace('action', 'action in Action::"db"') }, asked)).toEqual([]);
  });

  it.each([
    ['permit(principal, action, resource) when { context.risk >  };', 'line 1, column 60 of it'],
    [
      'permit(principal, action, resource);\n// é "\nforbid(principal, action, resource) when {\n  "é" == context.label\n};',
      'line 4, column 10 of it',
    ],
    ['permit(principal, action == Action::"db:qeury:read", resource);', 'unrecognized action'],
    ['permit(principal, action == Action::"db", resource);', 'unable to find an applicable action'],
    ['permit(principal == Agnet::"x", action, resource);', 'unrecognized entity type `Agnet`'],
    ['permit(principal == ?principal, action, resource);', 'template'],
    ['permit(principal, action, resource)', 'unexpected end of input'],
    ['forbid(principal, action, resource) when { context.labels == "x" };', 'compatible'],
  ])('POL-236 does not load with %s', (text, message) => {
    const [fault] = cedarFaults({ text });
    expect(fault?.code).toBe('policy_cedar');
    expect(fault?.path).toBe('cedar.text');
    expect(fault?.message).toContain(message);
  });

  it('POL-236 knows the scopes that the operator declares, those the table leaves open, and an own schema', () => {
    const text = 'permit(principal, action == Action::"crm:contacts:read", resource);';
    expect(cedarFaults({ text })[0]?.message).toContain('unrecognized action');
    expect(cedarFaults({ text, scopes: ['crm:contacts:read'] })).toEqual([]);
    expect(cedarFaults({ text: 'forbid(principal, action in Action::"payment:stripe", resource);' })).toEqual([]);
    expect(cedarFaults({ text: 'forbid(principal, action == Action::"unknown:oven:bake", resource);' })).toEqual([]);
    expect(cedarFaults({ text: 'forbid(principal, action in Action::"remote.screen", resource);' })).toEqual([]);
    const schema = 'entity Agent; entity Tool; action "crm:contacts:read" appliesTo { principal: Agent, resource: Tool };';
    expect(cedarFaults({ text, schema })).toEqual([]);
    expect(cedarFaults({ text, schema: `${schema} entity` })[0]).toMatchObject({ code: 'policy_cedar', path: 'cedar.schema' });
  });

  it('POL-237 does not load where there is no Cedar, and no Cedar is started where no policy holds it', () => {
    const policy = compilePolicy(resolved(JSON.stringify({ cedar: {} })));
    expect(policy.ok ? [] : policy.error.map(({ code }) => code)).toEqual(['policy_cedar']);
    const never = createCedar(() => {
      throw new Error('the bytes are asked for');
    });
    expect(compilePolicy(resolved('default'), { cedar: never }).ok).toBe(true);
    expect(compilePolicy(resolved(JSON.stringify({ cedar: {} })), { cedar: never }).ok).toBe(false);
  });

  it('POL-238 stands in the resolved policy only where a document holds it, and lies on what is extended', () => {
    expect(resolved('default').cedar).toBeUndefined();
    const base = documentOf(
      JSON.stringify({
        cedar: {
          default: 'allow',
          scopes: ['b:b:b'],
          policies: [
            { id: 'a', compiled: 'x' },
            { id: 'b', compiled: 'y' },
          ],
        },
      }),
    );
    const child = (section: object): object | undefined => {
      const document = documentOf(JSON.stringify({ extends: 'default', cedar: section }));
      const merged = resolvePolicy(document, { rulesets: new Map([['default', base]]), hostSets: new Map() });
      return merged.ok ? merged.value.cedar : undefined;
    };
    const full = (id: string, compiled: string): object => ({ id, compiled, mode: 'cedar', cedar_action: 'deny' });
    expect(child({ scopes: ['a:a:a'], policies: [{ id: 'b', compiled: 'z', mode: 'dsl' }] })).toEqual({
      default: 'allow',
      text: '',
      scopes: ['a:a:a', 'b:b:b'],
      policies: [full('a', 'x'), { ...full('b', 'z'), mode: 'dsl' }],
    });
    expect(child({ default: 'deny' })).toMatchObject({ default: 'deny', policies: [full('a', 'x'), full('b', 'y')] });
  });

  it('POL-239 refuses unknown fields, wrong words and texts that are too long, with their place', () => {
    const wrong = parsePolicy('cedar:\n  default: maybe\n  polices: []\n  policies:\n    - id: a\n', 'p.yaml');
    expect(wrong.ok ? [] : wrong.error.map(({ code, line }) => [code, line])).toEqual([
      ['policy_enum', 2],
      ['policy_unknown_field', 3],
      ['policy_required', 5],
    ]);
    const text = (length: number): boolean => parsePolicy(JSON.stringify({ cedar: { text: '/'.repeat(length) } }), 'p').ok;
    expect([text(POLICY_LIMITS.cedarTextCharsMax), text(POLICY_LIMITS.cedarTextCharsMax + 1)]).toEqual([true, false]);
  });

  it('POL-239 bounds policies and brackets', () => {
    const many = (count: number): boolean => splitPolicies('a;'.repeat(count)).ok;
    expect([many(POLICY_LIMITS.cedarPoliciesMax), many(POLICY_LIMITS.cedarPoliciesMax + 1)]).toEqual([true, false]);
    const deep = (depth: number): readonly string[] =>
      cedarFaults({ text: `permit(principal, action, resource) when { ${'('.repeat(depth - 1)}true${')'.repeat(depth - 1)} };` }).map(
        ({ message }) => message,
      );
    expect(deep(POLICY_LIMITS.cedarDepthMax)).toEqual([]);
    expect(deep(POLICY_LIMITS.cedarDepthMax + 1)[0]).toContain('brackets stand more than 48 deep');
  });

  it('POL-239 asks all policies at once when there are too many sets, with the same answer', () => {
    const text = Array.from(
      { length: POLICY_LIMITS.cedarShardsMax + 8 },
      (_, i) => `permit(principal, action, resource == Tool::"t${String(i)}");`,
    ).join('\n');
    const { cedar: compiled } = cedarPolicy({ text });
    if (compiled === undefined) throw new Error('the section is gone');
    for (let i = 0; i < POLICY_LIMITS.cedarShardsMax + 8; i += 1)
      expect(judgeCedar(compiled, question({}, { tool: `t${String(i)}` }))).toEqual([]);
    expect(judgeCedar(compiled, question({}, { tool: 'other' }))).toHaveLength(1);
    expect(compiled.decisions.shards).toBe(POLICY_LIMITS.cedarShardsMax + 1);
  });

  it('POL-232 denies when Cedar itself fails, and works again after', () => {
    let broken = false;
    const { cedar: compiled } = cedarPolicy({ text: PERMIT });
    if (compiled === undefined) throw new Error('the section is gone');
    const failing = {
      ...compiled,
      instance: () => {
        if (broken) throw new Error('trap');
        return compiled.instance();
      },
    };
    expect(judgeCedar(failing, question())).toEqual([]);
    broken = true;
    expect(judgeCedar(failing, question()).map(({ code }) => code)).toEqual(['policy.cedar_error']);
    broken = false;
    expect(judgeCedar(failing, question())).toEqual([]);
  });

  it('refuses bytes that are not Cedar', () => {
    expect(() => createCedar(() => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).open()).toThrow('Cedar could not be started');
    expect(cedar.open().parse('permit(principal, action, resource);').type).toBe('success');
  });
});
