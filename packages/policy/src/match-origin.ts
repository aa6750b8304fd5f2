/**
 * @module Which profile an origin gets: one that names its space before one that does not, then the one of which more fields matched, then the
 * first of the list (spec/policy.md POL-303).
 */
import { ORIGIN_TEXTS, type OriginFields, type OriginProfile } from './origins.ts';

/** How many fields of a rule matched, or undefined where one did not. A rule that asks for nothing matches everything, with 0. */
export function matchedFields(rule: OriginFields, origin: OriginFields): number | undefined {
  let count = 0;
  for (const name of ORIGIN_TEXTS) {
    const wanted = rule[name];
    if (wanted === undefined) continue;
    const same = name === 'provider' ? wanted.toLowerCase() === origin.provider : wanted === origin[name];
    if (!same) return undefined;
    count += 1;
  }
  for (const name of ['visibility', 'external_participants'] as const) {
    if (rule[name] === undefined) continue;
    if (rule[name] !== origin[name]) return undefined;
    count += 1;
  }
  if (rule.tags === undefined) return count;
  const tags = new Set(origin.tags);
  return rule.tags.every((tag) => tags.has(tag)) ? count + 1 : undefined;
}

/** How a profile was found. */
export type OriginResolution = 'space_id' | 'match_rules' | 'default';

export interface OriginMatch<Profile> {
  readonly profile: Profile;
  readonly by: OriginResolution;
}

/** Undefined where no profile matches. */
export function bestProfile<Profile extends Pick<OriginProfile, 'match_rules'>>(
  profiles: readonly Profile[],
  origin: OriginFields,
): OriginMatch<Profile> | undefined {
  let best: { readonly profile: Profile; readonly rank: number } | undefined;
  for (const profile of profiles) {
    const count = matchedFields(profile.match_rules, origin);
    if (count === undefined) continue;
    const rank = count + (profile.match_rules.space_id === undefined ? 0 : BY_SPACE);
    if (best === undefined || rank > best.rank) best = { profile, rank };
  }
  return best === undefined ? undefined : { profile: best.profile, by: best.rank >= BY_SPACE ? 'space_id' : 'match_rules' };
}

/** More than a rule has fields. */
const BY_SPACE = 100;
