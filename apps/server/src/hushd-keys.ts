/**
 * @module `hushd.json` of the data directory: the keys of the hushd door. What cannot be read ends the start, so that nobody gets in by a
 * file that somebody meant otherwise.
 */
import { sha256Hex } from '@countersign/crypto';
import { HUSHD_SCOPES, type HushdKey, type HushdKeyring, type HushdScope } from '@countersign/gateway';
import { CodedError, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';

export const HUSHD_FILE = 'hushd.json';
/** Keys of one file. */
export const HUSHD_KEYS_MAX = 1024;

/** A key as the file keeps it. */
export interface KeptKey {
  readonly name: string;
  readonly key: string;
  readonly scopes: readonly HushdScope[];
  readonly org: string;
  readonly agent: string;
  /** RFC 3339. */
  readonly expires_at?: string;
}

function invalid(path: string, message: string): CodedError {
  return new CodedError({
    code: 'hushd_keys_invalid',
    message,
    path,
    hint: `mend ${HUSHD_FILE} of the data directory, or delete it: new keys are made then`,
  });
}

function textAt(value: JsonObject, name: string, path: string): string {
  const text = getOwn(value, name);
  if (typeof text === 'string' && text !== '') return text;
  throw invalid(`${path}/${name}`, `\`${name}\` of a key is missing`);
}

function readScopes(value: JsonValue | undefined, path: string): readonly HushdScope[] {
  const list: readonly JsonValue[] = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  if (list.length === 1 && list[0] === '*') return HUSHD_SCOPES;
  const known = HUSHD_SCOPES.filter((scope) => list.includes(scope));
  if (list.length > 0 && known.length === list.length) return known;
  throw invalid(path, `scopes are a list of ${HUSHD_SCOPES.join(', ')}, or of \`*\` alone`);
}

function readKey(value: JsonValue, path: string): KeptKey {
  if (!isJsonObject(value)) throw invalid(path, 'a key is an object');
  const key = textAt(value, 'key', path);
  if (!/^[\x21-\x7e]{16,512}$/.test(key)) throw invalid(`${path}/key`, 'a key has 16 to 512 printable characters');
  const expires = getOwn(value, 'expires_at');
  if (expires !== undefined && (typeof expires !== 'string' || Number.isNaN(Date.parse(expires))))
    throw invalid(`${path}/expires_at`, 'the time is none');
  return {
    name: textAt(value, 'name', path),
    key,
    scopes: readScopes(getOwn(value, 'scopes'), `${path}/scopes`),
    org: textAt(value, 'org', path),
    agent: textAt(value, 'agent', path),
    ...(expires === undefined ? {} : { expires_at: expires }),
  };
}

/** The keys of a file. @throws CodedError `hushd_keys_invalid`, which names the place. */
export function readHushdKeys(text: string): readonly KeptKey[] {
  const parsed = parseJson(text);
  const value = parsed.ok ? parsed.value.value : undefined;
  const keys = isJsonObject(value) ? getOwn(value, 'keys') : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > HUSHD_KEYS_MAX)
    throw invalid('/keys', `${HUSHD_FILE} has no list of 1 to ${HUSHD_KEYS_MAX} keys`);
  return (keys as readonly JsonValue[]).map((one, i) => readKey(one, `/keys/${i}`));
}

/** @throws CodedError where two keys are the same: one of them would have the rights of the other. */
export function keyringOf(kept: readonly KeptKey[]): HushdKeyring {
  const keys = new Map<string, HushdKey>();
  for (const { name, key, scopes, org, agent, expires_at: expires } of kept) {
    const hash = sha256Hex(key);
    if (keys.has(hash)) throw invalid('/keys', 'two keys are the same');
    const id = hash.slice(0, 16);
    keys.set(hash, { id, name, scopes, org, agent, ...(expires === undefined ? {} : { expiresMs: Date.parse(expires) }) });
  }
  return { find: (hash) => keys.get(hash) };
}
