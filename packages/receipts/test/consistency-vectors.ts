/** Consistency files, valid and invalid, from fixed seeds. */
import { createSigner, noteVerifierKey, sha256Hex, signNote } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { type Checkpoint, checkpointText, createMemoryStorage, openLog, type Log } from '@countersign/log';
import { makeConsistency } from '../src/index.ts';
import { type ConsistencyVector, edit, textOf, TRUST } from './vector-forms.ts';
import { logSigner, ORIGIN } from './fixtures.ts';

const OTHER = 'example.org/other';
const STRANGER = createSigner(new Uint8Array(32).fill(98));

async function logOf(entry: (n: number) => string, sizes: readonly number[]): Promise<{ log: Log; heads: Checkpoint[] }> {
  const log = await openLog({ storage: createMemoryStorage(), origin: ORIGIN, noteSigner: { name: ORIGIN, signer: logSigner } });
  const heads: Checkpoint[] = [log.checkpoint];
  for (const size of sizes) {
    while (log.size < size) log.append({ entry: Buffer.from(entry(log.size)), attachments: [] });
    heads.push(await log.whenPublished(size - 1));
  }
  return { log, heads };
}

export async function consistencyVectors(): Promise<readonly ConsistencyVector[]> {
  const { log, heads } = await logOf((n) => `entry ${n}`, [3, 8, 300]);
  const fork = await logOf((n) => (n < 2 ? `entry ${n}` : `other ${n}`), [8, 300]);
  const [empty, three, eight, many] = heads;
  const forked = fork.heads[1];
  if (empty === undefined || three === undefined || eight === undefined || many === undefined || forked === undefined)
    throw new Error('no checkpoints');
  const file = async (old: Checkpoint, newer: Checkpoint): Promise<string> => textOf(await makeConsistency(log, old, newer));
  const whole = await file(three, many);
  const change = (members: Record<string, string | readonly string[]>): string => edit(whole, (all) => Object.assign(all, members));
  const both = `${many.note}${signNote(checkpointText(many), { name: ORIGIN, signer: STRANGER }).split('\n').at(-2) ?? ''}\n`;
  const overlap = change({ new: both });
  const digested = edit(overlap, (all) => Object.assign(all, { digest: sha256Hex(canonicalize(JSON.parse(overlap))) }));
  const OK = ['consistency-form pass consistency_form_ok', 'checkpoint pass checkpoint_ok', 'consistency pass consistency_ok'];
  const vector = (name: string, text: string, checks: readonly string[]): ConsistencyVector => ({
    name,
    file: text,
    trust: TRUST,
    expect: { ok: checks.every((line) => !line.includes(' fail ')), checks },
  });
  const proof = (JSON.parse(whole) as { proof: string[] }).proof;
  const other = await openLog({
    storage: createMemoryStorage(),
    origin: OTHER,
    noteSigner: { name: OTHER, signer: STRANGER },
  });
  const vectors = [
    vector('from 3 to 300', whole, OK),
    vector('from 8, a power of two, to 300', await file(eight, many), OK),
    vector('from the empty log', await file(empty, many), OK),
    vector('from a size to itself', await file(many, many), OK),
    { ...vector('from the tree that was seen', whole, OK), seen: three.note },
    vector('signed by two keys, one known', digested, OK),
    vector('signed by two keys, without a digest', overlap, ['consistency-form fail consistency_digest_missing']),
    { ...vector('from another tree than the one that was seen', whole, ['consistency fail consistency_not_seen']), seen: eight.note },
    { ...vector('what was seen is no checkpoint', whole, ['consistency fail consistency_not_seen']), seen: 'nothing\n' },
    vector('a rollback', change({ old: many.note, new: three.note, proof: [] }), ['consistency fail consistency_rollback']),
    vector('a fork: one size, two roots', change({ old: eight.note, new: forked.note, proof: [] }), ['consistency fail consistency_fork']),
    vector('a fork further on', change({ old: three.note, new: fork.heads[2]?.note ?? '', proof }), ['consistency fail consistency_bad']),
    vector('a hash missing', change({ proof: proof.slice(1) }), ['consistency fail consistency_bad']),
    vector('a hash too many', change({ proof: [...proof, proof[0] ?? ''] }), ['consistency fail consistency_bad']),
    {
      ...vector('of two logs', change({ old: other.checkpoint.note }), ['checkpoint fail consistency_other_log']),
      trust: { ...TRUST, vkeys: [...TRUST.vkeys, noteVerifierKey(OTHER, STRANGER.publicKey)] },
    },
    vector('size changed', change({ new: many.note.replace('\n300\n', '\n301\n') }), ['checkpoint fail note_bad_signature']),
    {
      ...vector('another key', whole, ['checkpoint fail note_unverified']),
      trust: { ...TRUST, vkeys: [noteVerifierKey(ORIGIN, STRANGER.publicKey)] },
    },
    { ...vector('no key', whole, ['checkpoint fail checkpoint_no_trust']), trust: { ...TRUST, vkeys: [] } },
    vector('file: newline at the end', `${whole}\n`, ['consistency-form fail consistency_not_canonical']),
    vector('file: empty', '', ['consistency-form fail consistency_not_json']),
    vector('file: unknown member', change({ zz: '' }), ['consistency-form fail consistency_malformed']),
    vector('file: another type', change({ type: 'countersign.bundle.v1' }), ['consistency-form fail consistency_malformed']),
  ];
  await Promise.all([log.close(), fork.log.close(), other.close()]);
  return vectors;
}
