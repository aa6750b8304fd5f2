import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyEvent } from '@countersign/policy';
import type { Judgement, PostureState } from '@countersign/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI_LIMITS } from '../src/limits.ts';
import { SessionTracker } from '../src/session-tracking.ts';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

const POLICY = `version: "1.5.0"
name: Steps
extends: permissive
guards:
  forbidden_path: {enabled: true}
posture:
  initial: work
  states:
    work: {capabilities: [file_access, file_write], budgets: {file_writes: 2}}
    careful: {capabilities: [file_access]}
    quarantine: {}
  transitions:
    - {from: "*", to: quarantine, on: critical_violation}
    - {from: work, to: careful, on: budget_exhausted}
    - {from: careful, to: work, on: timeout, after: 1h}
`;

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
  write('steps.yaml', POLICY);
});
afterAll(() => world.remove());

function write(name: string, text: string): void {
  writeFileSync(join(world.root, name), text);
}

type Line = readonly [id: string, eventType: string, data: object, time: string | undefined, session?: string];

function events(...lines: readonly Line[]): string {
  return lines
    .map(([eventId, eventType, data, timestamp, sessionId]) => `${JSON.stringify({ eventId, eventType, data, timestamp, sessionId })}\n`)
    .join('');
}

const at = (minutes: number): string => new Date(Date.UTC(2026, 0, 1, 0, minutes)).toISOString();
const WRITE = { type: 'file', path: '/w/a.txt', content: 'x' };
const READ = { type: 'file', path: '/w/a.txt' };
const KEY = { type: 'file', path: '/home/a/.ssh/id_rsa' };

interface Row {
  readonly eventId: string;
  readonly outcome: string;
  readonly decision: { readonly guard: string | null; readonly message: string };
  readonly posture?: {
    readonly state_before: string;
    readonly state_after: string;
    readonly budgets_after: Readonly<Record<string, { readonly used: number; readonly limit: number }>>;
    readonly transitions: readonly { readonly from: string; readonly to: string; readonly trigger: string; readonly at: string }[];
  };
}

async function followed(
  ...options: readonly string[]
): Promise<{ readonly rows: readonly Row[]; readonly answer: Readonly<Record<string, unknown>> }> {
  const { answer } = await world.ask(['policy', 'simulate', 'steps.yaml', 'events.jsonl', '--track-posture', ...options]);
  return { rows: answer['results'] as readonly Row[], answer };
}

describe('POL-285 policy simulate --track-posture', () => {
  it('counts budgets, moves on what is spent, and goes back when the time has come', async () => {
    write(
      'events.jsonl',
      events(
        ['w1', 'file_write', WRITE, at(0), 's'],
        ['w2', 'file_write', WRITE, at(1), 's'],
        ['w3', 'file_write', WRITE, at(2), 's'],
        ['r1', 'file_read', READ, at(3), 's'],
        ['w4', 'file_write', WRITE, at(62), 's'],
      ),
    );
    const { rows, answer } = await followed();
    expect(
      rows.map(({ eventId, outcome, posture }) => `${eventId} ${outcome} ${posture?.state_before ?? ''} ${posture?.state_after ?? ''}`),
    ).toEqual([
      'w1 allowed work work',
      'w2 allowed work careful',
      'w3 blocked careful careful',
      'r1 allowed careful careful',
      'w4 allowed careful work',
    ]);
    expect(rows.map(({ posture }) => posture?.budgets_after)).toEqual([
      { file_writes: { used: 1, limit: 2 } },
      {},
      {},
      {},
      { file_writes: { used: 1, limit: 2 } },
    ]);
    expect(rows[1]?.posture?.transitions).toEqual([{ from: 'work', to: 'careful', trigger: 'budget_exhausted', at: at(1) }]);
    expect(rows[2]?.decision).toMatchObject({ guard: 'posture', message: "action 'file_write' is not allowed in posture state 'careful'" });
    expect(rows[4]?.posture?.transitions).toEqual([{ from: 'careful', to: 'work', trigger: 'timeout', at: at(62) }]);
    expect(answer['posture']).toEqual({
      transitions: 2,
      sessions: [{ session: 's', state: 'work', budgets: { file_writes: { used: 1, limit: 2 } } }],
      sessions_cut: 0,
    });
  });

  it('keeps sessions apart; events without a session are one', async () => {
    write(
      'events.jsonl',
      events(
        ['a', 'file_read', KEY, at(0), 'one'],
        ['b', 'file_read', READ, at(1), 'one'],
        ['c', 'file_read', READ, at(1), 'two'],
        ['d', 'file_read', KEY, at(1)],
        ['e', 'file_read', READ, at(2)],
      ),
    );
    const { rows } = await followed();
    expect(rows.map(({ eventId, outcome, posture }) => `${eventId} ${outcome} ${posture?.state_after ?? ''}`)).toEqual([
      'a blocked quarantine',
      'b blocked quarantine',
      'c allowed work',
      'd blocked quarantine',
      'e blocked quarantine',
    ]);
    const { stdout } = await world.run(['policy', 'simulate', 'steps.yaml', 'events.jsonl', '--track-posture']);
    expect(stdout).toContain('work -> quarantine on critical_violation');
    expect(stdout).toContain('2 transitions; sessions at the end: 2 in quarantine, 1 in work');
    expect(await world.run(['policy', 'simulate', 'steps.yaml', 'events.jsonl', '--track-posture', '--fail-on-deny'])).toMatchObject({
      exitCode: 2,
    });
  });

  it('without the option every event stands alone, at the beginning', async () => {
    const { answer } = await world.ask(['policy', 'simulate', 'steps.yaml', 'events.jsonl']);
    expect(answer['summary']).toEqual({ total: 5, allowed: 3, warn: 0, blocked: 2 });
    expect(answer['posture']).toBeUndefined();
  });

  it('a time that is none is refused, none is that of the event before, and what nobody saw counts nothing', async () => {
    write(
      'events.jsonl',
      events(
        ['a', 'file_write', WRITE, at(0), 's'],
        ['b', 'file_write', WRITE, 'yesterday', 's'],
        ['c', 'file_write', { type: 'file', path: '/w/b' }, at(1), 's'],
        ['d', 'file_read', READ, undefined, 's'],
      ),
    );
    const { rows } = await followed();
    expect(rows.map(({ outcome, decision, posture }) => [outcome, decision.guard, posture?.budgets_after['file_writes']?.used])).toEqual([
      ['allowed', null, 1],
      ['blocked', 'policy_event', undefined],
      ['blocked', 'policy_event', 1],
      ['allowed', null, 1],
    ]);
    expect(rows[1]?.decision.message).toContain('timestamp');
  });

  it('a policy without a posture follows sessions too, and has none to show', async () => {
    write('events.jsonl', events(['a', 'file_read', READ, at(0), 's']));
    const { answer } = await world.ask(['policy', 'simulate', 'default', 'events.jsonl', '--track-posture']);
    expect(answer['posture']).toEqual({ transitions: 0, sessions: [], sessions_cut: 0 });
  });
});

describe('POL-286 sessions that are followed', () => {
  const event = (session: string): PolicyEvent => ({
    id: 'e',
    type: 'file_read',
    time: undefined,
    session,
    action: { kind: 'file.read' },
    resource: { name: 'x', kind: 'file' },
    unseen: undefined,
  });
  const judgementWith = (posture: PostureState): Judgement => ({ delta: { posture } }) as Judgement;
  const state = (history: PostureState['history']): PostureState => ({ n: 1, state: 'a', entered: 0, used: {}, history });

  it('are as many as the limit, and not one more', () => {
    const tracker = new SessionTracker(undefined);
    const moment = { nowMs: 0, state: {} };
    for (let i = 0; i < CLI_LIMITS.trackedSessionsMax; i += 1) tracker.settle(event(String(i)), moment, judgementWith(state([])));
    tracker.settle(event('0'), moment, judgementWith(state([])));
    expect(() => tracker.settle(event('more'), moment, judgementWith(state([])))).toThrow('10000 sessions');
  });

  it('changes are those behind the ones that were there, also where the history forgot some', () => {
    const change = (i: number): PostureState['history'][number] => ({ from: String(i), to: String(i + 1), on: 'timeout', at: i });
    const numbers = (from: number, count: number): PostureState['history'] => Array.from({ length: count }, (_, i) => change(from + i));
    const tracker = new SessionTracker(undefined);
    for (const [before, after, added] of [
      [numbers(0, 0), numbers(0, 2), 2],
      [numbers(0, 2), numbers(0, 2), 0],
      [numbers(0, 8), numbers(3, 8), 3],
      [numbers(0, 8), numbers(20, 8), 8],
    ] as const) {
      const settled = tracker.settle(event('s'), { nowMs: 0, state: { posture: state(before) } }, judgementWith(state(after)));
      expect(settled?.transitions).toEqual(added === 0 ? [] : after.slice(-added));
    }
  });
});

const SUITE = `name: Steps
policy: steps.yaml
suites:
  - name: one session
    tests:
      - name: first
        input: {eventType: file_write, sessionId: s, data: {type: file, path: /w/a, content: x}}
        expect: {allowed: true, posture_state: work, posture_budgets: {file_writes: 1}}
      - name: second
        input: {eventType: file_write, sessionId: s, data: {type: file, path: /w/a, content: x}}
        expect: {posture_state: careful, posture_transition: {from: work, trigger: budget_exhausted}}
      - name: third
        input: {eventType: file_write, sessionId: s, data: {type: file, path: /w/a, content: x}}
        expect: {denied: true, guard: posture}
      - name: alone
        input: {eventType: file_write, data: {type: file, path: /w/a, content: x}}
        expect: {posture_state: work, posture_budgets: {file_writes: 1}}
  - name: another suite
    tests:
      - name: begins anew
        input: {eventType: file_write, sessionId: s, data: {type: file, path: /w/a, content: x}}
        expect: {allowed: true, posture_state: work}
`;

describe('POL-275 expectations of the posture', () => {
  it('are met in the order of a suite, session by session', async () => {
    write('suite.yaml', SUITE);
    const { exitCode, answer } = await world.ask(['policy', 'test', 'suite.yaml']);
    expect(answer['summary']).toEqual({ total: 5, passed: 5, failed: 0 });
    expect(exitCode).toBe(0);
  });

  it('that are not met fail, with what was got', async () => {
    const wrong = SUITE.replace(
      'posture_state: work, posture_budgets: {file_writes: 1}',
      'posture_state: careful, posture_budgets: {file_writes: 2, patches: 0}',
    )
      .replace('from: work, trigger', 'from: careful, trigger')
      .replace('denied: true, guard: posture', 'posture_transition: {to: work}');
    write('wrong.yaml', wrong);
    const { exitCode, answer } = await world.ask(['policy', 'test', 'wrong.yaml']);
    expect(exitCode).toBe(2);
    const tests = answer['tests'] as readonly { readonly problems: readonly string[] }[];
    expect(tests.slice(0, 3).map(({ problems }) => problems)).toEqual([
      [
        'posture_state: expected careful, got work',
        'posture_budgets.file_writes: expected 2, got 1',
        'posture_budgets.patches: expected 0, got none',
      ],
      ['posture_transition: expected careful -> any on budget_exhausted, got work -> careful on budget_exhausted'],
      ['posture_transition: expected any -> work on any, got none'],
    ]);
  });
});
