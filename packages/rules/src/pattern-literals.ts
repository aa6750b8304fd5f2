/**
 * @module Finds the literals of which at least one is in every match of an expression. The automaton searches for those, and the
 * expression runs only around a hit.
 */
import { fewMembers } from './char-set.ts';
import { RULE_LIMITS } from './limits.ts';
import type { PatternNode } from './pattern-syntax.ts';

const EXACT_MAX = 160;
const CLASS_MAX = 13;
/** Shorter ones lead to too many places. Texts ask for more. */
const LITERAL_MIN = 2;
/** Shorter ones are in every other text, so that asking for them costs more than it saves. */
const FURTHER_MIN = 4;

/** `exact`: the node matches these strings and no others. `best`: every match contains one of these. */
interface Known {
  readonly exact: readonly string[] | undefined;
  readonly best: readonly string[] | undefined;
}

const NOTHING: Known = { exact: undefined, best: undefined };

function shortest(strings: readonly string[]): number {
  let length = Infinity;
  for (const text of strings) length = Math.min(length, text.length);
  return length;
}

/** How often innocent text might hold the literal: less with every unit, much less with every one that is no letter. */
function frequencyOf(literal: string): number {
  let frequency = 1;
  for (const unit of literal.slice(0, 16)) frequency /= unit >= 'a' && unit <= 'z' ? 3 : 27;
  return frequency;
}

/** What searching by these would cost; sets with too short a literal come last. */
function costOf(strings: readonly string[]): number {
  let cost = shortest(strings) < RULE_LIMITS.literalCharsMin ? 1000 : 0;
  for (const literal of strings) cost += frequencyOf(literal);
  return cost;
}

function better(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  if (a === undefined || a.length === 0 || shortest(a) === 0) return b;
  if (b === undefined || b.length === 0 || shortest(b) === 0) return a;
  return costOf(a) <= costOf(b) ? a : b;
}

function cross(left: readonly string[], right: readonly string[]): readonly string[] | undefined {
  if (left.length * right.length > EXACT_MAX) return undefined;
  return left.flatMap((head) => right.map((tail) => head + tail));
}

/** What a repetition begins and ends with for certain: its item, as often as it must at least be there. */
function headOf(node: PatternNode & { kind: 'repeat' }): readonly string[] | undefined {
  const { exact } = knownOf(node.item);
  if (exact === undefined) return undefined;
  let head: readonly string[] = exact;
  for (let count = 1; count < Math.min(node.min, 16); count += 1) head = cross(head, exact) ?? head;
  return head;
}

function knownOfSequence(items: readonly PatternNode[]): Known {
  let run: readonly string[] = [''];
  let best: readonly string[] | undefined;
  let whole = true;
  for (const item of items) {
    if (item.kind === 'edge' || item.kind === 'look') continue;
    const known = knownOf(item);
    const joined = known.exact === undefined ? undefined : cross(run, known.exact);
    if (joined !== undefined) {
      run = joined;
      continue;
    }
    whole = false;
    const once = item.kind === 'repeat' && item.min > 0 ? headOf(item) : undefined;
    const headed = once === undefined ? undefined : cross(run, once);
    best = better(better(better(best, run), headed), known.best);
    run = known.exact ?? once ?? [''];
  }
  if (whole) return { exact: run, best: better(undefined, run) };
  return { exact: undefined, best: better(best, run) };
}

function knownOfChoice(items: readonly PatternNode[]): Known {
  const exact: string[] = [];
  const best: string[] = [];
  let allExact = true;
  for (const item of items) {
    const known = knownOf(item);
    if (known.exact === undefined) allExact = false;
    else exact.push(...known.exact);
    if (known.best === undefined) return { exact: allExact ? exact : undefined, best: undefined };
    best.push(...known.best);
  }
  const unique = [...new Set(best)];
  return {
    exact: allExact && exact.length <= EXACT_MAX ? exact : undefined,
    best: unique.length <= RULE_LIMITS.literalsPerPatternMax ? unique : undefined,
  };
}

function knownOfRepeat(node: PatternNode & { kind: 'repeat' }): Known {
  const known = knownOf(node.item);
  if (node.min === 1 && node.max === 1) return known;
  if (node.min === 0 && node.max === 1) return { exact: known.exact === undefined ? undefined : ['', ...known.exact], best: undefined };
  if (node.min === node.max && known.exact?.length === 1 && node.max <= 16) {
    const text = (known.exact[0] ?? '').repeat(node.max);
    return { exact: [text], best: [text] };
  }
  return node.min === 0 ? NOTHING : { exact: undefined, best: better(headOf(node), known.best) };
}

function knownOf(node: PatternNode): Known {
  switch (node.kind) {
    case 'unit': {
      if (node.text !== undefined) return { exact: [node.text], best: [node.text] };
      const members = fewMembers(node.set, CLASS_MAX);
      return members === undefined ? NOTHING : { exact: members, best: members };
    }
    case 'edge':
    case 'look':
      return { exact: [''], best: undefined };
    case 'sequence':
      return knownOfSequence(node.items);
    case 'choice':
      return knownOfChoice(node.items);
    case 'repeat':
      break;
  }
  return knownOfRepeat(node);
}

/** The literals without those that hold a shorter one, the short ones first. */
function reduced(literals: readonly string[]): readonly string[] {
  const sorted = [...new Set(literals)].sort((a, b) => (a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length));
  const kept: string[] = [];
  for (const literal of sorted) if (!kept.some((shorter) => literal.includes(shorter))) kept.push(literal);
  return kept;
}

/** Literals of at least two code units, one of which is in every match; undefined where there is no such set. */
export function requiredLiterals(node: PatternNode): readonly string[] | undefined {
  const { best } = knownOf(node);
  if (best === undefined || shortest(best) < LITERAL_MIN) return undefined;
  const kept = reduced(best);
  return kept.length <= RULE_LIMITS.literalsPerPatternMax ? kept : undefined;
}

/** Sets of literals of a sequence, of each of which every match contains one: those of its runs of known text and of its items. */
function setsOfSequence(items: readonly PatternNode[]): (readonly string[])[] {
  const sets: (readonly string[])[] = [];
  let run: readonly string[] = [''];
  for (const item of items) {
    if (item.kind === 'edge' || item.kind === 'look') continue;
    const { exact } = knownOf(item);
    const joined = exact === undefined ? undefined : cross(run, exact);
    if (joined === undefined) {
      sets.push(run, ...setsOf(item));
      run = exact ?? [''];
    } else run = joined;
  }
  return [...sets, run];
}

/** Of a choice: the best sets of all its parts together, then the second best, as far as every part has one. */
function setsOfChoice(items: readonly PatternNode[]): (readonly string[])[] {
  const parts = items.map((item) => selective(setsOf(item)));
  const count = Math.min(...parts.map((sets) => sets.length));
  return Array.from({ length: count }, (_, rank) => parts.flatMap((sets) => sets[rank] ?? []));
}

function setsOf(node: PatternNode): (readonly string[])[] {
  if (node.kind === 'repeat') return node.min === 0 ? [] : setsOf(node.item);
  const { exact } = knownOf(node);
  if (exact !== undefined) return [exact];
  if (node.kind === 'sequence') return setsOfSequence(node.items);
  return node.kind === 'choice' ? setsOfChoice(node.items) : [];
}

/** The sets that tell something, the cheapest first. */
function selective(sets: readonly (readonly string[])[]): (readonly string[])[] {
  const telling = sets.filter((set) => set.length > 0 && shortest(set) >= RULE_LIMITS.literalCharsMin);
  return telling.toSorted((a, b) => costOf(a) - costOf(b));
}

/**
 * Further sets of literals, of each of which every match contains one as well. Where a text lacks a whole set, the expression need not
 * run, however often the literals are there by which it is searched. A set that holds wherever `lead` does is left out.
 */
export function furtherLiterals(node: PatternNode, lead: readonly string[]): readonly (readonly string[])[] {
  return askable(selective(setsOf(node)), lead)
    .filter((set) => shortest(set) >= FURTHER_MIN)
    .slice(0, RULE_LIMITS.furtherSetsMax);
}

/**
 * The sets that are too short to be asked of every text. They are asked where an expression has run in vain again and again: a text that
 * was made to have it run does not bother to hold the rest.
 */
export function lateLiterals(node: PatternNode, lead: readonly string[]): readonly (readonly string[])[] {
  const sets = setsOf(node).filter((set) => set.length > 0 && shortest(set) >= LITERAL_MIN);
  return askable(sets, lead)
    .filter((set) => shortest(set) < FURTHER_MIN)
    .slice(0, RULE_LIMITS.furtherSetsMax);
}

/** Sets of a size that can be asked, without those that hold wherever `lead` does. */
function askable(sets: readonly (readonly string[])[], lead: readonly string[]): (readonly string[])[] {
  const told = (set: readonly string[]): boolean => lead.every((literal) => set.some((part) => literal.includes(part)));
  return sets.map(reduced).filter((set) => set.length <= RULE_LIMITS.literalsPerFurtherSetMax && !told(set));
}

/** The strings that a node matches, when they are few and known. */
export function exactStrings(node: PatternNode): readonly string[] | undefined {
  return knownOf(node).exact;
}
