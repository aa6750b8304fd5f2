/**
 * @module Where an action was asked, read out of it. The client says so and nobody proves it: a door puts the claim under `origin.origin` of the
 * action, and everything that is made of it can only restrict (spec/policy.md POL-302).
 */

import { canonicalize, getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Action } from '@countersign/protocol';
import { fingerprint } from './guards/fingerprint.ts';
import { POLICY_LIMITS } from './limits.ts';
import { ORIGIN_TEXTS, type OriginFields, VISIBILITIES, type Visibility } from './origins.ts';

/** `missing`: nothing is said. `malformed`: what is said cannot be read, and then none of it is believed. */
export type OriginReading = OriginFields | 'missing' | 'malformed';

type Read<T> = { readonly value: T | undefined } | undefined;

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const SPELLINGS: ReadonlyMap<string, string> = new Map(
  [...ORIGIN_TEXTS, 'visibility', 'external_participants', 'tags'].map((name) => [name, camel(name)]),
);

/** Under either of its spellings; undefined where both are there and differ. */
function spelled(claim: JsonObject, name: string): Read<JsonValue> {
  const first = getOwn(claim, name) ?? undefined;
  const second = getOwn(claim, SPELLINGS.get(name) ?? name) ?? undefined;
  if (first === undefined) return { value: second };
  return second === undefined || canonicalize(first) === canonicalize(second) ? { value: first } : undefined;
}

function isText(value: JsonValue): value is string {
  return typeof value === 'string' && value !== '' && value.length <= POLICY_LIMITS.entryCharsMax;
}

function readTags(value: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > POLICY_LIMITS.originTagsMax) return undefined;
  const tags = (value as readonly JsonValue[]).filter(isText);
  return tags.length === value.length ? [...new Set(tags)].toSorted() : undefined;
}

function readField(name: string, value: JsonValue): string | boolean | readonly string[] | undefined {
  if (name === 'tags') return readTags(value);
  if (name === 'external_participants') return typeof value === 'boolean' ? value : undefined;
  if (name === 'visibility') return VISIBILITIES.find((one): one is Visibility => one === value);
  if (!isText(value)) return undefined;
  return name === 'provider' ? value.toLowerCase() : value;
}

/** Reads a claim. Members that no rule can ask for (`metadata`) are not looked at. */
export function readOrigin(claim: JsonValue | undefined): OriginReading {
  if (claim === undefined || claim === null) return 'missing';
  if (!isJsonObject(claim)) return 'malformed';
  const out: [string, string | boolean | readonly string[]][] = [];
  for (const name of SPELLINGS.keys()) {
    const given = spelled(claim, name);
    if (given === undefined) return 'malformed';
    if (given.value === undefined) continue;
    const value = readField(name, given.value);
    if (value === undefined) return 'malformed';
    out.push([name, value]);
  }
  // Every field was read by its own reader above.
  const origin = Object.fromEntries(out) as OriginFields;
  return origin.provider === undefined ? 'malformed' : origin;
}

/** The claim of an action. */
export function originOfAction({ origin }: Pick<Action, 'origin'>): OriginReading {
  return readOrigin(origin === undefined ? undefined : getOwn(origin, 'origin'));
}

/** One value for one place: everything but who speaks there and how sure the client is. */
export function placeOf(origin: OriginFields): string {
  const { actor_id: _id, actor_type: _type, actor_role: _role, provenance_confidence: _sure, ...place } = origin;
  return fingerprint(canonicalize(place)).slice(0, POLICY_LIMITS.originPlaceChars);
}

/** True unless the client says that only its own people see it. */
export function isOutside({ visibility, external_participants: external }: OriginFields): boolean {
  return external === true || (visibility !== 'private' && visibility !== 'internal');
}
