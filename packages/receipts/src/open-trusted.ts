/** @module Opening a checkpoint by the keys that a verifier brings: those of the log, and those of its witnesses. */
import { type NoteSignature, type NoteVerifier, openNote, parseNoteVerifierKey } from '@countersign/crypto';
import type { Fault, Result } from '@countersign/kernel';
import { type Checkpoint, cosignatureSeconds, type CosignerKey, openCheckpoint, parseCosignerKey } from '@countersign/log';
import { failed, notChecked, passed, type Check } from './report.ts';

/** Whom the verifier believes. Nothing in a bundle adds to it. */
export interface Trust {
  /** Verifier keys of logs (C2SP signed-note: `name+hash+base64`). */
  readonly vkeys: readonly string[];
  /** Public keys of receipt signers, base64url of 32 bytes. */
  readonly receiptKeys?: readonly string[];
  /** Verifier keys of witnesses (C2SP tlog-cosignature, type 0x04). */
  readonly witnessKeys?: readonly string[];
  /** How many of the witnesses must have cosigned; all of them where it is not said. */
  readonly quorum?: number;
}

export interface OpenedTrusted {
  /** Of the log's own signature and origin. */
  readonly check: Check;
  readonly cosignatures: Check;
  /** There only where `check` passed. */
  readonly checkpoint?: Checkpoint;
}

/** All keys, or the code of the first that cannot be read. */
function parseAll<Key>(texts: readonly string[], parse: (text: string) => Result<Key, Fault>): readonly Key[] | string {
  const keys: Key[] = [];
  for (const text of texts) {
    const parsed = parse(text);
    if (!parsed.ok) return parsed.error.code;
    keys.push(parsed.value);
  }
  return keys;
}

function furtherLines(count: number): string {
  if (count === 0) return '';
  return count === 1 ? ' It carries one further signature line.' : ` It carries ${count} further signature lines.`;
}

interface Opened {
  readonly check: Check;
  readonly checkpoint?: Checkpoint;
}

function openByLog(note: string, log: string, verifiers: readonly NoteVerifier[]): Opened {
  const opened = openCheckpoint(note, verifiers);
  if (!opened.ok) {
    const { code, message } = opened.error;
    return { check: failed('checkpoint', code, `The checkpoint is not signed by a trusted log key: ${message}.`) };
  }
  const { origin, size, signers, unverified } = opened.value;
  if (origin !== log) {
    return { check: failed('checkpoint', 'checkpoint_wrong_log', 'The checkpoint is of another log than the one that is named.') };
  }
  if (!signers.includes(origin)) {
    return { check: failed('checkpoint', 'checkpoint_wrong_key', 'No key that signed the checkpoint has the name of the log.') };
  }
  const sentence = `The checkpoint of ${origin} at size ${size} is signed by a trusted key.${furtherLines(unverified)}`;
  return { check: passed('checkpoint', 'checkpoint_ok', sentence), checkpoint: opened.value };
}

function openWithKeys(note: string, log: string, { vkeys }: Trust): Opened {
  const verifiers = parseAll<NoteVerifier>(vkeys, parseNoteVerifierKey);
  if (typeof verifiers === 'string') return { check: failed('checkpoint', verifiers, 'A trusted log key cannot be read.') };
  if (verifiers.length > 0) return openByLog(note, log, verifiers);
  return { check: failed('checkpoint', 'checkpoint_no_trust', 'No log key is trusted, so the checkpoint proves nothing.') };
}

function witnessed({ name, signature }: NoteSignature): string {
  const seconds = Number(cosignatureSeconds(signature) ?? 0n);
  return `${name} (at ${seconds} seconds since 1970)`;
}

/** How many witnesses there are: one may have several keys, and is known by its name. */
function countOf(named: readonly { readonly name: string }[]): number {
  return new Set(named.map(({ name }) => name)).size;
}

function checkQuorum(note: string, keys: readonly CosignerKey[], quorum: number | undefined): Check {
  const opened = openNote(note, keys);
  if (!opened.ok && opened.error.code === 'note_ambiguous_key')
    return failed('cosignatures', 'note_ambiguous_key', 'Two trusted witness keys have one name and hash.');
  if (!opened.ok && opened.error.code !== 'note_unverified')
    return failed('cosignatures', 'cosignature_bad', `A line by a witness that is trusted does not hold: ${opened.error.message}.`);
  const signatures = opened.ok ? opened.value.signatures : [];
  const wanted = quorum ?? countOf(keys);
  const count = `${countOf(signatures)} of ${countOf(keys)} trusted witnesses cosigned this tree`;
  if (countOf(signatures) < wanted) return failed('cosignatures', 'cosignatures_missing', `${count}, and ${wanted} are asked for.`);
  return passed('cosignatures', 'cosignatures_ok', `${count}: ${signatures.map(witnessed).join(', ')}.`);
}

function checkCosignatures(note: string, opened: boolean, { witnessKeys = [], quorum }: Trust): Check {
  if (witnessKeys.length === 0)
    return notChecked('cosignatures', 'cosignatures_no_trust', 'Cosignatures were not checked, because no witness key was given.');
  const keys = parseAll<CosignerKey>(witnessKeys, parseCosignerKey);
  if (typeof keys === 'string') return failed('cosignatures', keys, 'A trusted witness key cannot be read.');
  if (opened) return checkQuorum(note, keys, quorum);
  return notChecked(
    'cosignatures',
    'cosignatures_no_checkpoint',
    'Cosignatures were not checked, because no trusted checkpoint was found.',
  );
}

/** Opens the checkpoint of `log`, whatever it is. Total. */
export function openTrusted(note: string, log: string, trust: Trust): OpenedTrusted {
  const { check, checkpoint } = openWithKeys(note, log, trust);
  const cosignatures = checkCosignatures(note, checkpoint !== undefined, trust);
  return { check, cosignatures, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
