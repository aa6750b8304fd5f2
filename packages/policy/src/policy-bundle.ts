/**
 * @module Signed policy bundles: one resolved policy with where it came from, signed over the RFC 8785 form of all of it. A bundle is
 * believed for the keys that the reader pinned; a key inside the file says who claims to have signed, and is never a reason to believe.
 */
import { createVerifier, sha256Hex, type Signer } from '@countersign/crypto';
import {
  canonicalize,
  err,
  type Fault,
  getOwn,
  isJsonObject,
  isUuid,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  ok,
  parseJson,
  type Result,
} from '@countersign/kernel';
import { compilePolicy } from './compile-policy.ts';
import { asJson, type ResolvedPolicy } from './content.ts';
import { POLICY_LIMITS } from './limits.ts';

const BUNDLE_VERSION = '1.0.0';

/** What stands in a bundle beside the policy. */
export interface BundleFacts {
  /** UUID. */
  readonly bundleId: string;
  /** RFC 3339, UTC. */
  readonly compiledAt: string;
  /** Names of the documents that the policy was made of, nearest first. */
  readonly sources: readonly string[];
}

export interface VerifiedBundle extends BundleFacts {
  readonly policy: ResolvedPolicy;
  /** `policyHash` of it. */
  readonly hash: string;
  /** Lower-case hex of the pinned key that signed it. */
  readonly signedBy: string;
}

export type BundleFaultCode =
  | 'policy_bundle_too_large'
  | 'policy_bundle_malformed'
  | 'policy_bundle_hash'
  | 'policy_bundle_policy'
  | 'policy_bundle_no_trust'
  | 'policy_bundle_signature'
  | 'policy_bundle_key';

type Refused = Result<never, Fault<BundleFaultCode>>;

function refuse(code: BundleFaultCode, message: string, place: { readonly path?: string; readonly hint?: string } = {}): Refused {
  return err({ code, message, ...place });
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes of lower-case hex; undefined for anything else. */
function unhex(text: JsonValue | undefined, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A bundle as text: JSON in RFC 8785 form. */
export function buildPolicyBundle(policy: ResolvedPolicy, facts: BundleFacts, signer: Signer): string {
  const json = asJson(policy);
  const bundle: JsonObject = {
    version: BUNDLE_VERSION,
    bundle_id: facts.bundleId,
    compiled_at: facts.compiledAt,
    policy: json,
    policy_hash: sha256Hex(canonicalize(json)),
    sources: facts.sources,
  };
  return canonicalize({ bundle, signature: hex(signer.sign(canonicalize(bundle))), public_key: hex(signer.publicKey) });
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

/** Whether each member is there, has its form, and no other is there. `undefined` where the form is optional. */
type Forms = Readonly<Record<string, { readonly optional?: true; readonly holds: (value: JsonValue) => boolean }>>;

const isText = (value: JsonValue): boolean => typeof value === 'string' && value.length <= POLICY_LIMITS.textCharsMax;

const ENVELOPE: Forms = {
  bundle: { holds: isJsonObject },
  signature: { holds: (value) => unhex(value, 64) !== undefined },
  public_key: { optional: true, holds: (value) => unhex(value, 32) !== undefined },
};
const BUNDLE: Forms = {
  version: { holds: (value) => value === BUNDLE_VERSION },
  bundle_id: { holds: (value) => typeof value === 'string' && isUuid(value) },
  compiled_at: { holds: (value) => typeof value === 'string' && TIME.test(value) },
  policy: { holds: isJsonObject },
  policy_hash: { holds: (value) => unhex(value, 32) !== undefined },
  sources: { holds: (value) => Array.isArray(value) && value.length <= POLICY_LIMITS.listMax && (value as JsonArray).every(isText) },
  metadata: { optional: true, holds: isJsonObject },
};

/** Path of the first member that is not as it must be. */
function misshapen(value: JsonObject, forms: Forms, path: string): string | undefined {
  const odd = Object.keys(value).find((key) => !Object.hasOwn(forms, key));
  if (odd !== undefined) return `${path}/${odd.slice(0, 64)}`;
  for (const [key, { optional, holds }] of Object.entries(forms)) {
    const member = getOwn(value, key);
    if (member === undefined ? optional !== true : !holds(member)) return `${path}/${key}`;
  }
  return undefined;
}

interface Read {
  readonly envelope: JsonObject;
  readonly bundle: JsonObject;
}

function readBundle(bytes: Uint8Array): Result<Read, Fault<BundleFaultCode>> {
  if (bytes.length > POLICY_LIMITS.bundleBytesMax)
    return refuse('policy_bundle_too_large', `larger than ${String(POLICY_LIMITS.bundleBytesMax)} bytes`);
  const parsed = parseJson(bytes, { bytesMax: POLICY_LIMITS.bundleBytesMax });
  if (!parsed.ok) return refuse('policy_bundle_malformed', parsed.error.message);
  const { value, exactNumbers } = parsed.value;
  const bundle = isJsonObject(value) ? getOwn(value, 'bundle') : undefined;
  if (!isJsonObject(value) || exactNumbers.length > 0)
    return refuse('policy_bundle_malformed', 'a bundle is a mapping of `bundle`, `signature` and `public_key`');
  const path = misshapen(value, ENVELOPE, '') ?? (isJsonObject(bundle) ? misshapen(bundle, BUNDLE, '/bundle') : '/bundle');
  if (path !== undefined || !isJsonObject(bundle))
    return refuse('policy_bundle_malformed', 'this member is missing, unknown or has another form', { path: path ?? '' });
  return ok({ envelope: value, bundle });
}

function textAt(object: JsonObject, key: string): string {
  const value = getOwn(object, key);
  return typeof value === 'string' ? value : '';
}

/** The pinned key that signed, or why none counts. */
function signerOf({ envelope, bundle }: Read, pinned: readonly string[]): Result<string, Fault<BundleFaultCode>> {
  const hint = 'pin the key of who signs your policies (`countersign policy signer pin`, or --pin); a key inside the file proves nothing';
  if (pinned.length === 0) return refuse('policy_bundle_no_trust', 'no key is pinned, so nothing can be believed', { hint });
  const signature = unhex(getOwn(envelope, 'signature'), 64) ?? new Uint8Array(0);
  const message = canonicalize(bundle);
  const signer = pinned.find((key) => {
    const bytes = unhex(key, 32);
    return bytes !== undefined && createVerifier(bytes).verify(message, signature);
  });
  if (signer === undefined) return refuse('policy_bundle_signature', 'no pinned key signed this bundle', { path: '/signature', hint });
  const claimed = getOwn(envelope, 'public_key');
  if (claimed !== undefined && claimed !== signer)
    return refuse('policy_bundle_key', 'the bundle names another key than the one that signed it', { path: '/public_key' });
  return ok(signer);
}

/** True for a text that has the members of a bundle, whatever they hold: a policy document never has. */
export function isPolicyBundle(text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  const parsed = parseJson(text, { bytesMax: POLICY_LIMITS.bundleBytesMax });
  const value = parsed.ok ? parsed.value.value : undefined;
  return isJsonObject(value) && getOwn(value, 'bundle') !== undefined && getOwn(value, 'signature') !== undefined;
}

/**
 * Reads a bundle and believes it only for a pinned key.
 * @param pinned Ed25519 public keys, 64 lower-case hex digits each; others never match.
 */
export function verifyPolicyBundle(bytes: Uint8Array, pinned: readonly string[]): Result<VerifiedBundle, Fault> {
  const read = readBundle(bytes);
  if (!read.ok) return read;
  const signer = signerOf(read.value, pinned);
  if (!signer.ok) return signer;
  const { bundle } = read.value;
  const policy = getOwn(bundle, 'policy') ?? {};
  const hash = sha256Hex(canonicalize(policy));
  if (hash !== textAt(bundle, 'policy_hash'))
    return refuse('policy_bundle_hash', 'the policy has another hash than the bundle says', { path: '/bundle/policy_hash' });
  // `compilePolicy` checks the whole shape: it is made for what comes out of bundles.
  const compiled = compilePolicy(policy as unknown as ResolvedPolicy);
  if (!compiled.ok) {
    const [first] = compiled.error;
    return refuse('policy_bundle_policy', `its policy is none: ${first?.message ?? ''}`, { path: `/bundle/policy (${first?.path ?? ''})` });
  }
  const sources = getOwn(bundle, 'sources');
  return ok({
    bundleId: textAt(bundle, 'bundle_id'),
    compiledAt: textAt(bundle, 'compiled_at'),
    sources: Array.isArray(sources) ? (sources as readonly string[]) : [],
    policy: compiled.value.resolved,
    hash,
    signedBy: signer.value,
  });
}
