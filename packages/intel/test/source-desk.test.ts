import { describe, expect, test } from 'vitest';
import type { AskJson, HttpAnswer, Unavailable } from '../src/ask-json.ts';
import { INTEL_LIMITS } from '../src/limits.ts';
import { type DeskLimits, type Inquiry, SourceDesk } from '../src/source-desk.ts';
import { StillWorld } from './local-source.ts';

const FINE: HttpAnswer = { ok: true, status: 200, value: { fine: true } };
const fails = (why: Unavailable): HttpAnswer => ({ ok: false, why });

function about(key: string): Inquiry {
  return { key, question: { method: 'GET', path: `/${key}`, headers: {}, statuses: [200] }, read: ({ value }) => value };
}

interface Bed {
  readonly desk: SourceDesk;
  readonly world: StillWorld;
  readonly asked: string[];
}

/** Answers in the order given; the last one again and again. */
function bed(limits: Partial<DeskLimits>, ...answers: readonly HttpAnswer[]): Bed {
  const world = new StillWorld();
  const asked: string[] = [];
  const ask: AskJson = ({ path }) => {
    asked.push(path);
    return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] ?? FINE);
  };
  return { desk: new SourceDesk(ask, { timeoutMs: 1000, ...limits }, world), world, asked };
}

/** Lets everything run that does not wait for time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

describe('POL-188 cache', () => {
  const cache = { ttlMs: 1000, charsMax: 100 };

  test('an answer is good until it is too old', async () => {
    const { desk, world, asked } = bed({ cache });
    expect(await desk.ask(about('a'))).toEqual({ ok: true, value: { fine: true }, cached: false });
    world.pass(999);
    expect(await desk.ask(about('a'))).toEqual({ ok: true, value: { fine: true }, cached: true });
    world.pass(1);
    expect(await desk.ask(about('a'))).toMatchObject({ cached: false });
    expect(asked.length).toBe(2);
  });

  test('a clock that was set back is not believed', async () => {
    const { desk, world } = bed({ cache });
    await desk.ask(about('a'));
    world.now -= 1;
    expect(await desk.ask(about('a'))).toMatchObject({ cached: false });
  });

  test('that there was no answer is not kept', async () => {
    const { desk, asked } = bed({ cache }, fails('source_failed'), FINE);
    expect(await desk.ask(about('a'))).toEqual({ ok: false, why: 'source_failed' });
    expect(await desk.ask(about('a'))).toMatchObject({ ok: true, cached: false });
    expect(asked.length).toBe(2);
  });

  test('what was not asked for longest goes first, and what is too large is not kept', async () => {
    // A key of 10 and 13 characters of an answer: four fit into 100.
    const { desk } = bed({ cache });
    const keys = ['1', '2', '3', '4'].map((digit) => digit.repeat(10));
    for (const key of keys) await desk.ask(about(key));
    expect(await desk.ask(about(keys[0] ?? ''))).toMatchObject({ cached: true });
    await desk.ask(about('5'.repeat(10)));
    expect(await desk.ask(about(keys[0] ?? ''))).toMatchObject({ cached: true });
    expect(await desk.ask(about(keys[1] ?? ''))).toMatchObject({ cached: false });
    await desk.ask(about('x'.repeat(88)));
    expect(await desk.ask(about('x'.repeat(88)))).toMatchObject({ cached: false });
  });
});

describe('POL-189 rate, breaker, retries, deadline', () => {
  test('so many at once, then one each interval', async () => {
    const { desk, world } = bed({ rate: { intervalMs: 500, burst: 2 } });
    const ask = async (key: string): Promise<boolean> => (await desk.ask(about(key))).ok;
    expect([await ask('a'), await ask('b'), await ask('c')]).toEqual([true, true, false]);
    expect(await desk.ask(about('c'))).toEqual({ ok: false, why: 'rate_limited' });
    world.pass(499);
    expect(await ask('d')).toBe(false);
    world.pass(1);
    expect([await ask('e'), await ask('f')]).toEqual([true, false]);
    world.pass(1_000_000);
    expect([await ask('g'), await ask('h'), await ask('i')]).toEqual([true, true, false]);
    world.now -= 1_000_000;
    expect(await ask('j')).toBe(false);
  });

  const breaker = { failureThreshold: 2, resetTimeoutMs: 1000, successThreshold: 2 };

  test('failures in a row open the circuit, and answers close it', async () => {
    const { desk, world, asked } = bed({ breaker }, fails('source_failed'), FINE, fails('source_failed'), fails('answer_not_json'), FINE);
    for (const key of ['a', 'b', 'c', 'd']) await desk.ask(about(key));
    expect(await desk.ask(about('e'))).toEqual({ ok: false, why: 'circuit_open' });
    world.pass(999);
    expect(await desk.ask(about('f'))).toEqual({ ok: false, why: 'circuit_open' });
    expect(asked.length).toBe(4);
    world.pass(1);
    // One at a time until it is closed again.
    const [first, second] = await Promise.all([desk.ask(about('g')), desk.ask(about('h'))]);
    expect([first, second]).toMatchObject([{ ok: true }, { ok: false, why: 'circuit_open' }]);
    expect(await desk.ask(about('i'))).toMatchObject({ ok: true });
    expect(await Promise.all([desk.ask(about('j')), desk.ask(about('k'))])).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test('a failure while it is tried opens it again, and a clock that was set back starts the pause anew', async () => {
    const { desk, world } = bed({ breaker }, fails('unreachable'));
    for (const key of ['a', 'b']) await desk.ask(about(key));
    world.pass(1000);
    expect(await desk.ask(about('c'))).toEqual({ ok: false, why: 'unreachable' });
    expect(await desk.ask(about('d'))).toEqual({ ok: false, why: 'circuit_open' });
    world.now -= 5000;
    expect(await desk.ask(about('e'))).toEqual({ ok: false, why: 'circuit_open' });
    world.pass(1000);
    expect(await desk.ask(about('f'))).toEqual({ ok: false, why: 'unreachable' });
  });

  test('a trial that our own limit stops does not block the next one', async () => {
    const { desk, world, asked } = bed({ breaker, rate: { intervalMs: 100_000, burst: 2 } }, fails('unreachable'));
    for (const key of ['a', 'b']) await desk.ask(about(key));
    world.pass(1000);
    expect(await desk.ask(about('c'))).toEqual({ ok: false, why: 'rate_limited' });
    world.pass(100_000);
    expect(await desk.ask(about('d'))).toEqual({ ok: false, why: 'unreachable' });
    expect(asked.length).toBe(3);
  });

  const retry = { retriesMax: 2, initialBackoffMs: 100, backoffMsMax: 150, multiplier: 2 };

  test('what may pass is asked again, later each time', async () => {
    const { desk, world, asked } = bed({ retry }, fails('source_failed'), fails('unreachable'), FINE);
    const answer = desk.ask(about('a'));
    await settle();
    world.pass(75);
    await settle();
    expect(asked.length).toBe(2);
    world.pass(112);
    await settle();
    expect(asked.length).toBe(2);
    world.pass(1);
    expect(await answer).toMatchObject({ ok: true });
    expect(world.waits).toEqual([1000, 75, 113]);
    expect(world.pending).toBe(0);
  });

  test.each(['not_authorized', 'answer_unknown_form', 'answer_not_json', 'unexpected_status', 'answer_too_large'] as const)(
    '%s is not asked again',
    async (why) => {
      const { desk, asked } = bed({ retry }, fails(why), FINE);
      expect(await desk.ask(about('a'))).toEqual({ ok: false, why });
      expect(asked.length).toBe(1);
    },
  );

  test('the deadline ends a pause', async () => {
    const slow = { ...retry, initialBackoffMs: 5000, backoffMsMax: 5000 };
    const { desk, world, asked } = bed({ retry: slow }, fails('unreachable'));
    const answer = desk.ask(about('a'));
    await settle();
    world.pass(1000);
    expect(await answer).toEqual({ ok: false, why: 'timeout' });
    expect(asked.length).toBe(1);
    expect(world.pending).toBe(0);
  });

  test('the deadline ends a question', async () => {
    const world = new StillWorld();
    const ask: AskJson = (_question, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(fails('timeout')));
      });
    const desk = new SourceDesk(ask, { timeoutMs: 1000 }, world);
    const answer = desk.ask(about('a'));
    world.pass(1000);
    expect(await answer).toEqual({ ok: false, why: 'timeout' });
  });

  test('the same question is asked once at a time, and only so many', async () => {
    const world = new StillWorld();
    const waiting: (() => void)[] = [];
    const ask: AskJson = () => new Promise((resolve) => waiting.push(() => resolve(FINE)));
    const desk = new SourceDesk(ask, { timeoutMs: 1000 }, world);
    const answers = Array.from({ length: INTEL_LIMITS.questionsMax }, (_, i) => desk.ask(about(String(i))));
    const twice = desk.ask(about('0'));
    expect(await desk.ask(about('one more'))).toEqual({ ok: false, why: 'busy' });
    expect(waiting.length).toBe(INTEL_LIMITS.questionsMax);
    for (const release of waiting) release();
    expect((await Promise.all([...answers, twice])).every((answer) => answer.ok)).toBe(true);
    const after = desk.ask(about('one more'));
    await settle();
    waiting.at(-1)?.();
    expect(await after).toMatchObject({ ok: true });
  });
});
