import type { JsonValue } from '@countersign/kernel';
import { CodedError } from '@countersign/kernel';
import { ASYNC_DEFAULTS, type AsyncSettings } from '@countersign/policy';
import type { GuardAnswer } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { openOutside } from '../src/asking.ts';
import { StillWorld } from './local-source.ts';

interface Asked {
  readonly answer: (value: JsonValue) => void;
  readonly fail: (code: string) => void;
}

/** One that answers when the test says so. */
function crowd(settings: Partial<AsyncSettings>): {
  readonly world: StillWorld;
  readonly asked: Asked[];
  readonly ask: (key: string) => Promise<GuardAnswer | undefined>;
} {
  const asked: Asked[] = [];
  const world = new StillWorld();
  const adapter = {
    ask: (): Promise<JsonValue> =>
      new Promise((resolve, reject) => {
        asked.push({ answer: resolve, fail: (code) => reject(new CodedError({ code, message: 'no' })) });
      }),
  };
  const outside = openOutside(new Map([['g', { settings: { ...ASYNC_DEFAULTS, ...settings }, adapter }]]), world);
  return { world, asked, ask: async (key) => (await outside.answers([{ guard: 'g', key, ask: key }]))[0] };
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

describe('POL-181 many at once', () => {
  test('the same question is asked once, and whoever waits has its answer, or the reason that there is none', async () => {
    const { asked, ask } = crowd({ cache: { enabled: false, ttl_seconds: 1, max_size_mb: 1 } });
    const both = [ask('a'), ask('a'), ask('b')];
    await settled();
    expect(asked.length).toBe(2);
    asked[0]?.answer(1);
    asked[1]?.answer(2);
    expect(await Promise.all(both)).toMatchObject([{ answer: 1 }, { answer: 1 }, { answer: 2 }]);
    const again = [ask('a'), ask('a')];
    await settled();
    expect(asked.length).toBe(3);
    asked[2]?.fail('unauthorized');
    expect(await Promise.all(again)).toMatchObject([{ reason: 'unauthorized' }, { reason: 'unauthorized' }]);
  });

  test('one that was left alone is asked one question at a time until it has proven itself', async () => {
    const { world, asked, ask } = crowd({ circuit_breaker: { failure_threshold: 1, reset_timeout_ms: 1000, success_threshold: 2 } });
    const first = ask('a');
    await settled();
    asked[0]?.fail('server_error');
    expect(await first).toMatchObject({ reason: 'server_error' });
    expect(await ask('b')).toMatchObject({ reason: 'breaker_open' });
    world.pass(1000);
    for (const turn of [1, 2]) {
      const trial = ask(`trial ${String(turn)}`);
      await settled();
      expect(await ask(`beside ${String(turn)}`)).toMatchObject({ reason: 'breaker_open' });
      asked[turn]?.answer(turn);
      expect(await trial).toMatchObject({ status: 'ok' });
    }
    const many = [ask('x'), ask('y')];
    await settled();
    expect(asked.length).toBe(5);
    for (const one of asked.slice(3)) one.answer(0);
    expect(await Promise.all(many)).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
  });
});
