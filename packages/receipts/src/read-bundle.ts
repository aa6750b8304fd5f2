/**
 * @module A bundle: one self-contained file that proves one entry. Reading is strict: the file must be the canonical text of what it
 * says, so that no byte of it is free.
 */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, err, ok, parseJson, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import type { Action, Entry, Signal, StateSlice } from '@countersign/protocol';
import { BUNDLE_FORM, BUNDLE_TYPE } from './bundle-form.ts';
import { jcs, utf8Text } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';

/** What a receipt's verdict was judged from, with the salts that tie it to the receipt. */
export interface ReceiptDisclosure {
  readonly action: Action;
  readonly state: StateSlice;
  readonly signals: readonly Signal[];
  /** base64url, 32 bytes each. */
  readonly salts: { readonly action: string; readonly state: string; readonly signals: string };
}

/** The response of an outcome. */
export interface OutcomeDisclosure {
  /** base64, or null where there was none. */
  readonly response: string | null;
  /** base64url, 32 bytes. */
  readonly salt: string;
}

/** Whose content an erasure made unreadable. */
export interface ErasureDisclosure {
  readonly erased: { readonly org: string; readonly subject: string };
  /** base64url, 32 bytes. */
  readonly salt: string;
}

export type Disclosure = ReceiptDisclosure | OutcomeDisclosure | ErasureDisclosure;

/** The documents whose hashes are in `body.inputs`. */
export interface BundleDocuments {
  readonly policy: JsonValue;
  readonly rules: JsonValue;
}

export interface Bundle {
  readonly type: typeof BUNDLE_TYPE;
  readonly entry: Entry;
  /** Place in the log. */
  readonly index: number;
  /** RFC 6962 inclusion proof in the tree of `checkpoint`; base64. */
  readonly proof: readonly string[];
  /** Signed note. */
  readonly checkpoint: string;
  readonly inputs?: Disclosure;
  readonly documents?: BundleDocuments;
  /** Hex SHA-256 of JCS of everything else. */
  readonly digest?: string;
}

export type BundleFaultCode =
  | 'bundle_not_json'
  | 'bundle_not_canonical'
  | 'bundle_malformed'
  | 'bundle_too_large'
  | 'bundle_digest_missing'
  | 'bundle_digest_bad';

function refused(code: BundleFaultCode, message: string, path?: string): Result<never, Fault<BundleFaultCode>> {
  return err({ code, message, ...(path === undefined ? {} : { path }), hint: 'export the bundle again; it must be stored byte for byte' });
}

/** Lines behind the text of a note. */
export function signatureLines(note: string): number {
  const split = note.lastIndexOf('\n\n');
  return split === -1 ? 0 : note.slice(split + 2).split('\n').length - 1;
}

/** The digest that a bundle must carry: signature lines by keys that a verifier does not know would be free bytes otherwise (BNDL-003). */
export function digestOf(bundle: Omit<Bundle, 'digest'>): string | undefined {
  return signatureLines(bundle.checkpoint) > 1 ? sha256Hex(jcs(bundle)) : undefined;
}

function checkDigest(bundle: Bundle): Result<never, Fault<BundleFaultCode>> | undefined {
  const { digest, ...rest } = bundle;
  if (digest === undefined) {
    return digestOf(rest) === undefined
      ? undefined
      : refused('bundle_digest_missing', 'a checkpoint with several signatures needs a digest of the bundle');
  }
  return sha256Hex(jcs(rest)) === digest
    ? undefined
    : refused('bundle_digest_bad', 'the digest is not that of the rest of the file', '/digest');
}

/** Parses a bundle: strict JSON, canonical byte for byte, no unknown field. Says nothing of whether it proves anything. */
export function readBundle(bytes: Uint8Array): Result<Bundle, Fault<BundleFaultCode>> {
  if (bytes.length > RECEIPT_LIMITS.bundleBytesMax)
    return refused('bundle_too_large', `a bundle has at most ${RECEIPT_LIMITS.bundleBytesMax} bytes`);
  const text = utf8Text(bytes);
  if (text === undefined) return refused('bundle_not_json', 'the file is not UTF-8');
  const { bundleBytesMax, bundleDepthMax, bundleNodesMax } = RECEIPT_LIMITS;
  const parsed = parseJson(text, { bytesMax: bundleBytesMax, depthMax: bundleDepthMax, nodesMax: bundleNodesMax });
  if (!parsed.ok) return refused('bundle_not_json', `the file is not strict JSON: ${parsed.error.message}`, parsed.error.path);
  const { value, exactNumbers } = parsed.value;
  if (exactNumbers.length > 0 || canonicalize(value) !== text)
    return refused('bundle_not_canonical', 'the file is not the canonical text (RFC 8785) of its own content');
  const fault = BUNDLE_FORM(value, '');
  if (fault !== undefined) return refused('bundle_malformed', fault.message, fault.path);
  // Every member was checked by BUNDLE_FORM.
  const bundle = value as unknown as Bundle;
  return checkDigest(bundle) ?? ok(bundle);
}
