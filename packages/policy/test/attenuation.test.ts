import type { JsonValue } from '@countersign/kernel';
import type { Action, Facts } from '@countersign/protocol';
import {
  compilePolicy,
  type CompiledPolicy,
  evaluateGuards,
  GUARD_NAMES,
  type PolicyDocument,
  type PolicyFault,
  type ResolvedPolicy,
  resolvePolicy,
  thresholdsFor,
  widenings,
} from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlays, TOOLS } from './overlays.ts';
import { actionOf, compiled, documentOf, readVectors, resolved, rulesets, understanding, unfold } from './support.ts';

/** How many overlays are made: 2,000 in `npm test`; COUNTERSIGN_OVERLAYS=100000 for the long run. */
const OVERLAYS = Number(process.env['COUNTERSIGN_OVERLAYS'] ?? '2000');
const hostSets = new Map<string, readonly string[]>();

function laid(child: string, parent: string): { readonly policy?: ResolvedPolicy; readonly faults: readonly PolicyFault[] } {
  const known = new Map<string, PolicyDocument>([...rulesets, ['default', documentOf(parent, 'parent')]]);
  const policy = resolvePolicy(documentOf(child, 'child'), { rulesets: known, hostSets });
  return policy.ok ? { policy: policy.value, faults: [] } : { faults: policy.error };
}

/** The paths of the fields that would be wider. */
function wider(guards: string, parent = 'extends: ai-agent\n'): readonly (string | undefined)[] {
  const { faults } = laid(`extends: default\nattenuate_only: true\n${guards}`, parent);
  expect(faults.every((fault) => fault.code === 'policy_attenuation')).toBe(true);
  return faults.map((fault) => fault.path);
}

const PARENT = `extends: ai-agent
guards:
  path_allowlist: {file_access_allow: ["/srv/**", "/data/a.txt"], file_write_allow: ["/srv/out/**"]}
  egress_allowlist: {block: ["bad.example"], default_action: log}
  secret_leak: {additional_patterns: [{name: ticket, pattern: "TCK-[0-9]{6}", severity: error, luhn_check: true}], remove_patterns: [jwt]}
  patch_integrity: {require_balance: true}
  shell_command: {unparsed: block, forbidden_patterns: ["^sudo"]}
  mcp_tool: {allow: [read_file, list_files], confirmation: block, default_action: block}
settings:
  tool_thresholds: [{tool: "db.*", flag: 100, block: 200}, {tool: "*", flag: 250, block: 600}]
  session_timeout_secs: 100
detection: {paranoia_level: 2, disable: [R042], scores: {R123: 0.4}}
`;

/** Here a confirmation is a way past the lists. */
const OPENING = 'guards: {mcp_tool: {allow: [read_file], require_confirmation: [], confirmation: warn}}\n';

describe('POL-110 POL-111 attenuate_only, one row a field', () => {
  const rows: readonly (readonly [path: string, tighter: string, wider: string])[] = [
    ['guards.forbidden_path.enabled', '{enabled: true}', '{enabled: false}'],
    ['guards.forbidden_path.patterns', '{additional_patterns: ["**/x/**"]}', '{remove_patterns: ["**/.ssh/**"]}'],
    ['guards.forbidden_path.exceptions', '{exceptions: ["**/.env.example"]}', '{exceptions: ["**/id_rsa.pub"]}'],
    ['guards.path_allowlist.enabled', '{enabled: true}', '{enabled: false}'],
    [
      'guards.path_allowlist.file_access_allow',
      '{file_access_allow: ["/srv/src/**", "/srv/x"]}',
      '{file_access_allow: ["/srv/**", "/etc/hosts"]}',
    ],
    ['guards.path_allowlist.file_access_allow', '{file_access_allow: ["/data/a.txt"]}', '{file_access_allow: ["/srv/../etc/**"]}'],
    ['guards.path_allowlist.patch_allow', '{patch_allow: ["/srv/out/a"]}', '{patch_allow: ["/srv/in/**"]}'],
    ['guards.egress_allowlist.enabled', '{}', '{enabled: false}'],
    ['guards.egress_allowlist.allow', '{allow: ["api.openai.com", "*.eu.openai.com"]}', '{additional_allow: ["*.com"]}'],
    ['guards.egress_allowlist.allow', '{remove_allow: ["github.com"]}', '{additional_allow: ["evilopenai.com"]}'],
    ['guards.egress_allowlist.block', '{block: ["*.example", "bad.example"]}', '{remove_block: ["bad.example"]}'],
    ['guards.egress_allowlist.default_action', '{default_action: block}', '{default_action: allow}'],
    ['guards.secret_leak.enabled', '{}', '{enabled: false}'],
    ['guards.secret_leak.redact', '{redact: true}', '{redact: false}'],
    ['guards.secret_leak.severity_threshold', '{severity_threshold: warning}', '{severity_threshold: critical}'],
    [
      'guards.secret_leak.patterns',
      '{additional_patterns: [{name: own, pattern: "OWN-[0-9]{6}"}]}',
      '{additional_patterns: [{name: own, pattern: "OWN-[0-9]{6}", severity: info}]}',
    ],
    [
      'guards.secret_leak.patterns',
      '{additional_patterns: [{name: ticket, pattern: "TCK-[0-9]{6}"}]}',
      '{additional_patterns: [{name: ticket, pattern: "TCK-[0-9]{7}"}]}',
    ],
    ['guards.secret_leak.skip_paths', '{skip_paths: ["**/test/**"]}', '{skip_paths: ["**/src/**"]}'],
    ['guards.patch_integrity.max_additions', '{max_additions: 2000}', '{max_additions: 2001}'],
    ['guards.patch_integrity.max_deletions', '{max_deletions: 0}', '{max_deletions: 1001}'],
    ['guards.patch_integrity.require_balance', '{require_balance: true}', '{require_balance: false}'],
    ['guards.patch_integrity.max_imbalance_ratio', '{max_imbalance_ratio: 2}', '{max_imbalance_ratio: 21}'],
    ['guards.shell_command.forbidden_patterns', '{forbidden_patterns: ["^su", "^sudo"]}', '{forbidden_patterns: ["^su$"]}'],
    ['guards.shell_command.enforce_forbidden_paths', '{enforce_forbidden_paths: true}', '{enforce_forbidden_paths: false}'],
    ['guards.shell_command.unparsed', '{unparsed: block}', '{unparsed: warn}'],
    ['guards.mcp_tool.allow', '{allow: [read-file]}', '{additional_allow: [write_file]}'],
    ['guards.mcp_tool.block', '{additional_block: [x]}', '{remove_block: [shell_exec]}'],
    [
      'guards.mcp_tool.require_confirmation',
      '{require_confirmation: [git_push, deploy, publish, x]}',
      '{require_confirmation: [git_push]}',
    ],
    ['guards.mcp_tool.default_action', '{default_action: block}', '{default_action: allow}'],
    ['guards.mcp_tool.max_args_size', '{max_args_size: 10}', '{max_args_size: 2097153}'],
    ['guards.mcp_tool.confirmation', '{confirmation: block}', '{confirmation: warn}'],
  ];
  it.each(rows.map((row) => [row[0], ...row] as const))('%s', (...[, path, tight, wide]) => {
    const guard = path.split('.')[1] ?? '';
    expect(wider(`guards: {${guard}: ${tight}}\n`, PARENT)).toEqual([]);
    expect(wider(`guards: {${guard}: ${wide}}\n`, PARENT)).toEqual([path]);
  });

  const sections: readonly (readonly [path: string, tighter: string, wider: string])[] = [
    ['settings.session_timeout_secs', 'settings: {session_timeout_secs: 100, fail_fast: true}', 'settings: {session_timeout_secs: 101}'],
    ['settings.thresholds', 'settings: {thresholds: {flag: 1, block: 700}}', 'settings: {thresholds: {block: 701}}'],
    [
      'settings.tool_thresholds',
      'settings: {tool_thresholds: [{tool: x, flag: 1, block: 1}, {tool: "DB.*", flag: 100, block: 200}, {tool: "*", flag: 250, block: 600}]}',
      'settings: {tool_thresholds: [{tool: "*", flag: 250, block: 600}, {tool: "db.*", flag: 100, block: 200}]}',
    ],
    ['settings.tool_thresholds', 'settings: {}', 'settings: {tool_thresholds: []}'],
    ['settings.unregistered_tools', 'settings: {unregistered_tools: refuse}', 'settings: {unregistered_tools: warn}'],
    ['detection.paranoia_level', 'detection: {paranoia_level: 3}', 'detection: {paranoia_level: 1}'],
    ['detection.disable', 'detection: {disable: []}', 'detection: {disable: [R042, R043]}'],
    ['detection.scores', 'detection: {scores: {R123: 0.5, R7: 1}}', 'detection: {scores: {R7: 0.99}}'],
    ['detection.scores', 'detection: {scores: {R123: 0.4}}', 'detection: {scores: {R123: 0.3}}'],
  ];
  it.each(sections.map((row) => [row[0], ...row] as const))('%s', (...[, path, tight, wide]) => {
    expect(wider(`${tight}\n`, PARENT)).toEqual([]);
    expect(wider(`${wide}\n`, PARENT)).toEqual([path]);
  });

  it('says both values, and where the child says it', () => {
    const { faults } = laid('extends: default\nattenuate_only: true\nguards:\n  mcp_tool:\n    confirmation: warn\n', PARENT);
    expect(faults).toMatchObject([{ path: 'guards.mcp_tool.confirmation', source: 'child', line: 5, column: 5 }]);
    expect(faults[0]?.message).toBe('would be wider than what it extends: from `"block"` to `"warn"`');
  });

  it('adding a confirmation that only warns opens what the lists close', () => {
    const parent = 'guards: {mcp_tool: {allow: [read_file], confirmation: warn}}\n';
    expect(wider('guards: {mcp_tool: {require_confirmation: [deploy, file_write, file_delete, git_push]}}\n', parent)).toEqual([
      'guards.mcp_tool.require_confirmation',
    ]);
  });

  it('emptying an allow list opens it where the default allows', () => {
    const parent = 'guards: {mcp_tool: {allow: [read_file]}}\n';
    expect(wider('merge_strategy: merge\nguards: {mcp_tool: {allow: []}}\n', parent)).toContain('guards.mcp_tool.allow');
  });

  it('a guard that was off may be switched on with any lists', () => {
    expect(wider('guards: {path_allowlist: {file_access_allow: ["/x"]}}\n', 'extends: strict\n')).toEqual([]);
  });

  it('a section without a row must stay as it is', () => {
    const parent = resolved('strict');
    const unknown = {
      ...parent,
      guards: { ...parent.guards, later: { enabled: false } },
      later: { initial: 'x' },
    };
    expect(widenings(parent, unknown).map((one) => one.path)).toEqual(['guards.later', 'later']);
    const field = { ...parent, settings: { ...parent.settings, later: 1 } };
    expect(widenings(parent, field).map((one) => one.path)).toEqual(['settings.later']);
  });

  it.each(['replace', 'merge'])('%s does not get around it', (strategy) => {
    const text = `merge_strategy: ${strategy}\nguards: {shell_command: {unparsed: warn}}\nsettings: {}\n`;
    expect(wider(text, 'extends: strict\n')).toContain('guards.shell_command.unparsed');
  });
});

describe('POL-112 attenuate_only holds for all heirs', () => {
  const parent = 'extends: strict\nattenuate_only: true\n';
  it('without saying it again', () => {
    expect(laid('extends: default\nguards: {egress_allowlist: {enabled: false}}\n', parent).faults).toMatchObject([
      { code: 'policy_attenuation', path: 'guards.egress_allowlist.enabled' },
    ]);
    expect(laid('extends: default\nguards: {egress_allowlist: {block: [a.example]}}\n', parent).faults).toEqual([]);
  });
  it('and cannot be switched off', () => {
    expect(laid('extends: default\nattenuate_only: false\n', parent).faults).toMatchObject([
      { code: 'policy_attenuation', path: 'attenuate_only', line: 2 },
    ]);
  });
  it('but says nothing of a document that extends nothing', () => {
    const alone = resolvePolicy(documentOf('attenuate_only: true\nguards: {egress_allowlist: {enabled: false}}\n'), { rulesets, hostSets });
    expect(alone.ok).toBe(true);
  });
});

interface Case {
  readonly kind: string;
  readonly tool?: string;
  readonly params?: JsonValue;
  readonly content?: JsonValue;
}
interface Sample {
  readonly action: Action;
  readonly facts: Facts;
}

function sampleOf(one: Case): Sample {
  const content = one.content === undefined ? undefined : unfold(one.content);
  const action = actionOf({
    kind: one.kind,
    ...(one.tool !== undefined && { tool: one.tool }),
    ...(one.params !== undefined && { params: unfold(one.params) }),
    ...(typeof content === 'string' && { content }),
  });
  return { action, facts: understanding.understand(action, []) };
}

const HOSTS = ['api.openai.com', 'eu.openai.com', 'github.com', 'bad.example', 'x.bad.example', 'other.example'];
const PATHS = ['/srv/a.txt', '/srv/out/b.txt', '/data/a.txt', '/etc/hosts', '/srv/test/c.ts', '/home/u/.ssh/id_rsa', '/srv/.env.example'];
const SHELLS = ['ls', 'sudo ls', 'su root', 'cat /etc/shadow', 'cat /srv/test/x', 'if then', 'curl https://other.example'];

/** Cases of the guards, and actions near the values that the overlays change. */
function samples(): { readonly cases: readonly Sample[]; readonly near: readonly Sample[] } {
  const { cases } = readVectors('guards.json') as { readonly cases: readonly Case[] };
  const ticket = ['TCK-', '123456'].join('');
  const near = [
    ...TOOLS.map((tool) => ({ kind: 'tool.call', tool, params: { a: 'x'.repeat(20) } })),
    ...HOSTS.map((host) => ({ kind: 'net.egress', params: { host } })),
    ...PATHS.flatMap((path) => [
      { kind: 'file.read', params: { path } },
      { kind: 'file.write', params: { path, content: `id ${ticket}` } },
      { kind: 'file.patch', params: { path, patch: '--- a\n+++ b\n@@ -1 +1,2 @@\n-x\n+y\n+z\n' } },
    ]),
    ...SHELLS.map((command) => ({ kind: 'shell.exec', params: { command } })),
  ].map(sampleOf);
  return { cases: cases.map(sampleOf), near };
}

function textOf(overlay: Readonly<Record<string, JsonValue>>, more: Readonly<Record<string, JsonValue>>): string {
  return JSON.stringify({ ...overlay, ...more });
}

/** A step towards the edge: an overlay of few fields, so that many pass and many do not. `guard` undefined: of any guard. */
function thin(
  overlay: Readonly<Record<string, JsonValue>>,
  picks: readonly number[],
  guard: string | undefined,
): Readonly<Record<string, JsonValue>> {
  const guards = Object.entries((overlay['guards'] ?? {}) as Readonly<Record<string, Readonly<Record<string, JsonValue>>>>);
  const fields = guards
    .filter(([name]) => guard === undefined || name === guard)
    .flatMap(([name, block]) => Object.entries(block).map(([field, value]) => [name, field, value] as const));
  const kept: Record<string, Record<string, JsonValue>> = {};
  for (const pick of picks) {
    const field = fields[pick % Math.max(1, fields.length)];
    if (field !== undefined) kept[field[0]] = { ...kept[field[0]], [field[1]]: field[2] };
  }
  const { settings = {}, merge_strategy: strategy = 'deep_merge' } = overlay;
  return { merge_strategy: strategy, guards: kept, ...(guard === undefined && { settings }) };
}

function refuses(policy: CompiledPolicy, { action, facts }: Sample): boolean {
  return evaluateGuards(policy, { action, facts, state: {} }).some((result) => !result.allowed);
}

function compile(policy: ResolvedPolicy): CompiledPolicy {
  const done = compilePolicy(policy);
  if (!done.ok) throw new Error(done.error[0]?.message);
  return done.value;
}

describe(`POL-113 over ${String(OVERLAYS)} overlays (COUNTERSIGN_OVERLAYS sets how many)`, () => {
  const { cases, near } = samples();
  const parents = ['extends: strict\n', 'extends: ai-agent\n', 'extends: permissive\n', 'extends: cicd\n', PARENT, OPENING];
  const ready = new Map(parents.map((text) => [text, compiled(text)]));
  const made = fc.tuple(overlays(), fc.array(fc.nat(), { maxLength: 5 })).map(([overlay, picks]) => thin(overlay, picks, undefined));
  const parentTexts = fc.oneof(
    fc.constantFrom(...parents),
    made.map((overlay) => textOf(overlay, { extends: 'permissive', merge_strategy: 'deep_merge' })),
  );

  it('what the parent refuses, no child that is accepted allows', { timeout: 3_600_000 }, () => {
    const seen = { accepted: 0, refused: 0 };
    const property = fc.property(
      parentTexts,
      overlays(),
      fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
      fc.constantFrom<string | undefined>(undefined, ...GUARD_NAMES),
      fc.array(fc.nat(cases.length - 1), { minLength: 8, maxLength: 8 }),
      (...[parentText, whole, picks, focus, places]) => {
        const { policy } = laid(textOf(thin(whole, picks, focus), { extends: 'default', attenuate_only: true }), parentText);
        seen[policy === undefined ? 'refused' : 'accepted'] += 1;
        if (policy === undefined) return;
        const [parent, child] = [ready.get(parentText) ?? compile(resolved(parentText)), compile(policy)];
        for (const sample of [...near, ...places.flatMap((place) => cases[place] ?? [])]) {
          if (refuses(parent, sample) && !refuses(child, sample)) expect({ widened: sample.action }).toBeUndefined();
        }
        for (const tool of ['db.x', 'db.y', 'read', 'z', undefined]) {
          const [before, after] = [thresholdsFor(parent, tool), thresholdsFor(child, tool)];
          expect(after.flag <= before.flag && after.block <= before.block).toBe(true);
        }
      },
    );
    fc.assert(property, { numRuns: OVERLAYS, seed: 20_261_126, endOnFailure: true });
    // Both sides of the edge are visited.
    expect(seen.accepted).toBeGreaterThan(OVERLAYS / 5);
    expect(seen.refused).toBeGreaterThan(OVERLAYS / 5);
  });

  it('the samples are refused and allowed in good number', () => {
    const strict = compiled('strict');
    const all = [...cases, ...near];
    const count = all.filter((sample) => refuses(strict, sample)).length;
    expect(count).toBeGreaterThan(20);
    expect(all.length - count).toBeGreaterThan(20);
  });
});
