/**
 * @module Facts against compiled rules. Pure and total; equal inputs give equal findings in equal order.
 *
 * SECURITY: when an action is so dense with triggers that the counted work runs out, matching stops and rule R000 says so with a score that blocks.
 */
import type { Finding, Span } from '@countersign/protocol';
import { PROTOCOL_LIMITS } from '@countersign/protocol';
import type { CompiledCondition, CompiledRule, CompiledRules } from './compile-rules.ts';
import { MATCH_CUT_RULE } from './limits.ts';
import { matchFacts } from './match-facts.ts';
import { matchTexts } from './match-texts.ts';
import { Matching, type Hit, type MatchInput } from './matching.ts';

export interface RuleMatches {
  /** By score from high to low, then by rule id. */
  readonly findings: readonly Finding[];
  /** Work counted; linear in the facts. */
  readonly steps: number;
}

function leafHolds(leaf: number, matching: Matching): boolean {
  const hits = matching.hits.get(leaf);
  if (hits === undefined) return false;
  const test = matching.compiled.leaves[leaf];
  if (test === undefined || test.atLeast === 1) return true;
  if (test.type === 'fact') return (matching.counts.get(leaf) ?? 0) >= test.atLeast;
  return new Set(hits.map((hit) => hit.position)).size >= test.atLeast;
}

function holds(condition: CompiledCondition, matching: Matching): boolean {
  matching.meter.steps += 1;
  if (condition.op === 'leaf') return leafHolds(condition.leaf, matching);
  if (condition.op === 'not') return !holds(condition.item, matching);
  let count = 0;
  for (const item of condition.items) if (holds(item, matching)) count += 1;
  return count >= condition.least;
}

/** Hits that speak for the rule: those of leaves that hold, the joined view only where nothing else shows it. */
function witnesses(rule: CompiledRule, matching: Matching): readonly Hit[] {
  const all = rule.leaves.flatMap(({ leaf, denied }) => (!denied && leafHolds(leaf, matching) ? (matching.hits.get(leaf) ?? []) : []));
  const direct = all.filter((hit) => !hit.joined);
  return direct.length > 0 ? direct : all;
}

function factOf(rule: CompiledRule, matching: Matching): string {
  for (const { leaf, denied } of rule.leaves) {
    const test = matching.compiled.leaves[leaf];
    if (!denied && test !== undefined && leafHolds(leaf, matching)) return test.type === 'text' ? 'text' : test.factClass;
  }
  return 'text';
}

function distinctSpans(hits: readonly Hit[]): readonly Span[] {
  const spans = new Map<string, Span>();
  for (const { span } of hits) if (span !== undefined) spans.set(`${span.start}:${span.end}:${span.path}`, span);
  return [...spans.values()];
}

function findingOf(rule: CompiledRule, matching: Matching): Finding {
  const hits = witnesses(rule, matching);
  const spans = distinctSpans(hits);
  const evidence = spans.slice(0, PROTOCOL_LIMITS.evidenceMax);
  const plain = hits.length === 0 || hits.some((hit) => hit.layers.length === 0);
  const { id, title, category, severity, score, tags, exemptable } = rule.rule;
  return {
    rule: id,
    title,
    category,
    severity,
    score,
    evidence,
    evidenceCut: spans.length - evidence.length,
    fact: factOf(rule, matching),
    tags,
    layers: plain ? [] : (hits[0]?.layers ?? []),
    exemptable,
  };
}

function cutFinding(at: Span | undefined): Finding {
  return {
    rule: MATCH_CUT_RULE,
    title: 'Text too dense with triggers to be judged whole',
    category: 'evasion',
    severity: 'high',
    score: 800,
    evidence: at === undefined ? [] : [at],
    evidenceCut: 0,
    fact: 'cut',
    tags: { owasp: ['LLM10'], atlas: ['AML.T0029'], cwe: ['CWE-400'] },
    layers: [],
    exemptable: false,
  };
}

/** All findings of one action. */
export function matchRules(compiled: CompiledRules, input: MatchInput): RuleMatches {
  const matching = new Matching(compiled, input);
  matchFacts(matching);
  matchTexts(matching);
  const touched = new Set<number>();
  for (const leaf of matching.hits.keys()) touched.add(compiled.ruleOf[leaf] ?? 0);
  const findings: Finding[] = matching.spent ? [cutFinding(matching.spentAt)] : [];
  for (const index of touched) {
    const rule = compiled.rules[index];
    if (rule !== undefined && holds(rule.condition, matching)) findings.push(findingOf(rule, matching));
  }
  findings.sort((a, b) => (a.score === b.score ? (a.rule < b.rule ? -1 : 1) : b.score - a.score));
  return { findings, steps: matching.meter.steps };
}
