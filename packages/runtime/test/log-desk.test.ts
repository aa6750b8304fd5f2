import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk, type DiskSystem } from '@countersign/store';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Runtime, runtimeStatus, witnessAgeSeconds } from '../src/index.ts';
import type { LogDesk } from '@countersign/pipeline';
import { act, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await freshDirectory();
});

function mainDesk(runtime: Runtime): LogDesk {
  const desk = runtime.logDesk('main');
  if (desk === undefined) throw new Error('the main log is open');
  return desk;
}

async function fill(runtime: Runtime, count: number): Promise<void> {
  const caller = register(runtime, `agent ${runtime.log.size}`);
  for (let n = 0; n < count; n += 1) await act(runtime, caller, QUERY(`SELECT ${n}`));
  await runtime.log.whenPublished(runtime.log.durableSize - 1);
}

describe('LOG-071 a proof since an older checkpoint', () => {
  it('is given for a checkpoint that this log signed, and for no other', async () => {
    const runtime = await openIn(dataDir);
    await fill(runtime, 2);
    const { note } = runtime.log.checkpoint;
    await fill(runtime, 2);
    expect((await mainDesk(runtime).consistency(note)).ok).toBe(true);
    const other = await openIn(await freshDirectory());
    await fill(other, 1);
    const code = async (old: string, newer?: string): Promise<string> => {
      const made = await mainDesk(runtime).consistency(old, newer);
      return made.ok ? 'ok' : made.error.code;
    };
    expect(await code(other.log.checkpoint.note)).toBe('checkpoint_unreadable');
    expect(await code(note.replace('\n2\n', '\n1\n'))).toBe('checkpoint_unreadable');
    expect(await code('')).toBe('checkpoint_unreadable');
    expect(await code(note, note)).toBe('ok');
    expect(await code(runtime.log.checkpoint.note, note)).toBe('checkpoint_order');
  });

  it('a checkpoint of entries that are gone, or of another tree, is said to be one', async () => {
    const copy = await freshDirectory();
    const first = await openIn(dataDir);
    await fill(first, 1);
    await first.close();
    await cp(dataDir, copy, { recursive: true });
    const ahead = await openIn(dataDir);
    await fill(ahead, 2);
    const { note } = ahead.log.checkpoint;
    // The same keys, and a history that went another way: what a restored backup does.
    const restored = await openIn(copy);
    const gone = await mainDesk(restored).consistency(note);
    expect(gone).toMatchObject({ ok: false, error: { code: 'checkpoint_ahead', hint: expect.stringContaining('keep this checkpoint') } });
    await fill(restored, 2);
    expect(await mainDesk(restored).consistency(note)).toMatchObject({ ok: false, error: { code: 'checkpoint_forked' } });
  });
});

describe('LOG-072 an archive', () => {
  it('takes nothing that the next start needs: entries outside full bundles stay, and the log opens again', async () => {
    const archive = join(await freshDirectory(), 'made', 'here');
    const runtime = await openIn(dataDir, { logLimits: { segmentBytesMax: 20_000 } });
    await fill(runtime, 30);
    expect(unwrap(await mainDesk(runtime).archive({ before: 30, directory: archive }))).toMatchObject({ segments: 0, firstPresent: 0 });
    await expect(readdir(archive)).rejects.toMatchObject({ code: 'ENOENT' });
    await fill(runtime, 240);
    const moved = unwrap(await mainDesk(runtime).archive({ before: 1000, directory: archive }));
    expect(moved.firstPresent).toBeGreaterThan(100);
    expect(moved.firstPresent).toBeLessThanOrEqual(256);
    expect((await readdir(archive)).length).toBe(moved.segments + 1);
    await runtime.close();
    const again = await openIn(dataDir);
    await fill(again, 1);
    expect(runtimeStatus(again)).toMatchObject({ logs: [{ size: 271, firstPresent: moved.firstPresent, unpublished: 0 }] });
  });

  it.each([
    [{ before: -1, directory: '/x' }, 'invalid_before'],
    [{ before: 1.5, directory: '/x' }, 'invalid_before'],
    [{ before: '2026-01-31', directory: '/x' }, 'invalid_before'],
    [{ before: 1, directory: 'x' }, 'invalid_archive'],
  ])('%j is %s', async (request, code) => {
    const runtime = await openIn(dataDir);
    expect(await mainDesk(runtime).archive(request)).toMatchObject({ ok: false, error: { code } });
    expect(await mainDesk(runtime).restore('x')).toMatchObject({ ok: false, error: { code: 'invalid_archive' } });
  });
});

describe('several logs', () => {
  it('RCPT-034 what was ended in one stays ended where the org writes to another, and each log has its own desk', async () => {
    const runtime = await openIn(dataDir);
    const caller = register(runtime);
    await act(runtime, caller, QUERY('SELECT 1'));
    const end = { org: caller.org, session: 's', reason: 'done' };
    expect((await runtime.sessions.end(end)).ok).toBe(true);
    unwrap(await runtime.logs.create({ name: 'team' }));
    unwrap(await runtime.logs.moveOrg(caller.org, 'team'));
    expect((await act(runtime, caller, QUERY('SELECT 2'))).refusal?.code).toBe('session_ended');
    expect(runtime.logDesk('team')?.keys().origin).toBe(runtime.logs.of('team')?.log.origin);
    expect(runtime.logDesk('team')).toBe(runtime.logDesk('team'));
    expect([runtime.logDesk('none'), mainDesk(runtime).keys().origin]).toEqual([undefined, runtime.log.origin]);
    await runtime.close();
    const again = await openIn(dataDir);
    expect((await act(again, caller, QUERY('SELECT 3'))).refusal?.code).toBe('session_ended');
  });
});

describe('the status', () => {
  it('says since when the log has stopped, and why', async () => {
    let isBroken = false;
    const system: DiskSystem = {
      ...nodeDisk,
      open: async (path, mode) => {
        const file = await nodeDisk.open(path, mode);
        return {
          ...file,
          write: (bytes, position) => {
            if (isBroken) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
            return file.write(bytes, position);
          },
        };
      },
    };
    const runtime = await openIn(dataDir, { diskSystem: system, clock: { nowMs: () => 1_800_000_000_000 } });
    await fill(runtime, 1);
    expect(runtimeStatus(runtime)).toMatchObject({ logs: [{ size: 1, problem: null, failedSince: null, checkpoint: { size: 1 } }] });
    expect(runtimeStatus(runtime)).toMatchObject({ vault: { keys: 1 }, logs: [{ witnesses: { quorum: 0, of: 0, witnesses: [] } }] });
    isBroken = true;
    expect((await act(runtime, register(runtime, 'other'), QUERY('SELECT 1'))).verdict.decision).toBe('deny');
    expect(runtimeStatus(runtime)).toMatchObject({
      problem: expect.stringContaining('ENOSPC'),
      logs: [{ size: 1, problem: expect.stringContaining('ENOSPC'), failedSince: '2027-01-15T08:00:00.000Z' }],
    });
  });

  it('the age of witnesses is that of the cosignature that made it enough', () => {
    const witness = (seconds: number | undefined): object => ({
      name: 'w',
      url: 'u',
      cosigned: seconds === undefined ? undefined : { size: 1, seconds },
      error: undefined,
    });
    const age = (quorum: number, ...times: (number | undefined)[]): number =>
      witnessAgeSeconds({ quorum, newest: undefined, reached: false, witnesses: times.map(witness) as never }, 1_000_000);
    expect([age(2, 990, 970, 980), age(1, 990, 970), age(0, 990), age(2, 990, undefined), age(1), age(1, 2000)]).toEqual([
      20, 10, 10, -1, -1, 0,
    ]);
  });
});
