/** Our witness and our log's side of it, against the public Go tools: torchwood's verifier and litewitness, and a Tessera log. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { base64, createSigner, noteVerifierKey, openNote, parseNoteVerifierKey } from '@countersign/crypto';
import {
  cosignatureSeconds,
  createMemoryStorage,
  emptyRoot,
  openCheckpoint,
  openLog,
  parseCosignerKey,
  type Checkpoint,
} from '@countersign/log';
import {
  createSystemRandom,
  createWitnesses,
  openWitness,
  parseWitnessConfig,
  serveWitness,
  systemClock,
  systemTimer,
} from '@countersign/runtime';
import { openWitnessStore } from '@countersign/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folderOf = (name: string): string => fileURLToPath(new URL(`./${name}/`, import.meta.url));
const run = promisify(execFile);

/** Why a Go program cannot be built here; undefined where it can. `offline`: what is not in Go's cache already is not fetched. */
function missing(name: string, offline: boolean): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return 'there is no `go` on this machine';
  const env = { ...process.env, ...(offline ? { GOPROXY: 'off' } : {}) };
  if (spawnSync('go', ['mod', 'download'], { cwd: folderOf(name), env }).status === 0) return undefined;
  return offline ? `\`go mod download\` was not run in test/interop/${name}` : 'its modules cannot be had, or `go` is too old for them';
}

const noWitness = missing('go-witness', false);
const noLitewitness = missing('go-litewitness', true);
const because = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const signerOf = (seed: number): ReturnType<typeof createSigner> => createSigner(new Uint8Array(32).fill(seed));

function cosignedAt(note: string, vkey: string): string | undefined {
  const key = parseCosignerKey(vkey);
  const opened = key.ok ? openNote(note, [key.value]) : undefined;
  const signature = opened?.ok === true ? opened.value.signatures[0] : undefined;
  return signature === undefined ? undefined : String(cosignatureSeconds(signature.signature));
}

describe(`torchwood and Tessera${because(noWitness)}`, () => {
  let program = '';
  beforeAll(() => {
    if (noWitness !== undefined) return;
    program = join(folder, 'interop-witness');
    execFileSync('go', ['build', '-o', program, '.'], { cwd: folderOf('go-witness'), stdio: 'pipe' });
  }, 300_000);

  it.skipIf(noWitness !== undefined)('BNDL-013 torchwood opens every cosignature that we do, with the same time, and no other', () => {
    interface Vectors {
      readonly vkey: string;
      readonly valid: readonly { name: string; note: string }[];
      readonly invalid: readonly { name: string; note: string }[];
    }
    const path = fileURLToPath(new URL('../../vectors/cosignature/notes.json', import.meta.url));
    const { vkey, valid, invalid } = JSON.parse(readFileSync(path, 'utf8')) as Vectors;
    const notes = [...valid, ...invalid].map(({ note }) => ({ vkey, note }));
    const answer = spawnSync(program, ['verify'], { input: JSON.stringify({ notes }), encoding: 'utf8' });
    expect(answer.stderr).toBe('');
    const theirs = (JSON.parse(answer.stdout) as { opened: boolean; time: number }[]).map(({ opened, time }) =>
      opened ? time : undefined,
    );
    const ours = notes.map(({ note }) => cosignedAt(note, vkey)).map((seconds) => (seconds === undefined ? undefined : Number(seconds)));
    expect(ours).toEqual(theirs);
    expect(ours.filter((seconds) => seconds !== undefined)).toHaveLength(valid.length);
  });

  it.skipIf(noWitness !== undefined)('BNDL-013 the same keys are keys of witnesses, but for two that we are stricter with', () => {
    interface Keys {
      readonly valid: readonly { name: string; vkey: string }[];
      readonly invalid: readonly { name: string; vkey: string }[];
    }
    const path = fileURLToPath(new URL('../../vectors/cosignature/keys.json', import.meta.url));
    const { valid, invalid } = JSON.parse(readFileSync(path, 'utf8')) as Keys;
    const keys = [...valid, ...invalid];
    const answer = spawnSync(program, ['keys'], { input: JSON.stringify({ vkeys: keys.map(({ vkey }) => vkey) }), encoding: 'utf8' });
    expect(answer.stderr).toBe('');
    const theirs = JSON.parse(answer.stdout) as boolean[];
    expect(theirs).toHaveLength(keys.length);
    const differing = keys.filter(({ vkey }, i) => parseCosignerKey(vkey).ok !== theirs[i]).map(({ name }) => name);
    expect(differing).toEqual(['a newline at its end', 'too long']);
  });

  it.skipIf(noWitness !== undefined)(
    'LOG-050 a Tessera log has its checkpoints cosigned by our witness, one after the other',
    { timeout: 120_000 },
    async () => {
      const seed = new Uint8Array(32).fill(21);
      const origin = 'tessera.example/log';
      const vkey = noteVerifierKey(origin, createSigner(seed).publicKey);
      const hash = vkey.slice(origin.length + 1).split('+')[0] ?? '';
      const directory = join(folder, 'witness');
      const store = openWitnessStore(directory);
      store.addKey(origin, vkey);
      const witness = openWitness({ directory, name: 'witness.example/w1', clock: systemClock, random: createSystemRandom() });
      const verdicts: string[] = [];
      const server = await serveWitness({ witness, host: '127.0.0.1', port: 0, told: ({ verdict }) => void verdicts.push(verdict) });
      const skey = `PRIVATE+KEY+${origin}+${hash}+${base64(Uint8Array.of(1, ...seed))}`;
      const { stdout } = await run(program, ['log', skey, witness.key, server.url]);
      const logKey = parseNoteVerifierKey(vkey);
      const notes = JSON.parse(stdout) as string[];
      const heads = notes.map((note) => openCheckpoint(note, logKey.ok ? [logKey.value] : []));
      expect(heads.every((head) => head.ok)).toBe(true);
      expect(notes.map((note) => cosignedAt(note, witness.key)).every((seconds) => Number(seconds) > 1_700_000_000)).toBe(true);
      const last = heads.at(-1);
      const [known] = store.logs();
      expect(known?.tree.size).toBeGreaterThanOrEqual(last?.ok === true ? last.value.size : Number.NaN);
      expect(known?.tree.size).toBe(5);
      expect(verdicts.filter((verdict) => verdict === 'cosigned').length).toBeGreaterThanOrEqual(5);
      expect(verdicts.filter((verdict) => verdict !== 'cosigned' && verdict !== 'witness_other_size')).toEqual([]);
      await server.close();
      witness.close();
      store.close();
    },
  );
});

describe(`litewitness${because(noLitewitness)}`, () => {
  const name = 'litewitness.example/w1';
  const origin = 'log.example/one';
  let program = '';
  beforeAll(() => {
    if (noLitewitness !== undefined) return;
    const cwd = folderOf('go-litewitness');
    program = join(folder, 'interop-litewitness');
    for (const [file, what] of [
      [program, '.'],
      [join(folder, 'litewitness'), 'filippo.io/torchwood/cmd/litewitness'],
    ] as const)
      execFileSync('go', ['build', '-o', file, what], { cwd, stdio: 'pipe' });
  }, 300_000);

  it.skipIf(noLitewitness !== undefined)(
    'LOG-052 LOG-053 cosigns what our log publishes, is asked again where it knows another size, and refuses a fork',
    { timeout: 120_000 },
    async () => {
      const child = spawn(program, [join(folder, 'litewitness'), folder, name, '07'.repeat(32)], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        const [line] = await once(createInterface(child.stdout), 'line');
        const { url, key } = JSON.parse(String(line)) as { url: string; key: string };
        const noteSigner = { name: origin, signer: signerOf(22) };
        const db = new DatabaseSync(join(folder, 'litewitness.db'), { timeout: 5000 });
        db.prepare('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)').run(origin, base64(emptyRoot()));
        db.prepare('INSERT INTO key (origin, key) VALUES (?, ?)').run(origin, noteVerifierKey(origin, noteSigner.signer.publicKey));
        db.close();
        const config = parseWitnessConfig(JSON.stringify({ quorum: 1, witnesses: [{ key, url }] }));
        const newClient = (): ReturnType<typeof createWitnesses> => createWitnesses({ config, clock: systemClock, timer: systemTimer });
        const log = await openLog({ storage: createMemoryStorage(), origin, noteSigner });
        const grow = async (story: typeof log, count: number, label: string): Promise<Checkpoint> => {
          const entries = Array.from({ length: count }, (_, i) => new TextEncoder().encode(`${label} ${i}`));
          const staged = entries.map((entry) => story.append({ entry, attachments: [] }));
          return story.whenPublished(staged.at(-1)?.index ?? 0);
        };
        const ask = (client: ReturnType<typeof createWitnesses>, story: typeof log): Promise<readonly string[]> =>
          client.cosign(story.checkpoint, (old) => story.consistencyProof(old, story.checkpoint.size));
        const client = newClient();
        for (const count of [1, 2, 300, 7]) {
          const { note } = await grow(log, count, 'honest');
          const lines = await ask(client, log);
          expect(Number(cosignedAt(note + lines.join(''), key))).toBeGreaterThan(1_700_000_000);
        }
        // A client that knows nothing yet, as after a restart.
        await grow(log, 3, 'honest');
        expect(await ask(newClient(), log)).toHaveLength(1);
        const fork = await openLog({ storage: createMemoryStorage(), origin, noteSigner });
        await grow(fork, 400, 'fork');
        const refusedClient = newClient();
        expect(await ask(refusedClient, fork)).toEqual([]);
        expect(refusedClient.status().witnesses[0]?.error?.code).toBe('witness_proof_refused');
        const behind = await openLog({ storage: createMemoryStorage(), origin, noteSigner });
        await grow(behind, 5, 'honest');
        const aheadClient = newClient();
        expect(await ask(aheadClient, behind)).toEqual([]);
        expect(aheadClient.status().witnesses[0]?.error?.code).toBe('witness_ahead');
      } finally {
        child.stdin.end();
        await once(child, 'close');
      }
    },
  );
});
