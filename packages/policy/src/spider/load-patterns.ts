/**
 * @module The database of a policy, found, believed and read: its checksum is pinned, its signature and that of its manifest are checked
 * against keys that the policy trusts, and then every entry is. Each failure is a fault of the policy, which then does not load.
 */
import { sha256Hex } from '@countersign/crypto';
import { err, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { PolicyFaultCode } from '../faults.ts';
import type { PatternDatabase, PatternSource, SpiderSenseConfig, TrustedKey } from '../guards/spider-sense-config.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { databaseOf, jsonOfBytes, vectorsOf } from './pattern-database.ts';
import {
  databaseMessage,
  distrust,
  isSignedBy,
  type Manifest,
  manifestMessage,
  outsideOf,
  patternKeyId,
  plainHex,
  readManifest,
  readTrustStore,
  trustedKey,
  type TrustProblem,
} from './pattern-trust.ts';

/** Reads a file that a policy names, relative to `from` or to where the policy is at home; the error says why it cannot. */
export type PatternFiles = (
  path: string,
  options: { readonly from?: string | undefined; readonly bytesMax: number },
) => Result<{ readonly place: string; readonly bytes: Uint8Array }, string>;

export interface PatternWorld {
  /** Absent: no file can be read from here. */
  readonly files?: PatternFiles | undefined;
  /** For keys and manifests that hold for a time. */
  readonly nowMs?: number | undefined;
  /** What the operator set for `${NAME}` in place, version and checksum. */
  readonly named?: ((name: string) => string | undefined) | undefined;
}

/** `field` is the one of the guard that is at fault. */
export interface PatternProblem extends TrustProblem {
  readonly field: string;
  readonly hint?: string;
}

type Loaded<T> = Result<T, PatternProblem>;

function fail(code: PolicyFaultCode, field: string, message: string): Loaded<never> {
  return err({ code, field, message });
}

interface FileAt {
  readonly path: string;
  readonly from?: string | undefined;
  readonly bytesMax: number;
  readonly field: string;
  readonly code: PolicyFaultCode;
}

function readFile({ files }: PatternWorld, at: FileAt): Loaded<{ readonly place: string; readonly bytes: Uint8Array }> {
  if (files === undefined) return fail(at.code, at.field, 'files cannot be read from here');
  const read = files(at.path, { from: at.from, bytesMax: at.bytesMax });
  if (!read.ok) return fail(at.code, at.field, read.error);
  const fits = read.value.bytes.length <= at.bytesMax;
  return fits ? read : fail(at.code, at.field, `the file is larger than ${String(at.bytesMax)} bytes`);
}

interface Trust {
  readonly path: string | undefined;
  readonly keys: readonly TrustedKey[];
  readonly from?: string | undefined;
  readonly field: string;
}

/** The keys of a file and those that stand in the document; undefined where neither was named. */
function trustOf(world: PatternWorld, { path, keys, from, field }: Trust): Loaded<readonly TrustedKey[] | undefined> {
  if (path === undefined || path === '') return ok(keys.length === 0 ? undefined : keys);
  const file = readFile(world, { path, from, bytesMax: POLICY_LIMITS.trustFileBytesMax, field, code: 'policy_pattern_db_trust' });
  if (!file.ok) return file;
  const store = readTrustStore(jsonOfBytes(file.value.bytes));
  return store.ok ? ok([...store.value, ...keys]) : err({ ...store.error, field });
}

/** Where the database is and what was said of it, by the policy or by a manifest. */
interface Source {
  readonly path: string;
  readonly version: string;
  readonly checksum: string;
  readonly signature: string;
  readonly keyId: string;
  readonly publicKey: string;
  readonly trust: Trust;
}

/** What is missing or does not fit, before any key is looked at. */
function signatureGap({ signature, keyId, publicKey }: Source, keys: readonly TrustedKey[] | undefined): string | undefined {
  const isNamed = keyId !== '' || publicKey !== '';
  if (signature === '') return isNamed || keys !== undefined ? 'keys are named, and the database has no signature' : undefined;
  if (!isNamed) return 'name the key that signed: `pattern_db_signature_key_id` or `pattern_db_public_key`';
  const isOther = keyId !== '' && publicKey !== '' && plainHex(keyId) !== patternKeyId(publicKey);
  return isOther ? '`pattern_db_signature_key_id` is not that of `pattern_db_public_key`' : undefined;
}

/** The key that is believed. One that stands beside the signature is believed by itself only where no keys are listed. */
function signer(
  { keyId, publicKey }: Source,
  keys: readonly TrustedKey[] | undefined,
  nowMs: number | undefined,
): Result<string, TrustProblem> {
  if (keys !== undefined) return trustedKey({ keys, keyId: keyId === '' ? patternKeyId(publicKey) : keyId, nowMs });
  return publicKey === '' ? distrust('no key is trusted: name `pattern_db_trust_store_path` or `pattern_db_trusted_keys`') : ok(publicKey);
}

function checkSignature(source: Source, world: PatternWorld): Loaded<undefined> {
  const { signature, version, checksum, trust } = source;
  const field = 'pattern_db_signature';
  const keys = trustOf(world, trust);
  if (!keys.ok) return keys;
  const gap = signatureGap(source, keys.value);
  if (gap !== undefined) return fail('policy_pattern_db_signature', field, gap);
  if (signature === '') return ok(undefined);
  const key = signer(source, keys.value, world.nowMs);
  if (!key.ok) return err({ ...key.error, field: trust.field });
  if (isSignedBy(key.value, databaseMessage(version, checksum), signature)) return ok(undefined);
  return fail('policy_pattern_db_signature', field, 'the signature is not one of the key over version and checksum');
}

const CHECKSUM = /^[0-9a-f]{64}$/;
const NO_BUILTIN = 'there is no built-in database: vectors are of use only with the model that made them';
const NO_SOURCE = 'the guard is on and names no database of patterns';
const BUILD = 'make a database with the model that you use: `countersign policy patterns build`';

function loadFile(source: Source, world: PatternWorld, from: string | undefined): Loaded<PatternDatabase> {
  const { path, version, checksum } = source;
  if (version === '') return fail('policy_required', 'pattern_db_version', 'a database is named with its version');
  if (!CHECKSUM.test(checksum))
    return fail('policy_required', 'pattern_db_checksum', 'a database is named with the SHA-256 of its bytes, 64 hex digits');
  if (path.startsWith('builtin:')) return err({ code: 'policy_pattern_db', field: 'pattern_db_path', message: NO_BUILTIN, hint: BUILD });
  const field = 'pattern_db_path';
  const file = readFile(world, { path, from, bytesMax: POLICY_LIMITS.patternFileBytesMax, field, code: 'policy_pattern_db' });
  if (!file.ok) return file;
  const actual = sha256Hex(file.value.bytes);
  if (actual !== checksum) return fail('policy_pattern_db_checksum', 'pattern_db_checksum', `the file has the SHA-256 ${actual}`);
  const signed = checkSignature(source, world);
  if (!signed.ok) return signed;
  const entries = jsonOfBytes(file.value.bytes);
  if (entries === undefined) return fail('policy_pattern_db', field, 'the file is not JSON');
  const read = databaseOf(entries, version, checksum);
  return read.ok ? read : fail('policy_pattern_db', field, read.error);
}

const MANIFEST = 'pattern_db_manifest_path';

/** A manifest that a trusted key signed and that holds now. */
function checkManifest(config: PatternSource, manifest: Manifest, world: PatternWorld): Loaded<undefined> {
  const { pattern_db_manifest_trust_store_path: path, pattern_db_manifest_trusted_keys: own = [] } = config;
  const trust = trustOf(world, { path, keys: own, field: 'pattern_db_manifest_trust_store_path' });
  if (!trust.ok) return trust;
  if (trust.value === undefined)
    return fail(
      'policy_pattern_db_trust',
      MANIFEST,
      'no key is trusted: name `pattern_db_manifest_trust_store_path` or `pattern_db_manifest_trusted_keys`',
    );
  const code = 'policy_pattern_db_manifest';
  const why = outsideOf({ not_before: manifest.notBefore, not_after: manifest.notAfter }, world.nowMs);
  if (why !== undefined) return fail(code, MANIFEST, `the manifest ${why}`);
  if (manifest.manifestSignature === '' || manifest.manifestKeyId === '')
    return fail(code, MANIFEST, 'the manifest has no `manifest_signature`, or no `manifest_signature_key_id`');
  const key = trustedKey({ keys: trust.value, keyId: manifest.manifestKeyId, nowMs: world.nowMs });
  if (!key.ok) return err({ ...key.error, field: MANIFEST });
  if (isSignedBy(key.value, manifestMessage(manifest), manifest.manifestSignature)) return ok(undefined);
  return fail(code, MANIFEST, 'the signature of the manifest is not one of its key');
}

/** What a document and its manifest both say must be the same. */
function contradiction(config: PatternSource, manifest: Manifest): string | undefined {
  const { pattern_db_version: version, pattern_db_checksum: checksum } = config;
  if (version !== undefined && version !== manifest.version) return 'pattern_db_version';
  return checksum !== undefined && plainHex(checksum) !== manifest.checksum ? 'pattern_db_checksum' : undefined;
}

function loadManifest(config: PatternSource, path: string, world: PatternWorld): Loaded<PatternDatabase> {
  const code = 'policy_pattern_db_manifest';
  const file = readFile(world, { path, bytesMax: POLICY_LIMITS.trustFileBytesMax, field: MANIFEST, code });
  if (!file.ok) return file;
  const manifest = readManifest(jsonOfBytes(file.value.bytes));
  if (manifest === undefined) return fail(code, MANIFEST, 'the file is no manifest: a member is not known, or is of another form');
  const checked = checkManifest(config, manifest, world);
  if (!checked.ok) return checked;
  const odd = contradiction(config, manifest);
  if (odd !== undefined) return fail(code, odd, 'the manifest says otherwise');
  if (manifest.path === '') return fail(code, MANIFEST, 'the manifest names no `pattern_db_path`');
  const { place } = file.value;
  const trust = { path: manifest.trustStorePath, keys: manifest.trustedKeys, from: place, field: MANIFEST };
  return loadFile({ ...manifest, trust }, world, place);
}

const NAMED = /^\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}$/;
const FILLED = ['pattern_db_path', 'pattern_db_version', 'pattern_db_checksum', 'pattern_db_manifest_path'] as const;

/** With names in place of values filled in. */
function filled(config: SpiderSenseConfig, { named }: PatternWorld): Loaded<SpiderSenseConfig> {
  const values: [string, string][] = [];
  for (const field of FILLED) {
    const name = NAMED.exec(config[field] ?? '')?.[1];
    if (name === undefined) continue;
    const value = named?.(name);
    if (value === undefined || value === '')
      return err({
        code: 'policy_required',
        field,
        message: `nothing is set for \`${name}\``,
        hint: `start the process with ${name} set. ${BUILD}`,
      });
    values.push([field, value]);
  }
  return ok({ ...config, ...Object.fromEntries(values) });
}

function sourceOf(config: PatternSource, path: string): Source {
  return {
    path,
    version: config.pattern_db_version ?? '',
    checksum: plainHex(config.pattern_db_checksum ?? ''),
    signature: config.pattern_db_signature ?? '',
    keyId: config.pattern_db_signature_key_id ?? '',
    publicKey: config.pattern_db_public_key ?? '',
    trust: {
      path: config.pattern_db_trust_store_path,
      keys: config.pattern_db_trusted_keys ?? [],
      field: 'pattern_db_trust_store_path',
    },
  };
}

const OF_FILES = [
  'pattern_db_checksum',
  'pattern_db_signature',
  'pattern_db_signature_key_id',
  'pattern_db_public_key',
  'pattern_db_trust_store_path',
  'pattern_db_trusted_keys',
] as const;
const OF_MANIFESTS = ['pattern_db_manifest_trust_store_path', 'pattern_db_manifest_trusted_keys'] as const;
const OF_SIGNATURES = OF_FILES.slice(1);

/** A field that would be believed to protect, and does not: the first one. */
function idleFields(config: SpiderSenseConfig): string | undefined {
  const { pattern_db_path: path, pattern_db_manifest_path: manifest } = config;
  const idle = manifest !== undefined ? OF_SIGNATURES : path !== undefined ? OF_MANIFESTS : [...OF_FILES, ...OF_MANIFESTS];
  return idle.find((name) => config[name] !== undefined);
}

/** The one database that a guard names. */
export function loadPatterns(written: SpiderSenseConfig, world: PatternWorld): Loaded<PatternDatabase> {
  const full = filled(written, world);
  if (!full.ok) return full;
  const config = full.value;
  const { pattern_db: packed, patterns, pattern_db_path: path, pattern_db_manifest_path: manifest } = config;
  const sources = [packed, patterns, path, manifest].filter((source) => source !== undefined);
  if (sources.length === 0) return err({ code: 'policy_required', field: 'pattern_db_path', message: NO_SOURCE, hint: BUILD });
  if (sources.length > 1)
    return fail('policy_pattern_db', 'pattern_db_path', 'a database has one source: a file, a manifest, `patterns` or `pattern_db`');
  const idle = idleFields(config);
  if (idle !== undefined) return fail('policy_pattern_db', idle, 'says nothing of this source of patterns: take it away');
  if (packed !== undefined)
    return vectorsOf(packed) === undefined
      ? fail('policy_pattern_db', 'pattern_db', '`vectors` are not those of its patterns')
      : ok(packed);
  if (manifest !== undefined) return loadManifest(config, manifest, world);
  if (path !== undefined) return loadFile(sourceOf(config, path), world, undefined);
  // The document was checked field by field, and is JSON.
  const read = databaseOf((patterns ?? []) as unknown as JsonValue, config.pattern_db_version ?? 'inline');
  return read.ok ? read : fail('policy_pattern_db', 'patterns', read.error);
}
