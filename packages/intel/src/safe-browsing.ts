/**
 * @module Google Safe Browsing, Lookup API v4 (`threatMatches:find`): whether a URL stands on a list. An empty object is the documented
 * answer for "on none"; anything else must be matches of the URL that was asked about.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { INTEL_LIMITS } from './limits.ts';
import type { Inquiry } from './source-desk.ts';

export const SAFE_BROWSING_BASE_URL = 'https://safebrowsing.googleapis.com/v4';

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

function readMatches(value: JsonObject, url: string): JsonObject | undefined {
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

/** The key stands in the query, as the API has it: nothing that goes wrong may ever quote an address. */
export function askSafeBrowsing(url: string, client: SafeBrowsingClient): Inquiry {
  const body = {
    client: { clientId: client.clientId, clientVersion: client.clientVersion },
    threatInfo: {
      threatTypes: THREATS,
      platformTypes: ['ANY_PLATFORM'],
      threatEntryTypes: ['URL'],
      threatEntries: [{ url }],
    },
  };
  return {
    key: url,
    question: {
      method: 'POST',
      path: `/threatMatches:find?key=${encodeURIComponent(client.apiKey)}`,
      headers: {},
      body: JSON.stringify(body),
      statuses: [200],
    },
    read: ({ value }) => readMatches(value, url),
  };
}
