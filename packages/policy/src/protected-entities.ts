/** @module Protected entities: tables, hosts and paths by name that no action touches, or not without a warning. */
import type { ProtectedEntity, WrittenProtectedEntity } from './clampd-content.ts';
import type { Facts } from '@countersign/protocol';
import { compileHostGlob, compilePathGlob, firstMatch, type Glob, type StepCounter } from './glob.ts';
import { type ForbiddenPaths, forbiddenPathsOf, pathIsForbidden } from './guards/forbidden-path.ts';
import { POLICY_LIMITS } from './limits.ts';
import { workingDirectories } from './path-reach.ts';

export interface CompiledEntity {
  readonly entity: ProtectedEntity;
  readonly tables: readonly Glob[];
  readonly hosts: readonly Glob[];
  readonly paths: ForbiddenPaths;
}

export function fullEntity(written: WrittenProtectedEntity): ProtectedEntity {
  return { tables: [], hosts: [], paths: [], action: 'block', ...written };
}

/** Undefined where a pattern does not compile, which reading the document has ruled out. */
export function compileEntity(entity: ProtectedEntity): CompiledEntity | undefined {
  const tables = entity.tables.map((pattern) => compilePathGlob(pattern.toLowerCase(), 'forbid'));
  const hosts = entity.hosts.map((pattern) => compileHostGlob(pattern));
  const paths = entity.paths.map((pattern) => compilePathGlob(pattern, 'forbid'));
  if (![...tables, ...hosts, ...paths].every((glob) => glob.ok)) return undefined;
  const good = (globs: typeof tables): readonly Glob[] => globs.flatMap((glob) => (glob.ok ? [glob.value] : []));
  const pathConfig = { enabled: true, patterns: entity.paths, exceptions: [] };
  return {
    entity,
    tables: good(tables),
    hosts: good(hosts),
    paths: forbiddenPathsOf(pathConfig, { patterns: good(paths), exceptions: [] }),
  };
}

/** `public.users` is `users` too. */
function names(table: string): readonly string[] {
  const dot = table.lastIndexOf('.');
  return dot === -1 ? [table] : [table, table.slice(dot + 1)];
}

function touchesTable({ tables }: CompiledEntity, facts: Facts, counter: StepCounter): boolean {
  if (tables.length === 0) return false;
  // What could not be read whole may be about any table.
  if (facts.cuts.includes('sql-unknown') || facts.statements.some(({ kind }) => kind === 'unknown')) return true;
  return facts.statements.some((statement) =>
    statement.tables
      .flatMap(names)
      .some((table) => table.length > POLICY_LIMITS.entryCharsMax || firstMatch(tables, table, counter) !== undefined),
  );
}

function touchesHost({ hosts }: CompiledEntity, facts: Facts, counter: StepCounter): boolean {
  if (hosts.length === 0) return false;
  if (facts.cuts.includes('hosts')) return true;
  return facts.hosts.some(
    ({ host, access }) =>
      access === 'connect' && (host.length > POLICY_LIMITS.hostCharsMax || firstMatch(hosts, host, counter) !== undefined),
  );
}

function touchesPath({ paths }: CompiledEntity, facts: Facts, counter: StepCounter): boolean {
  if (paths.patterns.length === 0) return false;
  if (facts.cuts.includes('paths')) return true;
  const directories = workingDirectories(facts.commands);
  return facts.paths.some((path) => path.access !== 'mention' && pathIsForbidden(paths, path, { directories, counter }));
}

/** The entities that the action touches, or may touch where it could not be read whole. */
export function touchedEntities(entities: readonly CompiledEntity[], facts: Facts): readonly ProtectedEntity[] {
  const counter = { steps: 0 };
  return entities
    .filter((one) => touchesTable(one, facts, counter) || touchesHost(one, facts, counter) || touchesPath(one, facts, counter))
    .map(({ entity }) => entity);
}
