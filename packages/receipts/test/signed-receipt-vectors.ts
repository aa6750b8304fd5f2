/** SignedReceipt vectors: exports of ours, and receipts as Clawdstrike's implementations sign them, made here from the format alone. */
import type { Signer } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { exportSignedReceipt, type ExportTrust } from '../src/exports.ts';
import { cosigner, hex, json, keyText, receiptAt, session, signer, stranger, textAt, trust } from './export-fixtures.ts';
import { pretty, textOf, vectorsOf, type Vectors } from './vector-files.ts';

/** A receipt of theirs with every member. */
const FULL: JsonObject = {
  version: '1.0.0',
  receipt_id: 'theirs-1',
  timestamp: '2026-02-06T00:00:04Z',
  content_hash: `0x${'ab'.repeat(32)}`,
  verdict: { passed: false, gate_id: 'g', scores: { a: 0.5 }, threshold: 0.75 },
  provenance: {
    clawdstrike_version: '0.1.0',
    provider: 'local',
    policy_hash: `0x${'cd'.repeat(32)}`,
    ruleset: 'default',
    violations: [{ guard: 'secret_leak', severity: 'Critical', message: 'Potential secret', action: 'blocked' }],
  },
  metadata: { clawdstrike: { posture: { transition: null } } },
};
const MINIMAL: JsonObject = {
  version: '1.0.0',
  timestamp: '2026-02-06T00:00:04+00:00',
  content_hash: `0x${'0'.repeat(64)}`,
  verdict: { passed: true },
};

/** Signed as theirs is: over `text`, which is the canonical JSON of the receipt where it is not said otherwise. */
function signed(receipt: JsonValue, options: { text?: string; by?: Signer; cosignedBy?: Signer } = {}): string {
  const { text = canonicalize(receipt), by = signer, cosignedBy } = options;
  const signatures = { signer: hex(by.sign(text)), ...(cosignedBy === undefined ? {} : { cosigner: hex(cosignedBy.sign(text)) }) };
  return canonicalize({ receipt, signatures });
}

function exported(n: number): string {
  const made = exportSignedReceipt(receiptAt(n), signer);
  if (!made.ok) throw new Error(made.error.code);
  return textOf(made.value);
}

type Signed = { receipt: Record<string, JsonValue>; signatures: Record<string, JsonValue> };

function edit(file: string, change: (members: Signed) => void): string {
  const members = JSON.parse(file) as Signed;
  change(members);
  return canonicalize(json(members));
}

/** Changed, then signed again by a trusted key. */
function signedAgain(file: string, change: (receipt: Record<string, JsonValue>) => void): string {
  const { receipt } = JSON.parse(edit(file, (members) => change(members.receipt))) as { receipt: JsonObject };
  return signed(receipt);
}

const withVersion = (version: JsonValue): string => signed({ ...MINIMAL, version });
const within = (name: string, change: JsonObject): string => signed({ ...FULL, [name]: { ...(FULL[name] as JsonObject), ...change } });

const THEIRS = [
  'version pass signed_receipt_version_ok',
  'form pass signed_receipt_ok',
  'signature pass signed_receipt_signature_ok',
  'content not-checked signed_receipt_foreign',
];
const OURS = [...THEIRS.slice(0, 3), 'cosignature not-checked signed_receipt_no_cosigner', 'content pass signed_receipt_content_ok'];
const cosigned: ExportTrust = { ...trust, cosignerKeys: [keyText(cosigner)] };

function validCases(): Parameters<typeof vectorsOf>[1] {
  const odd = { ...MINIMAL, metadata: { path: '/tmp/\u007f\u0085x' } };
  const oddText = canonicalize(odd).replace('\u007f', '\\u007f').replace('\u0085', '\\u0085');
  const long = '{"receipt":{"content_hash":"0x'.concat(
    '0'.repeat(64),
    '","metadata":{"n":[18446744073709551615,-9223372036854775808,9007199254740993]},"timestamp":"2026-02-06T00:00:04Z","verdict":{"passed":true},"version":"1.0.0"}',
  );
  return [
    ['ours: warned', exported(0), OURS],
    ['ours: allowed', exported(2), OURS],
    ['ours: denied', exported(3), OURS],
    ['theirs: the least', signed(MINIMAL), THEIRS],
    ['theirs: every member', signed(FULL), THEIRS],
    ['theirs: over several lines', pretty(signed(FULL)), THEIRS],
    [
      'theirs: optional members that are null',
      edit(signed(MINIMAL), ({ receipt, signatures }) => {
        Object.assign(receipt, {
          receipt_id: null,
          provenance: null,
          metadata: null,
          verdict: { passed: true, gate_id: null, scores: null, threshold: null },
        });
        signatures['cosigner'] = null;
      }),
      THEIRS,
    ],
    [
      'theirs: no violations',
      edit(signed({ ...MINIMAL, provenance: {} }), ({ receipt }) => (receipt['provenance'] = { ruleset: null, violations: [] })),
      THEIRS,
    ],
    [
      'theirs: hash without a prefix, in capitals',
      edit(signed(FULL), ({ receipt }) => (receipt['content_hash'] = 'AB'.repeat(32))),
      THEIRS,
    ],
    [
      'theirs: signature with a prefix, in capitals',
      edit(signed(FULL), ({ signatures }) => (signatures['signer'] = `0x${textAt(signatures, 'signer').toUpperCase()}`)),
      THEIRS,
    ],
    ['theirs: U+007F to U+009F raw, as TypeScript signs them', signed(odd), THEIRS],
    ['theirs: U+007F to U+009F escaped, as Rust signs them', signed(odd, { text: oddText }), THEIRS],
    [
      'theirs: 64-bit integers, as Rust signs them',
      `${long},"signatures":{"signer":"${hex(signer.sign(long.slice('{"receipt":'.length)))}"}}`,
      THEIRS,
    ],
    [
      'theirs: numbers in other spellings',
      signed({ ...MINIMAL, metadata: [1000, 0, 0.000001] }).replace('[1000,0,0.000001]', '[1e3,-0.0,1.0e-6]'),
      THEIRS,
    ],
    [
      'theirs: cosigned, cosigner known',
      signed(FULL, { cosignedBy: cosigner }),
      [...THEIRS, 'cosignature pass signed_receipt_cosignature_ok'],
      cosigned,
    ],
    [
      'theirs: cosigned, cosigner not asked for',
      signed(FULL, { cosignedBy: cosigner }),
      [...THEIRS, 'cosignature not-checked signed_receipt_cosigner_no_trust'],
    ],
  ];
}

function versionCases(): Parameters<typeof vectorsOf>[2] {
  const invalid = ['1.0', '1', '1.0.0.0', '01.0.0', '1.0.0-alpha', '1.0.0+build.1', ' 1.0.0', ''];
  return [
    ...invalid.map((version) => [`version \`${version}\``, withVersion(version), ['version fail VFY_RECEIPT_VERSION_INVALID']] as const),
    ['version that is a number', withVersion(1), ['version fail VFY_RECEIPT_VERSION_INVALID']],
    ['version 1.0.1', withVersion('1.0.1'), ['version fail VFY_RECEIPT_VERSION_UNSUPPORTED']],
    ['version 2.0.0', withVersion('2.0.0'), ['version fail VFY_RECEIPT_VERSION_UNSUPPORTED']],
  ];
}

const MALFORMED = ['form fail signed_receipt_malformed'];
const UNFIT = ['signature fail VFY_SIGNATURE_INVALID'];

function formCases(): Parameters<typeof vectorsOf>[2] {
  return [
    ['empty file', '', ['form fail signed_receipt_not_json']],
    ['a list', '[]', MALFORMED],
    ['no receipt', canonicalize({ signatures: { signer: '0'.repeat(128) } }), ['version fail VFY_RECEIPT_VERSION_INVALID']],
    ['no signatures', canonicalize({ receipt: MINIMAL }), MALFORMED],
    ['unknown member of the file', canonicalize({ ...(JSON.parse(signed(MINIMAL)) as JsonObject), zz: 1 }), MALFORMED],
    ['unknown member of the receipt', signed({ ...MINIMAL, zz: 1 }), MALFORMED],
    ['unknown member of the verdict', within('verdict', { zz: 1 }), MALFORMED],
    ['unknown member of the provenance', within('provenance', { zz: 1 }), MALFORMED],
    [
      'unknown member of a violation',
      within('provenance', { violations: [{ guard: 'g', severity: 's', message: 'm', zz: 1 }] }),
      MALFORMED,
    ],
    ['unknown signature', edit(signed(MINIMAL), ({ signatures }) => (signatures['third'] = '0'.repeat(128))), MALFORMED],
    [
      'member twice',
      signed(MINIMAL).replace('"timestamp":', '"timestamp":"2026-02-06T00:00:04Z","timestamp":'),
      ['form fail signed_receipt_not_json'],
    ],
    ['violations that are null', within('provenance', { violations: null }), MALFORMED],
    ['verdict without an answer', signed({ ...MINIMAL, verdict: {} }), MALFORMED],
    ['answer that is a text', signed({ ...MINIMAL, verdict: { passed: 'true' } }), MALFORMED],
    ['threshold that is a text', within('verdict', { threshold: '1' }), MALFORMED],
    ['time that is none', signed({ ...MINIMAL, timestamp: 'yesterday' }), MALFORMED],
    ['hash that is too short', signed({ ...MINIMAL, content_hash: '0xab' }), MALFORMED],
    ['hash behind `sha256:`', signed({ ...MINIMAL, content_hash: `sha256:${'ab'.repeat(32)}` }), MALFORMED],
    ['signature that is too short', edit(signed(MINIMAL), ({ signatures }) => (signatures['signer'] = 'ab')), MALFORMED],
    ['signature in base64', edit(signed(MINIMAL), ({ signatures }) => (signatures['signer'] = `${'A'.repeat(86)}==`)), MALFORMED],
    [
      'number that is rounded before it is signed',
      signed({ ...MINIMAL, metadata: [1] }, { text: canonicalize({ ...MINIMAL, metadata: [0.1] }) }).replace(
        '[1]',
        '[0.10000000000000000001]',
      ),
      ['form fail number_not_covered'],
    ],
    [
      'integer of 65 bits',
      signed({ ...MINIMAL, metadata: [1] }).replace('[1]', '[18446744073709551617]'),
      ['form fail number_not_covered'],
    ],
  ];
}

function signatureCases(): Parameters<typeof vectorsOf>[2] {
  const text = canonicalize(FULL);
  const changed = (name: string, value: JsonValue): string => edit(signed(FULL), ({ receipt }) => (receipt[name] = value));
  const damaged = (which: string): string =>
    edit(signed(FULL, { cosignedBy: cosigner }), ({ signatures }) => (signatures[which] = `00${textAt(signatures, which).slice(2)}`));
  return [
    ['answer changed', changed('verdict', { ...(FULL['verdict'] as JsonObject), passed: true }), UNFIT],
    ['member taken away', edit(signed(FULL), ({ receipt }) => delete receipt['metadata']), UNFIT],
    ['hash changed', changed('content_hash', `0x${'ac'.repeat(32)}`), UNFIT],
    ['signature changed', damaged('signer'), UNFIT],
    ['signed over another spelling', signed(FULL, { text: JSON.stringify(FULL, null, 1) }), UNFIT],
    ['signed over its hash', signed(FULL, { text: hex(Buffer.from(text)).slice(0, 64) }), UNFIT],
    ['null members that were signed', signed({ ...MINIMAL, metadata: null }), UNFIT],
    ['another key', signed(FULL), UNFIT, { receiptKeys: [keyText(stranger)] }],
    ['no key', signed(FULL), ['signature fail signed_receipt_no_trust'], {}],
    ['cosignature changed', damaged('cosigner'), ['cosignature fail VFY_COSIGNATURE_INVALID'], cosigned],
    ['cosignature missing, cosigner asked for', signed(FULL), ['cosignature fail VFY_COSIGNATURE_INVALID'], cosigned],
    ['cosigned by another', signed(FULL, { cosignedBy: stranger }), ['cosignature fail VFY_COSIGNATURE_INVALID'], cosigned],
    ['cosigner in the place of the signer', signed(FULL, { by: cosigner, cosignedBy: signer }), UNFIT, cosigned],
  ];
}

function oursCases(): Parameters<typeof vectorsOf>[2] {
  const file = exported(3);
  const content = ['content fail signed_receipt_content'];
  const own = (receipt: Record<string, JsonValue>): Record<string, JsonValue> =>
    (receipt['metadata'] as { countersign: Record<string, JsonValue> }).countersign;
  const pack = (value: JsonValue, text = canonicalize(value)): string => Buffer.from(text).toString('base64url');
  const outcome = session[1] as unknown as JsonValue;
  return [
    ['ours: over several lines', pretty(file), ['form fail signed_receipt_not_canonical']],
    [
      'ours: signature in capitals',
      edit(file, ({ signatures }) => (signatures['signer'] = textAt(signatures, 'signer').toUpperCase())),
      ['form fail signed_receipt_not_canonical'],
    ],
    ['ours: hash in capitals', file.replace('c'.repeat(64), 'C'.repeat(64)), ['form fail signed_receipt_not_canonical']],
    ['ours: hash without a prefix', file.replace(`0x${'c'.repeat(64)}`, 'c'.repeat(64)), ['form fail signed_receipt_not_canonical']],
    [
      'ours: cosigner that is null',
      edit(file, ({ signatures }) => (signatures['cosigner'] = null)),
      ['form fail signed_receipt_not_canonical'],
    ],
    ['ours: says it passed, rightly signed', signedAgain(file, (receipt) => (receipt['verdict'] = { passed: true })), content],
    [
      'ours: another policy, rightly signed',
      signedAgain(file, (receipt) => (receipt['provenance'] = { policy_hash: `0x${'9'.repeat(64)}` })),
      content,
    ],
    ['ours: another session, rightly signed', signedAgain(file, (receipt) => (own(receipt)['session'] = 'other')), content],
    [
      'ours: without its entry, rightly signed',
      signedAgain(file, (receipt) => delete own(receipt)['body']),
      ['entry-form fail entry_not_canonical'],
    ],
    [
      'ours: entry in another spelling, rightly signed',
      signedAgain(file, (receipt) => (own(receipt)['body'] = pack({}, '{ }'))),
      ['entry-form fail entry_not_canonical'],
    ],
    [
      'ours: entry that is none, rightly signed',
      signedAgain(file, (receipt) => (own(receipt)['body'] = pack({}))),
      ['entry-form fail entry_malformed'],
    ],
    [
      'ours: outcome, rightly signed',
      signedAgain(file, (receipt) => (own(receipt)['body'] = pack(outcome))),
      ['entry-form fail export_not_receipt'],
    ],
  ];
}

export function signedReceiptVectors(): Vectors {
  return vectorsOf('signed-receipt', validCases(), [...versionCases(), ...formCases(), ...signatureCases(), ...oursCases()]);
}
