/** @module What tests of a policy made speak: which guards answered and objected, which of their patterns, and which rules. */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { compilePathGlob, GUARD_NAMES, type GuardName, matchGlob, type ResolvedPolicy } from '@countersign/policy';
import type { GuardResult } from '@countersign/protocol';
import type { EventDecision } from './event-decisions.ts';

export interface GuardCoverage {
  readonly guard: GuardName;
  /** Tests that concerned it, and those it objected to (refused or warned). */
  readonly answered: number;
  readonly objected: number;
  /** Entries of its lists that an objection came from, and those no test tried. */
  readonly spoke: readonly string[];
  readonly silent: readonly string[];
}

export interface Coverage {
  /** The enabled ones. One that the policy leaves at its defaults is among them only where it objected. */
  readonly guards: readonly GuardCoverage[];
  /** Enabled guards that objected at least once, in whole percent of the enabled ones. */
  readonly percent: number;
  /** Ids of rules that found something, sorted. */
  readonly rules: readonly string[];
}

/** Entries that make a guard object. */
function objectionsOf({ guards }: ResolvedPolicy): Readonly<Partial<Record<GuardName, readonly string[]>>> {
  return {
    forbidden_path: guards.forbidden_path.patterns,
    egress_allowlist: guards.egress_allowlist.block,
    secret_leak: guards.secret_leak.patterns.map(({ name }) => name),
    patch_integrity: guards.patch_integrity.forbidden_patterns,
    shell_command: guards.shell_command.forbidden_patterns,
    mcp_tool: [...guards.mcp_tool.block, ...guards.mcp_tool.require_confirmation],
  };
}

function collectTexts(value: JsonValue | undefined, into: Set<string>): void {
  if (typeof value === 'string') into.add(value);
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) collectTexts(item, into);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value as JsonObject)) collectTexts(item, into);
}

/** The entries that an objection's details name; a path by the patterns that cover it. */
function namedBy({ guard, details }: GuardResult, entries: readonly string[]): readonly string[] {
  const texts = new Set<string>();
  collectTexts(details, texts);
  if (guard !== 'forbidden_path') return entries.filter((entry) => texts.has(entry));
  const paths = [...texts].map((text) => text.toLowerCase());
  return entries.filter((entry) => {
    const glob = compilePathGlob(entry, 'forbid');
    return glob.ok && paths.some((path) => matchGlob(glob.value, path, { steps: 0 }));
  });
}

function objects({ allowed, severity }: GuardResult): boolean {
  return !allowed || severity !== 'info';
}

function guardCoverage(guard: GuardName, entries: readonly string[], results: readonly GuardResult[]): GuardCoverage {
  const own = results.filter((result) => result.guard === guard);
  const objections = own.filter(objects);
  const named = new Set(objections.flatMap((result) => namedBy(result, entries)));
  return {
    guard,
    answered: own.length,
    objected: objections.length,
    spoke: entries.filter((entry) => named.has(entry)),
    silent: entries.filter((entry) => !named.has(entry)),
  };
}

export function coverageOf(policy: ResolvedPolicy, decisions: readonly EventDecision[]): Coverage {
  const judgements = decisions.map(({ judgement }) => judgement).filter((judgement) => judgement !== undefined);
  const results = judgements.flatMap(({ guards }) => guards);
  const entries = objectionsOf(policy);
  const enabled = GUARD_NAMES.filter(
    (name) => policy.guards[name]?.enabled ?? results.some((result) => result.guard === name && objects(result)),
  );
  const guards = enabled.map((name) => guardCoverage(name, entries[name] ?? [], results));
  const spoke = guards.filter(({ objected }) => objected > 0).length;
  const rules = [...new Set(judgements.flatMap(({ findings }) => findings.map(({ rule }) => rule)))].toSorted();
  return { guards, percent: enabled.length === 0 ? 100 : Math.floor((spoke * 100) / enabled.length), rules };
}
