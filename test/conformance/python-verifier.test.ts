/** The second verifier (sdks/python) and the first, asked the same: they must say the same, check by check and code by code. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigner } from '@countersign/crypto';
import { canonicalize, type JsonValue, parseJson } from '@countersign/kernel';
import { cosignatureLine, createMemoryStorage, openLog } from '@countersign/log';
import { makeBundle, makeConsistency } from '@countersign/receipts';
import type { Check, Trust } from '@countersign/receipts/verify';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { seeded } from '../../bench/crash-run.ts';
import {
  action,
  fullBundle,
  logSigner,
  openWorld,
  ORIGIN,
  outcomeDraft,
  receiptDraft,
  trust,
  uuid,
} from '../../packages/receipts/test/fixtures.ts';
import { type Gateway, openGateway } from '../e2e/gateway-world.ts';
import { compare, firstSays, lineOf, type Question } from './both-verifiers.ts';
import { askAll, findPython, type Python, run } from './python-process.ts';

const SEED = 20_260_102;
const TAMPERED_BYTES = 400;
const TAMPERED_MEMBERS = 400;
const SESSIONS = 150;

interface Vector {
  readonly name: string;
  readonly bundles: readonly string[];
  readonly trust: Trust;
  readonly now?: string;
}

let python: Python = { missing: 'not looked for' };

beforeAll(async () => {
  python = await findPython();
  // Where everything is checked, nothing may be left out.
  if ('missing' in python && process.env['CI'] !== undefined) throw new Error(`the second verifier cannot run here: ${python.missing}`);
}, 300_000);

/** The interpreter; skips the test, and says why, where there is none. */
function pythonOr(context: TestContext): string {
  if ('missing' in python) return context.skip(python.missing);
  return python.path;
}

function believing(files: readonly Uint8Array[], believed: Trust): readonly Question[] {
  return files.map((file) => ({ op: 'bundle', trust: believed, file }));
}

function stored(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/bundle/${name}.json`, import.meta.url), 'utf8'));
}

/** A session with an outcome and an end, an entry of another session, and a receipt signed on its own. */
async function makeFiles(): Promise<readonly Uint8Array[]> {
  const world = await openWorld();
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  world.recorder.stageReceipt(receiptDraft(3, { outcomeBy: null }));
  world.recorder.stageReceipt(receiptDraft(5, { action: action(5, 'session-2') }));
  const end = { id: uuid(4), time: '2026-01-02T03:04:09.000Z', org: 'org-1', session: 'session-1', reason: 'done' };
  const ended = world.recorder.stageSessionEnd(end);
  await ended.durable;
  const files = await Promise.all([1, 2, 3, 5].map((n) => fullBundle(world, uuid(n))));
  files.push(await makeBundle({ log: world.log, index: ended.index }), await makeBundle({ log: world.log, index: 0 }));
  await world.log.close();
  const each = await openWorld('each');
  await each.recorder.stageReceipt(receiptDraft(1)).durable;
  files.push(await fullBundle(each, uuid(1)));
  await each.log.close();
  return files;
}

interface ConsistencyFiles {
  readonly files: readonly Uint8Array[];
  /** A checkpoint, and how many of the files begin with it. */
  readonly seen: string;
  readonly sameOld: number;
}

/** From each of some checkpoints to each later one of a log that two witnesses cosign, or, in the first half, one. */
async function makeConsistencyFiles(): Promise<ConsistencyFiles> {
  const witnesses = [41, 42].map((seed) => ({ name: `witness.example/${seed}`, signer: createSigner(new Uint8Array(32).fill(seed)) }));
  const log = await openLog({
    storage: createMemoryStorage(),
    origin: ORIGIN,
    noteSigner: { name: ORIGIN, signer: logSigner },
    cosign: ({ size, note }) => {
      const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
      return Promise.resolve(size < 20 ? [] : witnesses.slice(0, size < 100 ? 1 : 2).map((by) => cosignatureLine(text, 1_780_000_000, by)));
    },
  });
  const heads = [log.checkpoint];
  for (const size of [1, 2, 7, 8, 19, 64, 65, 300]) {
    while (log.size < size) log.append({ entry: Buffer.from(`entry ${log.size}`), attachments: [] });
    heads.push(await log.whenPublished(size - 1));
  }
  const files: Uint8Array[] = [];
  for (const [n, old] of heads.entries()) for (const newer of heads.slice(n)) files.push(await makeConsistency(log, old, newer));
  await log.close();
  return { files, seen: heads[4]?.note ?? '', sameOld: heads.length - 4 };
}

function tamperBytes(file: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...file];
  const changes = 1 + Math.floor(random() * 3);
  for (let n = 0; n < changes; n += 1) {
    const at = Math.floor(random() * bytes.length);
    const kind = Math.floor(random() * 3);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    else if (kind === 1) bytes.splice(at, 1 + Math.floor(random() * 12));
    else bytes.splice(at, 0, 32 + Math.floor(random() * 95));
  }
  return Uint8Array.from(bytes);
}

const LETTERS = '0123456789abcdefABCDEF+/-_= ';
const ODD: readonly JsonValue[] = [null, true, 0, -1, 1.5, 2 ** 53, '', 'x', 'é😀', [], {}, [0], { a: 1 }, 'A'.repeat(43), 'A'.repeat(86)];

function tamperLeaf(value: JsonValue, random: () => number): JsonValue {
  if (typeof value === 'string' && value !== '' && random() < 0.7) {
    const at = Math.floor(random() * value.length);
    return `${value.slice(0, at)}${LETTERS[Math.floor(random() * LETTERS.length)] ?? ''}${value.slice(at + 1)}`.toWellFormed();
  }
  if (typeof value === 'number' && random() < 0.7) return value + 1;
  return ODD[Math.floor(random() * ODD.length)] ?? null;
}

/** The canonical text of the file with one member of it changed, added or taken away: form and text hold more often than not. */
function tamperMember(file: Uint8Array, random: () => number): Uint8Array {
  const root = JSON.parse(Buffer.from(file).toString('utf8')) as Record<string, JsonValue>;
  let inner = root;
  for (;;) {
    const keys = Object.keys(inner);
    const key = keys[Math.floor(random() * keys.length)] ?? 'zz';
    const value = inner[key] ?? null;
    if (typeof value === 'object' && value !== null && random() < 0.85) {
      inner = value as unknown as Record<string, JsonValue>;
      continue;
    }
    const kind = random();
    if (kind < 0.1 && !Array.isArray(inner)) delete inner[key];
    else if (kind < 0.2 && !Array.isArray(inner)) inner[`${key}x`] = value;
    else inner[key] = tamperLeaf(value, random);
    return Buffer.from(canonicalize(root), 'utf8');
  }
}

function nested(depth: number): string {
  return `"policy":${'['.repeat(depth)}${']'.repeat(depth)}`;
}

const POLICY = '"policy":{';
const SESSION = '"session":"session-1","signing"';

/** What stands in the first bundle, and what is put there instead. */
const EDGES: readonly (readonly [string, string])[] = [
  // Two containers are around a document: 80 levels in all, and 81.
  ...[78, 79].map((depth) => [POLICY, `${nested(depth)},"policy_":{`] as const),
  [POLICY, `${POLICY}"__proto__":1,`],
  [POLICY, `${POLICY}"aa":1e21,`],
  [POLICY, `${POLICY}"aa":1e+21,`],
  [POLICY, `${POLICY}"aa":1E+21,`],
  [POLICY, `${POLICY}"aa":-0,`],
  [POLICY, `${POLICY}"aa":1.0,`],
  [POLICY, `${POLICY}"aa":9007199254740993,`],
  [POLICY, `${POLICY}"aa":9007199254740992,`],
  [POLICY, `${POLICY}"aa":100000000000000000000,`],
  [POLICY, `${POLICY}"aa":0.000001,`],
  [POLICY, `${POLICY}"aa":0.0000001,`],
  [POLICY, `${POLICY}"aa":1e-7,`],
  [POLICY, `${POLICY}"aa":5e-324,`],
  [POLICY, `${POLICY}"aa":"\u001f\u007f",`],
  [POLICY, `${POLICY}"aa":"\\u001F",`],
  [POLICY, `${POLICY}"aa":"\\u001f",`],
  [POLICY, `${POLICY}"aa":"\\ud83d",`],
  [POLICY, `${POLICY}"aa":"\\ud83d\\ude00",`],
  [POLICY, `${POLICY}"aa":"\\/",`],
  [POLICY, `${POLICY}"😀":1,"ﬀ":1,`],
  [POLICY, `${POLICY}"ﬀ":1,"😀":1,`],
  [POLICY, `${POLICY}"guards":1,`],
  [POLICY, '"policy": {'],
  [SESSION, SESSION.replace('session-1', 's'.repeat(128))],
  [SESSION, SESSION.replace('session-1', 's'.repeat(129))],
  [SESSION, SESSION.replace('session-1', '😀'.repeat(64))],
  [SESSION, SESSION.replace('session-1', `${'😀'.repeat(64)}s`)],
  ['"risk":930', '"risk":1000'],
  ['"risk":930', '"risk":1001'],
  ['"risk":930', '"risk":true'],
  ['"seq":0', '"seq":9007199254740991'],
  ['"seq":0', '"seq":9007199254740992'],
  ['"delegation":[', `"delegation":[${'"d",'.repeat(15)}`],
  ['"delegation":[', `"delegation":[${'"d",'.repeat(16)}`],
  ['"proof":[', `"proof":[${Array.from({ length: 51 }, () => `"${'A'.repeat(43)}="`).join(',')},`],
  ['"proof":[', `"proof":[${Array.from({ length: 54 }, () => `"${'A'.repeat(43)}="`).join(',')},`],
  ['"proof":[', '"proof":["AAAA",'],
  ['"index":0', '"index":-1'],
  ['"index":0', '"index":9007199254740991'],
  ['"index":0', '"index":0.5'],
  ['"type":"countersign.bundle.v1"', '"type":"countersign.bundle.v2"'],
  ['"salts":{', '"salts":{"aa":1,'],
];

describe('the second verifier', () => {
  it(
    'BNDL-003 BNDL-013 BNDL-023 BNDL-030 BNDL-031 BNDL-032 RCPT-031 RCPT-033 passes its own suite',
    { timeout: 300_000 },
    async (context) => {
      const ran = await run(pythonOr(context), ['-m', 'unittest']);
      expect(ran.code, ran.stderr).toBe(0);
      expect(Number(/Ran (\d+) tests/.exec(ran.stderr)?.[1])).toBeGreaterThan(50);
    },
  );

  it('BNDL-005 BNDL-006 reads and writes JSON as the first does', async (context) => {
    const random = seeded(SEED);
    const double = new DataView(new ArrayBuffer(8));
    const texts: string[] = [];
    for (let n = 0; n < 3000; n += 1) {
      for (let at = 0; at < 8; at += 1) double.setUint8(at, Math.floor(random() * 256));
      const value = double.getFloat64(0);
      const number = Number.isFinite(value) ? value : n;
      const digits = `${Math.floor(random() * 1e9)}${Math.floor(random() * 1e9)}`;
      texts.push(
        `[${number},${number.toPrecision(17)},${digits},0.${digits},${digits}e-${n % 40},{"\\u${(0xd7f0 + (n % 64)).toString(16)}":1}]`,
      );
    }
    const answers = await askAll<Record<string, unknown>>(
      pythonOr(context),
      texts.map((text) => ({ op: 'canonical', text })),
    );
    const codes = new Set<string>();
    for (const [n, text] of texts.entries()) {
      const parsed = parseJson(text);
      const first = parsed.ok
        ? { canonical: canonicalize(parsed.value.value), exactNumbers: parsed.value.exactNumbers }
        : { code: parsed.error.code };
      expect(answers[n], text).toEqual(first);
      codes.add(parsed.ok ? 'ok' : parsed.error.code);
    }
    expect([...codes].sort()).toEqual(['json_lone_surrogate', 'ok']);
  });
});

describe('both verifiers say the same', () => {
  let files: readonly Uint8Array[] = [];

  beforeAll(async () => {
    files = await makeFiles();
  });

  it('BNDL-010 BNDL-014 BNDL-015 BNDL-016 BNDL-040 of the vectors', async (context) => {
    const vectors = ['valid', 'invalid'].flatMap((name) => stored(name) as readonly Vector[]);
    const asked = vectors.flatMap(({ bundles, trust: believed, now }): readonly Question[] => {
      const list = bundles.map((text) => Buffer.from(text, 'utf8'));
      const each = believing(list, believed);
      return list.length === 1 ? each : [...each, { op: 'session', trust: believed, files: list, ...(now === undefined ? {} : { now }) }];
    });
    const said = await compare(pythonOr(context), asked, 'vectors');
    expect(Math.min(said.get('ok true') ?? 0, said.get('ok false') ?? 0)).toBeGreaterThan(10);
  });

  it('BNDL-012 RCPT-005 of bundles as the gateway makes them, and of hundreds in which bytes were changed', async (context) => {
    const random = seeded(SEED);
    const tampered = Array.from({ length: TAMPERED_BYTES }, (_, n) => tamperBytes(files[n % files.length] ?? new Uint8Array(0), random));
    const said = await compare(pythonOr(context), believing([...files, ...tampered], trust), `seed ${SEED}`);
    expect([said.get('ok true'), said.get('ok false')]).toEqual([files.length, TAMPERED_BYTES]);
  });

  it('BNDL-014 RCPT-005 of hundreds in which a member was changed and the text is canonical again', async (context) => {
    const random = seeded(SEED + 1);
    const tampered = Array.from({ length: TAMPERED_MEMBERS }, (_, n) => tamperMember(files[n % files.length] ?? new Uint8Array(0), random));
    const said = await compare(pythonOr(context), believing(tampered, trust), `seed ${SEED + 1}`);
    for (const check of ['bundle-form', 'entry-form', 'inclusion', 'checkpoint', 'commitments', 'inputs'])
      expect(
        [...said.keys()].some((line) => line.startsWith(`${check} fail`)),
        `nothing failed ${check}`,
      ).toBe(true);
  });

  it('BNDL-005 BNDL-006 of texts at the edges of what is strict, canonical and within the limits', async (context) => {
    const whole = Buffer.from(files[0] ?? []).toString('utf8');
    const edges = EDGES.map(([from, to]) => {
      expect(whole.includes(from), from).toBe(true);
      return Buffer.from(whole.replace(from, to), 'utf8');
    });
    const bytes = [
      Buffer.from(`\ufeff${whole}`, 'utf8'),
      Buffer.concat([Buffer.from(whole.slice(0, 20)), Buffer.from([0xed, 0xa0, 0x80])]),
    ];
    const said = await compare(pythonOr(context), believing([...edges, ...bytes], trust), 'edges');
    expect(said.get('ok true')).toBeUndefined();
    for (const code of ['bundle_not_json', 'bundle_not_canonical', 'bundle_malformed'])
      expect(said.get(`bundle-form fail ${code}`), code).toBeGreaterThan(3);
    expect(said.get('entry-form fail entry_malformed')).toBeGreaterThan(3);
    expect(said.get('inputs fail inputs_policy')).toBeGreaterThan(3);
  });

  it('BNDL-020 BNDL-022 of sessions with bundles missing, repeated, out of order, of another session, damaged', async (context) => {
    const random = seeded(SEED + 2);
    const all = [...files.slice(0, 5), ...files.slice(0, 3), ...files.slice(0, 6), new Uint8Array(0)];
    const lists = Array.from({ length: SESSIONS }, (_, n) =>
      n % 3 === 0
        ? [...files.slice(0, 3), ...files.slice(4, 5)].filter(() => random() < 0.9).sort(() => random() - 0.5)
        : Array.from({ length: Math.floor(random() * 5) }, () => all[Math.floor(random() * all.length)] ?? new Uint8Array(0)),
    );
    const questions = lists.map((list): Question => ({ op: 'session', trust, files: list }));
    const said = await compare(pythonOr(context), questions, `seed ${SEED + 2}`);
    for (const code of ['chain_empty', 'chain_gap', 'chain_mixed', 'chain_repeated', 'chain_unproven'])
      expect(said.get(`chain fail ${code}`), code).toBeGreaterThan(0);
    expect(said.get('chain pass chain_ok')).toBeGreaterThan(0);
  });

  it('BNDL-030 BNDL-031 BNDL-032 of consistency files as a log makes them, cosigned, and of hundreds that were changed', async (context) => {
    const random = seeded(SEED + 3);
    const made = await makeConsistencyFiles();
    const from = (list: readonly Uint8Array[]): readonly Question[] =>
      list.flatMap((file): readonly Question[] => [
        { op: 'consistency', trust, file },
        { op: 'consistency', trust, file, seen: made.seen },
      ]);
    const changed = Array.from({ length: TAMPERED_MEMBERS }, (_, n) => {
      const file = made.files[n % made.files.length] ?? new Uint8Array(0);
      return n % 2 === 0 ? tamperMember(file, random) : tamperBytes(file, random);
    });
    const whole = await compare(pythonOr(context), from(made.files), 'made by makeConsistency');
    expect(whole.get('ok true')).toBe(made.files.length + made.sameOld);
    expect(whole.get('consistency fail consistency_not_seen')).toBe(made.files.length - made.sameOld);
    const said = await compare(pythonOr(context), from(changed), `seed ${SEED + 3}`);
    for (const line of ['form fail consistency_not_json', 'form fail consistency_malformed', 'form fail consistency_digest_bad'])
      expect(said.get(`consistency-${line}`), line).toBeGreaterThan(3);
  });
});

interface Case {
  readonly name: string;
  readonly trust: Trust;
  readonly file?: string;
  readonly files?: readonly string[];
  readonly now?: string;
  readonly seen?: string;
  readonly expect: { readonly ok: boolean; readonly end?: string; readonly checks: readonly string[] };
}

function questionOf({ trust: believed, file, files, now, seen }: Case, stem: string): Question {
  const bytes = (text = ''): Uint8Array => Buffer.from(text, 'utf8');
  if (files !== undefined) return { op: 'session', trust: believed, files: files.map(bytes), ...(now === undefined ? {} : { now }) };
  if (stem === 'extended') return { op: 'bundle', trust: believed, file: bytes(file) };
  return { op: 'consistency', trust: believed, file: bytes(file), ...(seen === undefined ? {} : { seen }) };
}

describe('both verifiers on the cases that either of them made', () => {
  it.each(['extended', 'sessions', 'consistency', 'consistency-seeded'])('BNDL-040 vectors/bundle/%s.json', async (stem) => {
    const { cases } = stored(stem) as { readonly cases: readonly Case[] };
    const questions = cases.map((one) => questionOf(one, stem));
    if (!('missing' in python)) await compare(python.path, questions, stem);
    for (const [n, question] of questions.entries()) {
      const { ok, checks } = await firstSays(question);
      expect(ok, cases[n]?.name).toBe(cases[n]?.expect.ok);
      expect(checks, cases[n]?.name).toEqual(expect.arrayContaining([...(cases[n]?.expect.checks ?? [])]));
    }
  });
});

interface VerifyJson {
  readonly version: number;
  readonly command: string;
  readonly exit_code: number;
  readonly ok: boolean;
  readonly chain: Check;
  readonly end: string;
  readonly bundles: readonly { readonly ok: boolean; readonly checks: readonly Check[]; readonly subject: object }[];
}

describe('both command lines, on bundles of a real gateway', () => {
  let gateway: Gateway | undefined;

  beforeAll(async () => {
    gateway = await openGateway();
  });

  afterAll(() => gateway?.close());

  it('BNDL-011 say the same, in the same shape', { timeout: 120_000 }, async (context) => {
    const path = pythonOr(context);
    if (gateway === undefined) throw new Error('there is no gateway');
    const { dataDir } = gateway.ready;
    const files: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const tool = n === 1 ? { sql: 'DROP TABLE users' } : { sql: `SELECT ${n}` };
      const body = JSON.stringify({ tool: 'database.query', params: tool, target_url: '' });
      const reply = await gateway.send({ headers: { 'x-ag-session': 'second-opinion' }, body });
      files.push(join(dataDir, `${n}.countersign.json`));
      await gateway.cli(['receipt', 'bundle', String(reply.body['receipt_id']), '--out', files[n] ?? '']);
    }
    const key = (await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim();
    const first = await gateway.cli(['verify', ...files, '--session', '--key', key, '--json']);
    const second = await run(path, ['-m', 'countersign_verify', ...files, '--session', '--key', key, '--json']);
    expect([second.code, second.stderr]).toEqual([first.code, '']);
    const [one, two] = [JSON.parse(first.stdout) as VerifyJson, JSON.parse(second.stdout) as VerifyJson];
    expect([one.ok, one.chain.code, one.bundles.length]).toEqual([true, 'chain_ok', 3]);
    for (const name of ['version', 'command', 'exit_code', 'ok', 'end'] as const) expect(two[name]).toEqual(one[name]);
    expect(Object.keys(two)).toEqual(expect.arrayContaining(Object.keys(one)));
    expect(lineOf(two.chain)).toBe(lineOf(one.chain));
    for (const [n, bundle] of one.bundles.entries()) {
      const other = two.bundles[n];
      expect(Object.keys(other ?? {}).sort()).toEqual(Object.keys(bundle).sort());
      expect([other?.ok, other?.subject]).toEqual([bundle.ok, bundle.subject]);
      expect((other?.checks ?? []).map(lineOf)).toEqual(bundle.checks.map(lineOf));
    }
    const stranger = await run(path, ['-m', 'countersign_verify', ...files, '--key', trust.vkeys[0] ?? '']);
    expect([stranger.code, stranger.stdout.match(/^NOT VERIFIED/gm)?.length]).toEqual([2, 3]);
  });
});
