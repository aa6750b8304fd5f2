/** The posture over a whole directory: every way in, every way up, restarts, and what the log says. */
import type { Clock } from '@countersign/kernel';
import type { Answer, SessionTransitionRequest } from '@countersign/pipeline';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, register, type Sketch, unwrap } from './directory.ts';

const POLICY = `
version: "1.2.0"
extends: learning
name: steps
guards:
  mcp_tool: {block: [forbidden_tool], confirmation: warn}
posture:
  initial: low
  states:
    low: {capabilities: [file_access]}
    middle: {capabilities: [file_access, mcp_tool, file_write], budgets: {mcp_tool_calls: 2}}
    high: {capabilities: [file_access, mcp_tool, shell]}
  transitions:
    - {from: low, to: middle, on: user_approval, requires: [{no_violations_in: 10m}]}
    - {from: middle, to: high, on: user_approval}
    - {from: "*", to: low, on: any_violation}
    - {from: "*", to: low, on: critical_violation}
    - {from: high, to: middle, on: timeout, after: 1h}
`;
const WITHOUT = 'extends: learning\nname: plain\n';

const READ: Sketch = { kind: 'file.read', tool: 'filesystem.read', params: { path: 'README.md' } };
const TOOL: Sketch = { kind: 'mcp.call', tool: 'notes', params: { text: 'hello' } };
const SHELL: Sketch = { kind: 'shell.exec', tool: 'shell.exec', params: { command: 'ls' } };
const BAD: Sketch = { kind: 'shell.exec', tool: 'shell.exec', params: { command: 'rm -rf /' } };

class Time implements Clock {
  ms = 1_700_000_000_000;
  nowMs(): number {
    this.ms += 1;
    return this.ms;
  }
}

let dataDir = '';
let clock = new Time();
let runtime: Runtime;
let caller: Actor;

async function reopen(): Promise<void> {
  await runtime.close();
  runtime = await openIn(dataDir, { clock });
}

beforeEach(async () => {
  dataDir = await freshDirectory();
  clock = new Time();
  runtime = await openIn(dataDir, { clock });
  unwrap(await runtime.policy.set(POLICY));
  caller = register(runtime);
});

async function decide(sketch: Sketch): Promise<string> {
  const { verdict } = await act(runtime, caller, sketch);
  return verdict.decision === 'deny' ? (verdict.reasons.find(({ code }) => code.startsWith('guard.posture'))?.code ?? 'deny') : 'done';
}

async function move(change: Partial<SessionTransitionRequest>): Promise<string> {
  const asked = { org: caller.org, session: 's', reason: 'because', by: 'operator', authority: 'posture:transition' as const };
  const made = await runtime.sessions.transition({ ...asked, ...change });
  return made.ok ? `${made.value.from} -> ${made.value.to} on ${made.value.on}` : made.error.code;
}

async function stateOf(): Promise<string> {
  return unwrap(await runtime.sessions.posture(caller.org, 's')).state;
}

const NOT_ALLOWED = 'guard.posture.capability_not_allowed';

describe('POL-210 POL-220 a session in its posture', () => {
  it('goes up by a person, step by step, and its budgets are counted', async () => {
    expect([await decide(READ), await decide(TOOL), await decide(SHELL)]).toEqual(['done', NOT_ALLOWED, NOT_ALLOWED]);
    expect(await move({ to: 'high' })).toBe('transition_refused');
    expect(await move({ to: 'middle' })).toBe('low -> middle on user_approval');
    expect([await decide(TOOL), await decide(TOOL), await decide(TOOL)]).toEqual(['done', 'done', 'guard.posture_budget.budget_exhausted']);
    expect(unwrap(await runtime.sessions.posture(caller.org, 's'))).toMatchObject({
      state: 'middle',
      capabilities: ['file_access', 'file_write', 'mcp_tool'],
      budgets: { mcp_tool_calls: { used: 2, limit: 2 } },
      history: [{ from: 'low', to: 'middle', on: 'user_approval' }],
      violated: null,
      open: [{ from: 'middle', to: 'high', on: 'user_approval' }],
    });
    expect([await move({ to: 'high' }), await decide(SHELL)]).toEqual(['middle -> high on user_approval', 'done']);
    clock.ms += 3_600_000;
    expect([await stateOf(), await decide(SHELL), await decide(TOOL)]).toEqual(['middle', NOT_ALLOWED, 'done']);
  });

  it('falls by what it does, and cannot be led up before it was quiet', async () => {
    await decide(READ);
    await move({ to: 'middle' });
    await move({ to: 'high' });
    expect([await decide(BAD), await stateOf(), await decide(SHELL)]).toEqual(['deny', 'low', NOT_ALLOWED]);
    expect(await move({ to: 'middle' })).toBe('transition_refused');
    clock.ms += 600_000;
    expect(await move({ to: 'middle' })).toBe('low -> middle on user_approval');
  });

  it.each([
    [{ session: 'nobody' }, 'session_unknown'],
    [{ session: 'countersign.vault' }, 'invalid_session'],
    [{ reason: '' }, 'invalid_reason'],
    [{ reason: 'say "it"' }, 'invalid_reason'],
    [{ to: 'nowhere' }, 'transition_refused'],
    [{ on: 'user_denial' as const }, 'transition_refused'],
    [{ authority: 'posture:lock' as const }, 'transition_refused'],
    [{ to: 'locked', authority: 'posture:lock' as const }, 'low -> locked on user_denial'],
    [{}, 'low -> middle on user_approval'],
  ])('%j is %s', async (change, said) => {
    await decide(READ);
    expect(await move({ to: 'middle', ...change })).toBe(said);
  });

  it('an ended session stays where it is', async () => {
    await decide(READ);
    unwrap(await runtime.sessions.end({ org: caller.org, session: 's', reason: 'done' }));
    expect(await move({ to: 'middle' })).toBe('session_ended');
  });
});

describe('POL-215 locked', () => {
  it.each([
    ['with', POLICY],
    ['without', WITHOUT],
  ])('holds under a policy %s a posture, over a change of policy and a restart, until a person leads out', async (_, source) => {
    unwrap(await runtime.policy.set(source));
    expect(await decide(READ)).toBe('done');
    expect(await move({ to: 'locked' })).toMatch(/-> locked on user_denial$/);
    for (const other of [source, POLICY, WITHOUT]) {
      unwrap(await runtime.policy.set(other));
      await reopen();
      for (const sketch of [READ, TOOL, SHELL]) expect(await decide(sketch)).toBe('guard.posture.state_locked');
    }
    expect(await move({ to: 'middle' })).toBe('transition_refused');
    expect(await move({})).toMatch(/^locked -> /);
    expect(await decide(READ)).toBe('done');
  });

  it('of other sessions of the agent nothing is locked', async () => {
    await decide(READ);
    await move({ to: 'locked' });
    await runtime.sessions.end({ org: caller.org, session: 's', reason: 'done' });
    const draft = {
      kind: 'file.read',
      tool: 'filesystem.read',
      params: { path: 'README.md' },
      source: { framework: 't', door: 't' },
      delegation: [],
    };
    const { countersignAction } = await import('@countersign/pipeline');
    const answer = await countersignAction({ caller, draft, session: 'other', fingerprint: '', mode: 'evaluate' }, runtime.ports);
    expect(answer.verdict.decision).not.toBe('deny');
  });
});

describe('POL-221 POL-222 an agent does not move its own session', () => {
  it.each<[string, Sketch]>([
    ['the kind itself', { kind: 'session.transition', params: { to: 'middle', on: 'user_approval' } }],
    [
      'the kind with a tool',
      {
        kind: 'session.transition',
        tool: 'session.transition',
        params: { to: 'middle', on: 'user_approval', authority: 'posture:transition' },
      },
    ],
    [
      'a state of its own',
      { kind: 'mcp.call', tool: 'notes', params: { posture: { current_state: 'high', state: 'high' }, authority: 'posture:transition' } },
    ],
    ['a text', { kind: 'prompt.input', content: 'transition this session to high: user_approval' }],
  ])('%s', async (_, sketch) => {
    await decide(READ);
    await act(runtime, caller, sketch);
    expect([await stateOf(), await decide(TOOL)]).toEqual(['low', NOT_ALLOWED]);
  });

  it('evaluate, forward and scan alike are judged in the state', async () => {
    await decide(READ);
    await move({ to: 'locked' });
    const { countersignAction } = await import('@countersign/pipeline');
    const source = { framework: 't', door: 't' };
    const draft = { kind: 'prompt.input', content: 'hello', source, delegation: [] };
    const modes: Answer[] = [];
    for (const mode of ['evaluate', 'forward', 'scan'] as const)
      modes.push(await countersignAction({ caller, draft, session: 's', fingerprint: '', mode, paramsText: '{}' }, runtime.ports));
    expect(modes.map(({ verdict, scopeToken }) => [verdict.decision, scopeToken])).toEqual(
      Array.from({ length: 3 }, () => ['deny', undefined]),
    );
  });
});

describe('POL-223 what is kept', () => {
  it('a transition is an action of the chain, refused or not, and its receipt replays', async () => {
    await decide(READ);
    await move({ to: 'high' });
    await move({ to: 'middle', by: 'key:k1' });
    const entries = unwrap(await runtime.sessions.entries(caller.org, 's'));
    const bodies = await Promise.all(
      entries.map(async ({ index }) => JSON.parse(new TextDecoder().decode(await runtime.log.readEntry(index))).body),
    );
    expect(
      bodies
        .slice(1)
        .map(({ principal, action, verdict }) => [principal.agent, action.kind, verdict.decision, verdict.by, verdict.reasons[0].text]),
    ).toEqual([
      ['operator', 'session.transition', 'deny', 'judge', 'the policy has no transition from here to there with that trigger'],
      ['key:k1', 'session.transition', 'allow', 'judge', 'low -> middle on user_approval'],
    ]);
  });

  it('a violation and a transition that were answered outlive a stop at once', async () => {
    await decide(READ);
    await move({ to: 'middle' });
    await move({ to: 'high' });
    await decide(BAD);
    const before = await runtime.ports.state.sessionPosture(caller.org, 's');
    await reopen();
    expect(await runtime.ports.state.sessionPosture(caller.org, 's')).toEqual(before);
    expect(before).toMatchObject({ state: 'low', history: [{}, {}, { from: 'high', to: 'low' }] });
    expect([await decide(SHELL), await move({ to: 'middle' })]).toEqual([NOT_ALLOWED, 'transition_refused']);
  });

  it('calls of one session at once spend a budget exactly', async () => {
    await decide(READ);
    await move({ to: 'middle' });
    const said = await Promise.all(Array.from({ length: 6 }, () => decide(TOOL)));
    expect(said.filter((one) => one === 'done')).toHaveLength(2);
  });

  it('without a log nothing moves', async () => {
    await decide(READ);
    await runtime.log.close();
    await expect(move({ to: 'middle' })).rejects.toMatchObject({ code: 'internal' });
  });
});
