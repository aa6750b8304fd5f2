/** Builds the bundle vectors from fixed seeds: the same bytes in every run. `write-bundle-vectors.ts` stores them. */
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { makeBundle } from '../src/index.ts';
import { bad, type BundleVector, edit, good, type Members, textOf, TRUST } from './vector-forms.ts';
import { cosignedBundles, cosignedInvalid, cosignedValid } from './cosigned-vectors.ts';
import { outcomesInvalid, outcomesValid } from './outcome-vectors.ts';
import { action, fullBundle, openWorld, ORIGIN, outcomeDraft, receiptDraft, uuid } from './fixtures.ts';

function editBody(bundle: string, extra: Members): string {
  return edit(bundle, (members) => {
    const entry = members['entry'] as Members;
    members['entry'] = { ...entry, body: { ...(entry['body'] as Members), ...extra } };
  });
}

interface Made {
  readonly signed: string;
  readonly receipts: readonly string[];
  readonly outcome: string;
  readonly bare: string;
  readonly end: string;
  readonly erasure: string;
}

/** In a world of its own, so that the other vectors are as they were. */
async function makeErasure(): Promise<string> {
  const world = await openWorld();
  world.recorder.stageReceipt(receiptDraft(1));
  const draft = { id: uuid(7), time: '2026-01-02T03:04:09.000Z', org: 'org-1', subject: 'someone@example.org' };
  await world.recorder.stageErasure({ ...draft, keys: 1, by: 'operator', reason: 'asked for' }).durable;
  const erasure = textOf(await fullBundle(world, uuid(7)));
  await world.log.close();
  return erasure;
}

async function make(): Promise<Made> {
  const signedWorld = await openWorld('each');
  await signedWorld.recorder.stageReceipt(receiptDraft(1)).durable;
  const signed = textOf(await fullBundle(signedWorld, uuid(1)));
  await signedWorld.log.close();
  const world = await openWorld();
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  for (let n = 20; n < 320; n += 1) world.recorder.stageReceipt(receiptDraft(n, { action: action(n, 'session-2') }));
  world.recorder.stageReceipt(receiptDraft(3, { outcomeBy: null }));
  const ended = world.recorder.stageSessionEnd({
    id: uuid(4),
    time: '2026-01-02T03:04:09.000Z',
    org: 'org-1',
    session: 'session-1',
    reason: 'done',
  });
  await ended.durable;
  const receipts = [textOf(await fullBundle(world, uuid(1))), textOf(await fullBundle(world, uuid(3)))];
  const outcome = textOf(await fullBundle(world, uuid(2)));
  const bare = textOf(await makeBundle({ log: world.log, index: 200 }));
  const end = textOf(await makeBundle({ log: world.log, index: ended.index }));
  await world.log.close();
  return { signed, receipts, outcome, bare, end, erasure: await makeErasure() };
}

const STRANGER = createSigner(new Uint8Array(32).fill(99)).publicKey;

const PROVEN = ['bundle-form pass bundle_ok', 'entry-form pass entry_ok', 'inclusion pass inclusion_ok', 'checkpoint pass checkpoint_ok'];

function validVectors({ signed, receipts, outcome, bare, end, erasure }: Made): readonly BundleVector[] {
  const [receipt = '', last = ''] = receipts;
  return [
    good(
      'receipt with everything disclosed',
      [receipt],
      [...PROVEN, 'signature not-checked signature_by_checkpoint', 'commitments pass commitments_ok', 'inputs pass inputs_ok'],
    ),
    good(
      'receipt signed on its own',
      [signed],
      [...PROVEN, 'signature pass signature_ok', 'commitments pass commitments_ok', 'inputs pass inputs_ok'],
    ),
    {
      ...good('signed receipt without a receipt key', [signed], ['signature not-checked signature_no_trust']),
      trust: { ...TRUST, receiptKeys: [] },
    },
    good('outcome with its response', [outcome], [...PROVEN, 'commitments pass commitments_ok', 'inputs not-checked inputs_not_disclosed']),
    good(
      'receipt with nothing disclosed',
      [bare],
      [...PROVEN, 'commitments not-checked commitments_not_disclosed', 'inputs not-checked inputs_not_disclosed'],
    ),
    good('session end', [end], PROVEN),
    good('erasure, with whom', [erasure], [...PROVEN, 'commitments pass commitments_ok']),
    good(
      'erasure, without',
      [edit(erasure, (members) => delete members['inputs'])],
      [...PROVEN, 'commitments not-checked commitments_not_disclosed'],
    ),
    good('session, whole and ended', [receipt, outcome, last, end], ['chain pass chain_ok']),
    good('session, whole and open', [last, outcome, receipt], ['chain pass chain_ok']),
  ];
}

function invalidVectors({ signed, receipts, outcome, end, erasure }: Made): readonly BundleVector[] {
  const [receipt = '', last = ''] = receipts;
  const of = (bundle: string, name: string): Members => (JSON.parse(bundle) as Members)[name] as Members;
  return [
    bad('file: empty', [''], ['bundle-form fail bundle_not_json']),
    bad('file: newline at the end', [`${receipt}\n`], ['bundle-form fail bundle_not_canonical']),
    bad('file: number spelled otherwise', [receipt.replace('"index":0,', '"index":0e0,')], ['bundle-form fail bundle_not_canonical']),
    bad(
      'file: escape that is not needed',
      [receipt.replace('"checkpoint"', '"\\u0063heckpoint"')],
      ['bundle-form fail bundle_not_canonical'],
    ),
    bad('file: member twice', [receipt.replace('"index":0,', '"index":0,"index":0,')], ['bundle-form fail bundle_not_json']),
    bad('file: unknown member', [edit(receipt, (members) => Object.assign(members, { zz: 1 }))], ['bundle-form fail bundle_malformed']),
    bad(
      'file: proof with loose trailing bits',
      [
        edit(receipt, (members) =>
          Object.assign(members, { proof: (members['proof'] as string[]).map((hash) => `${hash.slice(0, 42)}B=`) }),
        ),
      ],
      ['inclusion fail inclusion_bad'],
    ),
    bad('entry: unknown member', [editBody(receipt, { zz: 1 })], ['entry-form fail entry_malformed']),
    bad('entry: unknown type', [editBody(receipt, { type: 'countersign.receipt.v2' })], ['entry-form fail entry_malformed']),
    bad(
      'entry: decision changed',
      [editBody(receipt, { verdict: { ...((of(receipt, 'entry')['body'] as Members)['verdict'] as Members), decision: 'allow' } })],
      ['inclusion fail inclusion_bad'],
    ),
    bad('entry: other log named', [editBody(receipt, { log: 'example.org/other' })], ['checkpoint fail checkpoint_wrong_log']),
    bad('place: another index', [edit(receipt, (members) => Object.assign(members, { index: 1 }))], ['inclusion fail inclusion_bad']),
    bad(
      'proof: one hash short',
      [edit(receipt, (members) => Object.assign(members, { proof: (members['proof'] as string[]).slice(1) }))],
      ['inclusion fail inclusion_bad'],
    ),
    bad(
      'proof: one hash too many',
      [
        edit(receipt, (members) =>
          Object.assign(members, { proof: [...(members['proof'] as string[]), (members['proof'] as string[])[0] ?? ''] }),
        ),
      ],
      ['inclusion fail inclusion_bad'],
    ),
    bad(
      'checkpoint: of another log with the same key',
      [edit(receipt, (members) => Object.assign(members, { checkpoint: (JSON.parse(signed) as Members)['checkpoint'] ?? null }))],
      ['inclusion fail inclusion_bad'],
    ),
    bad('checkpoint: size changed', [receipt.replace(`${ORIGIN}\\n304\\n`, `${ORIGIN}\\n305\\n`)], ['checkpoint fail note_bad_signature']),
    {
      ...bad('trust: no log key', [receipt], ['checkpoint fail checkpoint_no_trust', 'inclusion not-checked inclusion_no_checkpoint']),
      trust: { ...TRUST, vkeys: [] },
    },
    {
      ...bad('trust: another log key', [receipt], ['checkpoint fail note_unverified']),
      trust: { ...TRUST, vkeys: [noteVerifierKey(ORIGIN, STRANGER)] },
    },
    {
      ...bad('trust: another receipt key', [signed], ['signature fail signature_unknown_key']),
      trust: { ...TRUST, receiptKeys: [Buffer.from(STRANGER).toString('base64url')] },
    },
    bad(
      'signature: taken away',
      [edit(signed, (members) => Object.assign(members, { entry: { ...of(signed, 'entry'), signatures: [] } }))],
      ['signature fail signature_missing'],
    ),
    bad(
      'inputs: another action',
      [edit(receipt, (members) => Object.assign(members, { inputs: { ...of(receipt, 'inputs'), action: { v: 1 } } }))],
      ['commitments fail commitment_action'],
    ),
    bad(
      'inputs: another state',
      [edit(receipt, (members) => Object.assign(members, { inputs: { ...of(receipt, 'inputs'), state: {} } }))],
      ['commitments fail commitment_state'],
    ),
    bad(
      'inputs: no signals',
      [edit(receipt, (members) => Object.assign(members, { inputs: { ...of(receipt, 'inputs'), signals: [] } }))],
      ['commitments fail commitment_signals'],
    ),
    bad(
      'inputs: another response',
      [edit(outcome, (members) => Object.assign(members, { inputs: { ...of(outcome, 'inputs'), response: 'AAAA' } }))],
      ['commitments fail commitment_response'],
    ),
    bad(
      'inputs: of a receipt, with an outcome',
      [edit(outcome, (members) => Object.assign(members, { inputs: of(receipt, 'inputs') }))],
      ['commitments fail commitments_misplaced'],
    ),
    bad(
      'inputs: another subject',
      [
        edit(erasure, (members) =>
          Object.assign(members, { inputs: { ...of(erasure, 'inputs'), erased: { org: 'org-1', subject: 'somebody@example.org' } } }),
        ),
      ],
      ['commitments fail commitment_erased'],
    ),
    bad(
      'inputs: of an erasure, with a receipt',
      [edit(receipt, (members) => Object.assign(members, { inputs: of(erasure, 'inputs') }))],
      ['commitments fail commitments_misplaced'],
    ),
    bad('erasure: keys changed', [editBody(erasure, { keys: 2 })], ['inclusion fail inclusion_bad']),
    bad(
      'documents: another policy',
      [edit(receipt, (members) => Object.assign(members, { documents: { ...of(receipt, 'documents'), policy: {} } }))],
      ['inputs fail inputs_policy'],
    ),
    bad(
      'documents: other rules',
      [edit(receipt, (members) => Object.assign(members, { documents: { ...of(receipt, 'documents'), rules: [] } }))],
      ['inputs fail inputs_rules'],
    ),
    bad('session: first entry missing', [outcome, last, end], ['chain fail chain_gap']),
    bad('session: entry in the middle missing', [receipt, last, end], ['chain fail chain_gap']),
    bad('session: entry twice', [receipt, outcome, outcome], ['chain fail chain_repeated']),
    bad('session: another first entry', [receipt, signed], ['chain fail chain_repeated']),
    bad('session: entry that is not proven', [receipt, editBody(outcome, { redactions: 1 })], ['chain fail chain_unproven']),
  ];
}

/** The content of `vectors/bundle/valid.json` and `invalid.json`. */
export async function bundleVectors(): Promise<{ readonly valid: readonly BundleVector[]; readonly invalid: readonly BundleVector[] }> {
  const made = await make();
  const cosigned = cosignedBundles(made.bare);
  return {
    valid: [...validVectors(made), ...cosignedValid(cosigned), ...(await outcomesValid())],
    invalid: [...invalidVectors(made), ...cosignedInvalid(cosigned), ...(await outcomesInvalid())],
  };
}
