/** Asking for guards, on a clock and a timer of the test's own. */
import { CodedError, err, type JsonValue, ok } from '@countersign/kernel';
import { ASYNC_DEFAULTS, type AsyncSettings } from '@countersign/policy';
import { type GuardAnswer, PROTOCOL_LIMITS } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { type Adapter, INTEL_LIMITS, openOutside, type Outside } from '../src/index.ts';

/** Time that moves when it is told to; whatever is due then runs. */
class World {
  ms = 1_000_000;
  readonly #due: { readonly at: number; readonly work: () => void }[] = [];
  readonly clock = { nowMs: () => this.ms };
  readonly timer = {
    after: (ms: number, work: () => void): (() => void) => {
      const entry = { at: this.ms + ms, work };
      this.#due.push(entry);
      return () => {
        const at = this.#due.indexOf(entry);
        if (at >= 0) this.#due.splice(at, 1);
      };
    },
  };

  get waiting(): readonly number[] {
    return this.#due.map(({ at }) => at - this.ms);
  }

  /** To the next thing that is due. */
  next(): void {
    const [first] = this.#due.toSorted((a, b) => a.at - b.at);
    if (first === undefined) throw new Error('nothing is due');
    this.#due.splice(this.#due.indexOf(first), 1);
    this.ms = first.at;
    first.work();
  }
}

/** Lets everything run that waits for nothing. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

function fault(code: string): CodedError {
  return new CodedError({ code, message: 'a server said something with a secret in it' });
}

class Server implements Adapter {
  asked = 0;
  readonly signals: AbortSignal[] = [];
  answer: (ask: JsonValue) => Promise<JsonValue> = (ask) => Promise.resolve({ echo: ask });

  ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
    this.asked += 1;
    this.signals.push(signal);
    return this.answer(ask);
  }
}

const never = new Promise<never>(() => undefined);

function keyOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0');
}

class Desk {
  readonly world = new World();
  readonly server = new Server();
  readonly outside: Outside;

  constructor(settings: Partial<AsyncSettings> = {}) {
    const asked = { settings: { ...ASYNC_DEFAULTS, ...settings }, adapter: this.server };
    this.outside = openOutside(new Map([['g', asked]]), this.world);
  }

  async ask(...names: readonly string[]): Promise<readonly GuardAnswer[]> {
    return this.outside.answers(names.map((name) => ({ guard: 'g', key: keyOf(name), ask: name })));
  }

  async said(name: string): Promise<string> {
    const [answer] = await this.ask(name);
    return answer?.status === 'ok' ? JSON.stringify(answer.answer) : (answer?.reason ?? 'none');
  }
}

const NO_CACHE = { cache: { enabled: false, ttl_seconds: 3600, max_size_mb: 64 } };

describe('POL-180 every question gets an answer', () => {
  it('in the order of the questions, each by its guard', async () => {
    const desk = new Desk();
    expect(await desk.ask('a', 'b')).toEqual(
      ['a', 'b'].map((name) => ({ guard: 'g', key: keyOf(name), status: 'ok', answer: { echo: name } })),
    );
    const stranger = { guard: 'other', key: keyOf('a'), ask: 'a' };
    expect(await desk.outside.answers([stranger])).toEqual([
      { guard: 'other', key: keyOf('a'), status: 'unavailable', reason: 'no_adapter' },
    ]);
  });

  it('late is no answer, for all tries together, whatever the one that is asked makes of the signal', async () => {
    const desk = new Desk({ timeout_ms: 700, ...NO_CACHE });
    desk.server.answer = () => never;
    const said = desk.said('a');
    await settle();
    expect(desk.world.waiting).toEqual([700]);
    desk.world.next();
    expect(await said).toBe('timeout');
    expect(desk.server.signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('a failure is told by a code of ours, and by nothing that somebody else wrote', async () => {
    const desk = new Desk(NO_CACHE);
    const failures: unknown[] = [fault('unauthorized'), fault('Bad Code'), fault('x'.repeat(41)), new TypeError('x'), 'thrown', undefined];
    const said: string[] = [];
    for (const failure of failures) {
      desk.server.answer = () => Promise.reject(failure);
      said.push(await desk.said('a'));
    }
    expect(said).toEqual(['unauthorized', 'failed', 'failed', 'failed', 'failed', 'failed']);
  });

  it('one that is as long as answers may be, and no longer', async () => {
    const desk = new Desk(NO_CACHE);
    desk.server.answer = () => Promise.resolve('x'.repeat(PROTOCOL_LIMITS.guardAnswerCharsMax - 2));
    expect((await desk.said('a')).length).toBe(PROTOCOL_LIMITS.guardAnswerCharsMax);
    desk.server.answer = () => Promise.resolve('x'.repeat(PROTOCOL_LIMITS.guardAnswerCharsMax - 1));
    expect(await desk.said('a')).toBe('answer_too_large');
  });

  it('so many at once, and no more', async () => {
    const desk = new Desk();
    desk.server.answer = () => never;
    for (let i = 0; i < INTEL_LIMITS.asksMax; i += 1) void desk.ask(`q${i}`);
    await settle();
    expect(desk.server.asked).toBe(INTEL_LIMITS.asksMax);
    expect(await desk.said('one more')).toBe('overloaded');
  });

  it('one after another where the policy says so', async () => {
    const desk = new Desk({ execution_mode: 'sequential' });
    let release: (answer: JsonValue) => void = () => undefined;
    desk.server.answer = () => new Promise((resolve) => (release = resolve));
    const answers = desk.ask('a', 'b');
    await settle();
    expect(desk.server.asked).toBe(1);
    release(1);
    await settle();
    expect(desk.server.asked).toBe(2);
    release(2);
    expect((await answers).map((answer) => answer.status)).toEqual(['ok', 'ok']);
  });
});

describe('POL-181 what spares the one that is asked', () => {
  it('an answer is kept for its time, a failure never', async () => {
    const desk = new Desk({ cache: { enabled: true, ttl_seconds: 10, max_size_mb: 1 } });
    desk.server.answer = () => Promise.reject(fault('server_error'));
    await desk.said('a');
    desk.server.answer = (ask) => Promise.resolve(ask);
    expect([await desk.said('a'), await desk.said('a'), desk.server.asked]).toEqual(['"a"', '"a"', 2]);
    desk.world.ms += 9999;
    await desk.said('a');
    expect(desk.server.asked).toBe(2);
    desk.world.ms += 1;
    await desk.said('a');
    expect(desk.server.asked).toBe(3);
  });

  it('as much is kept as the policy says, the oldest goes first', async () => {
    const desk = new Desk({ cache: { enabled: true, ttl_seconds: 10, max_size_mb: 1 } });
    desk.server.answer = () => Promise.resolve('x'.repeat(400_000));
    await desk.ask('a', 'b');
    await desk.ask('a', 'b');
    expect(desk.server.asked).toBe(2);
    await desk.ask('c');
    await desk.ask('b', 'c');
    expect(desk.server.asked).toBe(3);
    await desk.ask('a');
    expect(desk.server.asked).toBe(4);
  });

  it('so many answers are kept, and no more', async () => {
    const desk = new Desk({ execution_mode: 'sequential' });
    desk.server.answer = () => Promise.resolve(1);
    const names = Array.from({ length: INTEL_LIMITS.cachedMax }, (_, i) => `n${i}`);
    await desk.ask(...names);
    await desk.ask('n0');
    expect(desk.server.asked).toBe(names.length);
    await desk.ask('more', 'n1', 'n0');
    expect(desk.server.asked).toBe(names.length + 2);
  });

  it('`defer` takes the last answer to the same question, however old, and none where there is none', async () => {
    const desk = new Desk({ on_timeout: 'defer', cache: { enabled: true, ttl_seconds: 1, max_size_mb: 1 } });
    await desk.said('a');
    desk.world.ms += 1_000_000;
    desk.server.answer = () => Promise.reject(fault('unreachable'));
    expect([await desk.said('a'), await desk.said('b')]).toEqual(['{"echo":"a"}', 'unreachable']);
    const denies = new Desk({ cache: { enabled: true, ttl_seconds: 1, max_size_mb: 1 } });
    await denies.said('a');
    denies.world.ms += 1_000_000;
    denies.server.answer = desk.server.answer;
    expect(await denies.said('a')).toBe('unreachable');
  });

  it('a rate is kept, and fills again with time', async () => {
    const desk = new Desk({ ...NO_CACHE, rate_limit: { requests_per_minute: 6, burst: 2 } });
    expect([await desk.said('a'), await desk.said('b'), await desk.said('c')]).toEqual(['{"echo":"a"}', '{"echo":"b"}', 'rate_limited']);
    desk.world.ms += 9999;
    expect(await desk.said('d')).toBe('rate_limited');
    desk.world.ms += 1;
    expect([await desk.said('e'), await desk.said('f')]).toEqual(['{"echo":"e"}', 'rate_limited']);
    desk.world.ms -= 5000;
    expect(await desk.said('g')).toBe('rate_limited');
    const second = new Desk({ ...NO_CACHE, rate_limit: { requests_per_second: 1, burst: 1 } });
    await second.said('a');
    second.world.ms += 1000;
    expect(await second.said('b')).toBe('{"echo":"b"}');
  });

  it('one that fails is left alone, proves itself, and is left alone again where it does not', async () => {
    const circuit_breaker = { failure_threshold: 2, reset_timeout_ms: 1000, success_threshold: 2 };
    const desk = new Desk({ ...NO_CACHE, circuit_breaker });
    const fails = (): Promise<never> => Promise.reject(fault('unreachable'));
    const works = (): Promise<JsonValue> => Promise.resolve(1);
    desk.server.answer = fails;
    expect([await desk.said('a'), await desk.said('a'), await desk.said('a')]).toEqual(['unreachable', 'unreachable', 'breaker_open']);
    desk.world.ms += 1000;
    expect([await desk.said('a'), await desk.said('a')]).toEqual(['unreachable', 'breaker_open']);
    desk.world.ms += 1000;
    desk.server.answer = works;
    expect([await desk.said('a'), await desk.said('a')]).toEqual(['1', '1']);
    desk.server.answer = fails;
    expect([await desk.said('a'), await desk.said('a'), await desk.said('a')]).toEqual(['unreachable', 'unreachable', 'breaker_open']);
  });

  it('what may pass by itself is tried again, with longer waits, and the rest is not', async () => {
    const retry = { max_retries: 2, initial_backoff_ms: 100, max_backoff_ms: 150, multiplier: 2 };
    const desk = new Desk({ ...NO_CACHE, timeout_ms: 10_000, retry });
    desk.server.answer = () => Promise.reject(fault('too_many_requests'));
    const said = desk.said('a');
    await settle();
    expect(desk.world.waiting).toEqual([10_000, 117]);
    desk.world.next();
    await settle();
    expect(desk.world.waiting).toEqual([9883, 184]);
    desk.world.next();
    expect([await said, desk.server.asked]).toEqual(['too_many_requests', 3]);
    desk.server.answer = () => Promise.reject(fault('unauthorized'));
    expect([await desk.said('a'), desk.server.asked]).toEqual(['unauthorized', 4]);
  });

  it('no try begins after the time is over', async () => {
    const retry = { max_retries: 5, initial_backoff_ms: 400, max_backoff_ms: 2000, multiplier: 2 };
    const desk = new Desk({ ...NO_CACHE, timeout_ms: 300, retry });
    desk.server.answer = () => Promise.reject(fault('server_error'));
    const said = desk.said('a');
    await settle();
    desk.world.next();
    expect([await said, desk.server.asked, desk.world.waiting]).toEqual(['timeout', 1, []]);
  });
});

describe('POL-182 finding out whether answers will be of use', () => {
  function probing(probe?: Adapter['probe']): { readonly outside: Outside; readonly world: World } {
    const world = new World();
    const adapter: Adapter = { ask: () => Promise.resolve(null), ...(probe === undefined ? {} : { probe }) };
    return { outside: openOutside(new Map([['g', { settings: ASYNC_DEFAULTS, adapter }]]), world), world };
  }

  it('says what is wrong, and that nobody answers', async () => {
    expect(await probing().outside.probe()).toEqual(ok(undefined));
    expect(await probing(() => Promise.resolve(ok(undefined))).outside.probe()).toEqual(ok(undefined));
    const wrong = err({ code: 'policy_embedding_dimension', message: 'other' });
    expect(await probing(() => Promise.resolve(wrong)).outside.probe()).toEqual(wrong);
    const down = probing(() => Promise.reject(fault('unreachable')));
    expect(await down.outside.probe()).toMatchObject({
      ok: false,
      error: { code: 'outside_unreachable', message: expect.stringContaining('(unreachable)') },
    });
    const late = probing(() => never);
    const said = late.outside.probe();
    await settle();
    late.world.next();
    expect(await said).toMatchObject({ ok: false, error: { code: 'outside_unreachable', message: expect.stringContaining('(timeout)') } });
  });
});
