/** Builds the export vectors from fixed seeds: the same bytes in every run. `write-export-vectors.ts` stores them. */
import { base64, type Signer } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { EntryBody } from '@countersign/protocol';
import { dssePae, ENTRY_PREDICATE_TYPE, IN_TOTO_PAYLOAD_TYPE, STATEMENT_TYPE } from '../src/export-dsse.ts';
import { exportDsse } from '../src/exports.ts';
import { cosigner, hashOf, json, keyText, receiptAt, session, signer, stranger } from './export-fixtures.ts';
import { signedReceiptVectors } from './signed-receipt-vectors.ts';
import { spineVectors } from './spine-vectors.ts';
import { tlogProofVectors } from './tlog-proof-vectors.ts';
import { pretty, textOf, vectorsOf, type ExportVector, type Vectors } from './vector-files.ts';

type Members = Record<string, JsonValue>;

interface Signature {
  readonly keyid?: string;
  readonly sig: string;
}

function statement(body: EntryBody, change: Members = {}): Members {
  const subject = [{ name: body.id, digest: { sha256: hashOf(body) } }];
  return { _type: STATEMENT_TYPE, subject, predicateType: ENTRY_PREDICATE_TYPE, predicate: json(body), ...change };
}

/** An envelope that is rightly signed, whatever is in it. */
function envelope(payload: string, options: { type?: string; by?: readonly Signer[]; keyid?: string | null } = {}): string {
  const { type = IN_TOTO_PAYLOAD_TYPE, by = [signer], keyid } = options;
  const message = dssePae(type, Buffer.from(payload));
  const signatures = by.map((one): Signature => {
    const sig = base64(one.sign(message));
    return keyid === null ? { sig } : { keyid: keyid ?? one.keyId, sig };
  });
  return canonicalize({ payload: base64(Buffer.from(payload)), payloadType: type, signatures: json(signatures) });
}

function edit(
  file: string,
  change: (members: { payload: string; payloadType: string; signatures: { keyid?: string; sig: string }[] }) => void,
): string {
  const members = JSON.parse(file) as Parameters<typeof change>[0];
  change(members);
  return canonicalize(json(members));
}

function flip(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A';
  return text.slice(0, at) + other + text.slice(at + 1);
}

const urlSafe = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const PROVEN = [
  'form pass dsse_ok',
  'signature pass dsse_signature_ok',
  'payload pass dsse_statement_ok',
  'entry-form pass entry_ok',
  'content pass dsse_subject_ok',
];

function dsseVectors(): Vectors {
  const body = receiptAt(3);
  const file = textOf(exportDsse(body, [signer]));
  const [first] = (JSON.parse(file) as { signatures: Signature[] }).signatures;
  const signed = (change: Members): string => envelope(canonicalize(statement(body, change)));
  const foreign = (sig: Signature): string => edit(file, ({ signatures }) => signatures.push({ ...sig }));
  const [end = body] = session.slice(4);
  return vectorsOf(
    'dsse',
    [
      ['receipt', file, PROVEN],
      ['outcome', textOf(exportDsse(session[1] ?? body, [signer])), PROVEN],
      ['end of a session', textOf(exportDsse(end, [signer])), PROVEN],
      ['signed by two, one of them trusted', textOf(exportDsse(body, [stranger, signer])), PROVEN],
      ['signature without a key id', envelope(canonicalize(statement(body)), { keyid: null }), PROVEN],
      ['signature with an empty key id', envelope(canonicalize(statement(body)), { keyid: '' }), PROVEN],
      ['over several lines', pretty(file), PROVEN],
      [
        'base64 for URLs, without padding',
        edit(file, (members) => {
          members.payload = urlSafe(members.payload);
          for (const one of members.signatures) one.sig = urlSafe(one.sig);
        }),
        PROVEN,
      ],
      ['a further signature that is none, by an unknown key', foreign({ keyid: 'someone', sig: 'AAAA' }), PROVEN],
    ],
    [
      ['empty file', '', ['form fail dsse_not_json']],
      ['a list', '[]', ['form fail dsse_malformed']],
      ['payload changed', edit(file, (members) => (members.payload = flip(members.payload, 40))), ['signature fail dsse_signature_bad']],
      [
        'signature changed',
        edit(file, ({ signatures }) => signatures.forEach((one) => (one.sig = flip(one.sig, 9)))),
        ['signature fail dsse_signature_bad'],
      ],
      [
        'key id changed',
        edit(file, ({ signatures }) => signatures.forEach((one) => (one.keyid = '0'.repeat(16)))),
        ['signature fail dsse_unverified'],
      ],
      ['payload type changed', edit(file, (members) => (members.payloadType = 'application/json')), ['signature fail dsse_signature_bad']],
      [
        'another payload type, rightly signed',
        envelope(canonicalize(statement(body)), { type: 'application/json' }),
        ['payload fail dsse_payload_type'],
      ],
      ['another key', file, ['signature fail dsse_unverified'], { receiptKeys: [keyText(stranger)] }],
      ['no key', file, ['signature fail dsse_no_trust'], {}],
      ['a key that is none', file, ['signature fail dsse_no_trust'], { receiptKeys: ['AAAA'] }],
      ['no signature', edit(file, (members) => (members.signatures = [])), ['signature fail dsse_unverified']],
      ['no signatures member', canonicalize({ payload: 'AAAA', payloadType: IN_TOTO_PAYLOAD_TYPE }), ['form fail dsse_malformed']],
      [
        'a bad signature that names a trusted key, beside a good one',
        edit(file, ({ signatures }) => signatures.push({ keyid: signer.keyId, sig: flip(first?.sig ?? '', 9) })),
        ['signature fail dsse_signature_bad'],
      ],
      ['unknown member of the envelope', edit(file, (members) => Object.assign(members, { zz: 1 })), ['form fail dsse_malformed']],
      [
        'unknown member of a signature',
        edit(file, ({ signatures }) => Object.assign(signatures[0] ?? {}, { ext: 1 })),
        ['form fail dsse_malformed'],
      ],
      ['member twice', file.replace('"payloadType":', '"payloadType":"x","payloadType":'), ['form fail dsse_not_json']],
      [
        'alphabets of base64 mixed',
        edit(file, (members) => (members.payload = `+-${members.payload.slice(2)}`)),
        ['form fail dsse_malformed'],
      ],
      [
        'loose bits in base64',
        edit(file, ({ signatures }) => signatures.forEach((one) => (one.sig = `${one.sig.slice(0, 85)}B==`))),
        ['form fail dsse_malformed'],
      ],
      [
        'payload with a space, rightly signed',
        envelope(`${canonicalize(statement(body))} `),
        ['payload fail dsse_statement_not_canonical'],
      ],
      ['payload that is no JSON, rightly signed', envelope('hello world'), ['payload fail dsse_statement_not_json']],
      ['statement of another version', signed({ _type: 'https://in-toto.io/Statement/v0.1' }), ['payload fail dsse_statement_malformed']],
      ['another predicate', signed({ predicateType: 'https://slsa.dev/provenance/v1' }), ['payload fail dsse_statement_malformed']],
      ['unknown member of the statement', signed({ zz: 1 }), ['payload fail dsse_statement_malformed']],
      ['no subject', signed({ subject: [] }), ['content fail dsse_subject_bad']],
      [
        'subject of another hash',
        signed({ subject: [{ name: body.id, digest: { sha256: '0'.repeat(64) } }] }),
        ['content fail dsse_subject_bad'],
      ],
      [
        'subject of another name',
        signed({ subject: [{ name: 'x', digest: { sha256: hashOf(body) } }] }),
        ['content fail dsse_subject_bad'],
      ],
      ['entry with an unknown member', signed({ predicate: { ...(json(body) as Members), zz: 1 } }), ['entry-form fail entry_malformed']],
      ['entry of an unknown type', signed({ predicate: { type: 'countersign.receipt.v2' } }), ['entry-form fail entry_malformed']],
      ['cosigner key in the place of a signer key', file, ['signature fail dsse_unverified'], { receiptKeys: [keyText(cosigner)] }],
    ],
  );
}

/** The content of `vectors/exports/<format>-<valid or invalid>.json`, by the name of the file. */
export async function exportVectors(): Promise<ReadonlyMap<string, readonly ExportVector[]>> {
  const all = {
    dsse: dsseVectors(),
    'signed-receipt': signedReceiptVectors(),
    spine: spineVectors(),
    'tlog-proof': await tlogProofVectors(),
  };
  const entries = Object.entries(all);
  return new Map(
    entries.flatMap(([format, { valid, invalid }]) => [[`${format}-valid`, valid] as const, [`${format}-invalid`, invalid] as const]),
  );
}
