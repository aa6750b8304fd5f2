/** A witness as a real process, killed with SIGKILL at seeded moments, most of them between storing and signing. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { openNote, sha256 } from '@countersign/crypto';
import { parseCosignerKey } from '@countersign/log';
import { openWitnessStore } from '@countersign/store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bodyOf, LOG_VKEY, noteOf, ORIGIN, proofOf } from '../../packages/log/test/witnessed-log.ts';

const MAIN = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const KILL_AT = new URL('kill-at.mjs', import.meta.url).href;
const STEPS = ['before-store', 'after-store', 'before-sign', 'after-sign', 'from outside'] as const;
const ROUNDS = 20;

/** Mulberry32: small, seeded, good enough to choose moments. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Leaves = readonly Uint8Array[];

interface Living {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly url: string;
  readonly key: string;
  readonly agent: Agent;
  readonly ended: Promise<unknown>;
}

let directory = '';
const living = new Set<Living>();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-witness-'));
  const store = openWitnessStore(directory);
  store.addKey(ORIGIN, LOG_VKEY);
  store.close();
});
afterEach(async () => {
  for (const { child, ended } of living) {
    child.kill('SIGKILL');
    await ended;
  }
  living.clear();
  rmSync(directory, { recursive: true, force: true });
});

async function start(killAt: string): Promise<Living> {
  const args = ['--import', KILL_AT, MAIN, 'witness', 'serve', '--json'];
  const options = ['--dir', directory, '--listen', '127.0.0.1:0', '--name', 'witness.example/w1'];
  const env = { ...process.env, COUNTERSIGN_KILL_AT: killAt };
  const child = spawn(process.execPath, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const complaints = readText(child.stderr);
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => [''])]);
  if (line === '') throw new Error(`the witness did not start: ${await complaints}`);
  const { url, key } = JSON.parse(String(line)) as { url: string; key: string };
  const one = { child, url, key, agent: new Agent({ keepAlive: true }), ended };
  living.add(one);
  return one;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Undefined where the witness died before it had answered. */
function ask({ url, agent }: Living, body: Uint8Array): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
  const sent = request(`${url}/add-checkpoint`, { method: 'POST', agent }, (response) => {
    readText(response).then(
      (said) => resolve({ status: response.statusCode, body: said }),
      () => resolve(undefined),
    );
  });
  sent.on('error', () => resolve(undefined));
  sent.end(body);
  return promise;
}

/** Trees grow by sharing the very arrays of their leaves. */
const isPrefix = (a: Leaves, b: Leaves): boolean => a.length <= b.length && a.every((leaf, i) => leaf === b[i]);

/** Everything the client asked for and got: what a court would have. */
class Record {
  readonly attempts: Leaves[] = [[]];
  readonly signed: Leaves[] = [];
  lost = 0;
  #made = 0;

  /** A tree that grows out of `base`, by leaves that no other has. */
  grow(base: Leaves, count: number): Leaves {
    const more = Array.from({ length: count }, () => sha256(`leaf ${(this.#made += 1)}`));
    const leaves = [...base, ...more];
    this.attempts.push(leaves);
    return leaves;
  }

  /** Asks for a cosignature; what comes must be one, and contradict none that came before. */
  async cosign(witness: Living, from: Leaves, to: Leaves): Promise<Answer | undefined> {
    const note = noteOf(to);
    const answer = await ask(witness, bodyOf({ old: from.length, proof: isPrefix(from, to) ? proofOf(to, from.length) : [], note }));
    if (answer === undefined) this.lost += 1;
    if (answer?.status !== 200) return answer;
    const key = parseCosignerKey(witness.key);
    expect(openNote(note + answer.body, key.ok ? [key.value] : []).ok).toBe(true);
    for (const before of this.signed)
      expect(isPrefix(before, to) || isPrefix(to, before), 'two cosignatures contradict each other').toBe(true);
    this.signed.push(to);
    return answer;
  }

  get longest(): Leaves {
    return this.signed.reduce<Leaves>((longest, one) => (one.length > longest.length ? one : longest), []);
  }
}

/** Which of all trees that were ever asked for the witness knows now; that it is exactly one is part of the test. */
async function locate(witness: Living, record: Record): Promise<Leaves> {
  // Where nothing were known this tree would be cosigned: the story begins with a tree that is, before the first kill.
  const probe = await ask(witness, bodyOf({ old: 0, note: noteOf([sha256('probe')]) }));
  expect(probe?.status).toBe(409);
  const size = Number(probe?.body);
  const known: Leaves[] = [];
  for (const attempt of record.attempts.filter(({ length }) => length === size)) {
    const answer = await record.cosign(witness, attempt, attempt);
    if (answer?.status === 200) known.push(attempt);
    else expect(answer).toEqual({ status: 409, body: `${size}\n` });
  }
  expect(known).toHaveLength(1);
  return known[0] ?? [];
}

/** Trees that exclude one another, a smaller one and the known one again, all at once; gives what the witness knows afterwards. */
async function compete(
  witness: Living,
  record: Record,
  round: { readonly known: Leaves; readonly counts: readonly number[]; readonly kill: boolean },
): Promise<Leaves> {
  const { known, counts, kill } = round;
  const rivals = counts.map((count) => record.grow(known, count));
  const answers = rivals.map((rival) => record.cosign(witness, known, rival));
  const older = record.cosign(witness, known, known.slice(0, -1));
  const again = record.cosign(witness, known, known);
  if (kill) {
    await Promise.race(answers);
    witness.child.kill('SIGKILL');
  }
  const statuses = (await Promise.all(answers)).map((answer) => answer?.status);
  const winners = rivals.filter((_, i) => statuses[i] === 200);
  expect(winners.length).toBeLessThanOrEqual(1);
  expect([400, undefined]).toContain((await older)?.status);
  expect([200, 409, undefined]).toContain((await again)?.status);
  if (statuses.includes(undefined) || kill) await witness.ended;
  return winners[0] ?? known;
}

it(`LOG-051 never signs against an earlier signature and never goes back, over ${ROUNDS} kill -9`, { timeout: 300_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const below = random(seed);
  const record = new Record();
  const deaths = new Map<string, number>();
  const live = async (step: string): Promise<void> => {
    // Finding out what it knows signs too: the moment lies behind that, among the trees that compete.
    const witness = await start(step.endsWith('store') ? `${step}:${1 + below(4)}` : `${step}:${8 + below(8)}`);
    const turnOfKill = step === 'from outside' ? below(6) : undefined;
    let known = await locate(witness, record);
    expect(isPrefix(record.longest, known), 'the witness went back').toBe(true);
    for (let turn = 0; witness.child.signalCode === null; turn += 1) {
      const counts = Array.from({ length: 2 + below(3) }, () => 1 + below(4));
      known = await compete(witness, record, { known, counts, kill: turn === turnOfKill });
      expect(turn).toBeLessThan(20);
    }
    witness.agent.destroy();
    deaths.set(step, (deaths.get(step) ?? 0) + 1);
  };
  try {
    const first = await start('');
    expect((await record.cosign(first, [], record.grow([], 1)))?.status).toBe(200);
    first.child.kill('SIGKILL');
    await first.ended;
    for (let round = 0; round < ROUNDS; round += 1) await live(STEPS[round % STEPS.length] ?? STEPS[0]);
    const last = await start('');
    expect(isPrefix(record.longest, await locate(last, record))).toBe(true);
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
  expect([...deaths.values()]).toEqual(STEPS.map(() => ROUNDS / STEPS.length));
  expect(record.lost).toBeGreaterThan(ROUNDS);
  expect(record.signed.length).toBeGreaterThan(ROUNDS * 2);
});
