/**
 * @module VirusTotal, API v3: what is known of a file by its SHA-256 and of a URL. Only the hash of a file is ever sent. That nothing is
 * known (404) is an answer of its own and does not mean that it is fine.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Inquiry } from './source-desk.ts';

export const VIRUSTOTAL_BASE_URL = 'https://www.virustotal.com/api/v3';

function objectAt(value: JsonObject, ...path: readonly string[]): JsonObject | undefined {
  let at: JsonValue | undefined = value;
  for (const name of path) at = isJsonObject(at) ? getOwn(at, name) : undefined;
  return isJsonObject(at) ? at : undefined;
}

function count(stats: JsonObject, name: string): number | undefined {
  const value = getOwn(stats, name);
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

const SHA256 = /^[0-9a-f]{64}$/;

/** An answer about something else than what was asked is no answer. */
function readReport(value: JsonObject, wanted: { readonly type: 'file' | 'url'; readonly id?: string }): JsonObject | undefined {
  const data = objectAt(value, 'data');
  if (data === undefined || getOwn(data, 'type') !== wanted.type) return undefined;
  const id = getOwn(data, 'id');
  if (typeof id !== 'string' || !SHA256.test(id) || (wanted.id !== undefined && id !== wanted.id)) return undefined;
  const stats = objectAt(data, 'attributes', 'last_analysis_stats');
  if (stats === undefined) return undefined;
  const [malicious, suspicious, harmless, undetected] = ['malicious', 'suspicious', 'harmless', 'undetected'].map((name) => count(stats, name));
  if (malicious === undefined || suspicious === undefined || harmless === undefined || undetected === undefined) return undefined;
  // A report in which nobody looked says nothing.
  if (malicious + suspicious + harmless + undetected === 0) return undefined;
  return { known: true, malicious, suspicious, harmless, undetected };
}

function isNotFound(value: JsonObject): boolean {
  const error = objectAt(value, 'error');
  return error !== undefined && getOwn(error, 'code') === 'NotFoundError';
}

function inquiry(path: string, apiKey: string, wanted: { readonly type: 'file' | 'url'; readonly id?: string }): Inquiry {
  return {
    key: path,
    question: { method: 'GET', path, headers: { 'x-apikey': apiKey }, statuses: [200, 404] },
    read: ({ status, value }) => (status === 404 ? (isNotFound(value) ? { known: false } : undefined) : readReport(value, wanted)),
  };
}

/** @param sha256 64 lower-case hex digits. */
export function askOfFile(sha256: string, apiKey: string): Inquiry {
  return inquiry(`/files/${sha256}`, apiKey, { type: 'file', id: sha256 });
}

/** The identifier of a URL is its unpadded base64, in the alphabet for URLs. */
export function askOfUrl(url: string, apiKey: string): Inquiry {
  return inquiry(`/urls/${Buffer.from(url, 'utf8').toString('base64url')}`, apiKey, { type: 'url' });
}
