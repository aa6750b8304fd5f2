/** C2SP tlog-proof files of ours, checked by torchwood, which knows nothing but the file and the keys. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { base64, createSigner, noteVerifierKey } from '@countersign/crypto';
import {
  checkpointText,
  cosignatureLine,
  cosignerKeyText,
  createMemoryDisk,
  createMemoryStorage,
  openLog,
  type Log,
} from '@countersign/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildGoTools, missingGo, runTool, TOOLS, type Verdict } from './go-tools.ts';

const ORIGIN = 'example.org/countersign/proofs';
const signer = createSigner(new Uint8Array(32).fill(6));
const VKEY = noteVerifierKey(ORIGIN, signer.publicKey);
const HEAD = 'c2sp.org/tlog-proof@v1';
const EDGES = [0, 1, 255, 256, 511, 599];

const reason = missingGo();
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

let folder = '';
let program = '';
beforeAll(() => {
  if (reason !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'countersign-go-proofs-'));
  program = join(folder, 'go-tiles');
  buildGoTools(program);
}, 120_000);
afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

let files = 0;
function check(file: string, vkey: string, ...witnesses: readonly string[]): Promise<Verdict> {
  files += 1;
  const path = join(folder, `${files}.tlog-proof`);
  writeFileSync(path, file);
  return runTool({ program }, 'proof', [path, vkey, ...witnesses]);
}

const entryAt = (index: number): string => `entry ${index}`;
const encoded = (text: string): string => base64(new TextEncoder().encode(text));

async function logOf(size: number): Promise<Log> {
  const log = await openLog({ storage: createMemoryStorage(), origin: ORIGIN, noteSigner: { name: ORIGIN, signer } });
  const staged = Array.from({ length: size }, (_, i) => log.append({ entry: new TextEncoder().encode(entryAt(i)), attachments: [] }));
  await Promise.all(staged.map(({ durable }) => durable));
  await log.whenPublished(size - 1);
  return log;
}

async function proofOf(log: Log, index: number): Promise<string> {
  const { size, note } = log.checkpoint;
  const hashes = (await log.inclusionProof(index, size)).map((hash) => base64(hash));
  return `${[HEAD, `extra ${encoded(entryAt(index))}`, `index ${index}`, ...hashes].join('\n')}\n\n${note}`;
}

describe.skipIf(reason !== undefined)(`LOG-040 proofs of ours in torchwood${skipped}`, () => {
  it.each([1, 2, 256, 257, 600])('hold in a log of %i entries, and for no other entry or place', async (size) => {
    const log = await logOf(size);
    for (const index of EDGES.filter((one) => one < size)) {
      const file = await proofOf(log, index);
      expect((await check(file, VKEY)).refusal).toBe('');
      for (const [what, other] of [
        [encoded(entryAt(index)), encoded(entryAt(index + 1))],
        [`index ${index}\n`, `index ${index + 1}\n`],
      ] as const) {
        expect(file).toContain(what);
        expect((await check(file.replace(what, other), VKEY)).refusal).toMatch(/inclusion proof verification failed for index/);
      }
    }
    await log.close();
  });
});

describe.skipIf(reason !== undefined)(`LOG-015 LOG-020 LOG-053 several keys and a witness, as the Go tools see them${skipped}`, () => {
  const second = createSigner(new Uint8Array(32).fill(7));
  const stranger = createSigner(new Uint8Array(32).fill(8));
  const witness = createSigner(new Uint8Array(32).fill(9));
  const WITNESS = 'witness.example/one';
  const secondKey = noteVerifierKey(ORIGIN, second.publicKey);

  async function openCosigned() {
    const disk = createMemoryDisk();
    const log = await openLog({
      storage: createMemoryStorage(disk),
      origin: ORIGIN,
      noteSigner: { name: ORIGIN, signer },
      furtherSigners: [{ name: ORIGIN, signer: second }],
      cosign: (head) => Promise.resolve([cosignatureLine(checkpointText(head), 1_800_000_000, { name: WITNESS, signer: witness })]),
    });
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => log.append({ entry: new TextEncoder().encode(entryAt(i)), attachments: [] }).durable),
    );
    await log.whenPublished(299);
    const directory = mkdtempSync(join(folder, 'log-'));
    for (const [path, bytes] of disk.files) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), bytes);
    }
    return { log, directory };
  }

  it('each key of the log is enough for every tool, and a key that is none of its is refused', async () => {
    const { log, directory } = await openCosigned();
    expect(log.checkpoint.note.split('\n\n')[1]?.trimEnd().split('\n')).toHaveLength(3);
    for (const vkey of [VKEY, secondKey]) {
      const verdicts = await Promise.all(TOOLS.map((tool) => runTool({ program }, tool, [directory, vkey])));
      expect(verdicts.map(({ refusal, report }) => [refusal, report?.size])).toEqual(TOOLS.map(() => ['', 300]));
    }
    const foreign = noteVerifierKey(ORIGIN, stranger.publicKey);
    for (const tool of TOOLS)
      expect((await runTool({ program }, tool, [directory, foreign])).refusal).toMatch(/checkpoint: .*no verifiable signatures/);
    await log.close();
  });

  it('a proof file holds under a policy that asks for the witness, and not for another', async () => {
    const { log } = await openCosigned();
    const file = await proofOf(log, 299);
    for (const vkey of [VKEY, secondKey]) expect((await check(file, vkey, cosignerKeyText(WITNESS, witness.publicKey))).refusal).toBe('');
    expect((await check(file, VKEY, cosignerKeyText(WITNESS, stranger.publicKey))).refusal).toMatch(/only 1\/2 policy components/);
    await log.close();
  });
});

interface Vector {
  readonly name: string;
  readonly format: string;
  readonly file: string;
  readonly trust: { readonly vkeys?: readonly string[]; readonly witnessKeys?: readonly string[] };
  readonly expect: readonly string[];
}

const VECTORS = fileURLToPath(new URL('../../vectors/exports/', import.meta.url));
const missing = reason ?? (existsSync(VECTORS) ? undefined : 'there are no vectors of exports yet');

function vectorsIn(name: string): readonly Vector[] {
  if (missing !== undefined) return [];
  const all = JSON.parse(readFileSync(join(VECTORS, name), 'utf8')) as readonly Vector[];
  return all.filter(({ format }) => format === 'tlog-proof');
}

/** What a log does not look into: which entry it is, and who signed it beside the log. */
const OF_ENTRIES = /^(?:entry-form|signature) fail|checkpoint_wrong_log$/;
/** What torchwood reads more loosely than we do. */
const LOOSE = new Set(['tlog-proof: index with a leading zero']);

describe.skipIf(missing !== undefined)(
  `the vectors of exported tlog-proofs in torchwood${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('holds what we hold', async () => {
      const valid = vectorsIn('tlog-proof-valid.json');
      expect(valid.length).toBeGreaterThan(5);
      for (const { name, file, trust } of valid) {
        const { refusal } = await check(file, trust.vkeys?.[0] ?? '', ...(trust.witnessKeys ?? []));
        expect.soft([name, refusal]).toEqual([name, '']);
      }
    });

    it('refuses what we refuse, but for what is ours alone', async () => {
      // Without a key that is one there is nothing to ask torchwood.
      const invalid = vectorsIn('tlog-proof-invalid.json').filter(({ trust }) => (trust.vkeys?.[0] ?? '').includes('+'));
      expect(invalid.length).toBeGreaterThan(20);
      for (const { name, file, trust, expect: said } of invalid) {
        const { refusal } = await check(file, trust.vkeys?.[0] ?? '', ...(trust.witnessKeys ?? []));
        const isOurs = LOOSE.has(name) || said.some((one) => OF_ENTRIES.test(one));
        if (!isOurs) expect.soft([name, refusal]).toEqual([name, expect.stringMatching(/^refused by proof: /)]);
        if (LOOSE.has(name)) expect.soft([name, refusal]).toEqual([name, '']);
      }
    });
  },
);
