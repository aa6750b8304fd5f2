/**
 * @module What is kept with an entry and is not in the Merkle tree: sealed private data, and a plain side note with the pseudonymous
 * subject of the sealing key and the state delta.
 */
import { sha256Hex } from '@countersign/crypto';
import { err, getOwn, isJsonObject, ok, parseJson, type Fault, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import type { StateDelta } from '@countersign/protocol';
import { jcs, utf8 } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';

/** Seals what must not be read at rest; `subject` chooses the key. The store has an implementation. */
export interface Sealer {
  seal(subject: string, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
}

/** Opens what a `Sealer` sealed. Throws a `CodedError` when it cannot. */
export interface Opener {
  open(subject: string, sealed: Uint8Array, aad: Uint8Array): Uint8Array;
}

/** Whose key: a handle that does not name the person, so that the journal does not either. Erasing works by computing it again. */
export function subjectHandle(org: string, subject: string): string {
  return sha256Hex(`countersign.subject.v1\n${org}\n${subject}`);
}

/** Binds sealed bytes to one entry of one log. */
export function vaultAad(log: string, id: string): Uint8Array {
  return utf8(`countersign.vault.v1\n${log}\n${id}`);
}

export interface SideNote {
  readonly subject: string;
  readonly delta: StateDelta;
}

/** The two attachments of an entry, in order. */
export function attachmentsOf(sealed: Uint8Array, note: SideNote): readonly Uint8Array[] {
  return [sealed, utf8(jcs({ v: 1, subject: note.subject, delta: note.delta }))];
}

/** The side note of an entry; undefined where its form is wrong. */
export function readSideNote(attachments: readonly Uint8Array[]): SideNote | undefined {
  const parsed = parseJson(attachments[1] ?? new Uint8Array(0));
  if (!parsed.ok || !isJsonObject(parsed.value.value)) return undefined;
  const subject = getOwn(parsed.value.value, 'subject');
  const delta = getOwn(parsed.value.value, 'delta');
  if (typeof subject !== 'string' || !isJsonObject(delta)) return undefined;
  // The journal's checksum says that these are the bytes that we wrote.
  return { subject, delta: delta as unknown as StateDelta };
}

/** Sealed content of a receipt or an outcome, parsed. */
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
