/**
 * @module A resolved policy written as one document that extends nothing: for places that cannot follow what the original extends. It
 * resolves to the same bytes; who sends it on checks that by its hash.
 */
import { canonicalize, getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { asJson, type ResolvedPolicy } from './content.ts';
import { GUARD_DEFAULTS } from './defaults.ts';

/** Version 1.1.0 has no `path_allowlist`; where the guard says what it says by itself, it need not be written. */
function pathsPart(resolved: ResolvedPolicy, guards: JsonObject): JsonObject {
  const { path_allowlist: paths, ...rest } = guards;
  const isDefault = paths !== undefined && canonicalize(paths) === canonicalize(GUARD_DEFAULTS.path_allowlist as unknown as JsonValue);
  return resolved.version === '1.1.0' && isDefault ? rest : guards;
}

/** What the document says is the policy as it stands in `resolved`. */
export function flattenPolicy(resolved: ResolvedPolicy): JsonObject {
  const { format: _, guards, detection, ...rest } = asJson(resolved);
  const { removed, ...secrets } = resolved.guards.secret_leak;
  const written: JsonObject = {
    ...(isJsonObject(guards) ? guards : {}),
    secret_leak: { ...secrets, remove_patterns: removed } as unknown as JsonValue,
  };
  const scores = Object.entries(resolved.detection?.scores ?? {}).map(([rule, score]) => [rule, score / 1000] as const);
  const level = isJsonObject(detection) ? { ...detection, scores: Object.fromEntries(scores) } : getOwn(rest, 'detection');
  return { ...rest, guards: pathsPart(resolved, written), ...(level !== undefined && { detection: level }) };
}
