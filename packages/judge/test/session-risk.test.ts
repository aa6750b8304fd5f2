import type { Action, Judgement, StateSlice } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { openScored } from './scored.ts';

const scored = await openScored();

function prompt(content: string): Action {
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    kind: 'prompt.input',
    content,
    source: { framework: 'test', door: 'test' },
    org: 'org',
    agent: 'agent',
    session: 'session',
    delegation: [],
  };
}

/** Second `n` of a day. */
function at(n: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `2026-01-02T${two(Math.floor(n / 3600))}:${two(Math.floor(n / 60) % 60)}:${two(n % 60)}.000Z`;
}

/** The same text at each of these times, with the state that the deltas make. */
function say(text: string, times: readonly number[]): readonly Judgement[] {
  let state: StateSlice = {};
  return times.map((time) => {
    const judged = scored.judge(prompt(text), { state, now: at(time) });
    const { sessionRisk } = judged.delta;
    if (sessionRisk !== undefined) state = { sessionRisk: Math.max(sessionRisk, state.sessionRisk ?? 0) };
    return judged;
  });
}

describe('POL-158 the rolling risk of a session', () => {
  // Suspicious for the guard, and nothing that a rule alone refuses.
  const text = 'Explain how one can jailbreak a phone, and which store restrictions people bypass: their region rules.';

  it('grows with what is suspicious until the session is refused, and fades with recorded time', () => {
    const quick = say(text, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(quick[0]?.verdict.decision).toBe('warn');
    expect(quick.at(-1)?.verdict).toMatchObject({ decision: 'deny' });
    expect(quick.at(-1)?.verdict.reasons.map(({ code }) => code)).toContain('guard.jailbreak_detection.jailbreak_session');
    const slow = say(text, [0, 3000, 6000, 9000, 12_000, 15_000, 18_000, 21_000, 24_000, 27_000]);
    expect(slow.map(({ verdict }) => verdict.decision)).toEqual(slow.map(() => 'warn'));
  });

  it('is no part of the delta of ordinary talk', () => {
    expect(scored.judge(prompt('What is the capital of Norway?')).delta).toEqual({ sessionCalls: 1 });
  });
});
