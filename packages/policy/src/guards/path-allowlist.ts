/**
 * @module path_allowlist: where it is on, only the listed paths may be touched. An empty list allows nothing.
 */
import type { GuardResult, PathFact } from '@countersign/protocol';
import { firstMatch, type Glob, type StepCounter } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { isRelative, joinPath, workingDirectories } from '../path-reach.ts';
import { touchedPaths } from './forbidden-path.ts';
import { allow, blind, block, isFileKind, quote, type GuardContext } from './result.ts';

export interface PathAllowlist {
  readonly enabled: boolean;
  readonly read: readonly Glob[];
  readonly write: readonly Glob[];
  readonly patch: readonly Glob[];
}

function listFor(lists: PathAllowlist, path: PathFact, kind: string): readonly Glob[] {
  if (kind === 'file.patch' && path.access !== 'read') return lists.patch;
  return path.access === 'read' ? lists.read : lists.write;
}

function isListed(
  globs: readonly Glob[],
  path: PathFact,
  context: { readonly directory: string | undefined; readonly counter: StepCounter },
): boolean {
  const moved =
    context.directory !== undefined && isRelative(path.normalized) ? joinPath(context.directory, path.normalized) : path.normalized;
  // Where a link leads counts, not what it is called; and after `cd` a relative path is not what it says.
  const target = path.resolved ?? moved;
  return target.length <= POLICY_LIMITS.pathCharsMax && firstMatch(globs, target, context.counter) !== undefined;
}

export function judgePathAllowlist(lists: PathAllowlist, context: GuardContext): GuardResult | undefined {
  const { kind } = context.action;
  const touched = touchedPaths(context).filter((path) => path.access !== 'execute');
  if (touched.length === 0 && !isFileKind(kind)) return undefined;
  const directories = workingDirectories(context.facts.commands);
  const bad = touched.filter(
    (path) => !isListed(listFor(lists, path, kind), path, { directory: directories[path.command], counter: context.counter }),
  );
  const [first] = bad;
  if (first !== undefined) {
    return block('path_allowlist', 'error', {
      code: 'path_not_allowlisted',
      message: `Path not in allowlist: ${quote(first.raw)}`,
      details: { path: quote(first.raw), reason: 'path_not_allowlisted' },
      evidence: bad.map((path) => path.span),
    });
  }
  if (context.facts.cuts.includes('paths')) return blind('path_allowlist', 'More paths than can be checked', 'facts_cut');
  if (touched.length === 0) return blind('path_allowlist', 'No path could be read from the action', 'missing_path');
  return allow('path_allowlist');
}
