/** tlog-proof vectors: entries of one log, each with its proof, and what can be wrong with a line. */
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { cosignatureLine, cosignerKeyText } from '@countersign/log';
import { exportTlogProof, type ExportTrust } from '../src/exports.ts';
import { bundlesOf, entryText, json, LOG, nth, receiptAt, receiptBody, session, signer, stranger, trust } from './export-fixtures.ts';
import { textOf, vectorsOf, type Vectors } from './vector-files.ts';

const witness = { name: 'witness.example/w1', signer: createSigner(new Uint8Array(32).fill(41)) };
const witnessed: ExportTrust = { ...trust, witnessKeys: [cosignerKeyText(witness.name, witness.signer.publicKey)] };

const PROVEN = ['form pass tlog_proof_ok', 'entry-form pass entry_ok', 'checkpoint pass checkpoint_ok', 'inclusion pass inclusion_ok'];

function linesOf(file: string): string[] {
  return file.split('\n');
}

/** The file with one of its lines changed; undefined takes it away. */
function withLine(file: string, n: number, change: (line: string) => string | undefined): string {
  return linesOf(file)
    .flatMap((line, i) => (i === n ? (change(line) ?? []) : [line]))
    .join('\n');
}

const EXTRA = 1;
const INDEX = 2;
const HASH = 3;

/** Entries of ours, one that is signed on its own, and leaves that are none of ours. */
async function files(): Promise<readonly string[]> {
  const each = receiptBody({ seq: 0, prev: null }, undefined, { signing: 'each', session: 'session-2' });
  const sig = Buffer.from(signer.sign(canonicalize(json(each)))).toString('base64url');
  const entries = [
    ...session.map((body) => entryText(body)),
    entryText(each, [{ keyId: signer.keyId, sig }]),
    entryText(each),
    entryText({ ...receiptAt(3), log: 'example.org/another' }),
    canonicalize({ body: { type: 'countersign.grant.v1' }, signatures: [] }),
  ];
  return (await bundlesOf(entries)).map((bundle) => textOf(exportTlogProof(bundle)));
}

function cosigned(file: string): string {
  const text = file.slice(file.indexOf('\n\n') + 2);
  return file + cosignatureLine(text.slice(0, text.indexOf('\n\n') + 1), 1_780_000_000, witness);
}

function lineCases(file: string, other: string): Parameters<typeof vectorsOf>[2] {
  const malformed = ['form fail tlog_proof_malformed'];
  const noExtra = ['form fail tlog_proof_no_extra'];
  const unproven = ['inclusion fail inclusion_bad'];
  const entry = Buffer.from(linesOf(file)[EXTRA]?.slice(6) ?? '', 'base64').toString();
  const extra = (text: string): string => withLine(file, EXTRA, () => `extra ${Buffer.from(text).toString('base64')}`);
  return [
    ['empty file', '', malformed],
    ['another version', withLine(file, 0, () => 'c2sp.org/tlog-proof@v2'), malformed],
    ['lines that end with a carriage return', file.replaceAll('\n', '\r\n'), malformed],
    ['no extra', withLine(file, EXTRA, () => undefined), noExtra],
    ['extra that is empty', withLine(file, EXTRA, () => 'extra '), noExtra],
    ['extra that is no base64', withLine(file, EXTRA, (line) => `${line}*`), noExtra],
    ['extra of another entry', withLine(file, EXTRA, () => linesOf(other)[EXTRA]), unproven],
    ['extra with a decision changed', extra(entry.replace('"decision":"deny"', '"decision":"warn"')), unproven],
    ['extra in another spelling', extra(entry.replace('"body":', '"body": ')), ['entry-form fail entry_not_canonical']],
    ['extra that is no entry', extra('{}'), ['entry-form fail entry_malformed']],
    ['extra that is not UTF-8', withLine(file, EXTRA, () => 'extra //79'), ['entry-form fail entry_not_canonical']],
    ['no index', withLine(file, INDEX, () => undefined), malformed],
    ['index with a leading zero', withLine(file, INDEX, () => 'index 03'), malformed],
    ['index that is no number', withLine(file, INDEX, () => 'index three'), malformed],
    ['index beyond 2^53', withLine(file, INDEX, () => 'index 9999999999999999'), malformed],
    ['another index', withLine(file, INDEX, () => 'index 2'), unproven],
    ['index beyond the tree', withLine(file, INDEX, () => 'index 100'), unproven],
    ['one hash missing', withLine(file, HASH, () => undefined), unproven],
    ['one hash twice', withLine(file, HASH, (line) => `${line}\n${line}`), unproven],
    ['hash changed', withLine(file, HASH, (line) => `${line.startsWith('A') ? 'B' : 'A'}${line.slice(1)}`), unproven],
    ['hash with loose bits', withLine(file, HASH, (line) => `${line.slice(0, 42)}B=`), malformed],
    ['hash that is too short', withLine(file, HASH, () => 'AAAA'), malformed],
    ['no empty line', file.replace('\n\n', '\n'), malformed],
    ['two empty lines', file.replace('\n\n', '\n\n\n'), ['checkpoint fail note_bad_signature']],
  ];
}

function checkpointCases(file: string): Parameters<typeof vectorsOf>[2] {
  const size = linesOf(file).findIndex((line) => line === LOG) + 1;
  return [
    ['size changed', withLine(file, size, (line) => String(Number(line) + 1)), ['checkpoint fail note_bad_signature']],
    [
      'another root',
      withLine(file, size + 1, (line) => `${line.startsWith('A') ? 'B' : 'A'}${line.slice(1)}`),
      ['checkpoint fail note_bad_signature'],
    ],
    ['no signature', file.slice(0, file.lastIndexOf('\u2014')), ['checkpoint fail note_malformed']],
    ['text behind the checkpoint', `${file}x\n`, ['checkpoint fail note_malformed']],
    ['another log key', file, ['checkpoint fail note_unverified'], { ...trust, vkeys: [noteVerifierKey(LOG, stranger.publicKey)] }],
    ['a log key that is none', file, ['checkpoint fail vkey_malformed'], { ...trust, vkeys: ['x'] }],
    ['no log key', file, ['checkpoint fail checkpoint_no_trust'], { receiptKeys: trust.receiptKeys }],
    ['witness asked for, no cosignature', file, ['cosignatures fail cosignatures_missing'], witnessed],
    [
      'cosignature of another tree',
      cosigned(withLine(file, size, () => '1')).replace('\n1\n', `\n${linesOf(file)[size] ?? ''}\n`),
      ['cosignatures fail cosignature_bad'],
      witnessed,
    ],
  ];
}

export async function tlogProofVectors(): Promise<Vectors> {
  const [receipt = '', outcome = '', , denied = '', end = '', each = '', unsigned = '', elsewhere = '', grant = ''] = await files();
  const valid: Parameters<typeof vectorsOf>[1] = [
    ['receipt', denied, [...PROVEN, 'signature not-checked signature_by_checkpoint']],
    ['first entry', receipt, PROVEN],
    ['outcome', outcome, PROVEN],
    ['end of a session', end, PROVEN],
    ['receipt signed on its own', each, [...PROVEN, 'signature pass signature_ok']],
    ['receipt signed on its own, no receipt key', each, [...PROVEN, 'signature not-checked signature_no_trust'], { vkeys: trust.vkeys }],
    ['cosigned, witness known', cosigned(denied), [...PROVEN, 'cosignatures pass cosignatures_ok'], witnessed],
    ['cosigned, witness not asked for', cosigned(denied), [...PROVEN, 'cosignatures not-checked cosignatures_no_trust']],
    ['log of one entry', textOf(exportTlogProof(nth(await bundlesOf([entryText(receiptAt(3))]), 0))), PROVEN],
  ];
  return vectorsOf('tlog-proof', valid, [
    ...lineCases(denied, receipt),
    ...checkpointCases(denied),
    ['entry of another log', elsewhere, ['checkpoint fail checkpoint_wrong_log']],
    ['entry of an unknown type', grant, ['entry-form fail entry_malformed']],
    ['receipt that is not signed although it says so', unsigned, ['signature fail signature_missing']],
    [
      'receipt signed by a key that is not trusted',
      each,
      ['signature fail signature_unknown_key'],
      { ...trust, receiptKeys: [Buffer.from(stranger.publicKey).toString('base64url')] },
    ],
    ['signature line that is none', withLine(denied, linesOf(denied).length - 2, () => 'x'), ['checkpoint fail note_malformed']],
  ]);
}
