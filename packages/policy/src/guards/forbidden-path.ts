/**
 * @module forbidden_path: no action of any kind may touch what the policy forbids, however the path is spelled.
 */
import { err, ok, type Result } from '@countersign/kernel';
import type { GuardResult, PathFact } from '@countersign/protocol';
import type { ForbiddenPathConfig } from '../content.ts';
import { compilePathGlob, firstMatch, type Glob, type GlobIntent, type StepCounter } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { patternParts, spellings, wildcardReaches, workingDirectories, type PatternParts } from '../path-reach.ts';
import { allow, blind, block, isFileKind, quote, type GuardContext } from './result.ts';

/** Compiles a list of path patterns; the error names the one that does not compile. */
export function compilePaths(
  patterns: readonly string[],
  intent: GlobIntent,
): Result<readonly Glob[], { readonly index: number; readonly message: string }> {
  const globs: Glob[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const glob = compilePathGlob(pattern, intent);
    if (!glob.ok) return err({ index, message: glob.error });
    globs.push(glob.value);
  }
  return ok(globs);
}

export interface ForbiddenPaths {
  readonly enabled: boolean;
  readonly patterns: readonly Glob[];
  readonly exceptions: readonly Glob[];
  readonly parts: readonly PatternParts[];
}

export function forbiddenPathsOf(
  config: ForbiddenPathConfig,
  globs: { readonly patterns: readonly Glob[]; readonly exceptions: readonly Glob[] },
): ForbiddenPaths {
  return { enabled: config.enabled, ...globs, parts: config.patterns.flatMap((pattern) => patternParts(pattern) ?? []) };
}

/** Is one spelling forbidden by itself? Paths too long to match are. */
export function isForbidden(paths: ForbiddenPaths, path: string, counter: StepCounter): boolean {
  if (path.length > POLICY_LIMITS.pathCharsMax) return true;
  const lower = path.toLowerCase();
  return firstMatch(paths.patterns, lower, counter) !== undefined || paths.parts.some((parts) => wildcardReaches(lower, parts, counter));
}

function isExcepted(paths: ForbiddenPaths, path: PathFact, counter: StepCounter): boolean {
  if (paths.exceptions.length === 0 || path.normalized.length > POLICY_LIMITS.pathCharsMax) return false;
  // A link that changed the target is excepted only by where it leads.
  const target = path.resolved !== undefined && path.resolved !== path.normalized ? path.resolved : path.normalized;
  return target.length <= POLICY_LIMITS.pathCharsMax && firstMatch(paths.exceptions, target, counter) !== undefined;
}

/** Does this path, in any of its spellings, lead where it must not? */
export function pathIsForbidden(
  paths: ForbiddenPaths,
  path: PathFact,
  context: { readonly directories: readonly (string | undefined)[]; readonly counter: StepCounter },
): boolean {
  const forms = [...spellings(path, context.directories), ...(path.resolved === undefined ? [] : [path.resolved])];
  if (!forms.some((form) => isForbidden(paths, form, context.counter))) return false;
  return !isExcepted(paths, path, context.counter);
}

/** The paths an action touches; those it only mentions are not among them. */
export function touchedPaths(context: GuardContext): readonly PathFact[] {
  return context.facts.paths.filter((path) => path.access !== 'mention');
}

export function judgeForbiddenPath(paths: ForbiddenPaths, context: GuardContext): GuardResult | undefined {
  const touched = touchedPaths(context);
  const isFile = isFileKind(context.action.kind);
  const cut = context.facts.cuts.includes('paths');
  if (touched.length === 0 && !isFile && !cut) return undefined;
  const directories = workingDirectories(context.facts.commands);
  const bad = touched.filter((path) => pathIsForbidden(paths, path, { directories, counter: context.counter }));
  const [first] = bad;
  if (first !== undefined) {
    return block('forbidden_path', 'critical', {
      code: 'matches_forbidden_pattern',
      message: `Access to forbidden path: ${quote(first.raw)}`,
      details: { path: quote(first.raw), reason: 'matches_forbidden_pattern' },
      evidence: bad.map((path) => path.span),
    });
  }
  if (cut) return blind('forbidden_path', 'More paths than can be checked', 'facts_cut');
  if (touched.length === 0) return blind('forbidden_path', 'No path could be read from the action', 'missing_path');
  return allow('forbidden_path');
}
