import { sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { describe, expect, test } from 'vitest';
import * as exports from '../src/exports.ts';
import { dssePae } from '../src/export-dsse.ts';
import {
  exportDsse,
  EXPORT_FORMATS,
  exportFormatOf,
  exportSignedReceipt,
  exportSpine,
  exportTlogProof,
  verifyDsse,
  verifyExport,
  verifySignedReceipt,
  verifySpine,
  verifyTlogProof,
  type ExportReport,
} from '../src/exports.ts';
import {
  bundlesOf,
  chainOf,
  entryText,
  hashOf,
  hex,
  json,
  nth,
  outcomeBody,
  receiptAt,
  receiptBody,
  session,
  signer,
  stranger,
  trust,
  verdicts,
} from './export-fixtures.ts';
import { textOf } from './vector-files.ts';

function read(bytes: Uint8Array): JsonObject {
  return JSON.parse(textOf(bytes)) as JsonObject;
}

function made(result: ReturnType<typeof exportSpine>): Uint8Array {
  if (result.ok) return result.value;
  throw new Error(result.error.code);
}

function said(report: ExportReport): readonly string[] {
  return report.checks.map(({ name, status, code }) => `${name} ${status} ${code}`);
}

test('the exports of the subpath are a contract', () => {
  expect(Object.keys(exports).sort()).toEqual([
    'ENTRY_PREDICATE_TYPE',
    'EXPORT_FORMATS',
    'EXPORT_LIMITS',
    'exportDsse',
    'exportFormatOf',
    'exportSignedReceipt',
    'exportSpine',
    'exportTlogProof',
    'readSession',
    'verifyDsse',
    'verifyExport',
    'verifySignedReceipt',
    'verifySpine',
    'verifyTlogProof',
  ]);
  expect(EXPORT_FORMATS).toEqual(['dsse', 'signed-receipt', 'spine', 'tlog-proof']);
});

describe('DSSE', () => {
  test('EXP-011 the pre-authentication encoding is that of the protocol paper, in bytes', () => {
    expect(textOf(dssePae('http://example.com/HelloWorld', Buffer.from('hello world')))).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(textOf(dssePae('', new Uint8Array(0)))).toBe('DSSEv1 0  0 ');
    // Lengths are of bytes, and nothing is decoded.
    expect(hex(dssePae('é', Uint8Array.of(0xff, 0x20)))).toBe(`${hex(Buffer.from('DSSEv1 2 é 2 '))}ff20`);
  });

  test('EXP-001 EXP-010 EXP-011 an envelope is exactly what the paper says, and leads back to the body of each type', async () => {
    for (const body of session) {
      const bytes = exportDsse(body, [signer]);
      const { payload, payloadType, signatures } = read(bytes) as { payload: string; payloadType: string; signatures: JsonObject[] };
      expect(payloadType).toBe('application/vnd.in-toto+json');
      expect(read(Buffer.from(payload, 'base64'))).toEqual({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: body.id, digest: { sha256: hashOf(body) } }],
        predicateType: 'urn:countersign:entry:v1',
        predicate: json(body),
      });
      expect(signatures.map(({ keyid }) => keyid)).toEqual([sha256Hex(signer.publicKey).slice(0, 16)]);
      const report = await verifyDsse(bytes, trust);
      expect([report.ok, report.content]).toEqual([true, body]);
    }
  });

  test('EXP-012 EXP-013 the payload is not read before a trusted key has signed it', async () => {
    const report = await verifyDsse(exportDsse(receiptAt(3), [stranger]), trust);
    expect(said(report)).toEqual(['form pass dsse_ok', 'signature fail dsse_unverified']);
    expect(report.subject).toBeUndefined();
  });
});

describe('SignedReceipt', () => {
  test('EXP-020 EXP-023 EXP-031 a denied receipt, member by member', () => {
    const body = receiptAt(3);
    const file = read(made(exportSignedReceipt(body, signer)));
    const { receipt, signatures } = file as { receipt: JsonObject; signatures: JsonObject };
    const { metadata, ...rest } = receipt;
    expect(rest).toEqual({
      version: '1.0.0',
      receipt_id: body.id,
      timestamp: '2026-01-02T03:04:05.678Z',
      content_hash: `0x${'c'.repeat(64)}`,
      verdict: { passed: false, gate_id: 'countersign.judge', scores: { risk_thousandths: 930 } },
      provenance: {
        provider: 'countersign',
        policy_hash: `0x${'1'.repeat(64)}`,
        violations: [
          { guard: 'R900', severity: 'Critical', message: 'Gelöscht??: \u{1f600} "quoted" \\', action: 'blocked' },
          { guard: 'guard.shell_command.denied', severity: 'Warning', message: 'A guard', action: 'blocked' },
        ],
      },
    });
    const own = (metadata as JsonObject)['countersign'] as JsonObject;
    expect(own['body']).toBe(Buffer.from(canonicalize(json(body))).toString('base64url'));
    expect(signatures).toEqual({ signer: hex(signer.sign(canonicalize(receipt))) });
  });

  test('EXP-021 no member of the body is lost', () => {
    const body = receiptAt(3);
    const file = read(made(exportSignedReceipt(body, signer))) as { receipt: { metadata: { countersign: JsonObject } } };
    const own = file.receipt.metadata.countersign;
    const { id: _id, time: _time, verdict, ...rest } = body;
    const { reasons: _reasons, ...others } = verdict;
    expect(own).toEqual({ ...rest, verdict: others, body: own['body'] });
  });

  test('EXP-022 no text has a character that implementations spell in two ways, and the body keeps it', async () => {
    const bytes = made(exportSignedReceipt(receiptAt(3), signer));
    expect(textOf(bytes)).not.toMatch(/[\u007f-\u009f]/);
    expect((await verifySignedReceipt(bytes, trust)).content?.body).toEqual(receiptAt(3));
    expect(receiptAt(3).verdict.reasons[0]?.text).toContain('\u007f');
  });

  test.each([
    ['allow', true, 'logged'],
    ['warn', true, 'logged'],
    ['modify', false, 'blocked'],
    ['defer', false, 'blocked'],
    ['deny', false, 'blocked'],
  ] as const)('EXP-020 the decision %s passes: %s', (decision, passed, action) => {
    const body = receiptBody({ seq: 0, prev: null }, { ...verdicts.deny, decision });
    const { receipt } = read(made(exportSignedReceipt(body, signer))) as {
      receipt: { verdict: JsonObject; provenance: { violations: JsonObject[] } };
    };
    expect(receipt.verdict['passed']).toBe(passed);
    expect(receipt.provenance.violations.map((one) => one['action'])).toEqual([action, action]);
  });

  test('EXP-020 without a policy there is no policy hash, and without reasons no violations', () => {
    const inputs = { ...receiptAt(0).inputs, policy: '0'.repeat(64) };
    const body = receiptBody({ seq: 0, prev: null }, verdicts.allow, { inputs });
    expect(read(made(exportSignedReceipt(body, signer)))).toMatchObject({ receipt: { provenance: { provider: 'countersign' } } });
    expect(textOf(made(exportSignedReceipt(body, signer)))).not.toMatch(/policy_hash|violations/);
  });

  test('EXP-020 entries of other types have none', () => {
    for (const body of [nth(session, 1), nth(session, 4)])
      expect(exportSignedReceipt(body, signer)).toMatchObject({ ok: false, error: { code: 'export_not_receipt' } });
  });

  test('EXP-003 EXP-004 a fault names its place', async () => {
    const file = read(made(exportSignedReceipt(receiptAt(3), signer))) as { receipt: JsonObject; signatures: JsonObject };
    const broken = { ...file, receipt: { ...file.receipt, provenance: { violations: [{ guard: 'g', severity: 's', message: 1 }] } } };
    const report = await verifySignedReceipt(Buffer.from(JSON.stringify(broken)), trust);
    expect(report.checks.at(-1)).toMatchObject({ name: 'form', path: '/receipt/provenance/violations/0/message' });
    expect(report.checks.at(-1)?.sentence).toContain('/receipt/provenance/violations/0/message');
  });

  test('EXP-034 what their format leaves free is free for theirs, and not for ours', async () => {
    const spellings = (text: string): readonly string[] => {
      const file = JSON.parse(text) as { receipt: JsonObject; signatures: JsonObject };
      const { signer: sig } = file.signatures as { signer: string };
      return [
        JSON.stringify(file, null, 2),
        `${text}\n`,
        JSON.stringify({ signatures: file.signatures, receipt: file.receipt }),
        text.replace('"receipt":', '"rec\\u0065ipt":'),
        text.replace('"passed":', '"gate_id":null,"passed":').replace('"gate_id":"countersign.judge",', ''),
        text.replace(sig, `0x${sig}`),
        text.replace(sig, sig.toUpperCase()),
      ];
    };
    const own = textOf(made(exportSignedReceipt(receiptAt(3), signer)));
    const receipt = { version: '1.0.0', timestamp: '2026-02-06T00:00:04Z', content_hash: `0x${'0'.repeat(64)}`, verdict: { passed: true } };
    const foreign = canonicalize({ receipt, signatures: { signer: hex(signer.sign(canonicalize(receipt))) } });
    for (const text of spellings(foreign))
      expect([text, (await verifySignedReceipt(Buffer.from(text), trust)).content]).toEqual([text, { receipt }]);
    for (const text of spellings(own)) expect([text, (await verifySignedReceipt(Buffer.from(text), trust)).ok]).toEqual([text, false]);
  });

  test('EXP-030 EXP-033 the answer of a receipt of theirs is given back as it was signed', async () => {
    const receipt = { version: '1.0.0', timestamp: '2026-02-06T00:00:04Z', content_hash: `0x${'0'.repeat(64)}`, verdict: { passed: true } };
    const file = {
      receipt: { ...receipt, content_hash: '0'.repeat(64), metadata: null },
      signatures: { signer: hex(signer.sign(canonicalize(receipt))) },
    };
    expect((await verifySignedReceipt(Buffer.from(JSON.stringify(file)), trust)).content).toEqual({ receipt });
  });
});

describe('Spine', () => {
  const lines = (bytes: Uint8Array): JsonObject[] =>
    textOf(bytes)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);

  test('EXP-040 EXP-041 EXP-042 a session is a chain of envelopes, member by member', async () => {
    const bytes = made(exportSpine(session, signer));
    const envelopes = lines(bytes);
    let prev: JsonValue = null;
    for (const [n, envelope] of envelopes.entries()) {
      const { envelope_hash: hash, signature, ...unsigned } = envelope;
      const body = nth(session, n);
      const text = canonicalize(unsigned);
      expect([hash, signature]).toEqual([`0x${sha256Hex(text)}`, `0x${hex(signer.sign(text))}`]);
      expect(unsigned).toMatchObject({
        schema: 'aegis.spine.envelope.v1',
        issuer: `aegis:ed25519:${hex(signer.publicKey)}`,
        seq: n + 1,
        prev_envelope_hash: prev,
        issued_at: `${body.time.slice(0, 19)}Z`,
        capability_token: null,
        fact: { event_id: body.id, session_id: 'session-1', countersign: { log: body.log } },
      });
      prev = hash ?? null;
    }
    expect(envelopes.map(({ fact }) => (fact as JsonObject)['type'])).toEqual([
      'policy.eval',
      'countersign.outcome.v1',
      'policy.eval',
      'policy.eval',
      'countersign.session-end.v1',
    ]);
    expect((await verifySpine(bytes, trust)).content).toEqual(envelopes);
  });

  test('EXP-042 the decision of a fact is that of the receipt', () => {
    const facts = lines(made(exportSpine(session, signer))).map(({ fact }) => (fact as JsonObject)['decision']);
    expect(facts[0]).toEqual({
      allowed: true,
      denied: false,
      warn: true,
      reason_code: 'state.tool_pending',
      severity: 'low',
      message: 'The tool is pending',
    });
    expect(facts[2]).toEqual({ allowed: true, denied: false, warn: false, reason_code: 'allow', severity: 'info' });
    expect(facts[3]).toMatchObject({
      allowed: false,
      denied: true,
      warn: false,
      reason_code: 'R900',
      message: 'Gelöscht??: \u{1f600} "quoted" \\',
    });
  });

  test('EXP-043 EXP-044 a shorter session is the beginning of a longer one', () => {
    const [short, long] = [made(exportSpine(session.slice(0, 2), signer)), made(exportSpine(session, signer))];
    expect(textOf(long).startsWith(textOf(short))).toBe(true);
  });
});

describe('tlog-proof', () => {
  test('EXP-050 EXP-051 EXP-052 the lines are those of the bundle, and lead back to the entry', async () => {
    const bundles = await bundlesOf(session.map((body) => entryText(body)));
    for (const [n, bundle] of bundles.entries()) {
      const bytes = exportTlogProof(bundle);
      const [head, extra, index, ...rest] = textOf(bytes).split('\n');
      expect([head, index]).toEqual(['c2sp.org/tlog-proof@v1', `index ${n}`]);
      expect(Buffer.from(extra?.slice('extra '.length) ?? '', 'base64').toString()).toBe(entryText(nth(session, n)));
      expect(rest.slice(0, bundle.proof.length + 1)).toEqual([...bundle.proof, '']);
      expect(rest.slice(bundle.proof.length + 1).join('\n')).toBe(bundle.checkpoint);
      expect((await verifyTlogProof(bytes, trust)).content).toEqual(bundle.entry);
    }
  });
});

describe('all formats', () => {
  test('EXP-002 exporting twice gives the same bytes', async () => {
    const write = async (): Promise<readonly string[]> => [
      textOf(exportDsse(receiptAt(3), [signer])),
      textOf(made(exportSignedReceipt(receiptAt(3), signer))),
      textOf(made(exportSpine(session, signer))),
      textOf(exportTlogProof(nth(await bundlesOf([entryText(receiptAt(3))]), 0))),
    ];
    expect(await write()).toEqual(await write());
  });

  test('EXP-002 what is signed in one format is never what is signed in another', () => {
    const signed: string[] = [];
    const listening = {
      ...signer,
      sign: (message: string | Uint8Array) => signer.sign((signed.push(Buffer.from(message).toString()), message)),
    };
    exportDsse(receiptAt(3), [listening]);
    exportSignedReceipt(receiptAt(3), listening);
    exportSpine([receiptAt(3)], listening);
    const heads = [
      ...signed,
      canonicalize(json(receiptAt(3))),
      canonicalize(json(nth(session, 1))),
      canonicalize(json(nth(session, 4))),
    ].map((text) => /^(?:DSSEv1 |\{"[A-Za-z_]+":)/.exec(text)?.[0]);
    expect(heads).toEqual(['DSSEv1 ', '{"content_hash":', '{"capability_token":', '{"action":', '{"durationMs":', '{"id":']);
  });

  test('EXP-003 nothing is proven where no key is trusted, and any bytes at all have a report', async () => {
    const odd = [
      '',
      '{',
      '{}',
      '[]',
      'null',
      '\ufeff{}',
      '{"payload":1,"signatures":[]}',
      '{"receipt":null,"signatures":null}',
      'c2sp.org/tlog-proof@v1\n\n',
      '\n\n',
    ];
    for (const format of EXPORT_FORMATS) {
      for (const file of [...odd.map((text) => Buffer.from(text)), Uint8Array.of(0xff, 0xfe), new Uint8Array(0)]) {
        const report = await verifyExport(format, file, trust);
        expect([format, textOf(file), report.ok]).toEqual([format, textOf(file), false]);
        expect(report.checks.filter(({ status }) => status === 'fail').length).toBeGreaterThan(0);
      }
    }
  });

  test('EXP-003 what is none of the formats is not taken for one', () => {
    for (const text of ['', '{}', '[]', '{"type":"countersign.bundle.v1"}', '{"payload":1}', 'x\n{}', '{"schema":"other"}'])
      expect([text, exportFormatOf(Buffer.from(text))]).toEqual([text, undefined]);
    expect(exportFormatOf(Uint8Array.of(0xff))).toBeUndefined();
  });

  test('a chain of entries that begins later is no export of a session', async () => {
    const second = nth(chainOf([(link) => receiptBody(link), outcomeBody]), 1);
    const report = await verifySpine(made(exportSpine([second], signer)), trust);
    expect(report.ok).toBe(false);
  });
});
