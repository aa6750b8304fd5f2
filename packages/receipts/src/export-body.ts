/** @module Bodies of entries on their way into formats of others and back: the exact bytes, the one form, and texts that all of them spell alike. */
import { base64url, fromBase64url } from '@countersign/crypto';
import {
  canonicalize,
  err,
  isJsonObject,
  ok,
  parseJson,
  type Fault,
  type JsonObject,
  type JsonValue,
  type ParsedJson,
  type Result,
} from '@countersign/kernel';
import { RECEIPT_TYPE, type EntryBody } from '@countersign/protocol';
import { ENTRY_FORM } from './bundle-form.ts';
import { jcs, utf8, utf8Text } from './jcs.ts';
import { EXPORT_LIMITS } from './limits.ts';

/** A body that is read out of a file: the form of its type holds, or the fault says where not. */
export function readBody(value: JsonValue, path: string): Result<EntryBody, Fault> {
  const fault = ENTRY_FORM({ body: value, signatures: [] }, '');
  if (fault !== undefined) {
    const inside = fault.path.replace(/^\/body/, '');
    return err({ code: 'entry_malformed', message: `the entry does not have the form of its type: ${fault.message}`, path: path + inside });
  }
  // Every member was checked by ENTRY_FORM.
  return ok(value as unknown as EntryBody);
}

/** base64url of JCS(body): what carries the exact bytes where the format around them spells text in more than one way. */
export function packBody(body: EntryBody): string {
  return base64url(utf8(jcs(body)));
}

/** The way back from `packBody`: the canonical bytes of one body, and nothing else. */
export function unpackBody(text: JsonValue | undefined, path: string): Result<EntryBody, Fault> {
  const bytes = typeof text === 'string' ? fromBase64url(text) : undefined;
  const plain = bytes === undefined ? undefined : utf8Text(bytes);
  const parsed = plain === undefined ? undefined : parseJson(plain);
  if (parsed?.ok !== true || canonicalize(parsed.value.value) !== plain)
    return err({ code: 'entry_not_canonical', message: 'not base64url of the canonical text of an entry', path });
  return readBody(parsed.value.value, path);
}

/** The org whose session a body belongs to. */
export function orgOfBody(body: EntryBody): string {
  return body.type === RECEIPT_TYPE ? body.principal.org : body.org;
}

/** For people. */
export function nameOfBody(body: EntryBody): string {
  return `${body.type} ${body.id}`;
}

/** U+007F to U+009F: implementations of Clawdstrike's canonical JSON escape them or do not, and so sign different bytes. */
const SPELLED_IN_TWO_WAYS = /[\u007f-\u009f]/g;

/** The same value, with `?` for every character that two implementations spell in two ways. Keys are ours and have none. */
export function plainValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.replace(SPELLED_IN_TWO_WAYS, '?');
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(plainValue);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
}

export interface ReadFile extends ParsedJson {
  readonly value: JsonObject;
  readonly text: string;
}

/** A file of one JSON object: strict JSON, bounded. `code` names the format in faults. */
export function readJsonFile(bytes: Uint8Array, code: string): Result<ReadFile, Fault> {
  const { fileBytesMax, depthMax, nodesMax } = EXPORT_LIMITS;
  if (bytes.length > fileBytesMax) return err({ code: `${code}_too_large`, message: `the file has more than ${fileBytesMax} bytes` });
  const text = utf8Text(bytes);
  if (text === undefined) return err({ code: `${code}_not_json`, message: 'the file is not UTF-8' });
  const parsed = parseJson(text, { bytesMax: fileBytesMax, depthMax, nodesMax });
  if (!parsed.ok) {
    const { message, path } = parsed.error;
    return err({ code: `${code}_not_json`, message: `the file is not strict JSON: ${message}`, ...(path === undefined ? {} : { path }) });
  }
  const { value, exactNumbers } = parsed.value;
  if (!isJsonObject(value)) return err({ code: `${code}_malformed`, message: 'the file is not one object', path: '' });
  return ok({ value, exactNumbers, text });
}
