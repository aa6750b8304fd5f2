/**
 * @module patch_integrity: how much a patch may change, and what neither a patch nor a written file may bring in.
 */
import type { GuardResult, Span } from '@countersign/protocol';
import type { PatchIntegrityConfig } from '../content.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { RegexSet } from '../regex/regex-set.ts';
import type { AddedLine } from '../unified-diff.ts';
import { writtenTexts, type BodyText } from './body-texts.ts';
import { touchedPaths } from './forbidden-path.ts';
import { allow, blind, block, quote, type GuardContext } from './result.ts';

export interface PatchRules {
  readonly config: PatchIntegrityConfig;
  readonly forbidden: RegexSet;
}

interface ForbiddenMatch {
  readonly pattern: string;
  readonly line: number;
  readonly span: Span;
}

/** Added lines as one text, so that an expression may reach over a line end; a backslash at a line end joins it to the next. */
function joinAdded(body: BodyText): { readonly text: string; readonly lines: readonly AddedLine[] } {
  const whole: AddedLine = { line: 1, start: 0, end: body.text.text.length };
  const lines = body.diff === undefined ? [whole] : body.diff.added;
  return { text: lines.map((line) => body.text.text.slice(line.start, line.end)).join('\n'), lines };
}

/** Where an offset of the joined text lies in the leaf. */
function locate(lines: readonly AddedLine[], offset: number): { readonly line: number; readonly at: number } {
  let before = 0;
  for (const line of lines) {
    const length = line.end - line.start;
    if (offset <= before + length) return { line: line.line, at: line.start + offset - before };
    before += length + 1;
  }
  return { line: lines.at(-1)?.line ?? 1, at: lines.at(-1)?.end ?? 0 };
}

function lineOf(body: BodyText, place: { readonly line: number; readonly at: number }): number {
  if (body.diff !== undefined) return place.line;
  let line = 1;
  for (let at = body.text.text.indexOf('\n'); at !== -1 && at < place.at; at = body.text.text.indexOf('\n', at + 1)) line += 1;
  return line;
}

function matchesOf(rules: PatchRules, body: BodyText, context: GuardContext): readonly ForbiddenMatch[] {
  const { text, lines } = joinAdded(body);
  const spliced = text.replaceAll('\\\n', '  ');
  return rules.forbidden.search(spliced, context.meter).map((hit) => {
    const from = locate(lines, hit.start);
    const to = locate(lines, hit.end);
    const { path, start } = body.text.span;
    return {
      pattern: rules.forbidden.patterns[hit.index] ?? '',
      line: lineOf(body, from),
      span: { path, start: start + from.at, end: start + to.at },
    };
  });
}

/** Null stands for an endless ratio: additions and not one deletion. */
function ratioOf(additions: number, deletions: number): number | null {
  if (deletions > 0) return additions / deletions;
  return additions > 0 ? null : 1;
}

function sizeProblems(config: PatchIntegrityConfig, additions: number, deletions: number): readonly string[] {
  const problems: string[] = [];
  if (additions > config.max_additions) problems.push(`Too many additions: ${String(additions)} (max: ${String(config.max_additions)})`);
  if (deletions > config.max_deletions) problems.push(`Too many deletions: ${String(deletions)} (max: ${String(config.max_deletions)})`);
  const ratio = ratioOf(additions, deletions);
  if (config.require_balance && (ratio === null || ratio > config.max_imbalance_ratio)) {
    problems.push(`Imbalanced patch: ratio ${ratio === null ? 'inf' : String(ratio)} (max: ${String(config.max_imbalance_ratio)})`);
  }
  return problems;
}

function judgeUnseen(context: GuardContext, bodies: readonly BodyText[]): GuardResult {
  const { cuts } = context.facts;
  if (context.meter.cut || cuts.includes('bytes') || cuts.includes('texts'))
    return blind('patch_integrity', 'More text than can be searched', 'facts_cut');
  if (context.action.kind === 'file.patch' && bodies.length === 0)
    return blind('patch_integrity', 'No patch could be read from the action', 'missing_patch');
  return allow('patch_integrity');
}

export function judgePatchIntegrity(rules: PatchRules, context: GuardContext): GuardResult | undefined {
  const { kind } = context.action;
  if (kind !== 'file.patch' && kind !== 'file.write') return undefined;
  const bodies = writtenTexts(context);
  const sum = (pick: 'additions' | 'deletions'): number => bodies.reduce((total, body) => total + (body.diff?.[pick] ?? 0), 0);
  const additions = sum('additions');
  const deletions = sum('deletions');
  const matches = bodies.flatMap((body) => matchesOf(rules, body, context)).slice(0, POLICY_LIMITS.matchesMax);
  const problems = kind === 'file.patch' ? sizeProblems(rules.config, additions, deletions) : [];
  const names = [...new Set(matches.map((match) => match.pattern))];
  const parts = names.length > 0 ? [`Contains forbidden patterns: ${names.join(', ')}`, ...problems] : problems;
  if (parts.length === 0) return judgeUnseen(context, bodies);
  const [target] = touchedPaths(context);
  return block('patch_integrity', names.length > 0 ? 'critical' : 'error', {
    code: names.length > 0 ? 'contains_forbidden_pattern' : 'patch_too_large',
    message: parts.join('; '),
    details: {
      path: target === undefined ? null : quote(target.raw),
      additions,
      deletions,
      imbalance_ratio: ratioOf(additions, deletions),
      forbidden_matches: matches.map((match) => ({ pattern: match.pattern, line: match.line })),
    },
    evidence: matches.map((match) => match.span),
  });
}
