/**
 * @module RFC 8785 (JCS): one byte sequence for one value. Keys sorted by UTF-16 code units, numbers as ECMAScript writes
 * them, strings escaped as JSON.stringify does. Only I-JSON values get this far: `parseJson` refuses the rest.
 */
import { invariant } from './errors.ts';
import type { JsonValue } from './json.ts';

const PLAIN = /^[\u0020\u0021\u0023-\u005b\u005d-\u007e]*$/;
/** Keys repeat from action to action; their quoted form is kept. Hostile keys can empty the cache, never grow it. */
const QUOTED_KEYS_MAX = 4096;
const QUOTED_KEY_CHARS_MAX = 64;
const quotedKeys = new Map<string, string>();

function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  invariant(text.isWellFormed(), 'a lone surrogate reached the serialiser');
  return JSON.stringify(text);
}

function quoteKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = `${quote(key)}:`;
  if (key.length > QUOTED_KEY_CHARS_MAX) return quoted;
  if (quotedKeys.size >= QUOTED_KEYS_MAX) quotedKeys.clear();
  quotedKeys.set(key, quoted);
  return quoted;
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i += 1) {
    if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return false;
  }
  return true;
}

function writeArray(items: readonly JsonValue[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i += 1) {
    if (i > 0) text += ',';
    text += canonicalize(items[i] ?? null);
  }
  return `${text}]`;
}

function writeObject(value: { readonly [key: string]: JsonValue | undefined }): string {
  const keys = Object.keys(value);
  if (!isSorted(keys)) keys.sort((a, b) => (a < b ? -1 : 1));
  let text = '';
  for (const key of keys) {
    const item = value[key];
    if (item === undefined) continue;
    text += (text === '' ? '' : ',') + quoteKey(key) + canonicalize(item);
  }
  return `{${text}}`;
}

/**
 * The canonical text of a JSON value. Properties that are `undefined` are left out.
 * @throws {InvariantError} for a number that is not finite or a string that is not well-formed: such values cannot be made by `parseJson`.
 */
export function canonicalize(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') {
    invariant(Number.isFinite(value), 'a number that is not finite reached the serialiser');
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (Array.isArray(value)) return writeArray(value as readonly JsonValue[]);
  return writeObject(value as { readonly [key: string]: JsonValue });
}
