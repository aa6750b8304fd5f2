import { base64, noteVerifierKey, openNote, signNote } from '@countersign/crypto';
import { createMemoryWitnessState, witnessStateContract, type MemoryWitness } from '@countersign/testkit';
import { describe, expect, it } from 'vitest';
import {
  checkpointText,
  cosignatureSeconds,
  createWitness,
  EMPTY_TREE,
  parseAddCheckpoint,
  parseCosignerKey,
  WITNESS_BODY_BYTES_MAX,
  WITNESS_PROOF_LINES_MAX,
  type Witness,
  type WitnessAnswer,
  type WitnessState,
} from '../src/index.ts';
import { utf8 } from './fixtures.ts';
import { bodyOf, honest, leaves, LOG_KEY, LOG_VKEY, noteOf, ORIGIN, proofOf, signerOf, treeOf, WITNESS } from './witnessed-log.ts';

witnessStateContract('memory', () => {
  const memory: MemoryWitness = new Map();
  return { open: () => createMemoryWitnessState(memory), remove: () => memory.clear() };
});

const SECONDS = 1_800_000_000;
const clock = { nowMs: (): number => SECONDS * 1000 + 999 };

interface Bed {
  readonly witness: Witness;
  readonly state: ReturnType<typeof createMemoryWitnessState>;
  readonly size: () => number | undefined;
}

function bed(change: (state: WitnessState) => WitnessState = (state) => state): Bed {
  const state = createMemoryWitnessState();
  state.addKey(ORIGIN, LOG_VKEY);
  return { state, size: () => state.log(ORIGIN)?.tree.size, witness: createWitness({ state: change(state), clock, noteSigner: WITNESS }) };
}

/** Status, type and verdict of a refusal; nothing of the request comes back. */
function refusal(answer: WitnessAnswer): readonly unknown[] {
  expect(answer.status).not.toBe(200);
  expect(answer.body).not.toContain('\u2014');
  return answer.status === 409 ? [409, answer.contentType, answer.body] : [answer.status, answer.verdict];
}

/** The seconds of the one cosignature in an answer, checked over the note. */
function cosigned(witness: Witness, answer: WitnessAnswer, note: string): number {
  expect(answer).toMatchObject({ status: 200, verdict: 'cosigned', origin: ORIGIN });
  const key = parseCosignerKey(witness.key);
  const opened = openNote(note + answer.body, key.ok ? [key.value] : []);
  const [signature] = opened.ok ? opened.value.signatures : [];
  expect(answer.body.match(/\n/g)).toHaveLength(1);
  return Number(cosignatureSeconds(signature?.signature ?? new Uint8Array(0)));
}

const SIZE_TYPE = 'text/x.tlog.size';

describe('LOG-050 a witness cosigns what grows', () => {
  it('from nothing, by proof, and again without growing', () => {
    const { witness, size } = bed();
    for (const [old, next] of [
      [0, 3],
      [3, 3],
      [3, 4],
      [4, 8],
      [8, 21],
      [21, 21],
    ] as const) {
      const story = leaves(next);
      expect(cosigned(witness, witness.addCheckpoint(honest(story, old)), noteOf(story))).toBe(SECONDS);
      expect(size()).toBe(next);
    }
  });

  it('the empty log, before it has an entry', () => {
    const { witness, size } = bed();
    cosigned(witness, witness.addCheckpoint(honest([], 0)), noteOf([]));
    expect(size()).toBe(0);
    cosigned(witness, witness.addCheckpoint(honest(leaves(2), 0)), noteOf(leaves(2)));
    const forged = signNote(checkpointText({ origin: ORIGIN, size: 0, root: treeOf(leaves(1)).root }), LOG_KEY);
    expect(refusal(bed().witness.addCheckpoint(bodyOf({ old: 0, note: forged })))).toEqual([409, SIZE_TYPE, '0\n']);
  });

  it('under either key of a log that changes its key, and under both', () => {
    const { witness, state } = bed();
    const next = { name: ORIGIN, signer: signerOf(2) };
    const story = leaves(5);
    const withNext = bodyOf({ old: 0, note: noteOf(story, next) });
    expect(refusal(witness.addCheckpoint(withNext))).toEqual([403, 'witness_unsigned']);
    state.addKey(ORIGIN, noteVerifierKey(ORIGIN, next.signer.publicKey));
    expect(witness.addCheckpoint(withNext).status).toBe(200);
    expect(witness.addCheckpoint(honest(leaves(6), 5)).status).toBe(200);
    const both = noteOf(leaves(7)) + noteOf(leaves(7), next).split('\n\n')[1];
    expect(witness.addCheckpoint(bodyOf({ old: 6, proof: proofOf(leaves(7), 6), note: both })).status).toBe(200);
  });

  it('with lines of strangers beside the one it knows, and with extension lines', () => {
    const { witness } = bed();
    const text = `${checkpointText({ origin: ORIGIN, ...treeOf(leaves(2)) })}an extension\n`;
    const note = `${signNote(text, LOG_KEY)}\u2014 stranger AAAAAAA=\n`;
    const answer = witness.addCheckpoint(bodyOf({ old: 0, note }));
    expect(cosigned(witness, answer, note)).toBe(SECONDS);
  });
});

describe('LOG-050 a witness refuses', () => {
  it('an origin that it does not know with 404', () => {
    const { witness } = bed();
    const stranger = { name: 'log.example/two', signer: LOG_KEY.signer };
    expect(refusal(witness.addCheckpoint(bodyOf({ old: 0, note: noteOf(leaves(1), stranger, stranger.name) })))).toEqual([
      404,
      'witness_unknown_log',
    ]);
  });

  it('what no known key has signed with 403', () => {
    const { witness, size } = bed();
    const unsigned = (note: string): void =>
      expect(refusal(witness.addCheckpoint(bodyOf({ old: 0, note })))).toEqual([403, 'witness_unsigned']);
    unsigned(noteOf(leaves(3), { name: ORIGIN, signer: signerOf(99) }));
    unsigned(noteOf(leaves(3)).replace('\n3\n', '\n4\n'));
    unsigned(noteOf(leaves(3), { name: 'other.name', signer: LOG_KEY.signer }));
    expect(size()).toBe(0);
  });

  it('an old size above the new one with 400', () => {
    const { witness } = bed();
    witness.addCheckpoint(honest(leaves(9), 0));
    expect(refusal(witness.addCheckpoint(bodyOf({ old: 9, note: noteOf(leaves(8)) })))).toEqual([400, 'witness_old_above_new']);
  });

  it('another old size with 409 and the one it knows, the first time too', () => {
    const { witness, size } = bed();
    expect(refusal(witness.addCheckpoint(honest(leaves(9), 4)))).toEqual([409, SIZE_TYPE, '0\n']);
    witness.addCheckpoint(honest(leaves(9), 0));
    for (const old of [0, 5, 8, 10, 12]) expect(refusal(witness.addCheckpoint(honest(leaves(12), old)))).toEqual([409, SIZE_TYPE, '9\n']);
    expect(size()).toBe(9);
  });

  it('a rollback, whatever it is called', () => {
    const { witness, size } = bed();
    witness.addCheckpoint(honest(leaves(9), 0));
    for (const old of [0, 3, 5]) expect(refusal(witness.addCheckpoint(honest(leaves(5), old)))).toEqual([409, SIZE_TYPE, '9\n']);
    expect(size()).toBe(9);
  });

  it('two roots of one size with 409', () => {
    const { witness, size } = bed();
    witness.addCheckpoint(honest(leaves(9), 0));
    const fork = witness.addCheckpoint(honest(leaves(9, 1, 8), 9));
    expect([refusal(fork), fork.verdict]).toEqual([[409, SIZE_TYPE, '9\n'], 'witness_fork']);
    expect(size()).toBe(9);
  });

  it('a proof that does not hold with 422', () => {
    const { witness, state } = bed();
    witness.addCheckpoint(honest(leaves(5), 0));
    const story = leaves(11);
    const proof = proofOf(story, 5);
    const note = noteOf(story);
    const bad: readonly (readonly Uint8Array[])[] = [
      [],
      proof.slice(1),
      proof.slice(0, -1),
      [...proof, new Uint8Array(32)],
      proof.map((hash, i) => (i === 1 ? new Uint8Array(32) : hash)),
      proofOf(leaves(11, 1, 4), 5),
    ];
    for (const one of bad) expect(refusal(witness.addCheckpoint(bodyOf({ old: 5, proof: one, note })))).toEqual([422, 'witness_proof_bad']);
    expect(refusal(witness.addCheckpoint(honest(leaves(11, 1, 4), 5)))).toEqual([422, 'witness_proof_bad']);
    expect(refusal(witness.addCheckpoint(bodyOf({ old: 5, proof, note: noteOf(leaves(5)) })))).toEqual([422, 'witness_proof_bad']);
    expect(state.log(ORIGIN)?.tree).toEqual(treeOf(leaves(5)));
    expect(witness.addCheckpoint(bodyOf({ old: 5, proof, note })).status).toBe(200);
  });

  it('a proof where there is nothing to prove with 422', () => {
    const { witness, size } = bed();
    expect(refusal(witness.addCheckpoint(bodyOf({ old: 0, proof: [new Uint8Array(32)], note: noteOf(leaves(3)) })))).toEqual([
      422,
      'witness_proof_bad',
    ]);
    expect(size()).toBe(0);
  });
});

describe('LOG-050 what is malformed is 400', () => {
  const note = noteOf(leaves(3));
  const line = base64(new Uint8Array(32));
  const bodies: readonly (readonly [string, string | Uint8Array])[] = [
    ['nothing', ''],
    ['no empty line', `old 0\n${note.replaceAll('\n\n', '\n')}`],
    ['no old size', `\n${note}`],
    ['old in another word', `new 0\n\n${note}`],
    ['two spaces', `old  0\n\n${note}`],
    ['a leading zero', `old 00\n\n${note}`],
    ['a sign', `old +1\n\n${note}`],
    ['a negative size', `old -1\n\n${note}`],
    ['hex', `old 0x1\n\n${note}`],
    ['2^53', `old 9007199254740992\n\n${note}`],
    ['seventeen digits', `old 10000000000000000\n\n${note}`],
    ['carriage returns', `old 0\r\n\r\n${note}`],
    ['a byte order mark', `\ufeffold 0\n\n${note}`],
    ['a short hash', `old 0\n${base64(new Uint8Array(31))}\n\n${note}`],
    ['a long hash', `old 0\n${base64(new Uint8Array(33))}\n\n${note}`],
    ['a hash without padding', `old 0\n${line.replace('=', '')}\n\n${note}`],
    ['a hash with a space', `old 0\n${line} \n\n${note}`],
    ['a hash in base64url', `old 0\n${base64(new Uint8Array(32).fill(255)).replaceAll('/', '_')}\n\n${note}`],
    ['an empty line too many', `old 0\n\n\n${note}`],
    ['no checkpoint', 'old 0\n\n'],
    ['bytes that are not UTF-8', Buffer.concat([utf8('old 0\n\n'), Uint8Array.of(0xff), utf8(note)])],
  ];
  it.each(bodies)('%s', (_name, body) => {
    const { witness } = bed();
    expect(refusal(witness.addCheckpoint(typeof body === 'string' ? utf8(body) : body))).toEqual([400, 'witness_body_malformed']);
  });

  const text = (rest: string): string => signNote(`${ORIGIN}\n${rest}`, LOG_KEY);
  const root = base64(treeOf(leaves(3)).root);
  it.each([
    ['no note', `${ORIGIN}\n`],
    ['a note without signatures', `${ORIGIN}\n3\n${root}\n`],
    ['a signature line cut short', note.slice(0, -1)],
    ['a note without a size', text(`x\n${root}\n`)],
    ['a size with a leading zero', text(`03\n${root}\n`)],
    ['a size of 2^53', text(`9007199254740992\n${root}\n`)],
    ['a short root', text(`3\n${base64(new Uint8Array(31))}\n`)],
    ['only an origin', text('')],
    ['too many signature lines', note + '\u2014 stranger AAAAAAA=\n'.repeat(100)],
  ])('a checkpoint that is none: %s', (_name, checkpoint) => {
    expect(refusal(bed().witness.addCheckpoint(bodyOf({ old: 0, note: checkpoint })))).toEqual([400, 'witness_checkpoint_malformed']);
  });

  it('more than 63 proof lines', () => {
    const body = (lines: number): Uint8Array => bodyOf({ old: 0, proof: Array.from({ length: lines }, () => line), note });
    expect(parseAddCheckpoint(body(WITNESS_PROOF_LINES_MAX))).toMatchObject({ ok: true, value: { oldSize: 0, origin: ORIGIN, note } });
    expect(refusal(bed().witness.addCheckpoint(body(WITNESS_PROOF_LINES_MAX)))).toEqual([422, 'witness_proof_bad']);
    expect(refusal(bed().witness.addCheckpoint(body(WITNESS_PROOF_LINES_MAX + 1)))).toEqual([400, 'witness_body_malformed']);
    expect(WITNESS_PROOF_LINES_MAX).toBe(63);
  });

  it('a body above its limit, which is 413', () => {
    const start = bodyOf({ old: 0, note });
    const filled = (bytes: number): Uint8Array => Buffer.concat([start, new Uint8Array(bytes - start.length).fill(0x61)]);
    expect(refusal(bed().witness.addCheckpoint(filled(WITNESS_BODY_BYTES_MAX)))).toEqual([400, 'witness_checkpoint_malformed']);
    expect(refusal(bed().witness.addCheckpoint(filled(WITNESS_BODY_BYTES_MAX + 1)))).toEqual([413, 'witness_body_too_large']);
  });
});

describe('LOG-051 a witness stores before it signs', () => {
  it('and signs nothing where storing fails', () => {
    const { witness, size } = bed((state) => ({
      log: (origin) => state.log(origin),
      advance: () => {
        throw new Error('the disk is full');
      },
    }));
    expect(() => witness.addCheckpoint(honest(leaves(3), 0))).toThrow('the disk is full');
    expect(size()).toBe(0);
  });

  it('and has stored by the time the key is used', () => {
    const { state } = bed();
    const seen: (number | undefined)[] = [];
    const signer = {
      ...WITNESS.signer,
      sign: (message: string | Uint8Array) => {
        seen.push(state.log(ORIGIN)?.tree.size);
        return WITNESS.signer.sign(message);
      },
    };
    const witness = createWitness({ state, clock, noteSigner: { name: WITNESS.name, signer } });
    witness.addCheckpoint(honest(leaves(3), 0));
    witness.addCheckpoint(honest(leaves(6), 3));
    witness.addCheckpoint(honest(leaves(6, 1), 6));
    expect(seen).toEqual([3, 6]);
  });

  it('and answers 409 where another has moved on between reading and storing', () => {
    let stale = true;
    const { witness, state } = bed((inner) => ({
      ...inner,
      log: (origin) => {
        const found = inner.log(origin);
        const old = stale && found !== undefined ? { ...found, tree: EMPTY_TREE } : found;
        stale = !stale;
        return old;
      },
    }));
    state.advance({ origin: ORIGIN, from: EMPTY_TREE, to: treeOf(leaves(7)) });
    expect(refusal(witness.addCheckpoint(honest(leaves(5), 0)))).toEqual([409, SIZE_TYPE, '7\n']);
    expect(state.log(ORIGIN)?.tree).toEqual(treeOf(leaves(7)));
  });

  it('the same size again is compared too', () => {
    const { witness, state } = bed((inner) => ({ ...inner, advance: () => false }));
    state.advance({ origin: ORIGIN, from: EMPTY_TREE, to: treeOf(leaves(7)) });
    expect(refusal(witness.addCheckpoint(honest(leaves(7), 7)))).toEqual([409, SIZE_TYPE, '7\n']);
  });
});
