import type { Action } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { createJudgePool, type JudgePool } from '../src/index.ts';

/** An engine as a module text: what it does in `understand` is the test's to say. */
function poolWith(understand: string, options: { readonly workers?: number; readonly jobsMax?: number } = {}): JudgePool {
  const text = `export const openEngine = async () => ({ load: () => ({ ok: true, value: {
    understand(action) { ${understand} },
    judge: ({ facts, now }) => ({ facts, now }),
  } }) });`;
  const engine = new TextEncoder().encode(text);
  return createJudgePool(() => ({ engine, documents: '{"policy":{},"rules":{}}' }), options);
}

const action = { v: 1, id: 'x', kind: 'tool.call' } as unknown as Action;
const STATE = { now: '2026-01-01T00:00:00.000Z', state: {} };

describe('the judging threads', () => {
  it('hold the facts of an action until they are released', async () => {
    const pool = poolWith('return { of: action.id };');
    const understood = await pool.understand(action, []);
    expect(await understood.judge(STATE)).toEqual({ facts: { of: 'x' }, now: STATE.now });
    understood.release();
    understood.release();
    await pool.close();
  });

  it('take as many jobs as the limit says, and refuse the next', async () => {
    const pool = poolWith('return 1;', { jobsMax: 2 });
    const [first] = await Promise.all([pool.understand(action, []), pool.understand(action, [])]);
    await expect(pool.understand(action, [])).rejects.toMatchObject({ code: 'engine_busy' });
    first?.release();
    (await pool.understand(action, [])).release();
    await pool.close();
  });

  it('answer with a coded error when the engine fails, and go on', async () => {
    const pool = poolWith("if (action.id === 'bad') throw new TypeError('a secret'); return 1;");
    const failing = pool.understand({ ...action, id: 'bad' }, []);
    await expect(failing).rejects.toMatchObject({ code: 'engine_failed', message: 'the judging thread failed (TypeError)' });
    (await pool.understand(action, [])).release();
    await pool.close();
  });

  it('are replaced when one dies, and its jobs end in a coded error', async () => {
    const pool = poolWith("if (action.id === 'bad') process.exit(3); return 1;");
    await expect(pool.understand({ ...action, id: 'bad' }, [])).rejects.toMatchObject({ code: 'engine_failed' });
    (await pool.understand(action, [])).release();
    await pool.close();
  });

  it('end with the last job once the pool is closed, and take no more', async () => {
    const pool = poolWith('return 1;');
    const understood = await pool.understand(action, []);
    await pool.close();
    await expect(pool.understand(action, [])).rejects.toMatchObject({ code: 'engine_failed' });
    expect(await understood.judge(STATE)).toMatchObject({ facts: 1 });
    understood.release();
  });

  it('give up a thread whose job is released while it still runs', async () => {
    const pool = poolWith("if (action.id === 'stuck') for (;;); return 1;");
    const understood = await pool.understand(action, []);
    const stuck = pool.understand({ ...action, id: 'stuck' }, []);
    const judged = understood.judge(STATE);
    understood.release();
    await expect(judged).rejects.toMatchObject({ code: 'engine_failed' });
    await expect(stuck).rejects.toMatchObject({ code: 'engine_failed' });
    (await pool.understand(action, [])).release();
    await pool.close();
  });
});
