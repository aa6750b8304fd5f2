import { createSigner, noteVerifierKey, sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyBundle, type Trust, type VerifyReport } from '../src/verify.ts';
import { readBundle, RECEIPT_LIMITS } from '../src/index.ts';
import { fullBundle, openWorld, ORIGIN, outcomeDraft, receiptDraft, receiptSigner, trust, uuid } from './fixtures.ts';

let receipt = new Uint8Array(0) as Uint8Array;
let other = new Uint8Array(0) as Uint8Array;
let outcome = new Uint8Array(0) as Uint8Array;
let unsigned = new Uint8Array(0) as Uint8Array;

beforeAll(async () => {
  const world = await openWorld('each');
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageReceipt(receiptDraft(2));
  await world.recorder.stageOutcome(outcomeDraft(3, body)).durable;
  [receipt, other, outcome] = (await Promise.all([1, 2, 3].map((n) => fullBundle(world, uuid(n))))) as [Uint8Array, Uint8Array, Uint8Array];
  await world.log.close();
  const plain = await openWorld('batch');
  await plain.recorder.stageReceipt(receiptDraft(1)).durable;
  unsigned = await fullBundle(plain, uuid(1));
  await plain.log.close();
});

type Changed = Record<string, JsonValue>;

/** The bundle with some members changed, canonical again. */
function changed(bytes: Uint8Array, change: (bundle: Changed) => void): Uint8Array {
  const bundle = JSON.parse(Buffer.from(bytes).toString('utf8')) as Changed;
  change(bundle);
  return Buffer.from(canonicalize(bundle));
}

const codeOf = (report: VerifyReport, name: string): string => {
  const check = report.checks.find((found) => found.name === name);
  return `${check?.status} ${check?.code}`;
};

async function expectCheck(file: Uint8Array | { bytes: Uint8Array; by: Trust }, name: string, code: string): Promise<void> {
  const report = file instanceof Uint8Array ? await verifyBundle(file, trust) : await verifyBundle(file.bytes, file.by);
  expect(codeOf(report, name)).toBe(code);
  expect(report.ok).toBe(false);
  for (const { sentence } of report.checks) expect(sentence).toMatch(/^[A-Z].*\.$/);
}

const asBundle = (bytes: Uint8Array): Changed => JSON.parse(Buffer.from(bytes).toString('utf8')) as Changed;

const noteOf = (bundle: Changed): string => (typeof bundle['checkpoint'] === 'string' ? bundle['checkpoint'] : '');

describe('the file', () => {
  test.each([
    ['nothing', '', 'bundle_not_json'],
    ['no object', '[]', 'bundle_malformed'],
    ['not UTF-8', '\u00ff', 'bundle_not_json'],
    ['a member twice', '{"a":1,"a":1}', 'bundle_not_json'],
  ])('that is %s is refused', async (_what, text, code) => {
    await expectCheck(Buffer.from(text, 'latin1'), 'bundle-form', `fail ${code}`);
  });

  test('BNDL-001 BNDL-002 with space, another order, another spelling, or an unknown or missing field is refused', async () => {
    const text = Buffer.from(receipt).toString('utf8');
    await expectCheck(Buffer.from(`${text}\n`), 'bundle-form', 'fail bundle_not_canonical');
    await expectCheck(Buffer.from(text.replace('"index":0', '"index":0.0')), 'bundle-form', 'fail bundle_not_canonical');
    await expectCheck(Buffer.from(text.replace('"type"', '"\\u0074ype"')), 'bundle-form', 'fail bundle_not_canonical');
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { extra: 1 })),
      'bundle-form',
      'fail bundle_malformed',
    );
    await expectCheck(
      changed(receipt, (bundle) => delete bundle['proof']),
      'bundle-form',
      'fail bundle_malformed',
    );
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { index: -1 })),
      'bundle-form',
      'fail bundle_malformed',
    );
  });

  test('of too many bytes is refused unread', () => {
    const read = readBundle(new Uint8Array(RECEIPT_LIMITS.bundleBytesMax + 1));
    expect(read.ok ? '' : read.error.code).toBe('bundle_too_large');
    const atLimit = readBundle(new Uint8Array(RECEIPT_LIMITS.bundleBytesMax));
    expect(atLimit.ok ? '' : atLimit.error.code).toBe('bundle_not_json');
  });
});

describe('the entry', () => {
  test('RCPT-002 BNDL-010 with an unknown field, or of an unknown type, is refused', async () => {
    const widen =
      (extra: JsonObject) =>
      (bundle: Changed): void => {
        const entry = bundle['entry'] as JsonObject;
        bundle['entry'] = { ...entry, body: { ...(entry['body'] as JsonObject), ...extra } };
      };
    await expectCheck(changed(receipt, widen({ note: 'x' })), 'entry-form', 'fail entry_malformed');
    await expectCheck(changed(receipt, widen({ type: 'countersign.grant.v1' })), 'entry-form', 'fail entry_malformed');
    await expectCheck(changed(receipt, widen({ seq: 7 })), 'inclusion', 'fail inclusion_bad');
  });

  test('at another place, or with the proof of another, is refused', async () => {
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { index: 1 })),
      'inclusion',
      'fail inclusion_bad',
    );
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { proof: asBundle(other)['proof'] ?? null })),
      'inclusion',
      'fail inclusion_bad',
    );
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { entry: asBundle(other)['entry'] ?? null })),
      'inclusion',
      'fail inclusion_bad',
    );
  });
});

describe('trust', () => {
  const stranger = createSigner(new Uint8Array(32).fill(77));
  const strangerKey = Buffer.from(stranger.publicKey).toString('base64url');

  test('BNDL-010 in no log key, a broken one, or another one proves nothing', async () => {
    await expectCheck({ bytes: receipt, by: { vkeys: [] } }, 'checkpoint', 'fail checkpoint_no_trust');
    await expectCheck({ bytes: receipt, by: { vkeys: ['nonsense'] } }, 'checkpoint', 'fail vkey_malformed');
    await expectCheck(
      { bytes: receipt, by: { vkeys: [noteVerifierKey(ORIGIN, stranger.publicKey)] } },
      'checkpoint',
      'fail note_unverified',
    );
    await expectCheck({ bytes: receipt, by: { vkeys: [] } }, 'inclusion', 'not-checked inclusion_no_checkpoint');
  });

  test('RCPT-016 in another receipt key refuses the signature; in none leaves it unchecked', async () => {
    await expectCheck({ bytes: receipt, by: { ...trust, receiptKeys: [strangerKey] } }, 'signature', 'fail signature_unknown_key');
    const report = await verifyBundle(receipt, { vkeys: trust.vkeys });
    expect([report.ok, codeOf(report, 'signature')]).toEqual([true, 'not-checked signature_no_trust']);
  });

  test('a receipt that should be signed and is not is refused, as is a signature of other bytes', async () => {
    const sign =
      (signatures: JsonValue) =>
      (bundle: Changed): void => {
        bundle['entry'] = { ...(bundle['entry'] as JsonObject), signatures };
      };
    await expectCheck(changed(receipt, sign([])), 'signature', 'fail signature_missing');
    const sig = Buffer.from(receiptSigner.sign('something else')).toString('base64url');
    await expectCheck(changed(receipt, sign([{ keyId: receiptSigner.keyId, sig }])), 'signature', 'fail signature_bad');
  });

  test('BNDL-003 lines by strangers prove nothing, and need a digest, which must hold', async () => {
    const [name = '', line = ''] = (noteOf(asBundle(receipt)).split('\n').at(-2) ?? '').slice(2).split(' ');
    const foreign = Buffer.from(line, 'base64');
    foreign[0] = (foreign[0] ?? 0) ^ 1;
    const withLine = (bundle: Changed): void => {
      bundle['checkpoint'] = `${noteOf(bundle)}\u2014 ${name} ${foreign.toString('base64')}\n`;
    };
    await expectCheck(changed(receipt, withLine), 'bundle-form', 'fail bundle_digest_missing');
    const digested = changed(receipt, (bundle) => {
      withLine(bundle);
      bundle['digest'] = sha256Hex(canonicalize(bundle));
    });
    const report = await verifyBundle(digested, trust);
    expect([report.ok, codeOf(report, 'checkpoint')]).toEqual([true, 'pass checkpoint_ok']);
    expect(report.checks.find((check) => check.name === 'checkpoint')?.sentence).toContain('one further signature line');
    await expectCheck(
      changed(digested, (bundle) => Object.assign(bundle, { index: 1 })),
      'bundle-form',
      'fail bundle_digest_bad',
    );
    await expectCheck(
      changed(receipt, (bundle) => Object.assign(bundle, { digest: '0'.repeat(64) })),
      'bundle-form',
      'fail bundle_digest_bad',
    );
    const right = changed(receipt, (bundle) => Object.assign(bundle, { digest: sha256Hex(canonicalize(bundle)) }));
    expect((await verifyBundle(right, trust)).ok).toBe(true);
  });
});

describe('disclosure', () => {
  const inner =
    (name: string, change: JsonObject) =>
    (bundle: Changed): void => {
      bundle[name] = { ...(bundle[name] as JsonObject), ...change };
    };

  test('RCPT-011 of other inputs than those committed to is refused by name', async () => {
    await expectCheck(changed(receipt, inner('inputs', { action: { v: 1 } })), 'commitments', 'fail commitment_action');
    await expectCheck(changed(receipt, inner('inputs', { state: {} })), 'commitments', 'fail commitment_state');
    await expectCheck(changed(receipt, inner('inputs', { signals: [] })), 'commitments', 'fail commitment_signals');
    await expectCheck(changed(outcome, inner('inputs', { response: 'AAAA' })), 'commitments', 'fail commitment_response');
    await expectCheck(changed(outcome, inner('inputs', { response: null })), 'commitments', 'fail commitment_response');
    const swapped = asBundle(receipt)['inputs'] ?? null;
    await expectCheck(
      changed(outcome, (bundle) => Object.assign(bundle, { inputs: swapped })),
      'commitments',
      'fail commitments_misplaced',
    );
  });

  test('RCPT-012 of another policy or other rules is refused by name', async () => {
    await expectCheck(changed(receipt, inner('documents', { policy: {} })), 'inputs', 'fail inputs_policy');
    await expectCheck(changed(receipt, inner('documents', { rules: [] })), 'inputs', 'fail inputs_rules');
    const documents = asBundle(receipt)['documents'] ?? null;
    await expectCheck(
      changed(outcome, (bundle) => Object.assign(bundle, { documents })),
      'inputs',
      'fail inputs_misplaced',
    );
  });

  test('BNDL-011 of nothing leaves the rest proven, and says so', async () => {
    const bare = changed(unsigned, (bundle) => {
      delete bundle['inputs'];
      delete bundle['documents'];
    });
    const report = await verifyBundle(bare, trust);
    expect(report.ok).toBe(true);
    expect(codeOf(report, 'commitments')).toBe('not-checked commitments_not_disclosed');
    expect(codeOf(report, 'inputs')).toBe('not-checked inputs_not_disclosed');
    expect(codeOf(report, 'signature')).toBe('not-checked signature_by_checkpoint');
    expect(report.subject).toMatchObject({ id: uuid(1), index: 0, size: 1, seq: 0, log: ORIGIN });
  });
});

test('BNDL-004 a bundle that discloses nothing fits 4 KB for an entry of 1,600 bytes, three signature lines and a log of 2^24 entries', () => {
  const bundle = asBundle(unsigned);
  delete bundle['inputs'];
  delete bundle['documents'];
  const entry = bundle['entry'] as { body: JsonObject; signatures: JsonValue };
  const room = 1600 - canonicalize(entry).length;
  expect(room).toBeGreaterThan(0);
  const filled = { ...entry, body: { ...entry.body, org: 'x'.repeat(room - '"org":"",'.length) } };
  expect(canonicalize(filled).length).toBe(1600);
  const note = noteOf(bundle).replace(/\n1\n/, '\n16777216\n');
  const line = note.split('\n').at(-2) ?? '';
  const cosignature = line.replace(ORIGIN, 'witness.example.org/w1').replace(/ [^ ]+$/, ` ${'A'.repeat(100)}`);
  const full = {
    ...bundle,
    entry: filled,
    index: 16_777_215,
    proof: Array.from({ length: 24 }, () => Buffer.alloc(32, 7).toString('base64')),
    checkpoint: `${note}${cosignature}\n${cosignature}\n`,
    digest: '0'.repeat(64),
  };
  expect(Buffer.byteLength(canonicalize(full as unknown as JsonValue))).toBeLessThanOrEqual(4096);
});
