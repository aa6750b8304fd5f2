/**
 * @module VirusTotal, API v3: what is known of a file by its SHA-256 and of a URL. Only the hash of a file is ever sent. That nothing is
 * known (404) is an answer of its own and does not mean that it is fine.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Adapter } from './asking.ts';
import { unknownForm } from './answer-form.ts';
import { type Endpoint, requestJson } from './json-http.ts';

function objectAt(value: JsonValue, ...path: readonly string[]): JsonObject | undefined {
  let at: JsonValue | undefined = value;
  for (const name of path) at = isJsonObject(at) ? getOwn(at, name) : undefined;
  return isJsonObject(at) ? at : undefined;
}

function count(stats: JsonObject, name: string): number | undefined {
  const value = getOwn(stats, name);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

interface Wanted {
  readonly type: 'file' | 'url';
  readonly path: string;
  /** Of a file; the identifier of a URL is made by the source. */
  readonly id?: string;
}

const SHA256 = /^[0-9a-f]{64}$/;

function readStats(stats: JsonObject): JsonObject | undefined {
  const [malicious, suspicious] = [count(stats, 'malicious'), count(stats, 'suspicious')];
  const [harmless, undetected] = [count(stats, 'harmless'), count(stats, 'undetected')];
  if (malicious === undefined || suspicious === undefined || harmless === undefined || undetected === undefined) return undefined;
  // A report in which nobody looked says nothing.
  if (malicious + suspicious + harmless + undetected === 0) return undefined;
  return { known: true, malicious, suspicious, harmless, undetected };
}

/** An answer about something else than what was asked is no answer. */
function readReport(value: JsonValue, wanted: Wanted): JsonObject | undefined {
  const data = objectAt(value, 'data');
  if (data === undefined || getOwn(data, 'type') !== wanted.type) return undefined;
  const id = getOwn(data, 'id');
  if (typeof id !== 'string' || !SHA256.test(id) || (wanted.id !== undefined && id !== wanted.id)) return undefined;
  const stats = objectAt(data, 'attributes', 'last_analysis_stats');
  return stats === undefined ? undefined : readStats(stats);
}

/** A 404 of somebody else (a proxy, a wrong base path) is none of VirusTotal. */
function readNotFound(value: JsonValue): JsonObject | undefined {
  const error = objectAt(value, 'error');
  return error !== undefined && getOwn(error, 'code') === 'NotFoundError' ? { known: false } : undefined;
}

/** The identifier of a URL is its unpadded base64, in the alphabet for URLs. */
function wantedOf(ask: JsonValue): Wanted | undefined {
  if (!isJsonObject(ask)) return undefined;
  const [file, url] = [getOwn(ask, 'file'), getOwn(ask, 'url')];
  if (typeof file === 'string' && SHA256.test(file)) return { type: 'file', path: `/files/${file}`, id: file };
  if (typeof url !== 'string') return undefined;
  return { type: 'url', path: `/urls/${Buffer.from(url, 'utf8').toString('base64url')}` };
}

/** Asks for `{file: SHA-256}` or `{url}`. */
export function virusTotal(endpoint: Endpoint, apiKey: string): Adapter {
  return {
    async ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
      const wanted = wantedOf(ask);
      if (wanted === undefined) throw unknownForm();
      const request = { method: 'GET', path: wanted.path, headers: { 'x-apikey': apiKey } } as const;
      const { status, body } = await requestJson(endpoint, request, { signal, declared: true, accept: [404] });
      const read = status === 404 ? readNotFound(body) : status === 200 ? readReport(body, wanted) : undefined;
      if (read === undefined) throw unknownForm();
      return read;
    },
  };
}
