/** `log prove`, `log fsck`, `log archive`, `log restore`, keys: on a directory and through a gateway. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, type Mode, openEvidence } from './evidence-world.ts';

/** More than one full bundle: only what is in full ones can be archived. */
const ENTRIES = 270;
const MODES: readonly Mode[] = ['directory', 'gateway'];

describe.each(MODES)('the log, %s', (mode) => {
  let evidence: Evidence;
  beforeAll(async () => {
    evidence = await openEvidence(mode, ENTRIES);
    evidence.write('seen.txt', (await evidence.world.run(['log', 'checkpoint'])).stdout);
    evidence.write('keys.txt', (await evidence.world.run(['log', 'key'])).stdout);
    await evidence.act('later', ['git status', 'ls']);
  });
  afterAll(() => evidence.close());

  const run: Evidence['world']['run'] = (args) => evidence.world.run(args);
  const ask: Evidence['world']['ask'] = (args) => evidence.world.ask(args);

  it('prove inclusion: by place and by id, with nothing disclosed', async () => {
    expect(await ask(['log', 'prove', 'inclusion', '271', '--out', 'entry.json'])).toMatchObject({
      exitCode: 0,
      answer: { file: 'entry.json' },
    });
    const bundle = evidence.read('entry.json');
    expect(bundle).not.toContain('inputs":{"action');
    const { answer } = await ask(['verify', 'entry.json', '--keys', 'keys.txt']);
    expect(answer).toMatchObject({ ok: true, bundles: [{ subject: { index: 271 } }] });
    const { id } = (answer['bundles'] as { subject: { id: string } }[])[0]?.subject ?? { id: '' };
    expect((await run(['log', 'prove', 'inclusion', id, '--out', '-'])).stdout).toContain(id);
  });

  it('prove consistency: since what was seen, and to a checkpoint in between', async () => {
    const proven = await run(['log', 'prove', 'consistency', 'seen.txt', '--out', 'grown.json']);
    expect([proven.exitCode, proven.stdout]).toEqual([0, expect.stringContaining('next: countersign verify grown.json --seen seen.txt')]);
    const { exitCode, answer } = await ask(['verify', 'grown.json', '--keys', 'keys.txt', '--seen', 'seen.txt']);
    expect([exitCode, answer]).toMatchObject([
      0,
      { ok: true, consistency: { file: 'grown.json', ok: true, subject: { oldSize: 270, newSize: 272 } } },
    ]);
    expect((await run(['verify', 'grown.json', '--keys', 'keys.txt'])).stdout).toContain('from 270 entries to 272');
    evidence.write('now.txt', (await run(['log', 'checkpoint'])).stdout);
    expect(await ask(['log', 'prove', 'consistency', 'seen.txt', 'now.txt', '--out', 'between.json'])).toMatchObject({ exitCode: 0 });
    expect(await ask(['verify', 'between.json', '--keys', 'keys.txt', '--seen', 'now.txt'])).toMatchObject({
      exitCode: 2,
      answer: { consistency: { ok: false } },
    });
    const both = await ask(['verify', 'entry.json', 'grown.json', '--keys', 'keys.txt']);
    expect(both).toMatchObject({ exitCode: 0, answer: { ok: true, bundles: [{}], consistency: { ok: true } } });
    expect((await run(['verify', 'grown.json', '--keys', 'keys.txt', '--seen', 'now.txt', '--exit-codes'])).exitCode).toBe(21);
  });

  it.each([
    [['log', 'prove'], 5, ''],
    [['log', 'prove', 'inclusion'], 5, 'missing required argument'],
    [['log', 'prove', 'inclusion', 'x'], 5, 'id or its place'],
    [['log', 'prove', 'inclusion', '999'], 3, 'entry_not_found'],
    [['log', 'prove', 'inclusion', '0193a0b0-0000-7000-8000-000000000001'], 3, 'not_found'],
    [['log', 'prove', 'consistency', '12'], 5, 'by a file, not by a size'],
    [['log', 'prove', 'consistency', 'none.txt'], 3, 'file_unreadable'],
    [['log', 'prove', 'consistency', 'keys.txt'], 3, 'checkpoint_unreadable'],
    [['log', 'prove', 'consistency', 'now.txt', 'seen.txt'], 3, 'checkpoint_order'],
    [['log', 'archive'], 5, 'what goes'],
    [['log', 'archive', '--before', 'x', '--to', 'a'], 5, '--before'],
    [['log', 'archive', '--before', '-1', '--to', 'a'], 5, '--before'],
    [['log', 'archive', '--before', '2026-13-01', '--to', 'a'], 5, '--before'],
    [['log', 'archive', '--before', '5', '--to', '.countersign/log/journal'], 3, 'invalid_archive'],
    [['log', 'restore'], 5, 'where the archive is'],
    [['log', 'restore', '--from', 'nowhere'], 3, 'invalid_archive'],
    [['log', 'key-rotate'], 5, '--yes'],
    [['log', 'key-retire'], 5, '--yes'],
    [['log', 'key-retire', '--yes'], 3, 'log_key_last'],
    [['log', 'fsck', '--log', 'nowhere'], 3, 'no_log'],
    [['log', 'fsck', '--key', 'x'], 3, 'key'],
  ] as const)('%j ends with %i and says why', async (args, exitCode, why) => {
    const ran = await run([...args]);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
  });

  it('LOG-014 fsck reads everything, and names what does not fit', async () => {
    const { exitCode, answer } = await ask(['log', 'fsck']);
    expect([exitCode, answer]).toMatchObject([0, { ok: true, records: 272, firstRecord: 0, faults: [] }]);
    expect((await run(['log', 'fsck'])).stdout).toContain('no fault');
    const tile = join(evidence.dataDir, 'log', 'public', 'tile', '0', '001.p', '16');
    const bytes = readFileSync(tile);
    writeFileSync(
      tile,
      bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );
    const damaged = await ask(['log', 'fsck']);
    expect(damaged).toMatchObject({ exitCode: 1, answer: { ok: false, faults: [{ code: 'tile_wrong', path: 'tile/0/001.p/16' }] } });
    expect((await run(['log', 'fsck'])).stdout).toMatch(/FAULT +WHERE +WHAT\ntile_wrong +tile\/0\/001\.p\/16/);
    writeFileSync(tile, bytes);
    expect(await ask(['log', 'fsck'])).toMatchObject({ exitCode: 0 });
  });

  it('LOG-070 archive moves whole segments; entries, proofs and sessions stay; restore brings the very bytes back', async () => {
    const moved = await ask(['log', 'archive', '--before', '200', '--to', 'archive']);
    const { segments, records, firstPresent } = moved.answer['moved'] as Record<string, number>;
    expect(moved.exitCode).toBe(0);
    expect([segments, records]).toEqual([expect.any(Number), firstPresent]);
    expect(segments).toBeGreaterThan(0);
    expect(firstPresent).toBeLessThanOrEqual(200);
    expect(readdirSync(join(evidence.world.root, 'archive')).toSorted()).toEqual([
      ...Array.from({ length: segments ?? 0 }, (_, i) => `000000000${i}.seg`),
      'manifest.json',
    ]);
    expect(await ask(['log', 'prove', 'inclusion', '0', '--out', 'zero.json'])).toMatchObject({ exitCode: 0 });
    expect(await ask(['verify', 'zero.json', '--keys', 'keys.txt'])).toMatchObject({ exitCode: 0 });
    const { answer } = await ask(['log', 'tail', '--count', '272']);
    const [oldest] = answer['entries'] as { body: { id: string } }[];
    expect(await ask(['receipt', 'bundle', oldest?.body.id ?? ''])).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'log_archived' } },
    });
    expect(await ask(['log', 'fsck'])).toMatchObject({ exitCode: 0, answer: { firstRecord: firstPresent } });
    expect(await evidence.act('later', ['git log'])).toEqual(['ok']);
    const segment = join(evidence.world.root, 'archive', '0000000000.seg');
    const bytes = readFileSync(segment);
    writeFileSync(
      segment,
      bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
    );
    const refused = await ask(['log', 'restore', '--from', 'archive']);
    expect(refused).toMatchObject({ answer: { error: { kind: 'log_archive_mismatch' } } });
    writeFileSync(segment, bytes);
    expect(await ask(['log', 'restore', '--from', 'archive'])).toMatchObject({ exitCode: 0, answer: { moved: { firstPresent: 0 } } });
    expect(await ask(['receipt', 'bundle', oldest?.body.id ?? '', '--out', 'back.json'])).toMatchObject({ exitCode: 0 });
    expect((await run(['log', 'restore', '--from', 'archive'])).stdout).toContain('nothing to move');
    expect(await ask(['log', 'archive', '--before', '2000-01-01', '--to', 'archive'])).toMatchObject({
      answer: { moved: { segments: 0 } },
    });
    expect(await ask(['log', 'archive', '--before', '2999-01-01', '--to', 'archive'])).toMatchObject({ exitCode: 0 });
    expect(await ask(['log', 'restore', '--from', 'archive'])).toMatchObject({ answer: { moved: { firstPresent: 0 } } });
  });

  it('an archive that cannot be written takes nothing away', async () => {
    mkdirSync(join(evidence.world.root, 'file'));
    rmSync(join(evidence.world.root, 'file'), { recursive: true });
    evidence.write('file', 'not a directory');
    expect(await ask(['log', 'archive', '--before', '200', '--to', 'file'])).toMatchObject({
      exitCode: 4,
      answer: { error: { kind: 'archive_unusable' } },
    });
    expect(await ask(['log', 'fsck'])).toMatchObject({ exitCode: 0, answer: { firstRecord: 0 } });
  });

  it('LOG-015 rotates and retires keys: all that are active are shown, and either is believed meanwhile', async () => {
    const rotated = await ask(['log', 'key-rotate', '--yes']);
    expect(rotated).toMatchObject({ exitCode: 0, answer: { active: [expect.any(String), expect.any(String)], former: [] } });
    const shown = (await run(['log', 'key'])).stdout.trim().split('\n');
    expect(shown).toEqual(rotated.answer['active']);
    expect(rotated.answer['key']).toBe(shown[1]);
    evidence.write('both.txt', `${shown.join('\n')}\n`);
    expect(await ask(['log', 'checkpoint'])).toMatchObject({ answer: { key: shown[1], keys: shown } });
    expect(await ask(['log', 'key-retire', '--yes'])).toMatchObject({ exitCode: 0, answer: { active: [shown[1]], former: [shown[0]] } });
    expect(await ask(['log', 'prove', 'consistency', 'seen.txt', '--out', 'over-keys.json'])).toMatchObject({ exitCode: 0 });
    expect(await ask(['verify', 'over-keys.json', '--keys', 'both.txt', '--seen', 'seen.txt'])).toMatchObject({ exitCode: 0 });
    expect((await run(['doctor'])).stdout).toMatch(/OK {3}log .*, signed\n/);
    // Also where the entry that names the keys has gone to an archive, the next start finds them.
    await evidence.act('last', ['git status']);
    expect(await ask(['log', 'archive', '--before', '2999-01-01', '--to', 'archive'])).toMatchObject({ exitCode: 0 });
    expect((await run(['log', 'key'])).stdout.trim()).toBe(shown[1]);
  });
});
