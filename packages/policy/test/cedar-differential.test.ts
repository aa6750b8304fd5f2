/**
 * The indexed path against plain Cedar: its own glue, its stateless call, all policies at once. `CEDAR_REQUESTS` sets how many requests
 * are put to both (2,000 by default; 100,000 take some minutes), `CEDAR_SEED` another seed.
 */
import { type AuthorizationCall, isAuthorized, type PolicySet } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import type { CedarQuestion, CompiledPolicy } from '@countersign/policy';
import { cedarCall, chainsOf, judgeCedar } from '../src/cedar/judge-cedar.ts';
import { cedarFaults, cedarPolicy } from './cedar-world.ts';
import { actionOf } from './support.ts';

const REQUESTS = Number(process.env['CEDAR_REQUESTS'] ?? 2000);
const SEED = Number(process.env['CEDAR_SEED'] ?? 20_261_126);
const POLICIES = 30;

/** A small generator with a seed: equal seeds, equal requests (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SCOPES = ['db:query:read', 'db:mutate:delete', 'scm:git:push', 'exec:shell:run', 'payment:stripe:charge', 'net:http:outbound'];
const ACTIONS = [...SCOPES, 'db', 'db:query', 'scm', 'shell.exec', 'db.query', 'tool.call', 'prompt.input'];
const TOOLS = ['database.query', 'database', 'git.push', 'git', 'shell', 'a.b.c', 'a.b', 'a', 'é"\\n'];
const KINDS = ['db.query', 'shell.exec', 'tool.call', 'prompt.input'];
const CONDITIONS = [
  'context.risk_score_bps > 500',
  'context.risk_score_bps * 9223372036854775807 > 3',
  'context.labels.contains("pii")',
  'context.session.calls < 2',
  'principal.trust == "untrusted"',
  'principal in Org::"o1"',
  'context.delegation_depth > 1',
  'resource in Tool::"a"',
  'context.tool_name like "*.query"',
];

type Draw = (below: number) => number;

function pick<T>(draw: Draw, items: readonly T[]): T {
  const item = items[draw(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function headPart(draw: Draw, name: 'action' | 'resource'): string {
  const [type, ids] = name === 'action' ? (['Action', ACTIONS] as const) : (['Tool', TOOLS] as const);
  const uid = (): string => `${type}::${JSON.stringify(pick(draw, ids))}`;
  const forms = [name, name, `${name} == ${uid()}`, `${name} in ${uid()}`];
  if (name === 'action') forms.push(`action in [${uid()}, ${uid()}]`);
  else forms.push('resource is Tool', `resource is Tool in ${uid()}`);
  return pick(draw, forms);
}

function policyText(draw: Draw): string {
  const effect = pick(draw, ['permit', 'permit', 'forbid']);
  const principal = pick(draw, ['principal', 'principal == Agent::"a1"', 'principal in Org::"o1"']);
  const conditions = Array.from({ length: draw(3) }, () => `${pick(draw, ['when', 'unless'])} { ${pick(draw, CONDITIONS)} }`);
  return `${effect}(${principal}, ${headPart(draw, 'action')}, ${headPart(draw, 'resource')}) ${conditions.join(' ')};`;
}

/** A schema that knows every combination: which policies can hold is not the point here. */
const KNOWN = SCOPES.map((scope) => JSON.stringify(scope));
const GROUPS = ACTIONS.filter((name) => !SCOPES.includes(name)).map((name) => JSON.stringify(name));
const SCHEMA = `entity Org; entity Agent in [Org] { trust: String }; entity Tool in [Tool] { registered: Bool }; entity Session in [Org] { calls: Long };
type C = { risk_score_bps: Long, labels: Set<String>, session: Session, delegation_depth: Long, tool_name: String };
action ${GROUPS.join(', ')} appliesTo { principal: Agent, resource: Tool, context: C };
action ${KNOWN.join(', ')} in [${GROUPS.map((group) => `Action::${group}`).join(', ')}] appliesTo { principal: Agent, resource: Tool, context: C };`;

/** Those of many generated policies that Cedar's validator lets pass: some can never hold. */
function policies(draw: Draw): CompiledPolicy {
  let entries = Array.from({ length: POLICIES }, (_, i) => ({ id: `p${String(i)}`, compiled: policyText(draw) }));
  for (;;) {
    const wrong = new Set(cedarFaults({ policies: entries, schema: SCHEMA }).map(({ path }) => path));
    if (wrong.size === 0) return cedarPolicy({ policies: entries, schema: SCHEMA });
    entries = entries.filter((_, i) => !wrong.has(`cedar.policies[${String(i)}].compiled`));
  }
}

function question(draw: Draw): CedarQuestion {
  const labels = ['pii', 'injection'].filter(() => draw(2) === 0);
  return {
    action: actionOf({
      kind: pick(draw, KINDS),
      agent: pick(draw, ['a1', 'a2']),
      org: pick(draw, ['o1', 'o2']),
      delegation: ['x', 'y', 'z'].slice(0, draw(4)),
      ...(draw(6) === 0 ? {} : { tool: pick(draw, TOOLS) }),
    }),
    state: { tool: 'registered', trust: pick(draw, ['untrusted', 'standard']), sessionCalls: draw(4), scopes: ['*'] },
    scope: pick(draw, SCOPES),
    risk: draw(1001),
    findings: labels.map((category) => ({
      rule: 'R1',
      title: 't',
      category,
      severity: 'low',
      score: 1,
      evidence: [],
      evidenceCut: 0,
      fact: 'text',
      tags: { owasp: [], atlas: [], cwe: [] },
      layers: [],
      exemptable: true,
    })),
    nonExemptableBlock: draw(2) === 0,
    hot: draw(2) === 0,
  };
}

/** What plain Cedar says, in the words of `judgeCedar`. */
function plainly(policySet: PolicySet, asked: CedarQuestion): readonly string[] {
  const call = cedarCall(asked, chainsOf(asked));
  // The call is JSON; the types of Cedar's glue are mutable.
  const answer = isAuthorized({ ...call, policies: policySet } as unknown as AuthorizationCall);
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) return diagnostics.errors.map(({ policyId }) => `policy.cedar_error ${policyId}`).toSorted();
  if (decision === 'allow') return [];
  if (diagnostics.reason.length > 0) return diagnostics.reason.map((id) => `policy.cedar_forbid ${id}`).toSorted();
  return asked.action.kind === 'prompt.input' ? [] : ['policy.cedar_no_permit'];
}

function indexedly(policy: CompiledPolicy, asked: CedarQuestion): readonly string[] {
  if (policy.cedar === undefined) throw new Error('the section is gone');
  return judgeCedar(policy.cedar, asked)
    .map(({ code, text }) => (code === 'policy.cedar_no_permit' ? code : `${code} ${/policy (\S+)/.exec(text)?.[1] ?? ''}`))
    .toSorted();
}

describe('the prepared sets', () => {
  it(
    `POL-240 answer as plain Cedar with all policies does (${String(REQUESTS)} requests, seed ${String(SEED)})`,
    { timeout: 3_600_000 },
    () => {
      const draw = generator(SEED);
      const outcomes = new Map<string, number>();
      for (let left = REQUESTS; left > 0;) {
        const policy = policies(draw);
        const entries = policy.resolved.cedar?.policies ?? [];
        const policySet: PolicySet = { staticPolicies: Object.fromEntries(entries.map(({ id, compiled }) => [id, compiled])) };
        for (let round = 0; round < 1000 && left > 0; round += 1, left -= 1) {
          const asked = question(draw);
          const expected = plainly(policySet, asked);
          expect(indexedly(policy, asked)).toEqual(expected);
          const outcome = expected[0]?.split(' ')[0] ?? 'allow';
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
        expect(policy.cedar?.decisions.shards).toBeGreaterThan(3);
      }
      // Each kind of answer was among them, or the comparison says little.
      expect([...outcomes.keys()].toSorted()).toEqual(['allow', 'policy.cedar_error', 'policy.cedar_forbid', 'policy.cedar_no_permit']);
    },
  );
});
