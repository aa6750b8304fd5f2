/**
 * @module Explain: what an action was understood as, what was found in it and by which fact, at which place and under which encoding, and
 * the nearest change that would be allowed. For people: nothing here is recorded, and texts are quoted.
 */
import type { Finding, Span, TextFact } from '@countersign/protocol';
import type { Condition, RuleSet } from '@countersign/rules';
import { type EditHints, type Judged, textAt } from './edits.ts';
import { EXPLAIN_LIMITS } from './limits.ts';
import { type Ask, nearestChange, type NearestChange } from './nearest-change.ts';

/** A place with what stands there. */
export interface QuotedSpan extends Span {
  /** Cut at `EXPLAIN_LIMITS.quoteChars`. */
  readonly quote: string;
}

/** A text that only showed after decoding. */
export interface ShownLayer {
  readonly layers: readonly string[];
  readonly text: string;
}

export interface ExplainedFinding {
  readonly finding: Finding;
  readonly places: readonly QuotedSpan[];
  /** The decoded texts in which it stands; empty where it stood in plain sight. */
  readonly shown: readonly ShownLayer[];
  /** What commands at these places were read as, where that is not what is written there. */
  readonly readAs: readonly string[];
}

export interface Explanation {
  readonly judged: Judged;
  readonly findings: readonly ExplainedFinding[];
  readonly change: NearestChange | undefined;
}

/** What to explain with. */
export interface ExplainWith {
  readonly ask: Ask;
  readonly rules: RuleSet;
}

/** Options that say "do not really": an exception of a rule by one of these is worth proposing. */
const HARMLESS_OPTION = /^--(?!help$|version$|status$)[a-z][a-z0-9-]*(?:=[a-z]+)?$/;

function quoted(judged: Judged, span: Span): QuotedSpan {
  const text = textAt(judged.action, span.path)?.slice(span.start, span.end) ?? '';
  return { path: span.path, start: span.start, end: span.end, quote: text.slice(0, EXPLAIN_LIMITS.quoteChars) };
}

function covers(text: TextFact, span: Span): boolean {
  return text.span.path === span.path && text.span.start <= span.start && span.end <= text.span.end;
}

function layersOf(judged: Judged, finding: Finding): readonly ShownLayer[] {
  if (finding.layers.length === 0) return [];
  const name = finding.layers.join('>');
  const texts = judged.facts.texts.filter(
    (text) =>
      text.layers.join('>') === name && finding.evidence.some((span) => covers(text, span) || covers(text, { ...span, end: span.start })),
  );
  return texts.slice(0, EXPLAIN_LIMITS.layersShown).map(({ layers, text }) => ({ layers, text: text.slice(0, EXPLAIN_LIMITS.quoteChars) }));
}

function readAs({ facts, action }: Judged, finding: Finding): readonly string[] {
  const lines = facts.commands.flatMap(({ span, line }) => {
    const named = finding.evidence.some((place) => place.path === span.path && place.start === span.start && place.end === span.end);
    const written = textAt(action, span.path)?.slice(span.start, span.end);
    return named && written !== line ? [line.slice(0, EXPLAIN_LIMITS.quoteChars)] : [];
  });
  return [...new Set(lines)].slice(0, EXPLAIN_LIMITS.layersShown);
}

function* testsIn(value: unknown): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'unless') yield item;
    yield* testsIn(item);
  }
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) yield* stringsIn(item);
}

/** Options that the exceptions of a condition name. */
function exceptionWords(when: Condition): readonly string[] {
  const words: string[] = [];
  for (const item of testsIn(when)) for (const word of stringsIn(item)) if (HARMLESS_OPTION.test(word)) words.push(word);
  return words;
}

function hintsOf(judged: Judged, { rules }: ExplainWith): EditHints {
  const found = new Set(judged.judgement.findings.map(({ rule }) => rule));
  const words = rules.rules.filter(({ id }) => found.has(id)).flatMap(({ when }) => exceptionWords(when));
  return { words: [...new Set(words)].slice(0, EXPLAIN_LIMITS.wordsMax) };
}

/** Explains one judged action. Pure; asks the judge at most `EXPLAIN_LIMITS.trialsMax` times. */
export function explain(judged: Judged, using: ExplainWith): Explanation {
  const findings = judged.judgement.findings.map((finding) => ({
    finding,
    places: finding.evidence.map((span) => quoted(judged, span)),
    shown: layersOf(judged, finding),
    readAs: readAs(judged, finding),
  }));
  return { judged, findings, change: nearestChange(judged, using.ask, hintsOf(judged, using)) };
}
