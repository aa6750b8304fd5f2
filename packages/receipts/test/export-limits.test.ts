/** EXP-006: every limit of an export at n and at n + 1, and the reading of a session from its log. */
import { base64, type Signer } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, openLog, type Log } from '@countersign/log';
import { describe, expect, test } from 'vitest';
import { dssePae, IN_TOTO_PAYLOAD_TYPE } from '../src/export-dsse.ts';
import {
  EXPORT_LIMITS,
  exportDsse,
  exportSpine,
  exportTlogProof,
  readSession,
  verifyDsse,
  verifySignedReceipt,
  verifySpine,
  verifyTlogProof,
  type ExportReport,
} from '../src/exports.ts';
import {
  bundlesOf,
  chainOf,
  entryText,
  hex,
  json,
  LOG,
  logSigner,
  nth,
  outcomeBody,
  receiptAt,
  receiptBody,
  session,
  signer,
  trust,
  type Link,
} from './export-fixtures.ts';
import { attachmentsOf } from '../src/vault-record.ts';
import { textOf } from './vector-files.ts';

const {
  fileBytesMax,
  signaturesMax,
  textCharsMax,
  violationsMax,
  spineBytesMax,
  spineEnvelopesMax,
  spineLineCharsMax,
  tlogProofHashesMax,
  depthMax,
  nodesMax,
} = EXPORT_LIMITS;

function codes({ checks }: ExportReport): readonly string[] {
  return checks.filter(({ status }) => status === 'fail').map(({ code }) => code);
}

function padded(file: string, bytes: number): Uint8Array {
  return Buffer.from(file + ' '.repeat(bytes - Buffer.byteLength(file)));
}

/** A receipt of theirs, rightly signed. */
function theirs(change: JsonObject): string {
  const receipt: JsonObject = {
    version: '1.0.0',
    timestamp: '2026-02-06T00:00:04Z',
    content_hash: `0x${'0'.repeat(64)}`,
    verdict: { passed: true },
    ...change,
  };
  return canonicalize({ receipt, signatures: { signer: hex(signer.sign(canonicalize(receipt))) } });
}

const verdictOf = async (file: string | Uint8Array): Promise<readonly string[]> =>
  codes(await verifySignedReceipt(typeof file === 'string' ? Buffer.from(file) : file, trust));

function nested(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

describe('EXP-006 files', () => {
  test('DSSE and SignedReceipt: bytes', async () => {
    const dsse = textOf(exportDsse(receiptAt(3), [signer]));
    expect(codes(await verifyDsse(padded(dsse, fileBytesMax), trust))).toEqual([]);
    expect(codes(await verifyDsse(padded(dsse, fileBytesMax + 1), trust))).toEqual(['dsse_too_large']);
    expect(await verdictOf(padded(theirs({}), fileBytesMax))).toEqual([]);
    expect(await verdictOf(padded(theirs({}), fileBytesMax + 1))).toEqual(['signed_receipt_too_large']);
  });

  test('levels and values', async () => {
    // The file, the receipt and the metadata are levels too.
    expect(await verdictOf(theirs({ metadata: nested(depthMax - 2) }))).toEqual([]);
    expect(await verdictOf(theirs({ metadata: nested(depthMax - 1) }))).toEqual(['signed_receipt_not_json']);
    const items = (n: number): JsonValue => Array.from({ length: n }, () => 1);
    expect(await verdictOf(theirs({ metadata: items(nodesMax - 100) }))).toEqual([]);
    expect(await verdictOf(theirs({ metadata: items(nodesMax + 1) }))).toEqual(['signed_receipt_not_json']);
  });

  test('tlog-proof: bytes and hashes', async () => {
    const [bundle] = await bundlesOf([entryText(receiptAt(3))]);
    const file = textOf(
      exportTlogProof(
        nth(
          [bundle].flatMap((one) => one ?? []),
          0,
        ),
      ),
    );
    const long = (bytes: number): Uint8Array => Buffer.from(`${file}${'x'.repeat(bytes - Buffer.byteLength(file))}`);
    expect(codes(await verifyTlogProof(long(fileBytesMax), trust))).toEqual(['note_too_large']);
    expect(codes(await verifyTlogProof(long(fileBytesMax + 1), trust))).toEqual(['tlog_proof_too_large']);
    const hash = base64(new Uint8Array(32));
    const hashes = (n: number): Uint8Array => Buffer.from(file.replace('index 0\n', `index 0\n${`${hash}\n`.repeat(n)}`));
    expect(codes(await verifyTlogProof(hashes(tlogProofHashesMax), trust))).toEqual(['inclusion_bad']);
    expect(codes(await verifyTlogProof(hashes(tlogProofHashesMax + 1), trust))).toEqual(['tlog_proof_malformed']);
  });
});

test('EXP-006 signatures of an envelope', async () => {
  const file = JSON.parse(textOf(exportDsse(receiptAt(3), [signer]))) as { payload: string; signatures: JsonValue[] };
  const message = dssePae(IN_TOTO_PAYLOAD_TYPE, Buffer.from(file.payload, 'base64'));
  const one = (by: Signer): JsonValue => ({ keyid: by.keyId, sig: base64(by.sign(message)) });
  const withSignatures = (n: number): Uint8Array =>
    Buffer.from(canonicalize(json({ ...file, signatures: Array.from({ length: n }, () => one(signer)) })));
  expect(codes(await verifyDsse(withSignatures(signaturesMax), trust))).toEqual([]);
  expect(codes(await verifyDsse(withSignatures(signaturesMax + 1), trust))).toEqual(['dsse_malformed']);
});

test('EXP-006 texts and violations of a SignedReceipt', async () => {
  expect(await verdictOf(theirs({ receipt_id: 'x'.repeat(textCharsMax) }))).toEqual([]);
  expect(await verdictOf(theirs({ receipt_id: 'x'.repeat(textCharsMax + 1) }))).toEqual(['signed_receipt_malformed']);
  const violations = (n: number): string =>
    theirs({ provenance: { violations: Array.from({ length: n }, () => ({ guard: 'g', severity: 's', message: 'm' })) } });
  expect(await verdictOf(violations(violationsMax))).toEqual([]);
  expect(await verdictOf(violations(violationsMax + 1))).toEqual(['signed_receipt_malformed']);
});

describe('EXP-006 Spine', () => {
  /** Signing is most of the work, and what is counted here comes before it is looked at. */
  const idle: Signer = { ...signer, sign: () => new Uint8Array(64) };
  const many = chainOf(Array.from({ length: spineEnvelopesMax + 1 }, () => (link: Link) => outcomeBody(link)));

  test('envelopes, written and read', async () => {
    const most = exportSpine(many.slice(0, -1), idle);
    expect(exportSpine(many, idle)).toMatchObject({ ok: false, error: { code: 'export_too_long' } });
    const file = most.ok ? textOf(most.value) : '';
    expect(codes(await verifySpine(Buffer.from(file), trust))).toEqual(['spine_signature_bad']);
    expect(codes(await verifySpine(Buffer.from(`${file}{}\n`), trust))).toEqual(['spine_too_long']);
  });

  test('bytes, written and read', async () => {
    const reasons = Array.from({ length: 30 }, (_, i) => ({
      code: `R${i}`,
      text: 'x'.repeat(200),
      severity: 'low' as const,
      score: 0,
      evidence: [],
    }));
    const large = receiptBody(
      { seq: 0, prev: null },
      { decision: 'deny', risk: 0, severity: 'low', reasons, reasonsCut: 0, obligations: [], by: 'judge' },
    );
    expect(
      exportSpine(
        Array.from({ length: 4000 }, () => large),
        idle,
      ),
    ).toMatchObject({ ok: false, error: { code: 'export_too_long' } });
    const file = exportSpine(session, signer);
    const text = file.ok ? textOf(file.value) : '';
    expect(codes(await verifySpine(padded(text, spineBytesMax), trust))).toEqual(['spine_too_large']);
    expect((await verifySpine(padded(text, spineBytesMax), trust)).checks.at(-1)?.sentence).toContain('An envelope');
    expect((await verifySpine(padded(text, spineBytesMax + 1), trust)).checks.at(-1)?.sentence).toContain('The file');
  });

  test('characters of a line', async () => {
    const file = exportSpine(session, signer);
    const line = file.ok ? (textOf(file.value).split('\n', 1)[0] ?? '') : '';
    expect(codes(await verifySpine(padded(line, spineLineCharsMax), trust))).toEqual(['spine_content']);
    expect(codes(await verifySpine(padded(line, spineLineCharsMax + 1), trust))).toEqual(['spine_too_large']);
  });
});

describe('EXP-040 a session is read from its log', () => {
  /** Entries, each with the place of the one before it in its chain, as it is kept. */
  async function logOf(entries: readonly (readonly [entry: string | Uint8Array, back: number | null | undefined])[]): Promise<Log> {
    const log = await openLog({
      storage: createMemoryStorage(createMemoryDisk()),
      origin: LOG,
      noteSigner: { name: LOG, signer: logSigner },
    });
    const staged = entries.map(([entry, back]) =>
      log.append({
        entry: new Uint8Array(Buffer.from(entry)),
        attachments: back === undefined ? [] : attachmentsOf(new Uint8Array(0), back),
      }),
    );
    await Promise.all(staged.map(({ durable }) => durable));
    return log;
  }
  const texts = session.map((body) => entryText(body));
  const other = entryText(receiptBody({ seq: 0, prev: null }, undefined, { session: 'session-2' }));

  test('up to the entry that is asked for, between entries of others', async () => {
    const [first = '', second = '', ...rest] = texts;
    const log = await logOf([
      [other, null],
      [first, null],
      [other, null],
      [second, 1],
      ...rest.map((text, n): [string, number] => [text, n + 3]),
    ]);
    expect(await readSession(log, 6)).toEqual({ ok: true, value: session });
    expect(await readSession(log, 4)).toEqual({ ok: true, value: session.slice(0, 3) });
    expect(await readSession(log, 1)).toEqual({ ok: true, value: session.slice(0, 1) });
    await log.close();
  });

  test.each([
    [
      'a place that leads to another chain',
      [
        [other, null],
        [texts[0], null],
        [texts[1], 0],
      ],
      'chain_gap',
    ],
    [
      'a place that leads too far back',
      [
        [texts[0], null],
        [texts[1], 0],
        [texts[2], 0],
      ],
      'chain_gap',
    ],
    [
      'no place at all',
      [
        [texts[0], null],
        [texts[1], undefined],
      ],
      'chain_gap',
    ],
    ['an end where there is a number before', [[texts[1], null]], 'chain_gap'],
    [
      'a place before number 0',
      [
        [other, null],
        [texts[0], 0],
      ],
      'chain_gap',
    ],
    [
      'an entry that is none',
      [
        ['[]', null],
        [texts[1], 0],
      ],
      'entry_malformed',
    ],
    [
      'bytes that are no text',
      [
        [Uint8Array.of(0xff), null],
        [texts[1], 0],
      ],
      'entry_malformed',
    ],
  ])('and refused at %s', async (_name, entries, code) => {
    const log = await logOf(entries as never);
    expect(await readSession(log, entries.length - 1)).toMatchObject({ ok: false, error: { code } });
    await log.close();
  });

  test('EXP-006 and where there are too many, at once', async () => {
    const last = (seq: number): string => entryText(outcomeBody({ seq, prev: '0'.repeat(64) }));
    const log = await logOf([
      [last(spineEnvelopesMax - 1), null],
      [last(spineEnvelopesMax), 0],
    ]);
    expect(await readSession(log, 0)).toMatchObject({ ok: false, error: { code: 'chain_gap' } });
    expect(await readSession(log, 1)).toMatchObject({ ok: false, error: { code: 'export_too_long' } });
    await log.close();
  });
});
