/**
 * @module secret_leak: secrets that an action would write, send, run or pass on. What the fact scanner recognised and what the
 * policy's own expressions find, each once. Details never hold more of a secret than its mask shows.
 */
import type { GuardResult, SecretFact, Span, TextFact } from '@countersign/protocol';
import type { PolicySeverity, SecretLeakConfig, SecretPattern } from '../content.ts';
import { firstMatch, type Glob } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { RegexHit, RegexSet } from '../regex/regex-set.ts';
import type { DiffReading } from '../unified-diff.ts';
import { carriesOut, isBody, isEmptyCall, isUnseenWrite, writtenTexts } from './body-texts.ts';
import { touchedPaths } from './forbidden-path.ts';
import { allow, blind, block, quote, SEVERITY_RANK, warn, type GuardContext } from './result.ts';

export interface SecretPatterns {
  readonly config: SecretLeakConfig;
  readonly set: RegexSet;
  readonly byName: ReadonlyMap<string, SecretPattern>;
  readonly removed: ReadonlySet<string>;
  readonly skip: readonly Glob[];
}

interface Match {
  readonly name: string;
  readonly severity: PolicySeverity;
  readonly description: string;
  readonly redacted: string;
  readonly span: Span;
}

const MASK_MAX = 64;

/** Keeps the first and last characters; all stars when that would show the whole. */
export function maskSecret(value: string, masking: { readonly first: number; readonly last: number }): string {
  const hidden = value.length - masking.first - masking.last;
  if (hidden <= 0) return '*'.repeat(Math.min(value.length, MASK_MAX));
  return value.slice(0, masking.first) + '*'.repeat(Math.min(hidden, MASK_MAX)) + value.slice(value.length - masking.last);
}

/** 13 to 19 digits, not all the same, with a Luhn check digit (ISO/IEC 7812-1). */
export function passesLuhn(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]/g, '');
  if (digits.length < 13 || digits.length > 19 || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

interface Scope {
  /** Added regions of patches, by leaf. */
  readonly diffs: ReadonlyMap<string, DiffReading>;
}

const NO_PATCH: Scope = { diffs: new Map() };

/** In a patch only what it adds counts: a context line was there before. */
function bringsIn(scope: Scope, span: Span): boolean {
  const diff = scope.diffs.get(span.path);
  if (diff?.isDiff !== true) return true;
  // The first added line that ends behind the start of the span: added lines are in order.
  let low = 0;
  let high = diff.added.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((diff.added[middle]?.end ?? 0) > span.start) high = middle;
    else low = middle + 1;
  }
  const line = diff.added[low];
  return line !== undefined && span.end > line.start;
}

function matchOfFact(patterns: SecretPatterns, fact: SecretFact, leaf: string): Match {
  const known = patterns.byName.get(fact.type);
  const masking = fact.layers.length > 0 ? { first: 0, last: 0 } : (known?.masking ?? { first: 4, last: 4 });
  return {
    name: fact.type,
    severity: known?.severity ?? (fact.confidence === 'high' ? 'critical' : 'warning'),
    description: known?.description ?? '',
    redacted: maskSecret(leaf.slice(fact.span.start, fact.span.end), masking),
    span: fact.span,
  };
}

/** Ends as keys in manuals do. Judged on the shortest match: what is appended to a real key does not make it one. */
function isPublished(text: string, hit: RegexHit): boolean {
  return /(?:EXAMPLE|[xX]{10})$/.test(text.slice(Math.max(hit.start, hit.shortEnd - 10), hit.shortEnd));
}

function matchOfHit(pattern: SecretPattern, text: TextFact, hit: RegexHit): Match | undefined {
  const value = text.text.slice(hit.start, hit.end);
  if (isPublished(text.text, hit) || (pattern.luhn_check && !passesLuhn(value))) return undefined;
  const plain = text.layers.length === 0;
  return {
    name: pattern.name,
    severity: pattern.severity,
    description: pattern.description ?? '',
    redacted: maskSecret(value, pattern.masking),
    span: plain ? { path: text.span.path, start: text.span.start + hit.start, end: text.span.start + hit.end } : text.span,
  };
}

function overlaps(a: Match, b: Match): boolean {
  return a.span.path === b.span.path && a.span.start < b.span.end && b.span.start < a.span.end;
}

/** Found already: by the same name, or by another that weighs no less. */
function isKnown(found: readonly Match[], match: Match, exact: boolean): boolean {
  return found.some((other) => {
    const covers = exact ? other.name === match.name : SEVERITY_RANK[other.severity] >= SEVERITY_RANK[match.severity];
    return covers && overlaps(match, other);
  });
}

/** Many light matches must not hide a heavy one: it takes the place of the first that weighs less. */
function makeRoom(found: Match[], match: Match): void {
  const lighter = found.findIndex((other) => SEVERITY_RANK[other.severity] < SEVERITY_RANK[match.severity]);
  if (lighter >= 0) found[lighter] = match;
}

/** Added regions of patches; there are none in an action of another kind. */
function scopeOf(context: GuardContext): Scope {
  if (context.action.kind !== 'file.patch') return NO_PATCH;
  return {
    diffs: new Map(writtenTexts(context).flatMap(({ text, diff }) => (diff === undefined ? [] : [[text.span.path, diff] as const]))),
  };
}

/** The leaves that facts point into. */
function leavesOf(context: GuardContext): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const text of context.facts.texts) {
    if (isBody(text) && text.layers.length === 0 && text.role !== 'key') leaves.set(text.span.path, text.text);
  }
  return leaves;
}

function findMatches(patterns: SecretPatterns, context: GuardContext): readonly Match[] {
  const { texts, secrets } = context.facts;
  let scope: Scope | undefined;
  const found: Match[] = [];
  const add = (match: Match | undefined, exact: boolean): void => {
    scope ??= scopeOf(context);
    if (match === undefined || !bringsIn(scope, match.span) || isKnown(found, match, exact)) return;
    if (found.length < POLICY_LIMITS.matchesMax) found.push(match);
    else makeRoom(found, match);
  };
  for (const text of texts) {
    if (!isBody(text)) continue;
    for (const hit of patterns.set.search(text.text, context.meter)) {
      const pattern = patterns.config.patterns[hit.index];
      if (pattern !== undefined) add(matchOfHit(pattern, text, hit), true);
    }
  }
  if (secrets.length === 0) return found;
  const leaves = leavesOf(context);
  for (const fact of secrets) {
    const leaf = leaves.get(fact.span.path);
    if (leaf !== undefined && !patterns.removed.has(fact.type)) add(matchOfFact(patterns, fact, leaf), false);
  }
  return found;
}

/** A file is skipped when every path it is written to is, and so is where it really leads. */
function isSkipped(patterns: SecretPatterns, context: GuardContext): boolean {
  const { kind } = context.action;
  if (patterns.skip.length === 0 || (kind !== 'file.write' && kind !== 'file.patch')) return false;
  const targets = touchedPaths(context).flatMap((path) =>
    path.resolved === undefined ? [path.normalized] : [path.normalized, path.resolved],
  );
  return (
    targets.length > 0 &&
    targets.every((path) => path.length <= POLICY_LIMITS.pathCharsMax && firstMatch(patterns.skip, path, context.counter) !== undefined)
  );
}

function report(patterns: SecretPatterns, matches: readonly Match[], context: GuardContext): GuardResult {
  const names = [...new Set(matches.map((match) => match.name))].join(', ');
  let severity: PolicySeverity = 'info';
  for (const match of matches) {
    if (SEVERITY_RANK[match.severity] > SEVERITY_RANK[severity]) severity = match.severity;
  }
  const [target] = touchedPaths(context);
  const details = {
    path: target === undefined ? null : quote(target.raw),
    matches: matches.map((match) => ({
      pattern: match.name,
      severity: match.severity,
      description: match.description,
      redacted: match.redacted,
    })),
  };
  const evidence = matches.map((match) => match.span);
  if (SEVERITY_RANK[severity] >= SEVERITY_RANK[patterns.config.severity_threshold]) {
    return block('secret_leak', severity, { code: 'secret_detected', message: `Potential secrets detected: ${names}`, details, evidence });
  }
  return warn('secret_leak', { code: 'secret_suspected', message: `Potential secrets detected (warning): ${names}`, details, evidence });
}

export function judgeSecretLeak(patterns: SecretPatterns, context: GuardContext): GuardResult | undefined {
  const { kind } = context.action;
  if (!carriesOut(kind)) return undefined;
  if (isSkipped(patterns, context)) return allow('secret_leak', { code: 'skipped_path' });
  const matches = findMatches(patterns, context);
  if (matches.length > 0) return report(patterns, matches, context);
  const { cuts } = context.facts;
  if (context.meter.cut || cuts.includes('secrets') || cuts.includes('texts') || cuts.includes('bytes')) {
    return blind('secret_leak', 'More text than can be searched for secrets', 'facts_cut');
  }
  if (isUnseenWrite(context.action) || isEmptyCall(context)) {
    return blind('secret_leak', 'The content that is written is not in the action, so nothing of it was searched', 'missing_content_bytes');
  }
  return allow('secret_leak');
}
