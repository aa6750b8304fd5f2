/**
 * The cases of `policy-mapping` and `policy-evaluation` of the original, one by one, as events of the hushd door: each holds, or is listed with
 * what it rests on that is not so here.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { readPolicyEvent } from '@countersign/policy';
import { type GuardResult, isActionKind } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { actionOf, judged } from './support.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const why = present ? '' : ` (skipped: no fixtures at ${archive}; set COUNTERSIGN_SHARED)`;

function casesOf(suite: string): readonly unknown[] {
  if (!present) return [];
  const path = `./fixtures/policy-events/${suite}/v1/cases.json`;
  return (JSON.parse(execFileSync('tar', ['xzOf', archive, path], { encoding: 'utf8' })) as { readonly cases: readonly unknown[] }).cases;
}

/** A flow of the original as the event that it sends. */
const FLOWS: Readonly<Record<string, readonly [type: string, data: JsonObject]>> = {
  connect: ['remote.session.connect', { host: 'desk.example' }],
  input: ['input.inject', { input_type: 'keyboard', postcondition_probe_hash: 'sha256:00' }],
  clipboard_read: ['remote.clipboard', { direction: 'read' }],
  clipboard_write: ['remote.clipboard', { direction: 'write' }],
  file_transfer_upload: ['remote.file_transfer', { direction: 'upload', path: '/home/u/report.txt' }],
  file_transfer_download: ['remote.file_transfer', { direction: 'download', path: '/home/u/a.txt', url: 'https://files.example/a.txt' }],
  session_share: ['remote.session_share', {}],
  reconnect: ['remote.session.reconnect', {}],
  disconnect: ['remote.session.disconnect', {}],
};

function eventOf(flow: string, more: JsonObject = {}, beside: JsonObject = {}): JsonValue {
  const [eventType, data] = FLOWS[flow] ?? [flow, {}];
  return {
    eventId: 'e',
    eventType,
    timestamp: '2026-01-01T00:00:00Z',
    data: { type: 'cua', cuaAction: flow, ...data, ...more },
    ...beside,
  };
}

/** What the guards say of an event; the code of the fault where it is none. */
function ask(policy: string, event: JsonValue): readonly GuardResult[] | string {
  const read = readPolicyEvent(event);
  return read.ok ? judged(policy, actionOf(read.value.action)) : read.error.code;
}

function names(results: readonly GuardResult[] | string): readonly string[] {
  return typeof results === 'string' ? [results] : results.map(({ guard }) => guard);
}

interface MappingCase {
  readonly id: string;
  readonly query: { readonly flow: string; readonly side_effect?: string };
  readonly expected: {
    readonly result: string;
    readonly policy_event?: string;
    readonly guards?: readonly string[];
    readonly required_guard?: string;
    readonly required_artifact?: string;
  };
}

/** Side effects have names in a document of the original only. What an event says of its own adds nothing and takes nothing away. */
const SAYS_OF_ITSELF: ReadonlySet<string> = new Set(['unknown_side_effect_fails_closed', 'flow_side_effect_mismatch_fails_closed']);

describe.skipIf(!present)(`POL-148 policy-mapping${why}`, () => {
  const cases = casesOf('policy-mapping') as readonly MappingCase[];
  it('has nine cases', () => expect(cases).toHaveLength(9));

  it.each(cases.map((one) => [one.id, one] as const))('%s', (id, { query, expected }) => {
    const { flow, side_effect: effect } = query;
    if (SAYS_OF_ITSELF.has(id)) {
      expect(ask('default', eventOf(flow, { side_effect: effect ?? '' }))).toEqual(ask('default', eventOf(flow)));
      return;
    }
    if (expected.result === 'fail') {
      expect(ask('default', eventOf(flow))).toBe('event_type_unknown');
      return;
    }
    const { policy_event: kind, guards = [], required_guard: guard, required_artifact: artifact } = expected;
    const event = eventOf(flow, artifact === undefined ? {} : { [artifact]: 'sha256:11' });
    // An artifact stands in the action, so the receipt commits to it. The audit event of the original is the receipt itself.
    expect(readPolicyEvent(event)).toMatchObject({
      ok: true,
      value: { action: { kind, params: artifact === undefined ? {} : { [artifact]: 'sha256:11' } } },
    });
    expect(names(ask('default', event))).toEqual(expect.arrayContaining(guard === undefined ? [...guards] : [...guards, guard]));
  });
});

interface EvaluationCase {
  readonly id: string;
  readonly query: {
    readonly action: string;
    readonly context: { readonly enforcement_mode?: string };
    readonly approval: JsonObject | null;
    readonly override_stage_map?: JsonObject;
  };
  readonly expected: { readonly result: string; readonly stages_resolved: Readonly<Record<string, readonly string[]>> | null };
}

/** A policy with the mode of the case, that allows every flow. */
function open(mode: string): string {
  const actions = Object.values(FLOWS).map(([type]) => type);
  return `guards:\n  computer_use: {mode: ${mode}, allowed_actions: [${actions.join(', ')}]}\n  egress_allowlist: {default_action: allow}\n`;
}

/** Where a transfer needs an approval. */
const GUARDED = 'guards:\n  computer_use: {mode: observe}\n  remote_desktop_side_channel: {threat_tier: dev}\n';

/** Cases that rest on something of the client's which nobody here believes, or which cannot be. */
const RESTS_ON: Readonly<Record<string, 'approval' | 'override' | 'context'>> = {
  // The client says what the evidence, the policy and even the time is now; whoever asks could approve of itself. Here only a human with the
  // permission moves a session (POL-220), so a token of any kind changes nothing.
  expired_approval_fails_closed: 'approval',
  approval_digest_mismatch_fails_closed: 'approval',
  // The query says which guards look at it. Here nothing in an action configures anything.
  unresolved_stage_fails_closed: 'override',
  // Session and agent are of the key that asks, never of the event: there is no decision without them (HUSHD-014, VER-002).
  missing_policy_context_fails_closed: 'context',
};

describe.skipIf(!present)(`POL-145 POL-148 policy-evaluation${why}`, () => {
  const cases = casesOf('policy-evaluation') as readonly EvaluationCase[];
  it('has nine cases, and those listed are among them', () => {
    expect(cases).toHaveLength(9);
    expect(cases.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(RESTS_ON)));
  });

  it.each(cases.map((one) => [one.id, one] as const))('%s', (id, { query, expected }) => {
    const { action, approval, context, override_stage_map: override } = query;
    const rests = RESTS_ON[id];
    if (rests === 'approval') {
      const plain = ask(GUARDED, eventOf(action));
      expect(plain).toContainEqual(expect.objectContaining({ allowed: false, code: 'requires_approval' }));
      expect(ask(GUARDED, eventOf(action, { approval }, { approval, context: { approval } }))).toEqual(plain);
    } else if (rests !== undefined) {
      const claimed = { context: { ...context }, ...(override === undefined ? {} : { override_stage_map: override }) };
      expect(ask('default', eventOf(action, claimed, claimed))).toEqual(ask('default', eventOf(action)));
      expect(names(ask('default', eventOf(action)))).toContain('computer_use');
    } else if (expected.result === 'fail') {
      expect(ask('default', eventOf(action))).toBe('event_type_unknown');
      expect(isActionKind(`custom.${action}`)).toBe(false);
    } else {
      const results = ask(open(context.enforcement_mode ?? 'fail_closed'), eventOf(action, approval === null ? {} : { approval }));
      expect(names(results)).toEqual(expect.arrayContaining(Object.values(expected.stages_resolved ?? {}).flat()));
      expect(typeof results === 'string' ? [results] : results.filter(({ allowed }) => !allowed)).toEqual([]);
    }
  });
});
