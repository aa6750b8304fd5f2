/**
 * @module Texts against rules: one pass of the automaton over each text, then the expressions of the candidates in bounded windows.
 */
import { scanLiterals } from '@countersign/kernel';
import type { Span, TextFact } from '@countersign/protocol';
import type { CompiledRules, TextPattern } from './compile-rules.ts';
import { looksAt, type TextLeaf } from './compile-texts.ts';
import { RULE_LIMITS } from './limits.ts';
import type { Matching } from './matching.ts';
import { matchInWindow, windowAt, type CompiledPattern, type Match } from './pattern.ts';

/** The region of the original leaf: exact where the text is the leaf itself, else the encoded region. */
function spanOf(text: TextFact, match: Match): Span {
  if (text.layers.length > 0) return text.span;
  return { path: text.span.path, start: text.span.start + match.start, end: text.span.start + match.end };
}

function contextHolds(leaf: TextLeaf, text: string, matching: Matching): (match: Match) => boolean {
  const found = (pattern: CompiledPattern, window: Match): boolean =>
    matchInWindow(pattern, { text, window, from: window.start }, matching.meter) !== undefined;
  return (match) => {
    if (leaf.near.length === 0 && leaf.unless.length === 0) return true;
    const window = windowAt(text.length, match.start);
    return leaf.near.every((pattern) => found(pattern, window)) && !leaf.unless.some((pattern) => found(pattern, window));
  };
}

class TextReader {
  readonly compiled: CompiledRules;
  readonly matching: Matching;
  readonly onHit: (literal: number, start: number) => void;
  text: TextFact;

  constructor(matching: Matching, first: TextFact) {
    this.compiled = matching.compiled;
    this.matching = matching;
    this.text = first;
    this.onHit = (literal, start) => this.literal(literal, start);
  }

  read(text: TextFact): void {
    this.text = text;
    this.compiled.scratch.epoch += 1;
    // Added afterwards: the hits count on the same meter while the scan runs.
    const scanned = scanLiterals(this.compiled.texts.automaton, text.lower, this.onHit);
    this.matching.meter.steps += scanned;
  }

  literal(literal: number, start: number): void {
    const patterns = this.compiled.texts.byLiteral[literal] ?? [];
    this.matching.meter.steps += patterns.length;
    for (const id of patterns) this.candidate(id, start);
  }

  candidate(id: number, start: number): void {
    const { anchors, hits } = this.compiled.scratch;
    const entry = this.compiled.texts.patterns[id];
    this.refresh(id);
    const anchor = anchors[id] ?? -1;
    if (entry === undefined || (hits[id] ?? 0) >= RULE_LIMITS.hitsPerTextMax) return;
    const plain = entry.pattern.expression === undefined;
    if (!plain && anchor !== -1 && start <= anchor + RULE_LIMITS.windowStrideChars) return;
    if (!this.leafLooks(entry.leaf)) return;
    anchors[id] = start;
    if (this.matching.isSpent(this.text.span)) return;
    if (plain) this.confirm(id, entry, { start, end: start + (entry.pattern.literals[0] ?? '').length });
    else this.search(id, entry, start);
  }

  /** Forgets what a pattern's marks say of an earlier text. */
  refresh(id: number): void {
    const { anchors, hits, patternStamp, epoch } = this.compiled.scratch;
    if (patternStamp[id] === epoch) return;
    patternStamp[id] = epoch;
    anchors[id] = -1;
    hits[id] = 0;
  }

  leafLooks(leaf: number): boolean {
    const { looks, leafStamp, epoch } = this.compiled.scratch;
    if (leafStamp[leaf] !== epoch) {
      const test = this.compiled.leaves[leaf];
      const active = this.matching.speaking.rules[this.compiled.ruleOf[leaf] ?? 0] === 1;
      leafStamp[leaf] = epoch;
      looks[leaf] = active && test?.type === 'text' && looksAt(test, this.text) ? 1 : 0;
    }
    return looks[leaf] === 1;
  }

  search(id: number, entry: TextPattern, start: number): void {
    const text = this.text.lower;
    const window = windowAt(text.length, start);
    let from = window.start;
    while ((this.compiled.scratch.hits[id] ?? 0) < RULE_LIMITS.hitsPerTextMax && !this.matching.isSpent(this.text.span)) {
      const match = matchInWindow(entry.pattern, { text, window, from }, this.matching.meter);
      if (match === undefined) return;
      this.confirm(id, entry, match);
      from = match.end;
    }
  }

  confirm(id: number, entry: TextPattern, match: Match): void {
    const leaf = this.compiled.leaves[entry.leaf];
    if (leaf?.type !== 'text' || !contextHolds(leaf, this.text.lower, this.matching)(match)) return;
    const { hits } = this.compiled.scratch;
    hits[id] = (hits[id] ?? 0) + 1;
    this.matching.hit(entry.leaf, {
      position: entry.position,
      span: spanOf(this.text, match),
      layers: this.text.layers,
      joined: this.text.role === 'joined',
    });
  }
}

/** Reads every text of the action that some rule on this kind of action looks at. */
export function matchTexts(matching: Matching): void {
  const { roles } = matching.speaking;
  const { texts } = matching.facts;
  const [first] = texts;
  if (roles.size === 0 || first === undefined) return;
  const reader = new TextReader(matching, first);
  for (const text of texts) if (roles.has(text.role)) reader.read(text);
}
