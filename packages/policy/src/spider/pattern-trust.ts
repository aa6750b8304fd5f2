/**
 * @module Who may sign a database of patterns or its manifest: keys with a status and a time in which they hold, and the texts that are signed. The
 * formats are those of Clawdstrike 0.2.7. A key is named by the first 16 hex digits of the SHA-256 of its own lower-case hex text.
 */
import { createVerifier, sha256Hex } from '@countersign/crypto';
import { err, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { PolicyFaultCode } from '../faults.ts';
import type { KeyStatus, TrustedKey } from '../guards/spider-sense-config.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { writtenMs } from './written-time.ts';

export interface TrustProblem {
  readonly code: PolicyFaultCode;
  readonly message: string;
}

type Trusted<T> = Result<T, TrustProblem>;

export function distrust(message: string): { readonly ok: false; readonly error: TrustProblem } {
  return err({ code: 'policy_pattern_db_trust', message });
}

const STATUSES: readonly KeyStatus[] = ['active', 'deprecated', 'revoked'];
const MEMBERS: ReadonlySet<string> = new Set(['key_id', 'public_key', 'not_before', 'not_after', 'status']);

/** Hex as documents write it: either case, with or without `0x`. */
export function plainHex(text: string): string {
  return text.trim().toLowerCase().replace(/^0x/, '');
}

function hexBytes(text: string, length: number): Uint8Array | undefined {
  const hex = plainHex(text);
  if (hex.length !== length * 2 || !/^[0-9a-f]*$/.test(hex)) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

export function patternKeyId(publicKey: string): string {
  return sha256Hex(plainHex(publicKey)).slice(0, 16);
}

interface Window {
  readonly not_before?: string | undefined;
  readonly not_after?: string | undefined;
}

/** Why it does not hold now; undefined where it does. Both ends are optional, and both are part of it. */
export function outsideOf({ not_before: from, not_after: until }: Window, nowMs: number | undefined): string | undefined {
  for (const [name, text] of [
    ['not_before', from],
    ['not_after', until],
  ] as const) {
    if (text === undefined || text === '') continue;
    const ms = writtenMs(text);
    if (ms === undefined) return `\`${name}\` is no RFC 3339 time with its zone`;
    if (nowMs === undefined) return `\`${name}\` cannot be checked here: there is no clock`;
    if (name === 'not_before' ? nowMs < ms : nowMs > ms) return name === 'not_before' ? 'holds only later' : 'holds no longer';
  }
  return undefined;
}

function textOf(object: JsonObject, name: string): string | undefined {
  const value = getOwn(object, name);
  return typeof value === 'string' ? value : undefined;
}

/** Members that are absent stay so: of a manifest, they are signed as they are written. */
function readKey(value: JsonValue): TrustedKey | undefined {
  if (!isJsonObject(value)) return undefined;
  const odd = Object.entries(value).some(([name, member]) => !MEMBERS.has(name) || (typeof member !== 'string' && member !== null));
  const key = textOf(value, 'public_key');
  const stated = textOf(value, 'status');
  const status = STATUSES.find((known) => known === stated?.trim().toLowerCase());
  if (odd || key === undefined || (stated !== undefined && status === undefined)) return undefined;
  const rest = ['key_id', 'not_before', 'not_after'].flatMap((name) => {
    const text = textOf(value, name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return { public_key: key, ...(status === undefined ? {} : { status }), ...Object.fromEntries(rest) };
}

/** A trust store: a JSON list of keys, or `{keys: [...]}`. */
export function readTrustStore(value: JsonValue | undefined): Trusted<readonly TrustedKey[]> {
  const named = isJsonObject(value) && Object.keys(value).join() === 'keys' ? getOwn(value, 'keys') : value;
  if (!Array.isArray(named)) return distrust('the trust store is no list of keys, and no mapping with `keys` alone');
  if (named.length > POLICY_LIMITS.trustedKeysMax) return distrust(`more than ${String(POLICY_LIMITS.trustedKeysMax)} keys`);
  const keys = (named as readonly JsonValue[]).map(readKey);
  const bad = keys.indexOf(undefined);
  if (bad !== -1)
    return distrust(`key ${String(bad)} of the trust store is not of the form {key_id?, public_key, not_before?, not_after?, status?}`);
  return ok(keys.filter((key) => key !== undefined));
}

interface Chosen {
  readonly keys: readonly TrustedKey[];
  readonly keyId: string;
  readonly nowMs: number | undefined;
}

/** The one trusted key of that name, if it holds now. */
export function trustedKey({ keys, keyId, nowMs }: Chosen): Trusted<string> {
  const wanted = plainHex(keyId);
  for (const { key_id: id, public_key: key } of keys) {
    if (hexBytes(key, 32) === undefined) return distrust('a trusted `public_key` is not 64 hex digits');
    if (id !== undefined && id !== '' && plainHex(id) !== patternKeyId(key))
      return distrust(`the \`key_id\` ${plainHex(id).slice(0, 16)} is not that of its \`public_key\``);
  }
  const found = keys.filter(({ public_key: key }) => patternKeyId(key) === wanted);
  const [key] = found;
  if (key === undefined) return distrust(`no trusted key has the \`key_id\` ${wanted.slice(0, 16)}`);
  // Of a key that is listed twice, every entry must say yes: to revoke one is to add a line.
  if (found.some(({ status }) => status === 'revoked')) return distrust('the key that signed was revoked');
  for (const entry of found) {
    const why = outsideOf(entry, nowMs);
    if (why !== undefined) return distrust(`the key that signed ${why}`);
  }
  return ok(plainHex(key.public_key));
}

/** Whether the key signed the text. Total. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const [key, bytes] = [hexBytes(publicKey, 32), hexBytes(signature, 64)];
  return key !== undefined && bytes !== undefined && createVerifier(key).verify(text, bytes);
}

/** What is signed of a database. */
export function databaseMessage(version: string, checksum: string): string {
  return `spider_sense_db:v1:${version}:${checksum}`;
}

function keysDigest(keys: readonly TrustedKey[]): string {
  const lines = keys.map(
    ({ key_id: id = '', public_key: key, status = '', not_before: from = '', not_after: until = '' }) =>
      `${plainHex(id)}|${plainHex(key)}|${status}|${from.trim()}|${until.trim()}`,
  );
  return sha256Hex(lines.toSorted().join(';'));
}

/** A signed list of what a database must be. */
export interface Manifest {
  readonly path: string;
  readonly version: string;
  readonly checksum: string;
  readonly signature: string;
  readonly keyId: string;
  readonly publicKey: string;
  readonly trustStorePath: string;
  readonly trustedKeys: readonly TrustedKey[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly manifestSignature: string;
  readonly manifestKeyId: string;
}

const MANIFEST_TEXTS = [
  'pattern_db_path',
  'pattern_db_version',
  'pattern_db_checksum',
  'pattern_db_signature',
  'pattern_db_signature_key_id',
  'pattern_db_public_key',
  'pattern_db_trust_store_path',
  'not_before',
  'not_after',
  'manifest_signature',
  'manifest_signature_key_id',
] as const;
const MANIFEST_MEMBERS: ReadonlySet<string> = new Set([...MANIFEST_TEXTS, 'pattern_db_trusted_keys']);

/** Undefined where a member is of another form, or not known. */
export function readManifest(value: JsonValue | undefined): Manifest | undefined {
  if (!isJsonObject(value) || Object.keys(value).some((name) => !MANIFEST_MEMBERS.has(name))) return undefined;
  const texts = new Map<string, string>();
  for (const name of MANIFEST_TEXTS) {
    const member = getOwn(value, name) ?? '';
    if (typeof member !== 'string') return undefined;
    // What joins the fields must not stand in one: two manifests would have one text.
    if (member.includes(':') && name !== 'not_before' && name !== 'not_after') return undefined;
    texts.set(name, member.trim());
  }
  const keys = getOwn(value, 'pattern_db_trusted_keys') ?? [];
  const read = readTrustStore(keys);
  if (!Array.isArray(keys) || !read.ok) return undefined;
  const text = (name: (typeof MANIFEST_TEXTS)[number]): string => texts.get(name) ?? '';
  return {
    path: text('pattern_db_path'),
    version: text('pattern_db_version'),
    checksum: plainHex(text('pattern_db_checksum')),
    signature: text('pattern_db_signature'),
    keyId: text('pattern_db_signature_key_id'),
    publicKey: text('pattern_db_public_key'),
    trustStorePath: text('pattern_db_trust_store_path'),
    trustedKeys: read.value,
    notBefore: text('not_before'),
    notAfter: text('not_after'),
    manifestSignature: text('manifest_signature'),
    manifestKeyId: text('manifest_signature_key_id'),
  };
}

/** What is signed of a manifest. */
export function manifestMessage(manifest: Manifest): string {
  const { path, version, checksum, signature, keyId, publicKey, trustStorePath, trustedKeys, notBefore, notAfter } = manifest;
  const fields = [
    path,
    version,
    checksum,
    plainHex(signature),
    plainHex(keyId),
    plainHex(publicKey),
    trustStorePath,
    keysDigest(trustedKeys),
  ];
  return ['spider_sense_manifest:v1', ...fields, notBefore, notAfter].join(':');
}
