/** Spine vectors: a session of ours, and chains as Clawdstrike's daemon writes them, made here from the format alone. */
import { sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { EntryBody } from '@countersign/protocol';
import { exportSpine } from '../src/exports.ts';
import { chainOf, hex, keyText, nth, outcomeBody, receiptBody, session, signer, stranger, textAt } from './export-fixtures.ts';
import { pretty, textOf, vectorsOf, type Vectors } from './vector-files.ts';

type Envelope = Record<string, JsonValue>;

function issuerOf(one: Signer): string {
  return `aegis:ed25519:${hex(one.publicKey)}`;
}

/** Hashed and signed, over `text` where it is given. */
function seal(bare: JsonObject, by: Signer = signer, text: string = canonicalize(bare)): Envelope {
  return { ...bare, envelope_hash: `0x${sha256Hex(text)}`, signature: `0x${hex(by.sign(text))}` };
}

function unsigned(seq: number, prev: string | null, change: JsonObject = {}): JsonObject {
  return {
    schema: 'aegis.spine.envelope.v1',
    issuer: issuerOf(signer),
    seq,
    prev_envelope_hash: prev,
    issued_at: '2026-02-06T00:00:04Z',
    capability_token: null,
    fact: { type: 'policy.eval', decision: { allowed: true }, event_id: `e-${seq}` },
    ...change,
  };
}

/** A chain of theirs. */
function theirs(count: number, first = 1, prev: string | null = null): readonly Envelope[] {
  const envelopes: Envelope[] = [];
  for (let seq = first; seq < first + count; seq += 1) {
    const before = envelopes.at(-1)?.['envelope_hash'];
    envelopes.push(seal(unsigned(seq, typeof before === 'string' ? before : prev)));
  }
  return envelopes;
}

function linesOf(envelopes: readonly Envelope[]): string {
  return envelopes.map((envelope) => `${canonicalize(envelope)}\n`).join('');
}

function ours(bodies: readonly EntryBody[] = session): readonly Envelope[] {
  const made = exportSpine(bodies, signer);
  if (!made.ok) throw new Error(made.error.code);
  return textOf(made.value)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Envelope);
}

/** A chain of ours in which the n-th envelope is changed and all from there on are hashed and signed again. */
function signedAgain(n: number, change: JsonObject): string {
  const envelopes: Envelope[] = [];
  for (const [i, envelope] of ours().entries()) {
    const { envelope_hash: _hash, signature: _signature, ...rest } = envelope;
    const prev = envelopes.at(-1)?.['envelope_hash'] ?? null;
    envelopes.push(seal({ ...rest, prev_envelope_hash: prev, ...(i === n ? change : {}) }));
  }
  return linesOf(envelopes);
}

function changed(envelopes: readonly Envelope[], n: number, change: JsonObject): string {
  return linesOf(envelopes.map((envelope, i) => (i === n ? { ...envelope, ...change } : envelope)));
}

const PROVEN = ['form pass spine_ok', 'signature pass spine_signature_ok', 'chain pass spine_chain_ok'];
const THEIRS = [...PROVEN, 'content not-checked spine_foreign'];
const OURS = [...PROVEN, 'content pass spine_content_ok'];
const MALFORMED = ['form fail spine_malformed'];

function validCases(): Parameters<typeof vectorsOf>[1] {
  const odd = unsigned(1, null, { fact: { path: '/\u007f' } });
  const part = ['signature pass spine_signature_ok', 'chain not-checked spine_chain_part'];
  return [
    ['ours: a whole session', linesOf(ours()), OURS],
    ['ours: one receipt', linesOf(ours(session.slice(0, 1))), OURS],
    ['theirs: a chain', linesOf(theirs(3)), THEIRS],
    ['theirs: a chain without the last newline', linesOf(theirs(3)).trimEnd(), THEIRS],
    ['theirs: one envelope over several lines', pretty(linesOf(theirs(1))), THEIRS],
    ['theirs: one envelope from the middle', linesOf(theirs(1, 7, `0x${'ab'.repeat(32)}`)), part],
    ['theirs: some envelopes from the middle', linesOf(theirs(2, 7, `0x${'ab'.repeat(32)}`)), part],
    [
      'theirs: issuer in capitals',
      linesOf([seal(unsigned(1, null, { issuer: `aegis:ed25519:${hex(signer.publicKey).toUpperCase()}` }))]),
      THEIRS,
    ],
    ['theirs: U+007F raw', linesOf([seal(odd)]), THEIRS],
    ['theirs: U+007F escaped', linesOf([seal(odd, signer, canonicalize(odd).replace('\u007f', '\\u007f'))]), THEIRS],
    ['theirs: signature without a prefix', changed(theirs(1), 0, { signature: textAt(nth(theirs(1), 0), 'signature').slice(2) }), THEIRS],
  ];
}

function theirCases(): Parameters<typeof vectorsOf>[2] {
  const chain = theirs(3);
  const [first = {}, second = {}, third = {}] = chain;
  const zero = `0x${'0'.repeat(64)}`;
  const hash = ['signature fail spine_hash_mismatch'];
  return [
    ['empty file', '', ['form fail spine_not_json']],
    ['an empty line', `${linesOf([first])}\n${linesOf([second])}`, ['form fail spine_not_json']],
    ['a list', '[]', MALFORMED],
    ['another schema', linesOf([seal(unsigned(1, null, { schema: 'aegis.spine.envelope.v2' }))]), MALFORMED],
    ['unknown member', linesOf([seal(unsigned(1, null, { zz: 1 }))]), MALFORMED],
    ['no fact', linesOf([seal(unsigned(1, null, { fact: null }))]), MALFORMED],
    ['issuer that is no key', linesOf([seal(unsigned(1, null, { issuer: 'aegis:ed25519:ab' }))]), MALFORMED],
    ['number below zero', linesOf([seal(unsigned(-1, null))]), MALFORMED],
    ['time that is none', linesOf([seal(unsigned(1, null, { issued_at: 'now' }))]), MALFORMED],
    ['hash without a prefix', changed(chain, 0, { envelope_hash: '0'.repeat(64) }), MALFORMED],
    ['fact changed', changed(chain, 1, { fact: { type: 'policy.eval', decision: { allowed: false } } }), hash],
    ['time changed', changed(chain, 0, { issued_at: '2026-02-06T00:00:05Z' }), hash],
    ['hash changed', changed(chain, 0, { envelope_hash: zero }), hash],
    ['token added', changed(chain, 0, { capability_token: 'x' }), hash],
    ['signature changed', changed(chain, 2, { signature: `0x${'0'.repeat(128)}` }), ['signature fail spine_signature_bad']],
    ['signature of another envelope', changed(chain, 2, { signature: first['signature'] ?? null }), ['signature fail spine_signature_bad']],
    ['signed by another key than that of its issuer', linesOf([seal(unsigned(1, null), stranger)]), ['signature fail spine_signature_bad']],
    [
      'issuer that is not trusted',
      linesOf([seal(unsigned(1, null, { issuer: issuerOf(stranger) }), stranger)]),
      ['signature fail spine_unknown_issuer'],
    ],
    ['another key', linesOf(chain), ['signature fail spine_unknown_issuer'], { receiptKeys: [keyText(stranger)] }],
    ['no key', linesOf(chain), ['signature fail spine_no_trust'], {}],
    ['an envelope missing', linesOf([first, third]), ['chain fail spine_sequence_mismatch']],
    ['an envelope twice', linesOf([first, first]), ['chain fail spine_sequence_mismatch']],
    ['envelopes in another order', linesOf([second, first, third]), ['chain fail spine_sequence_mismatch']],
    ['an envelope that does not follow', linesOf([first, seal(unsigned(2, zero))]), ['chain fail spine_prev_mismatch']],
    ['first envelope with one before it', linesOf([seal(unsigned(1, zero))]), ['chain fail spine_chain_head']],
    ['number 2 with nothing before it', linesOf([seal(unsigned(2, null))]), ['chain fail spine_chain_head']],
    ['number 0', linesOf([seal(unsigned(0, null))]), ['chain fail spine_chain_head']],
    [
      'another issuer goes on',
      linesOf([first, seal(unsigned(2, textAt(first, 'envelope_hash'), { issuer: issuerOf(stranger) }), stranger)]),
      ['chain fail spine_chain_head'],
      { receiptKeys: [keyText(signer), keyText(stranger)] },
    ],
    [
      'number with digits that nothing covers',
      linesOf([seal(unsigned(1, null, { fact: { n: 1 } }))]).replace('"n":1', '"n":0.10000000000000000001'),
      ['form fail number_not_covered'],
    ],
  ];
}

function ourCases(): Parameters<typeof vectorsOf>[2] {
  const content = ['content fail spine_content'];
  const file = linesOf(ours());
  const broken = chainOf([(link) => receiptBody(link), (link) => outcomeBody({ ...link, prev: '0'.repeat(64) })]);
  const otherSession = chainOf([(link) => receiptBody(link), (link) => ({ ...outcomeBody(link), session: 'session-2' })]);
  const packed = (change: JsonObject): JsonObject => ({ fact: { ...(ours()[2]?.['fact'] as JsonObject), ...change } });
  return [
    ['ours: without the last newline', file.trimEnd(), content],
    ['ours: one line in another spelling', file.replace('"capability_token":null', '"capability_token": null'), content],
    [
      'ours: signature in capitals',
      file.replace(/"signature":"0x[0-9a-f]{128}"/, (text) => text.replace(/[a-f](?=[^x]*"$)/g, (digit) => digit.toUpperCase())),
      content,
    ],
    ['ours: first envelope missing', linesOf(ours().slice(1)), ['content fail spine_entry_chain']],
    [
      'ours: last envelopes of a chain, numbered anew',
      linesOf([seal({ ...stripped(ours()[1] ?? {}), seq: 1, prev_envelope_hash: null })]),
      content,
    ],
    ['ours: decision changed, rightly signed', signedAgain(2, packed({ decision: { allowed: false } })), content],
    ['ours: time changed, rightly signed', signedAgain(2, { issued_at: '2027-01-01T00:00:00Z' }), content],
    ['ours: without its entry, rightly signed', signedAgain(2, packed({ countersign: {} })), ['content fail entry_not_canonical']],
    [
      'ours: entry that is none, rightly signed',
      signedAgain(2, packed({ countersign: { body: 'e30' } })),
      ['content fail entry_malformed'],
    ],
    ['ours: entries that do not follow, rightly signed', linesOf(ours(broken)), ['content fail spine_entry_chain']],
    ['ours: entries of two sessions, rightly signed', linesOf(ours(otherSession)), ['content fail spine_entry_chain']],
    ['ours: beside theirs, rightly signed', signedAgain(4, { fact: { type: 'policy.eval' } }), ['content fail spine_mixed']],
  ];
}

function stripped(envelope: Envelope): JsonObject {
  const { envelope_hash: _hash, signature: _signature, ...rest } = envelope;
  return rest;
}

export function spineVectors(): Vectors {
  return vectorsOf('spine', validCases(), [...theirCases(), ...ourCases()]);
}
