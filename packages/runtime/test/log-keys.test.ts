import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyBundle } from '@countersign/receipts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Runtime } from '../src/index.ts';
import { act, freshDirectory, openIn, QUERY, register } from './directory.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await freshDirectory();
});

const open = (): Promise<Runtime> => openIn(dataDir);

async function bundleOf(runtime: Runtime): Promise<Uint8Array> {
  const caller = register(runtime, `agent ${runtime.log.size}`);
  const { receipt } = await act(runtime, caller, QUERY('SELECT 1'));
  const bundle = await runtime.bundle(receipt?.id ?? '', { inputs: false });
  if (!bundle.ok) throw new Error(bundle.error.code);
  return bundle.value;
}

async function believes(bundle: Uint8Array, vkey: string): Promise<boolean> {
  return (await verifyBundle(bundle, { vkeys: [vkey] })).ok;
}

describe('LOG-015 RCPT-033 the keys of a log', () => {
  it('overlap: whoever knows either key believes what is signed meanwhile, and the log says what happened', async () => {
    const runtime = await open();
    const [older = ''] = runtime.logKeys.view().active;
    const before = await bundleOf(runtime);
    const rotated = await runtime.logKeys.rotate();
    const [, newer = ''] = runtime.logKeys.view().active;
    expect(rotated.ok && rotated.value.active).toEqual([older, newer]);
    const during = await bundleOf(runtime);
    expect([await believes(during, older), await believes(during, newer), await believes(before, newer)]).toEqual([true, true, false]);
    expect((await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim().split('\n')).toEqual([older, newer]);
    const retired = await runtime.logKeys.retire();
    expect(retired.ok && retired.value).toMatchObject({ active: [newer], former: [older] });
    const after = await bundleOf(runtime);
    expect([await believes(after, older), await believes(after, newer), await believes(before, older)]).toEqual([false, true, true]);
    const places = await runtime.recorder.chain('countersign', 'countersign.log');
    const bodies = await Promise.all(places.map(async (at) => JSON.parse(new TextDecoder().decode(await runtime.log.readEntry(at))).body));
    expect(bodies).toMatchObject([
      { type: 'countersign.log-key.v1', seq: 0, keys: [older, newer], added: newer, retired: null },
      { type: 'countersign.log-key.v1', seq: 1, keys: [newer], added: null, retired: older },
    ]);
    await runtime.close();
    expect((await readdir(join(dataDir, 'keys'))).filter((name) => name.startsWith('log'))).toEqual(['log-2.key']);
    const again = await open();
    expect(again.logKeys.view()).toEqual({ origin: runtime.log.origin, active: [newer], former: [older] });
    expect(await believes(await bundleOf(again), newer)).toBe(true);
    await again.close();
  });

  it('are at most four, and the last stays', async () => {
    const runtime = await open();
    const last = await runtime.logKeys.retire();
    expect(last.ok ? '' : last.error.code).toBe('log_key_last');
    for (const n of [2, 3, 4]) {
      const rotated = await runtime.logKeys.rotate();
      expect(rotated.ok && rotated.value.active.length).toBe(n);
    }
    const fifth = await runtime.logKeys.rotate();
    expect(fifth.ok ? '' : fifth.error.code).toBe('log_keys_full');
    await runtime.close();
  });

  it.each(['rotate', 'retire'] as const)('a crash between the entry and the list of a %s is completed at the next start', async (step) => {
    const runtime = await open();
    await runtime.logKeys.rotate();
    const list = await readFile(join(dataDir, 'log-keys.json'));
    const seeds = await Promise.all(
      (await readdir(join(dataDir, 'keys'))).map(async (name) => [name, await readFile(join(dataDir, 'keys', name))] as const),
    );
    const changed = await runtime.logKeys[step]();
    expect(changed.ok).toBe(true);
    const expected = runtime.logKeys.view();
    await runtime.close();
    await writeFile(join(dataDir, 'log-keys.json'), list, { mode: 0o600 });
    for (const [name, bytes] of seeds) await writeFile(join(dataDir, 'keys', name), bytes, { mode: 0o600 });
    const again = await open();
    expect(again.logKeys.view()).toEqual(expected);
    await again.close();
  });

  it('a list that is damaged, or names a key that is not its seed, ends the start', async () => {
    await (await open()).close();
    const path = join(dataDir, 'log-keys.json');
    const whole = await readFile(path, 'utf8');
    for (const text of [
      '',
      '{}',
      whole.replace('"active"', '"aktive"'),
      whole.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
      whole.replace('log.key', '../log.key'),
    ]) {
      await writeFile(path, text);
      await expect(open()).rejects.toMatchObject({ code: 'log_keys_malformed', fault: { path } });
    }
    await writeFile(path, whole);
    await rm(join(dataDir, 'keys', 'log.key'));
    await expect(open()).rejects.toMatchObject({ code: 'key_file_missing' });
  });
});
