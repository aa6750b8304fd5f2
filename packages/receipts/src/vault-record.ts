/**
 * @module What is kept with an entry and is not in the Merkle tree: sealed private data, and a plain note that says where the entry
 * before in the same chain stands. Whose data it is stands nowhere in clear (spec/receipt.md RCPT-040 to RCPT-043).
 */
import {
  CodedError,
  codeOf,
  err,
  getOwn,
  isJsonObject,
  ok,
  parseJson,
  type Fault,
  type JsonObject,
  type JsonValue,
  type Result,
} from '@countersign/kernel';
import type { LogRecord } from '@countersign/log';
import type { Action, StateDelta } from '@countersign/protocol';
import { jcs, utf8 } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';

/** Whose content it is: an end user or an agent of an org; an empty name is the org itself. */
export interface SealingSubject {
  readonly org: string;
  readonly name: string;
}

/** Seals what must not be read at rest, under a key of its subject. The store has an implementation. */
export interface Sealer {
  seal(subject: SealingSubject, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
}

/** Opens what a `Sealer` sealed: the sealed bytes name their key. Throws a `CodedError` when it cannot. */
export interface Opener {
  open(sealed: Uint8Array, aad: Uint8Array): Uint8Array;
}

/** The end user where one is known, the agent otherwise. */
export function subjectOf({ org, subject, agent }: Action): SealingSubject {
  return { org, name: subject === undefined || subject === '' ? agent : subject };
}

/** Binds sealed bytes to one entry of one log. */
export function vaultAad(log: string, id: string): Uint8Array {
  return utf8(`countersign.vault.v1\n${log}\n${id}`);
}

/** The two attachments of an entry, in order. `back` is the place in the log of the entry before in the same chain, or null. */
export function attachmentsOf(sealed: Uint8Array, back: number | null): readonly Uint8Array[] {
  return [sealed, utf8(jcs({ back, v: 2 }))];
}

/** The place of the entry before in the same chain; undefined where the note is not of its form. */
export function readBack(attachments: readonly Uint8Array[]): number | null | undefined {
  const parsed = parseJson(attachments[1] ?? new Uint8Array(0));
  const note = parsed.ok ? parsed.value.value : null;
  if (!isJsonObject(note) || getOwn(note, 'v') !== 2) return undefined;
  const back = getOwn(note, 'back');
  return back === null || (typeof back === 'number' && Number.isSafeInteger(back) && back >= 0) ? back : undefined;
}

/** Sealed content, parsed. */
export function readVault(plaintext: Uint8Array): Result<JsonObject, Fault> {
  const parsed = parseJson(plaintext, {
    bytesMax: RECEIPT_LIMITS.bundleBytesMax,
    depthMax: RECEIPT_LIMITS.bundleDepthMax,
    nodesMax: RECEIPT_LIMITS.bundleNodesMax,
  });
  if (!parsed.ok) return parsed;
  const value: JsonValue = parsed.value.value;
  return isJsonObject(value) ? ok(value) : err({ code: 'vault_malformed', message: 'the sealed content is not an object' });
}

/** Which entry it was sealed for, and who can open it. */
export interface SealedPlace {
  readonly log: string;
  readonly id: string;
  readonly opener: Opener;
}

const NOTHING: Fault = { code: 'vault_malformed', message: 'nothing was sealed with this entry' };

/** Opens what was sealed with an entry. Faults: `vault_malformed`, or what the opener throws (`vault_erased`, `seal_broken`, ...). */
export function openContent(record: LogRecord, { log, id, opener }: SealedPlace): Result<JsonObject, Fault> {
  const [sealed] = record.attachments;
  if (sealed === undefined || readBack(record.attachments) === undefined) return err(NOTHING);
  try {
    return readVault(opener.open(sealed, vaultAad(log, id)));
  } catch (error) {
    if (error instanceof CodedError) return err((error as CodedError).fault);
    return err({ code: codeOf(error), message: 'the sealed content cannot be opened' });
  }
}

/** The state delta in opened content; that of an entry which has none changes nothing. */
export function deltaOf(content: JsonObject): StateDelta {
  const delta = getOwn(content, 'delta');
  // Sealed bytes that open are those that we wrote.
  return isJsonObject(delta) ? delta : {};
}
