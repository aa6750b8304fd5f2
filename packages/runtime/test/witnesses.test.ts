import { createSigner, noteVerifierKey, openNote } from '@countersign/crypto';
import {
  type Checkpoint,
  cosignatureLine,
  cosignerKeyText,
  createMemoryDisk,
  createMemoryStorage,
  createWitness,
  type Log,
  type MemoryDisk,
  openLog,
  parseCosignerKey,
  type Witness,
} from '@countersign/log';
import { createMemoryWitnessState } from '@countersign/testkit';
import { describe, expect, test } from 'vitest';
import {
  checkCosignatures,
  createWitnesses,
  parseWitnessConfig,
  RUNTIME_LIMITS,
  type Witnesses,
  type WitnessPost,
  type WitnessReply,
} from '../src/index.ts';

const ORIGIN = 'log.example/one';
const SECONDS = 1_800_000_000;
const noteSigner = { name: ORIGIN, signer: createSigner(new Uint8Array(32).fill(1)) };
const signerOf = (seed: number): ReturnType<typeof createSigner> => createSigner(new Uint8Array(32).fill(seed));
const nameOf = (i: number): string => `w${i}.example`;
const urlOf = (i: number): string => `http://w${i}.example`;

/** A log in memory, and every checkpoint that it published. */
async function openStory(
  disk: MemoryDisk = createMemoryDisk(),
): Promise<Log & { grow(count: number, label?: string): Promise<Checkpoint> }> {
  const log = await openLog({ storage: createMemoryStorage(disk), origin: ORIGIN, noteSigner });
  return Object.assign(Object.create(log) as Log, {
    grow: async (count: number, label = 'entry'): Promise<Checkpoint> => {
      const staged = Array.from({ length: count }, (_, i) =>
        log.append({ entry: new TextEncoder().encode(`${label} ${log.size} ${i}`), attachments: [] }),
      );
      return log.whenPublished(staged.at(-1)?.index ?? 0);
    },
  });
}

type Answering = (body: string, signal: AbortSignal) => Promise<WitnessReply> | WitnessReply;

interface World {
  readonly witnesses: Witnesses;
  readonly remote: readonly Witness[];
  /** What each witness was asked: its number and the first line. */
  readonly asked: (readonly [number, string])[];
  nowMs: number;
  /** Runs what waits for a timer. */
  timeOut(): void;
  /** Replaces what a witness does. */
  answer(i: number, answering: Answering | undefined): void;
  cosign(log: Log, checkpoint?: Checkpoint): Promise<readonly string[]>;
}

function makeWorld(count: number, quorum = 1): World {
  const asked: (readonly [number, string])[] = [];
  const waiting = new Set<() => void>();
  const changed = new Map<number, Answering>();
  const clock = { nowMs: (): number => world.nowMs };
  const remote = Array.from({ length: count }, (_, i) => {
    const state = createMemoryWitnessState();
    state.addKey(ORIGIN, noteVerifierKey(ORIGIN, noteSigner.signer.publicKey));
    return createWitness({ state, clock, noteSigner: { name: nameOf(i), signer: signerOf(50 + i) } });
  });
  const post: WitnessPost = async (url, body, signal) => {
    const i = Array.from({ length: count }, (_, n) => urlOf(n)).indexOf(url);
    asked.push([i, body.slice(0, body.indexOf('\n'))]);
    const answering = changed.get(i);
    if (answering !== undefined) return answering(body, signal);
    const answer = remote[i]?.addCheckpoint(new TextEncoder().encode(body));
    return { status: answer?.status ?? 0, contentType: answer?.contentType.split(';')[0] ?? '', body: answer?.body };
  };
  const config = parseWitnessConfig(JSON.stringify({ quorum, witnesses: remote.map(({ key }, i) => ({ key, url: urlOf(i) })) }));
  const timer = {
    after: (ms: number, work: () => void): (() => void) => {
      expect(ms).toBe(RUNTIME_LIMITS.cosignMs);
      waiting.add(work);
      return () => void waiting.delete(work);
    },
  };
  const witnesses = createWitnesses({ config, clock, timer, post });
  const world: World = {
    witnesses,
    remote,
    asked,
    nowMs: SECONDS * 1000,
    timeOut: () => waiting.forEach((work) => work()),
    answer: (i, answering) => (answering === undefined ? void changed.delete(i) : void changed.set(i, answering)),
    cosign: async (log, checkpoint = log.checkpoint) => {
      const lines = await witnesses.cosign(checkpoint, (oldSize) => log.consistencyProof(oldSize, checkpoint.size));
      expect(waiting.size).toBe(0);
      return lines;
    },
  };
  return world;
}

/** Names whose lines verify under the checkpoint, in order. */
function signers({ remote }: World, note: string, lines: readonly string[]): readonly string[] {
  return lines.map((line) => {
    const keys = remote.map(({ key }) => parseCosignerKey(key)).flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
    const opened = openNote(note + line, keys);
    return opened.ok ? (opened.value.signatures[0]?.name ?? '') : opened.error.code;
  });
}

const errorOf = (bed: World, i: number): string | undefined => bed.witnesses.status().witnesses[i]?.error?.code;

describe('LOG-052 a log asks its witnesses', () => {
  test('all of them, from the size that each is known to have', async () => {
    const [bed, log] = [makeWorld(3), await openStory()];
    for (const count of [3, 1, 300]) {
      const checkpoint = await log.grow(count);
      expect(signers(bed, checkpoint.note, await bed.cosign(log))).toEqual([nameOf(0), nameOf(1), nameOf(2)]);
    }
    expect(bed.asked.map(([, line]) => line)).toEqual(['old 0', 'old 0', 'old 0', 'old 3', 'old 3', 'old 3', 'old 4', 'old 4', 'old 4']);
    expect(bed.witnesses.status()).toMatchObject({
      quorum: 1,
      reached: true,
      newest: { size: 304, cosignatures: 3 },
      witnesses: [0, 1, 2].map((i) => ({ name: nameOf(i), url: urlOf(i), cosigned: { size: 304, seconds: SECONDS }, error: undefined })),
    });
  });

  test('again from the size that one names, which it does not forget', async () => {
    const [bed, log] = [makeWorld(1), await openStory()];
    await bed.cosign(log, await log.grow(5));
    const restarted = {
      ...bed,
      witnesses: createWitnesses({
        config: parseWitnessConfig(JSON.stringify({ quorum: 1, witnesses: [{ key: bed.remote[0]?.key, url: urlOf(0) }] })),
        clock: { nowMs: () => 0 },
        timer: { after: () => () => undefined },
        post: async (_url, body) => {
          bed.asked.push([0, body.slice(0, body.indexOf('\n'))]);
          const answer = bed.remote[0]?.addCheckpoint(new TextEncoder().encode(body));
          return { status: answer?.status ?? 0, contentType: answer?.contentType ?? '', body: answer?.body };
        },
      }),
    };
    bed.asked.length = 0;
    const checkpoint = await log.grow(4);
    const prove = (oldSize: number): Promise<readonly Uint8Array[]> => log.consistencyProof(oldSize, checkpoint.size);
    expect(signers(bed, checkpoint.note, await restarted.witnesses.cosign(checkpoint, prove))).toEqual([nameOf(0)]);
    const next = await log.grow(1);
    await restarted.witnesses.cosign(next, (oldSize) => log.consistencyProof(oldSize, next.size));
    expect(bed.asked.map(([, line]) => line)).toEqual(['old 0', 'old 5', 'old 9']);
  });

  test('makes one proof for all that have the same size', async () => {
    const [bed, log] = [makeWorld(4), await openStory()];
    await bed.cosign(log, await log.grow(5));
    const checkpoint = await log.grow(5);
    const proofs: number[] = [];
    await bed.witnesses.cosign(checkpoint, (oldSize) => {
      proofs.push(oldSize);
      return log.consistencyProof(oldSize, checkpoint.size);
    });
    expect(proofs).toEqual([5]);
  });

  test('the empty log too, and none where there are no witnesses', async () => {
    const log = await openStory();
    const bed = makeWorld(1);
    expect(signers(bed, log.checkpoint.note, await bed.cosign(log))).toEqual([nameOf(0)]);
    const nobody = makeWorld(0, 0);
    expect(await nobody.cosign(log)).toEqual([]);
    expect(nobody.witnesses.status()).toMatchObject({ reached: true, witnesses: [] });
  });

  test('as many times as a limit says where one names another size each time', async () => {
    const [bed, log] = [makeWorld(1), await openStory()];
    let size = 0;
    bed.answer(0, () => ({ status: 409, contentType: 'text/x.tlog.size', body: `${(size = (size % 3) + 1)}\n` }));
    expect(await bed.cosign(log, await log.grow(9))).toEqual([]);
    expect(bed.asked).toHaveLength(RUNTIME_LIMITS.witnessAsksMax);
    expect(errorOf(bed, 0)).toBe('witness_unsteady');
  });
});

describe('LOG-052 a witness that fails', () => {
  test('is left alone for a while that doubles up to a limit, and costs one publication each time', async () => {
    const [bed, log] = [makeWorld(2), await openStory()];
    const down: Answering = () => Promise.reject(new Error('ECONNREFUSED'));
    bed.answer(0, down);
    let pause: number = RUNTIME_LIMITS.witnessPauseMsMin;
    for (let round = 0; round < 12; round += 1) {
      expect(await bed.cosign(log, await log.grow(1))).toHaveLength(1);
      const { length } = bed.asked;
      bed.nowMs += pause - 1;
      expect(await bed.cosign(log, await log.grow(1))).toHaveLength(1);
      expect(bed.asked.slice(length).map(([i]) => i)).toEqual([1]);
      bed.nowMs += 1;
      expect(bed.witnesses.status().witnesses[0]?.error).toMatchObject({ code: 'witness_unreachable', pauseMs: pause });
      pause = Math.min(pause * 2, RUNTIME_LIMITS.witnessPauseMsMax);
    }
    expect(pause).toBe(RUNTIME_LIMITS.witnessPauseMsMax);
    bed.answer(0, undefined);
    expect(await bed.cosign(log, await log.grow(1))).toHaveLength(2);
    expect(bed.witnesses.status().witnesses[0]?.error).toBeUndefined();
    bed.answer(0, down);
    await bed.cosign(log, await log.grow(1));
    expect(bed.witnesses.status().witnesses[0]?.error?.pauseMs).toBe(RUNTIME_LIMITS.witnessPauseMsMin);
  });

  test('is asked again when the clock jumps back: no pause becomes longer', async () => {
    const [bed, log] = [makeWorld(1), await openStory()];
    bed.answer(0, () => Promise.reject(new Error('down')));
    await bed.cosign(log, await log.grow(1));
    bed.nowMs -= 1_000_000;
    bed.answer(0, undefined);
    expect(await bed.cosign(log, await log.grow(1))).toHaveLength(1);
  });

  test('by not answering ends with the time, even where it ignores that; the others are published', async () => {
    const [bed, log] = [makeWorld(3), await openStory()];
    const checkpoint = await log.grow(2);
    const { promise: neverAnswers } = Promise.withResolvers<WitnessReply>();
    const { promise: bothAsked, resolve } = Promise.withResolvers<void>();
    bed.answer(0, () => neverAnswers);
    bed.answer(1, (_body, signal) => {
      resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const lines = bed.cosign(log);
    await bothAsked;
    await new Promise(setImmediate);
    bed.timeOut();
    expect(signers(bed, checkpoint.note, await lines)).toEqual([nameOf(2)]);
    expect([errorOf(bed, 0), errorOf(bed, 1)]).toEqual(['witness_timeout', 'witness_timeout']);
    expect(bed.witnesses.status()).toMatchObject({ newest: { size: 2, cosignatures: 1 }, reached: true });
  });

  test.each<readonly [string, WitnessReply]>([
    ['witness_malformed', { status: 400, contentType: '', body: '' }],
    ['witness_untrusted_key', { status: 403, contentType: '', body: '' }],
    ['witness_unknown_log', { status: 404, contentType: '', body: '' }],
    ['witness_proof_refused', { status: 422, contentType: '', body: '' }],
    ['witness_status', { status: 302, contentType: '', body: '' }],
    ['witness_status', { status: 500, contentType: '', body: '' }],
    ['witness_conflict', { status: 409, contentType: 'text/x.tlog.size', body: '0\n' }],
    ['witness_ahead', { status: 409, contentType: 'text/x.tlog.size', body: '3\n' }],
    ['witness_answer_malformed', { status: 409, contentType: 'text/plain', body: '1\n' }],
    ['witness_answer_malformed', { status: 409, contentType: 'text/x.tlog.size', body: '01\n' }],
    ['witness_answer_malformed', { status: 409, contentType: 'text/x.tlog.size', body: '9007199254740993\n' }],
    ['witness_answer_malformed', { status: 409, contentType: 'text/x.tlog.size', body: undefined }],
    ['witness_answer_malformed', { status: 200, contentType: '', body: undefined }],
    ['witness_answer_malformed', { status: 200, contentType: '', body: '' }],
    ['witness_answer_malformed', { status: 200, contentType: '', body: 'OK\n' }],
  ])('is named: %s', async (code, reply) => {
    const [bed, log] = [makeWorld(2, 2), await openStory()];
    bed.answer(0, () => reply);
    expect(await bed.cosign(log, await log.grow(2))).toHaveLength(1);
    expect(errorOf(bed, 0)).toBe(code);
    expect(bed.witnesses.status()).toMatchObject({ reached: false, newest: { cosignatures: 1 } });
  });

  test('and so is a log that cannot make a proof, at once or later', async () => {
    const [bed, log] = [makeWorld(1), await openStory()];
    const checkpoint = await log.grow(2);
    expect(await bed.witnesses.cosign(checkpoint, () => Promise.reject(new Error('no tile')))).toEqual([]);
    expect(errorOf(bed, 0)).toBe('witness_no_proof');
    bed.nowMs += RUNTIME_LIMITS.witnessPauseMsMax;
    const thrown = (): never => {
      throw new Error('no tile');
    };
    expect(await bed.witnesses.cosign(checkpoint, thrown)).toEqual([]);
  });
});

describe('LOG-053 a line is published only where it verifies', () => {
  const text = (note: string): string => note.slice(0, note.indexOf('\n\n') + 1);
  const witness = (i: number): { name: string; signer: ReturnType<typeof createSigner> } => ({ name: nameOf(i), signer: signerOf(50 + i) });
  const lie = async (
    answering: (note: string) => string,
  ): Promise<{ readonly bed: World; readonly lines: readonly string[]; readonly note: string }> => {
    const [bed, log] = [makeWorld(1), await openStory()];
    const checkpoint = await log.grow(2);
    bed.answer(0, () => ({ status: 200, contentType: 'text/plain', body: answering(checkpoint.note) }));
    return { bed, lines: await bed.cosign(log), note: checkpoint.note };
  };

  test.each<readonly [string, string, (note: string) => string]>([
    [
      'by another key under its name',
      'witness_bad_signature',
      (note) => cosignatureLine(text(note), SECONDS, { ...witness(0), signer: signerOf(9) }),
    ],
    ['by a stranger', 'witness_bad_signature', (note) => cosignatureLine(text(note), SECONDS, witness(7))],
    ['over another size', 'witness_bad_signature', (note) => cosignatureLine(text(note).replace('\n2\n', '\n3\n'), SECONDS, witness(0))],
    ['over another log', 'witness_bad_signature', (note) => cosignatureLine(text(note).replace('one', 'two'), SECONDS, witness(0))],
    ['that only the log has signed', 'witness_bad_signature', (note) => note.slice(text(note).length + 1)],
    ['that is cut short', 'witness_answer_malformed', (note) => cosignatureLine(text(note), SECONDS, witness(0)).slice(0, -1)],
    ['with words before it', 'witness_answer_malformed', (note) => `OK\n${cosignatureLine(text(note), SECONDS, witness(0))}`],
    [
      'over a text that it put into its answer',
      'witness_bad_signature',
      (note) => `more\n\n${cosignatureLine(`${text(note)}\nmore\n`.replace('\n\n', '\n'), SECONDS, witness(0))}`,
    ],
  ])('not one %s', async (_name, code, answering) => {
    const { bed, lines } = await lie(answering);
    expect(lines).toEqual([]);
    expect([errorOf(bed, 0), bed.witnesses.status().witnesses[0]?.cosigned]).toEqual([code, undefined]);
  });

  test('one line a witness: what else it sends is left out', async () => {
    const { bed, lines, note } = await lie((sent) => {
      const mine = (seconds: number): string => cosignatureLine(text(sent), seconds, witness(0));
      return cosignatureLine(text(sent), SECONDS, witness(7)) + mine(SECONDS) + mine(SECONDS + 1);
    });
    expect(signers(bed, note, lines)).toEqual([nameOf(0)]);
    expect(lines[0]?.match(/\n/g)).toHaveLength(1);
    expect(bed.witnesses.status().witnesses[0]?.cosigned).toEqual({ size: 2, seconds: SECONDS });
  });

  test('a text of the answer does not move the end of the checkpoint', async () => {
    const { lines } = await lie((note) => `\n${cosignatureLine(text(note), SECONDS, witness(0))}`);
    expect(lines).toEqual([]);
  });
});

describe('a log that misbehaves finds no witness', () => {
  test('not after a rollback, not with a fork', async () => {
    const bed = makeWorld(2, 2);
    const disk = createMemoryDisk();
    const log = await openStory(disk);
    await bed.cosign(log, await log.grow(5));
    const other = await openStory();
    await other.grow(3, 'other');
    expect(await bed.cosign(other)).toEqual([]);
    expect(errorOf(bed, 0)).toBe('witness_ahead');
    bed.nowMs += RUNTIME_LIMITS.witnessPauseMsMax;
    await other.grow(2, 'other');
    expect(await bed.cosign(other)).toEqual([]);
    expect(errorOf(bed, 0)).toBe('witness_conflict');
    bed.nowMs += RUNTIME_LIMITS.witnessPauseMsMax;
    await other.grow(4, 'other');
    expect(await bed.cosign(other)).toEqual([]);
    expect(errorOf(bed, 0)).toBe('witness_proof_refused');
    bed.nowMs += RUNTIME_LIMITS.witnessPauseMsMax;
    expect(await bed.cosign(log, await log.grow(1))).toHaveLength(2);
  });
});

describe('who cosigned a checkpoint', () => {
  test('is read from the note alone, each witness once', async () => {
    const [bed, log] = [makeWorld(3), await openStory()];
    const checkpoint = await log.grow(2);
    const lines = await bed.cosign(log);
    const config = parseWitnessConfig(
      JSON.stringify({
        quorum: 2,
        witnesses: [0, 1, 2].map((i) => ({ key: cosignerKeyText(nameOf(i), signerOf(50 + i).publicKey), url: urlOf(i) })),
      }),
    );
    const found = (note: string): readonly unknown[] => {
      const { reached, witnesses } = checkCosignatures(note, config);
      return [reached, ...witnesses.map(({ seconds }) => seconds)];
    };
    expect(found(checkpoint.note)).toEqual([false, undefined, undefined, undefined]);
    expect(found(checkpoint.note + (lines[1] ?? ''))).toEqual([false, undefined, SECONDS, undefined]);
    expect(found(checkpoint.note + (lines[1] ?? '').repeat(3))).toEqual([false, undefined, SECONDS, undefined]);
    expect(found(checkpoint.note + lines.slice(1).join(''))).toEqual([true, undefined, SECONDS, SECONDS]);
    expect(found((checkpoint.note + lines.join('')).replace('\n2\n', '\n3\n'))).toEqual([false, undefined, undefined, undefined]);
    expect(found('no note')).toEqual([false, undefined, undefined, undefined]);
  });
});
