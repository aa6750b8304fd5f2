/**
 * @module Google Safe Browsing, Lookup API v4 (`threatMatches:find`): whether a URL stands on a list. An empty object is the documented
 * answer for "on none"; anything else must be matches of the URL that was asked about.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Adapter } from './asking.ts';
import { unknownForm } from './answer-form.ts';
import { type Endpoint, requestJson } from './json-http.ts';
import { INTEL_LIMITS } from './limits.ts';

/** The lists that are asked for. */
const THREATS = ['MALWARE', 'SOCIAL_ENGINEERING', 'UNWANTED_SOFTWARE', 'POTENTIALLY_HARMFUL_APPLICATION'] as const;
const THREAT_NAME = /^[A-Z][A-Z_]*$/;

export interface SafeBrowsingClient {
  readonly apiKey: string;
  readonly clientId: string;
  readonly clientVersion: string;
}

function threatOf(match: JsonValue, url: string): string | undefined {
  if (!isJsonObject(match)) return undefined;
  const entry = getOwn(match, 'threat');
  if (!isJsonObject(entry) || getOwn(entry, 'url') !== url) return undefined;
  const type = getOwn(match, 'threatType');
  const fits = typeof type === 'string' && type.length <= INTEL_LIMITS.threatTypeCharsMax && THREAT_NAME.test(type);
  return fits ? type : undefined;
}

function readMatches(value: JsonValue, url: string): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const names = Object.keys(value);
  if (names.length === 0) return { threats: [] };
  const matches = getOwn(value, 'matches');
  if (names.length !== 1 || !Array.isArray(matches)) return undefined;
  const threats = new Set<string>();
  for (const match of matches as readonly JsonValue[]) {
    const threat = threatOf(match, url);
    if (threat === undefined) return undefined;
    threats.add(threat);
  }
  // `matches` that holds none is not how "no match" is said, and more kinds than there are is no answer either.
  if (threats.size === 0 || threats.size > INTEL_LIMITS.threatTypesMax) return undefined;
  return { threats: [...threats].toSorted() };
}

/** Asks for `{url}`. The key stands in the query, as the API has it: nothing that goes wrong ever quotes an address. */
export function safeBrowsing(endpoint: Endpoint, client: SafeBrowsingClient): Adapter {
  const path = `/threatMatches:find?key=${encodeURIComponent(client.apiKey)}`;
  return {
    async ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
      const url = isJsonObject(ask) ? getOwn(ask, 'url') : undefined;
      if (typeof url !== 'string') throw unknownForm();
      const body = {
        client: { clientId: client.clientId, clientVersion: client.clientVersion },
        threatInfo: { threatTypes: THREATS, platformTypes: ['ANY_PLATFORM'], threatEntryTypes: ['URL'], threatEntries: [{ url }] },
      };
      const reply = await requestJson(endpoint, { method: 'POST', path, body }, { signal, declared: true });
      const read = reply.status === 200 ? readMatches(reply.body, url) : undefined;
      if (read === undefined) throw unknownForm();
      return read;
    },
  };
}
