/**
 * @module A bundle: one self-contained file that proves one entry. Reading is strict: the file must be the canonical text of what it
 * says, so that no byte of it is free.
 */
import { canonicalize, err, ok, parseJson, type Fault, type JsonValue, type Result } from '@countersign/kernel';
import type { Action, Entry, Signal, StateSlice } from '@countersign/protocol';
import { BUNDLE_FORM, BUNDLE_TYPE } from './bundle-form.ts';
import { utf8Text } from './jcs.ts';
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
}

export type BundleFaultCode = 'bundle_not_json' | 'bundle_not_canonical' | 'bundle_malformed' | 'bundle_too_large';

function refused(code: BundleFaultCode, message: string, path?: string): Result<never, Fault<BundleFaultCode>> {
  return err({ code, message, ...(path === undefined ? {} : { path }), hint: 'export the bundle again; it must be stored byte for byte' });
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
  return ok(value as unknown as Bundle);
}
