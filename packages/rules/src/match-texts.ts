/**
 * @module Texts against rules: one pass of the automaton over each text, then the expressions of the candidates in bounded windows.
 */
import { scanLiterals } from '@countersign/kernel';
import type { Span, TextFact } from '@countersign/protocol';
import type { CompiledRules, TextPattern } from './compile-rules.ts';
import { looksAt, type TextLeaf } from './compile-texts.ts';
import { searchDictionaries } from './dictionaries.ts';
import { RULE_LIMITS } from './limits.ts';
import type { Matching } from './matching.ts';
import { matchInWindow, windowAt, type CompiledPattern, type Match } from './pattern.ts';

const NONE: readonly number[] = [];
/** A list of candidates longer than this is not kept for the next text. */
const PENDING_KEPT = 8192;
/** So far below zero that no text has so many windows. */
const ASKED = -(2 ** 40);
const NO_SETS: readonly (readonly number[])[] = [];

/** The region of the original leaf: exact where the text is the leaf itself, else the encoded region. */
function spanOf(text: TextFact, match: Match): Span {
  if (text.layers.length > 0) return text.span;
  return { path: text.span.path, start: text.span.start + match.start, end: text.span.start + match.end };
}

/** What a pattern is held against. Both have the same length, so that places in one are places in the other. */
function viewOf(pattern: CompiledPattern, text: TextFact): string {
  return pattern.cased ? text.text : text.lower;
}

/** Whether some match of an exception lies over the match: one that only stands near it would be a decoy. */
function isLifted(
  pattern: CompiledPattern,
  at: { readonly text: string; readonly window: Match; readonly match: Match },
  matching: Matching,
): boolean {
  const { text, window, match } = at;
  let from = window.start;
  for (let tries = 0; tries < RULE_LIMITS.exceptionsTriedMax; tries += 1) {
    const lift = matchInWindow(pattern, { text, window, from }, matching.meter);
    if (lift === undefined || lift.start >= match.end) return false;
    if (lift.end > match.start) return true;
    from = Math.max(lift.end, from + 1);
  }
  return false;
}

function contextHolds(leaf: TextLeaf, text: TextFact, matching: Matching): (match: Match) => boolean {
  const found = (pattern: CompiledPattern, window: Match): boolean =>
    matchInWindow(pattern, { text: viewOf(pattern, text), window, from: window.start }, matching.meter) !== undefined;
  return (match) => {
    if (leaf.near.length + leaf.unless.length + leaf.unlessNear.length === 0) return true;
    const window = windowAt(text.lower.length, match.start);
    if (!leaf.near.every((pattern) => found(pattern, window)) || leaf.unlessNear.some((pattern) => found(pattern, window))) return false;
    return !leaf.unless.some((pattern) => isLifted(pattern, { text: viewOf(pattern, text), window, match }, matching));
  };
}

class TextReader {
  readonly compiled: CompiledRules;
  readonly matching: Matching;
  readonly onHit: (literal: number, start: number) => void;
  text: TextFact;
  /** How much of the list of candidates is in use: it is not emptied between texts, which would give its memory away. */
  waiting = 0;
  /** Literals that the text holds, each as often as it does. */
  literals = 0;

  constructor(matching: Matching, first: TextFact) {
    this.compiled = matching.compiled;
    this.matching = matching;
    this.text = first;
    this.onHit = (literal, start) => this.literal(literal, start);
  }

  read(text: TextFact): void {
    const { quietTexts } = this.compiled.scratch;
    const quiet = text.role === 'key' ? quietTexts.stepsOf(text.lower) : undefined;
    if (quiet !== undefined) {
      this.matching.meter.steps += quiet;
      return;
    }
    this.text = text;
    this.compiled.scratch.epoch += 1;
    this.literals = 0;
    // Added afterwards: the hits count on the same meter while the scan runs.
    const scanned = scanLiterals(this.compiled.texts.automaton, text.lower, this.onHit);
    this.matching.meter.steps += scanned;
    if (text.role === 'key' && this.literals === 0 && this.compiled.dictionaries === undefined) quietTexts.keep(text.lower, scanned);
    this.readCandidates();
    this.readWords();
  }

  literal(literal: number, start: number): void {
    this.literals += 1;
    const patterns = this.compiled.texts.byLiteral[literal] ?? NONE;
    this.compiled.scratch.literalStamp[literal] = this.compiled.scratch.epoch;
    this.matching.meter.steps += patterns.length;
    for (let i = 0; i < patterns.length; i += 1) this.candidate(patterns[i] ?? 0, start);
  }

  /** Candidates wait for the end of the pass, when it is known which other literals the text holds. */
  readCandidates(): void {
    const { pending } = this.compiled.scratch;
    const count = this.waiting;
    this.waiting = 0;
    for (let i = 0; i < count; i += 2) this.tryCandidate(pending[i] ?? 0, pending[i + 1] ?? 0);
    if (pending.length > PENDING_KEPT) pending.length = 0;
  }

  /** The words of dictionaries, where the rules bring any. */
  readWords(): void {
    const { dictionaries } = this.compiled;
    if (dictionaries === undefined || this.matching.isSpent(this.text.span)) return;
    searchDictionaries(dictionaries, this.text.lower, {
      looks: (leaf) => this.leafLooks(leaf),
      found: ({ leaf, position }, match) => this.found(leaf, position, match),
      spend: (steps) => {
        this.matching.meter.steps += steps;
        return this.matching.isSpent(this.text.span);
      },
    });
  }

  candidate(id: number, start: number): void {
    const { anchors, pending } = this.compiled.scratch;
    const entry = this.compiled.texts.patterns[id];
    this.refresh(id);
    const anchor = anchors[id] ?? -1;
    if (entry === undefined) return;
    const plain = entry.pattern.expression === undefined;
    if (!plain && anchor !== -1 && start <= anchor + RULE_LIMITS.windowStrideChars) return;
    if (!this.leafLooks(entry.leaf)) return;
    anchors[id] = start;
    pending[this.waiting] = id;
    pending[this.waiting + 1] = start;
    this.waiting += 2;
  }

  tryCandidate(id: number, start: number): void {
    const entry = this.compiled.texts.patterns[id];
    if (entry === undefined || (this.compiled.scratch.hits[id] ?? 0) >= RULE_LIMITS.hitsPerTextMax) return;
    if (this.matching.isSpent(this.text.span)) return;
    if (entry.pattern.expression === undefined) this.confirm(id, entry, { start, end: start + (entry.pattern.literals[0] ?? '').length });
    else if (this.holdsFurther(id)) this.search(id, entry, start);
  }

  /** Whether the text holds what every match of the pattern contains besides the literal that led to it. */
  holdsFurther(id: number): boolean {
    const sets = this.compiled.texts.further[id] ?? NO_SETS;
    for (let i = 0; i < sets.length; i += 1) if (!this.holdsOne(sets[i] ?? NONE)) return false;
    return true;
  }

  holdsOne(literals: readonly number[]): boolean {
    const { literalStamp, epoch } = this.compiled.scratch;
    for (let i = 0; i < literals.length; i += 1) {
      this.matching.meter.steps += 1;
      if (literalStamp[literals[i] ?? 0] === epoch) return true;
    }
    return false;
  }

  /** Forgets what a pattern's marks say of an earlier text. */
  refresh(id: number): void {
    const { anchors, hits, inVain, patternStamp, epoch } = this.compiled.scratch;
    if (patternStamp[id] === epoch) return;
    patternStamp[id] = epoch;
    anchors[id] = -1;
    hits[id] = 0;
    inVain[id] = 0;
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
    const text = viewOf(entry.pattern, this.text);
    const window = windowAt(text.length, start);
    let from = window.start;
    while ((this.compiled.scratch.hits[id] ?? 0) < RULE_LIMITS.hitsPerTextMax && !this.matching.isSpent(this.text.span)) {
      const match = matchInWindow(entry.pattern, { text, window, from }, this.matching.meter);
      if (match === undefined) {
        this.searchedInVain(id, entry);
        return;
      }
      this.confirm(id, entry, match);
      from = match.end;
    }
  }

  /**
   * Gives a pattern up for this text where the text lacks what every match of it holds. That is asked once, and only when the windows in vain have
   * cost as much as the question does: it never makes a text dearer than twice what it was.
   */
  searchedInVain(id: number, { pattern }: TextPattern): void {
    const { hits, inVain } = this.compiled.scratch;
    const units = (inVain[id] ?? 0) + RULE_LIMITS.windowChars;
    inVain[id] = units;
    const steps = Math.ceil(this.text.lower.length / RULE_LIMITS.unitsPassedPerStep);
    if (pattern.late.length === 0 || units < pattern.lateCount * steps) return;
    inVain[id] = ASKED;
    const { lower } = this.text;
    const holdsOne = (literals: readonly string[]): boolean =>
      literals.some((literal) => {
        this.matching.meter.steps += steps;
        return lower.includes(literal);
      });
    if (!pattern.late.every(holdsOne)) hits[id] = RULE_LIMITS.hitsPerTextMax;
  }

  confirm(id: number, entry: TextPattern, match: Match): void {
    const { hits } = this.compiled.scratch;
    if (this.found(entry.leaf, entry.position, match)) hits[id] = (hits[id] ?? 0) + 1;
  }

  /** Takes a match of a pattern down; false where what stands around it forbids it. */
  found(leaf: number, position: number, match: Match): boolean {
    const test = this.compiled.leaves[leaf];
    if (test?.type !== 'text' || !contextHolds(test, this.text, this.matching)(match)) return false;
    const { layers, role } = this.text;
    this.matching.hit(leaf, { position, span: spanOf(this.text, match), layers, joined: role === 'joined' });
    return true;
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
