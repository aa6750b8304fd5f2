/**
 * @module A receipt that is read from a log at hand, with what was sealed with it: the checks that a bundle would get (entry form and
 * commitments), without making one. Whether the log is the right one is the business of whoever reads it.
 */
import {
  canonicalize,
  err,
  isJsonObject,
  ok,
  parseJson,
  type Fault,
  type JsonObject,
  type JsonValue,
  type Result,
} from '@countersign/kernel';
import { RECEIPT_TYPE, type ReceiptBody } from '@countersign/protocol';
import { ENTRY_FORM, RECEIPT_INPUTS_FORM } from './bundle-form.ts';
import { utf8Text } from './jcs.ts';
import type { ReceiptDisclosure } from './read-bundle.ts';
import { checkReceiptCommitments } from './verify-bundle.ts';

function malformed(message: string): Result<never, Fault> {
  return err({ code: 'entry_malformed', message });
}

/** A log leaf as JSON: UTF-8, strict, and the canonical text of what it says, so that no byte of it is free. */
export function readLeaf(leaf: Uint8Array): Result<JsonObject, Fault> {
  const text = utf8Text(leaf);
  const parsed = text === undefined ? undefined : parseJson(text);
  if (parsed?.ok !== true) return malformed('The entry is not JSON.');
  const { value } = parsed.value;
  if (!isJsonObject(value)) return malformed('The entry is not an object.');
  return canonicalize(value) === text ? ok(value) : malformed('The entry is not the canonical text of what it says.');
}

/** The receipt and its inputs, where both have their form and the inputs are those that the receipt commits to. */
export interface CheckedReceipt {
  readonly body: ReceiptBody;
  readonly inputs: ReceiptDisclosure;
}

/** Checks a receipt that `readLeaf` gave against what was sealed with it. Faults are sentences. */
export function checkReceipt(entry: JsonObject, sealed: object): Result<CheckedReceipt, Fault> {
  const formFault = ENTRY_FORM(entry, '/entry') ?? RECEIPT_INPUTS_FORM(sealed as JsonValue, '/inputs'); // Parsed JSON, which its interfaces do not say.
  if (formFault !== undefined) return malformed(`The receipt or its inputs are malformed: ${formFault.message} at ${formFault.path}.`);
  const body = entry['body'] as unknown as ReceiptBody; // The form was checked above.
  if (body.type !== RECEIPT_TYPE) return malformed('The entry is not a receipt.');
  const inputs = sealed as ReceiptDisclosure;
  const { status, code, sentence } = checkReceiptCommitments(body, inputs);
  return status === 'pass' ? ok({ body, inputs }) : err({ code, message: sentence });
}
