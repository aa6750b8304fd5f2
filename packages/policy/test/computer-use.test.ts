import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { type Action, type GuardResult, isActionKind, knownCall } from '@countersign/protocol';
import { parsePolicy, policyHash } from '@countersign/policy';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { actionOf, judged, resolved } from './support.ts';

const GUARDS = new Set(['computer_use', 'remote_desktop_side_channel', 'input_injection_capability']);

function ask(policy: string, kind: string, more: Partial<Action> = {}): readonly GuardResult[] {
  return judged(policy, actionOf({ kind, ...more })).filter(({ guard }) => GUARDS.has(guard));
}

function codes(policy: string, kind: string, params?: JsonValue): Readonly<Record<string, string>> {
  const results = ask(policy, kind, params === undefined ? {} : { params });
  return Object.fromEntries(results.map((result) => [result.guard, `${result.allowed ? result.severity : 'denied'} ${result.code}`]));
}

function guards(text: string): string {
  return `guards:\n  ${text}\n`;
}

describe('POL-140 POL-141 computer_use', () => {
  it('by default allows what it knows, and warns of the rest', () => {
    expect(codes('default', 'remote.session.connect')).toEqual({ computer_use: 'info allowed' });
    expect(codes('default', 'remote.session.telepathy')).toMatchObject({ computer_use: 'medium not_in_allowlist' });
  });
  it('a block that lists nothing lists nothing', () => {
    expect(codes(guards('computer_use: {enabled: true}'), 'remote.screen')).toEqual({ computer_use: 'medium not_in_allowlist' });
  });
  it.each([
    ['observe', 'remote.screen', 'medium observed'],
    ['observe', 'remote.session.connect', 'medium observed'],
    ['guardrail', 'remote.screen', 'info allowed'],
    ['guardrail', 'remote.session.connect', 'medium not_in_allowlist'],
    ['fail_closed', 'remote.screen', 'info allowed'],
    ['fail_closed', 'remote.session.connect', 'denied not_in_allowlist'],
  ])('%s says of %s: %s', (mode, kind, said) => {
    const policy = guards(`computer_use: {mode: ${mode}, allowed_actions: [remote.screen]}`);
    expect(codes(policy, kind)).toEqual({ computer_use: said });
    expect(ask(policy, kind)[0]?.details ?? { in_allowlist: true }).toMatchObject({ in_allowlist: kind === 'remote.screen' });
  });
  it('says nothing of other kinds, and nothing when off', () => {
    expect(codes('default', 'tool.call', { a: 1 })).toEqual({});
    expect(codes(guards('computer_use: {enabled: false}'), 'remote.screen')).toEqual({});
  });
});

describe('POL-142 POL-143 remote_desktop_side_channel', () => {
  it.each(['clipboard', 'file_transfer', 'audio', 'drive_mapping', 'printing', 'session_share'])(
    '%s has a switch of its own',
    (channel) => {
      const policy = guards(`remote_desktop_side_channel: {${channel}_enabled: false}`);
      const [, result] = ask(policy, `remote.${channel}`);
      expect(result).toMatchObject({
        allowed: false,
        severity: 'high',
        code: 'channel_disabled',
        details: { channel, reason: 'channel_disabled' },
      });
      expect(codes('default', `remote.${channel}`)['remote_desktop_side_channel']).toBe('info allowed');
    },
  );
  it.each(['remote.telepathy', 'remote.clipboard.read', 'remote.session', 'remote.session.steal'])(
    'refuses %s, which nobody knows',
    (kind) => {
      expect(codes('remote-desktop-permissive', kind)['remote_desktop_side_channel']).toBe('denied unknown_channel_type');
    },
  );
  const limited = guards('remote_desktop_side_channel: {max_transfer_size_bytes: 1000}');
  it.each<[JsonObject, string]>([
    [{ transfer_size: 1000 }, 'info allowed'],
    [{ transferSize: 0 }, 'info allowed'],
    [{ transfer_size: 1001 }, 'denied transfer_size_exceeded'],
    [{ transferSize: 1001 }, 'denied transfer_size_exceeded'],
    [{}, 'denied missing_transfer_size'],
    [{ transfer_size: null }, 'denied missing_transfer_size'],
    [{ transfer_size: '10' }, 'denied invalid_transfer_size_type'],
    [{ transfer_size: -1 }, 'denied invalid_transfer_size_type'],
    [{ transfer_size: 1.5 }, 'denied invalid_transfer_size_type'],
    [{ transfer_size: true }, 'denied invalid_transfer_size_type'],
    [{ transfer_size: 10, transferSize: 5000 }, 'denied ambiguous_transfer_size'],
  ])('with a limit, a transfer of %j is %s', (params, said) => {
    expect(codes(limited, 'remote.file_transfer', params)['remote_desktop_side_channel']).toBe(said);
  });
  it('a size that no double holds is too large, and no text is a number', () => {
    const huge = { params: { transfer_size: '18446744073709551615' } };
    const exact = ask(limited, 'remote.file_transfer', { ...huge, exactNumbers: ['/params/transfer_size'] });
    expect(exact[1]).toMatchObject({ code: 'transfer_size_exceeded' });
    expect(ask(limited, 'remote.file_transfer', huge)[1]).toMatchObject({ code: 'invalid_transfer_size_type' });
  });
  it('without a limit a transfer need not say its size', () => {
    expect(codes('remote-desktop-permissive', 'remote.clipboard', {})['remote_desktop_side_channel']).toBe('info allowed');
    expect(codes('default', 'remote.file_transfer', {})['remote_desktop_side_channel']).toBe('info allowed');
  });
});

describe('POL-144 input_injection_capability', () => {
  const probing = guards('input_injection_capability: {require_postcondition_probe: true}');
  it.each<[string, JsonValue, string]>([
    ['default', { input_type: 'keyboard' }, 'info allowed'],
    ['default', { inputType: 'touch' }, 'info allowed'],
    ['default', { input_type: 'mouse', inputType: 'mouse' }, 'info allowed'],
    ['default', { input_type: 'mouse', inputType: 'keyboard' }, 'denied ambiguous_input_type'],
    ['default', {}, 'denied missing_input_type'],
    ['default', [], 'denied missing_input_type'],
    ['default', { input_type: '' }, 'denied missing_input_type'],
    ['default', { input_type: 3 }, 'denied input_type_not_allowed'],
    ['default', { input_type: 'Keyboard' }, 'denied input_type_not_allowed'],
    ['remote-desktop', { input_type: 'touch' }, 'denied input_type_not_allowed'],
    [probing, { input_type: 'mouse' }, 'denied missing_postcondition_probe'],
    [probing, { input_type: 'mouse', postcondition_probe_hash: ' ' }, 'denied missing_postcondition_probe'],
    [probing, { input_type: 'mouse', postconditionProbeHash: 7 }, 'denied missing_postcondition_probe'],
    [probing, { input_type: 'mouse', postcondition_probe_hash: 'a', postconditionProbeHash: 'b' }, 'denied ambiguous_postcondition_probe'],
    [probing, { input_type: 'mouse', postconditionProbeHash: 'sha256:00' }, 'info allowed'],
  ])('%s: %j is %s', (policy, params, said) => {
    expect(codes(policy, 'input.inject', params)['input_injection_capability']).toBe(said);
  });
  it('refuses every other input, whatever computer_use says', () => {
    expect(codes('remote-desktop-permissive', 'input.replay', { input_type: 'mouse' })['input_injection_capability']).toBe(
      'denied unknown_input_action',
    );
  });
});

describe('POL-149 calls of computer-use tools', () => {
  it.each<[string, JsonObject, string, string | undefined]>([
    ['computer', { action: 'left_click', coordinate: [10, 20] }, 'input.inject', 'mouse'],
    ['computer', { action: 'left_click_drag', coordinate: [10, 20] }, 'input.inject', 'mouse'],
    ['computer', { action: 'scroll', scroll_direction: 'down', scroll_amount: 3 }, 'input.inject', 'mouse'],
    ['computer', { action: 'key', text: 'ctrl+s' }, 'input.inject', 'keyboard'],
    ['computer', { action: 'hold_key', text: 'shift', duration: 1 }, 'input.inject', 'keyboard'],
    ['computer_20250124', { action: 'type', text: 'hello' }, 'input.inject', 'keyboard'],
    ['computer', { action: 'screenshot' }, 'remote.screen', undefined],
    ['computer', { action: 'cursor_position' }, 'remote.screen', undefined],
    ['computer', { action: 'wait', duration: 2 }, 'remote.screen', undefined],
    ['computer_call', { action: { type: 'click', button: 'left', x: 1, y: 2 } }, 'input.inject', 'mouse'],
    ['computer_call', { action: { type: 'drag', path: [{ x: 1, y: 2 }] } }, 'input.inject', 'mouse'],
    ['computer_call', { action: { type: 'keypress', keys: ['CTRL', 'C'] } }, 'input.inject', 'keyboard'],
    ['Computer-Use-Preview', { action: { type: 'screenshot' } }, 'remote.screen', undefined],
    // What is not understood has a kind that no judge knows.
    ['computer', { action: 'reboot' }, 'custom.computer.reboot', undefined],
    ['computer', { action: 'Left_Click' }, 'custom.computer.Left_Click', undefined],
    ['computer', { action: 'a b/c' }, 'custom.computer.a?b?c', undefined],
    ['computer', { action: 'x'.repeat(40) }, `custom.computer.${'x'.repeat(32)}`, undefined],
    ['computer', {}, 'custom.computer.malformed', undefined],
    ['computer_call', { action: { button: 'left' } }, 'custom.computer.malformed', undefined],
    ['computer_call', { action: { type: 'wait' }, actions: [{ type: 'type', text: 'x' }] }, 'custom.computer.several', undefined],
  ])('%s %j is %s %s', (...[tool, params, kind, device]) => {
    const call = knownCall(tool, params);
    expect([call.kind, isActionKind(call.kind)]).toEqual([kind, !kind.startsWith('custom.')]);
    expect(call.params).toEqual(device === undefined ? params : { ...params, input_type: device });
  });
  it('params that are no object are refused, other tools are as they were', () => {
    expect(knownCall('computer', 'left_click').kind).toBe('custom.computer.malformed');
    expect(knownCall('computer', ['left_click']).kind).toBe('custom.computer.malformed');
    expect(knownCall('Bash', { command: 'ls' })).toEqual({ kind: 'shell.exec', tool: 'shell.exec', params: { command: 'ls' } });
  });
  it('a call cannot say that it is another device', () => {
    expect(codes('default', 'input.inject', knownCall('computer', { action: 'key', text: 'a', input_type: 'mouse' }).params)).toMatchObject(
      {
        input_injection_capability: 'info allowed',
      },
    );
    const mouseOnly = guards('input_injection_capability: {allowed_input_types: [mouse]}');
    const typed = knownCall('computer', { action: 'key', text: 'a', input_type: 'mouse' }).params;
    expect(codes(mouseOnly, 'input.inject', typed)['input_injection_capability']).toBe('denied input_type_not_allowed');
    const other = knownCall('computer', { action: 'key', text: 'a', inputType: 'mouse' }).params;
    expect(codes(mouseOnly, 'input.inject', other)['input_injection_capability']).toBe('denied ambiguous_input_type');
  });
});

describe('POL-146 rulesets', () => {
  it('strict takes away what the others leave open', () => {
    expect(codes('remote-desktop', 'remote.audio')).toEqual({
      computer_use: 'info allowed',
      remote_desktop_side_channel: 'info allowed',
    });
    expect(codes('remote-desktop-strict', 'remote.audio')).toEqual({ computer_use: 'denied not_in_allowlist' });
    expect(codes('remote-desktop-strict', 'remote.session.reconnect')).toEqual({ computer_use: 'denied not_in_allowlist' });
    expect(codes('remote-desktop-permissive', 'remote.clipboard')['remote_desktop_side_channel']).toBe('info allowed');
    expect(codes('remote-desktop', 'remote.clipboard')['remote_desktop_side_channel']).toBe('denied channel_disabled');
  });
  it('POL-147 a guard that says its defaults is absent, so that hashes do not change', () => {
    expect(resolved('default').guards).not.toHaveProperty('computer_use');
    const spelled = guards('input_injection_capability: {enabled: true, allowed_input_types: [keyboard, mouse, touch]}');
    expect(policyHash(resolved(spelled))).toBe(policyHash(resolved('guards: {}\n')));
    expect(resolved('remote-desktop').guards.remote_desktop_side_channel).toMatchObject({ max_transfer_size_bytes: 104_857_600 });
  });
});

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const why = present ? '' : ` (skipped: no fixtures at ${archive}; set COUNTERSIGN_SHARED)`;

function fixture(path: string): string {
  return present ? execFileSync('tar', ['xzOf', archive, `./${path}`], { encoding: 'utf8' }) : '';
}

interface MatrixCase {
  readonly id: string;
  readonly query: { readonly threat_tier: string; readonly mode: string; readonly feature: string };
  readonly expected: { readonly result: string; readonly decision?: string; readonly guard?: string; readonly policy_event?: string };
}

/** What our guard says to one cell, in the words of the matrix. */
function cell(tier: string, mode: string, feature: string): string {
  const policy = guards(`computer_use: {mode: ${mode}}\n  remote_desktop_side_channel: {threat_tier: ${tier}}`);
  if (!parsePolicy(policy, 'cell').ok) return 'fail';
  const result = ask(policy, `remote.${feature}`).find(({ guard }) => guard === 'remote_desktop_side_channel');
  if (result?.code === 'unknown_channel_type') return 'fail';
  if (result?.code === 'requires_approval' && !result.allowed) return 'require_approval';
  return result?.allowed === true ? 'allow' : 'deny';
}

describe.skipIf(!present)(`POL-145 the remote desktop matrix of the original${why}`, () => {
  const { cases } = present
    ? (JSON.parse(fixture('fixtures/policy-events/remote-desktop/v1/cases.json')) as { readonly cases: readonly MatrixCase[] })
    : { cases: [] };
  it.each(cases.map((one) => [one.id, one] as const))('%s', (_, { query, expected }) => {
    expect(cell(query.threat_tier, query.mode, query.feature)).toBe(expected.result === 'fail' ? 'fail' : expected.decision);
    if (expected.policy_event !== undefined) expect(expected.policy_event).toBe(`remote.${query.feature}`);
  });
  it('agrees in every cell', () => {
    const matrix = parse(fixture('docs/roadmaps/cua/research/remote_desktop_policy_matrix.yaml')) as {
      readonly threat_tiers: Readonly<Record<string, { readonly modes: Readonly<Record<string, Readonly<Record<string, string>>>> }>>;
    };
    const cells = Object.entries(matrix.threat_tiers).flatMap(([tier, { modes }]) =>
      Object.entries(modes).flatMap(([mode, features]) =>
        Object.entries(features).map(([feature, decision]) => [`${tier} ${mode} ${feature}`, decision, cell(tier, mode, feature)] as const),
      ),
    );
    expect(cells).toHaveLength(54);
    expect(cells.filter(([, theirs, ours]) => theirs !== ours)).toEqual([]);
  });
});

interface Flow {
  readonly preflight: {
    readonly policy_event: string;
    readonly guard_checks: readonly { readonly guard: string }[];
    readonly metadata_requirements?: { readonly direction?: string };
  };
}

/** What an action of a flow carries so that each guard of its row has something to look at. */
const FLOW_PARAMS: Readonly<Record<string, JsonObject>> = {
  connect: { host: 'desk.example' },
  input: { input_type: 'keyboard' },
  clipboard_read: { direction: 'read' },
  clipboard_write: { direction: 'write' },
  file_transfer_upload: { direction: 'upload', path: '/home/u/report.txt' },
  file_transfer_download: { direction: 'download', path: '/home/u/report.txt', url: 'https://files.example/report.txt' },
};

describe.skipIf(!present)(`POL-148 every flow of computer use is seen by the guards that the original names${why}`, () => {
  const mapping = present
    ? (parse(fixture('docs/roadmaps/cua/research/policy_event_mapping.yaml')) as { readonly flow_mappings: Readonly<Record<string, Flow>> })
    : { flow_mappings: {} };
  const suite = present
    ? (parse(fixture('docs/roadmaps/cua/research/cua_policy_evaluation_suite.yaml')) as {
        readonly action_stage_map: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
      })
    : { action_stage_map: {} };
  it.each(Object.entries(mapping.flow_mappings))('%s', (flow, { preflight }) => {
    const seen = judged('default', actionOf({ kind: preflight.policy_event, params: FLOW_PARAMS[flow] ?? {} })).map(({ guard }) => guard);
    expect(seen).toEqual(expect.arrayContaining(preflight.guard_checks.map(({ guard }) => guard)));
    expect(seen).toEqual(expect.arrayContaining(Object.values(suite.action_stage_map[flow] ?? {}).flat()));
  });
  it('covers nine flows', () => expect(Object.keys(mapping.flow_mappings)).toHaveLength(9));
});
