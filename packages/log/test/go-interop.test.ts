import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noteVerifierKey } from '@countersign/crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMemoryDisk } from '../src/index.ts';
import { openOn, ORIGIN, signer, write } from './fixtures.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/interop/go-log/', import.meta.url));

/** Why the program of the Go tools cannot be built here; undefined where it can. */
function missing(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return 'there is no `go` on this machine';
  if (spawnSync('go', ['mod', 'download'], { cwd: PROGRAM }).status !== 0) return 'the module golang.org/x/mod cannot be had';
  return undefined;
}

const reason = missing();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-go-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function store(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

test.skipIf(reason !== undefined)(
  `LOG-020 LOG-021 LOG-022 LOG-023 golang.org/x/mod/sumdb reads checkpoint, tiles and bundles${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  async () => {
    const disk = createMemoryDisk();
    const log = await openOn(disk);
    const entries = Array.from({ length: 66_000 }, (_, i) => (i % 1000 === 0 ? 'x'.repeat(i % 7000) : `entry ${i}`));
    const older: string[] = [];
    for (const end of [1, 255, 256, 257, 600, 65_536, 65_537, 66_000]) {
      await write(log, entries.slice(log.size, end));
      older.push(store(`older-${end}`, Buffer.from((await log.whenPublished(end - 1)).note)));
    }
    await log.close();
    for (const [path, bytes] of disk.files) store(path, bytes);
    const program = join(folder, 'program');
    execFileSync('go', ['build', '-o', program, '.'], { cwd: PROGRAM });
    const run = (): string =>
      execFileSync(program, [folder, noteVerifierKey(ORIGIN, signer.publicKey), ...older], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
        stdio: 'pipe',
      });
    const lines = run().trimEnd().split('\n');
    expect(lines.at(-1)).toBe('ok');
    expect(lines.slice(0, -1)).toEqual(entries.map((entry, i) => `${i} ${Buffer.from(entry).toString('hex')}`));
    const tile = Buffer.from(disk.files.get('tile/0/100') ?? new Uint8Array(0));
    tile[5] = (tile[5] ?? 0) ^ 1;
    store('tile/0/100', tile);
    expect(run).toThrow();
  },
);
