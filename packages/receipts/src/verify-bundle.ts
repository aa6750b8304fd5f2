/**
 * @module The checks of one bundle, one function each.
 */
import { createVerifier, fromBase64, fromBase64url, keyIdOf, sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { leafHash, verifyInclusion, type Checkpoint } from '@countersign/log';
import {
  ERASURE_TYPE,
  OUTCOME_TYPE,
  PROTOCOL_LIMITS,
  RECEIPT_TYPE,
  type EntryBody,
  type ErasureBody,
  type ReceiptBody,
} from '@countersign/protocol';
import {
  readBundle,
  type Bundle,
  type Disclosure,
  type ErasureDisclosure,
  type OutcomeDisclosure,
  type ReceiptDisclosure,
} from './read-bundle.ts';
import { ENTRY_FORM } from './bundle-form.ts';
import { commit } from './commitment.ts';
import { jcs, utf8 } from './jcs.ts';
import { openTrusted, type Trust } from './open-trusted.ts';
import { failed, isProven, notChecked, passed, type Check, type CheckName, type VerifyReport } from './report.ts';

const ZERO_HASH = '0'.repeat(64);

function checkEntryForm(bundle: Bundle): Check {
  const fault = ENTRY_FORM(bundle.entry as unknown as JsonValue, '/entry');
  if (fault !== undefined)
    return failed('entry-form', 'entry_malformed', `The entry does not have the form of its type: ${fault.message} at ${fault.path}.`);
  const { entryBytesMax } = PROTOCOL_LIMITS;
  if (utf8(jcs(bundle.entry)).length > entryBytesMax)
    return failed('entry-form', 'entry_malformed', `The entry has more than ${entryBytesMax} bytes.`);
  return passed('entry-form', 'entry_ok', `The entry has the form of ${bundle.entry.body.type}.`);
}

function checkInclusion(bundle: Bundle, checkpoint: Checkpoint | undefined): Check {
  if (checkpoint === undefined)
    return notChecked('inclusion', 'inclusion_no_checkpoint', 'Inclusion was not checked, because no trusted checkpoint was found.');
  const leaf = leafHash(utf8(jcs(bundle.entry)));
  const proof = bundle.proof.map((hash) => fromBase64(hash) ?? new Uint8Array(0));
  const { size, root } = checkpoint;
  if (!verifyInclusion({ index: bundle.index, size, leaf, proof, root })) {
    return failed(
      'inclusion',
      'inclusion_bad',
      `The proof does not lead from this entry at place ${bundle.index} to the root of the checkpoint.`,
    );
  }
  return passed('inclusion', 'inclusion_ok', `The entry is number ${bundle.index} of ${size} in the log.`);
}

function wantsSignature(body: EntryBody): boolean {
  return body.type === RECEIPT_TYPE && body.signing === 'each';
}

function checkSignature(bundle: Bundle, trust: Trust): Check {
  const { body, signatures } = bundle.entry;
  if (signatures.length === 0) {
    if (wantsSignature(body))
      return failed('signature', 'signature_missing', 'The receipt says that it is signed on its own, but carries no signature.');
    return notChecked(
      'signature',
      'signature_by_checkpoint',
      'The entry carries no signature of its own: the signed checkpoint covers it.',
    );
  }
  const keys = trust.receiptKeys ?? [];
  if (keys.length === 0)
    return notChecked('signature', 'signature_no_trust', 'The signature of the entry was not checked, because no receipt key was given.');
  const message = jcs(body);
  for (const { keyId, sig } of signatures) {
    const key = keys.map((text) => fromBase64url(text)).find((bytes) => bytes?.length === 32 && keyIdOf(bytes) === keyId);
    if (key === undefined)
      return failed('signature', 'signature_unknown_key', `The entry is signed by key ${keyId}, which is not trusted.`);
    const bytes = fromBase64url(sig);
    if (bytes === undefined || !createVerifier(key).verify(message, bytes))
      return failed('signature', 'signature_bad', `The signature by key ${keyId} does not fit the entry.`);
  }
  return passed('signature', 'signature_ok', 'The entry is signed by a trusted receipt key.');
}

function isReceiptDisclosure(inputs: Disclosure): inputs is ReceiptDisclosure {
  return 'salts' in inputs;
}

function isErasureDisclosure(inputs: Disclosure): inputs is ErasureDisclosure {
  return 'erased' in inputs;
}

function isOutcomeDisclosure(inputs: Disclosure): inputs is OutcomeDisclosure {
  return 'response' in inputs;
}

function committed(saltText: string, bytes: Uint8Array): string | undefined {
  const salt = fromBase64url(saltText);
  return salt === undefined ? undefined : commit(salt, bytes);
}

/** Are the disclosed action, state and signals the committed ones? */
export function checkReceiptCommitments(body: ReceiptBody, inputs: ReceiptDisclosure): Check {
  const { action, state, signals, salts } = inputs;
  const wanted = [
    ['action', body.action.commitment, committed(salts.action, utf8(jcs(action)))],
    ['state', body.inputs.state, committed(salts.state, utf8(jcs(state)))],
    ['signals', body.inputs.signals, committed(salts.signals, utf8(canonicalize(signals as unknown as JsonValue)))],
  ] as const;
  const wrong = wanted.find(([, logged, found]) => logged !== found);
  if (wrong !== undefined)
    return failed('commitments', `commitment_${wrong[0]}`, `The disclosed ${wrong[0]} is not the one that the receipt commits to.`);
  return passed('commitments', 'commitments_ok', 'The disclosed action, state and signals are those that the receipt commits to.');
}

function checkCommitments(bundle: Bundle): Check {
  const { inputs, entry } = bundle;
  if (inputs === undefined)
    return notChecked(
      'commitments',
      'commitments_not_disclosed',
      'Commitments were not checked, because no inputs and salts are disclosed.',
    );
  const { body } = entry;
  if (body.type === RECEIPT_TYPE && isReceiptDisclosure(inputs)) return checkReceiptCommitments(body, inputs);
  if (body.type === OUTCOME_TYPE && isOutcomeDisclosure(inputs)) return checkResponse(body.response, inputs);
  if (body.type === ERASURE_TYPE && isErasureDisclosure(inputs)) return checkErased(body, inputs);
  return failed('commitments', 'commitments_misplaced', 'The disclosed inputs do not belong to an entry of this type.');
}

function checkErased(body: ErasureBody, { erased, salt }: ErasureDisclosure): Check {
  if (committed(salt, utf8(jcs(erased))) !== body.subject)
    return failed('commitments', 'commitment_erased', 'The disclosed subject is not the one that the erasure commits to.');
  return passed('commitments', 'commitments_ok', 'The disclosed subject is the one whose content was erased.');
}

function checkResponse(logged: string | null, inputs: OutcomeDisclosure): Check {
  const response = inputs.response === null ? null : fromBase64(inputs.response);
  const found = response === null || response === undefined ? null : committed(inputs.salt, response);
  // With no response there is nothing that the salt could tie down, so it must not be disclosed either.
  if (logged === null || found !== logged)
    return failed('commitments', 'commitment_response', 'The disclosed response is not the one that the outcome commits to.');
  return passed('commitments', 'commitments_ok', 'The disclosed response is the one that the outcome commits to.');
}

function checkInputs(bundle: Bundle): Check {
  const { documents, entry } = bundle;
  const { body } = entry;
  if (documents === undefined)
    return notChecked('inputs', 'inputs_not_disclosed', 'Policy and rules were not checked, because the documents are not in the bundle.');
  if (body.type !== RECEIPT_TYPE) return failed('inputs', 'inputs_misplaced', 'Only a receipt has a policy and rules.');
  if (body.inputs.policy === ZERO_HASH)
    return failed('inputs', 'inputs_none', 'The receipt says that no policy was loaded, yet the bundle brings one.');
  const wrong = (['policy', 'rules'] as const).find((name) => sha256Hex(canonicalize(documents[name])) !== body.inputs[name]);
  if (wrong !== undefined) return failed('inputs', `inputs_${wrong}`, `The ${wrong} in the bundle is not the one that the receipt names.`);
  return passed('inputs', 'inputs_ok', 'Policy and rules are those that the receipt names.');
}

const AFTER_FORM: readonly CheckName[] = ['entry-form', 'signature', 'inclusion', 'checkpoint', 'cosignatures', 'commitments', 'inputs'];

function skipped(names: readonly CheckName[], because: string): readonly Check[] {
  return names.map((name) => notChecked(name, 'not_reached', `Not checked, because ${because}.`));
}

/** All checks of a parsed bundle. */
function checkBundle(bundle: Bundle, trust: Trust): VerifyReport {
  const form = [passed('bundle-form', 'bundle_ok', 'The file is a canonical bundle.'), checkEntryForm(bundle)];
  if (form[1]?.status !== 'pass') return { ok: false, checks: [...form, ...skipped(AFTER_FORM.slice(1), 'the entry is malformed')] };
  const { check, cosignatures, checkpoint } = openTrusted(bundle.checkpoint, bundle.entry.body.log, trust);
  const checks = [
    ...form,
    checkSignature(bundle, trust),
    checkInclusion(bundle, checkpoint),
    check,
    cosignatures,
    checkCommitments(bundle),
    checkInputs(bundle),
  ];
  const { type, id, log, session, seq } = bundle.entry.body;
  return { ok: isProven(checks), checks, subject: { type, id, log, session, seq, index: bundle.index, size: checkpoint?.size ?? 0 } };
}

/**
 * Verifies one bundle. Total; offline; linear in its bytes. Asynchronous so that a host with asynchronous cryptography can do the same.
 */
export function verifyBundle(bytes: Uint8Array, trust: Trust): Promise<VerifyReport> {
  const read = readBundle(bytes);
  if (read.ok) return Promise.resolve(checkBundle(read.value, trust));
  const { code, message, path } = read.error;
  const where = path === undefined || path === '' ? '' : ` at ${path}`;
  const form = failed('bundle-form', code, `The file is not a bundle: ${message}${where}.`);
  return Promise.resolve({ ok: false, checks: [form, ...skipped(AFTER_FORM, 'the file is not a bundle')] });
}
