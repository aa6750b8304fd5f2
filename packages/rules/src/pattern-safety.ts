/**
 * @module Judges an expression before it may run: how many ways can it match from one place? An engine that backtracks tries them all.
 *
 * A choice that the next code unit decides counts as one way (`\s+\w`), any other multiplies (`.*x.*`). Endless repetition of something
 * that itself has more than one way (`(a+)+`, `(a|a)*`, `(.*)*`) is exponential and refused; so is a product above the limit for one window.
 * Matches run in windows of bounded length, so what is let through costs at most a constant for each window.
 */
import { emptySet, fullSet, overlaps, SET_SIZE, union, type CharSet } from './char-set.ts';
import { RULE_LIMITS } from './limits.ts';
import { exactStrings } from './pattern-literals.ts';
import type { PatternFault, PatternNode } from './pattern-syntax.ts';

/** True when the node can match nothing at all. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'unit':
      return false;
    case 'edge':
    case 'look':
      return true;
    case 'repeat':
      return node.min === 0 || isNullable(node.item);
    case 'sequence':
      return node.items.every(isNullable);
    case 'choice':
      break;
  }
  return node.items.some(isNullable);
}

const ANYTHING: CharSet = fullSet();

/** What a match of the node, followed by `follow`, can begin with. */
function firstOf(node: PatternNode, follow: CharSet): CharSet {
  switch (node.kind) {
    case 'unit':
      return node.set;
    case 'edge':
    case 'look':
      // Takes no room; but at the very end, where nothing follows, it can still fail.
      return overlaps(follow, ANYTHING) ? follow : ANYTHING;
    case 'repeat': {
      const first = firstOf(node.item, follow);
      return isNullable(node) ? union(first, follow) : first;
    }
    case 'choice': {
      let first = emptySet();
      for (const item of node.items) first = union(first, firstOf(item, follow));
      return first;
    }
    case 'sequence':
      break;
  }
  let first = follow;
  for (const item of node.items.toReversed()) first = firstOf(item, first);
  return first;
}

/** Of these words, the most that can begin at one place of one text: each the beginning of the next. */
function longestChain(words: readonly string[]): number {
  const sorted = words.toSorted((a, b) => (a < b ? -1 : 1));
  let longest = 0;
  const chain: string[] = [];
  for (const word of sorted) {
    while (chain.length > 0 && !word.startsWith(chain.at(-1) ?? '')) chain.pop();
    chain.push(word);
    longest = Math.max(longest, chain.length);
  }
  return longest;
}

class WaysCounter {
  fault: PatternFault | undefined;

  ways(node: PatternNode, follow: CharSet): number {
    switch (node.kind) {
      case 'unit':
      case 'edge':
        return 1;
      case 'look':
        return this.ways(node.item, emptySet());
      case 'sequence':
        return this.sequence(node.items, follow);
      case 'choice':
        return this.choice(node.items, follow);
      case 'repeat':
        break;
    }
    return this.repeat(node, follow);
  }

  sequence(items: readonly PatternNode[], follow: CharSet): number {
    let next = follow;
    let product = 1;
    for (let i = items.length - 1; i >= 0; i -= 1) {
      const item = items[i];
      if (item === undefined) continue;
      product = Math.min(product * this.ways(item, next), Number.MAX_SAFE_INTEGER);
      next = firstOf(item, next);
    }
    return product;
  }

  /** Alternatives add up only where one code unit could begin more than one of them. */
  choice(items: readonly PatternNode[], follow: CharSet): number {
    const words: string[] = [];
    const sums = new Float64Array(SET_SIZE);
    for (const item of items) {
      const exact = exactStrings(item);
      if (exact !== undefined) {
        words.push(...exact);
        continue;
      }
      const ways = this.ways(item, follow);
      const first = firstOf(item, follow);
      for (let unit = 0; unit < SET_SIZE; unit += 1) sums[unit] = (sums[unit] ?? 0) + ((first[unit] ?? 0) > 0 ? ways : 0);
    }
    return Math.max(1, longestChain(words) + Math.max(...sums));
  }

  repeat(node: PatternNode & { kind: 'repeat' }, follow: CharSet): number {
    const first = firstOf(node.item, follow);
    const inner = node.max > 1 ? union(first, follow) : follow;
    const each = this.ways(node.item, inner);
    const decided = !isNullable(node.item) && !overlaps(first, follow);
    const most = Math.min(node.max, RULE_LIMITS.windowChars);
    if (node.max === Infinity && (each > 1 || isNullable(node.item))) {
      this.refuse(node, 'an endless repetition of something that can match in more than one way');
      return 1;
    }
    if (each === 1) return decided ? 1 : most - node.min + 1;
    let total = 0;
    let power = 1;
    for (let count = 0; count <= most; count += 1) {
      if (count >= node.min) total = decided ? power : total + power;
      power *= each;
      if (total > RULE_LIMITS.patternWaysMax) return total;
    }
    return total;
  }

  refuse(node: { readonly start: number; readonly end: number }, message: string): void {
    this.fault ??= {
      code: 'pattern_unsafe',
      message,
      start: node.start,
      end: node.end,
      hint: 'bound the repetition, for example `{0,40}`, or make its parts begin differently',
    };
  }
}

function unboundedBehind(node: PatternNode): boolean {
  switch (node.kind) {
    case 'unit':
    case 'edge':
      return false;
    case 'repeat':
      return node.max === Infinity || unboundedBehind(node.item);
    case 'look':
      return unboundedBehind(node.item);
    case 'sequence':
    case 'choice':
      break;
  }
  return node.items.some(unboundedBehind);
}

function hasLookbehindUnbounded(node: PatternNode): boolean {
  switch (node.kind) {
    case 'unit':
    case 'edge':
      return false;
    case 'look':
      return (node.behind && unboundedBehind(node.item)) || hasLookbehindUnbounded(node.item);
    case 'repeat':
      return hasLookbehindUnbounded(node.item);
    case 'sequence':
    case 'choice':
      break;
  }
  return node.items.some(hasLookbehindUnbounded);
}

/** The number of ways, or why the expression is refused. */
export function judgePattern(node: PatternNode, source: string): { readonly ways: number; readonly fault?: PatternFault } {
  const counter = new WaysCounter();
  const ways = counter.ways(node, emptySet());
  if (counter.fault !== undefined) return { ways, fault: counter.fault };
  const whole = { start: 0, end: source.length, code: 'pattern_unsafe' as const };
  if (hasLookbehindUnbounded(node)) {
    return { ways, fault: { ...whole, message: 'a look-behind must be bounded', hint: 'use a counted repetition inside the look-behind' } };
  }
  if (ways > RULE_LIMITS.patternWaysMax) {
    const message = `the expression can match in more than ${RULE_LIMITS.patternWaysMax} ways from one place`;
    return { ways, fault: { ...whole, message, hint: 'use fewer or shorter `.{0,n}` gaps' } };
  }
  if (isNullable(node))
    return { ways, fault: { ...whole, message: 'the expression matches the empty string', hint: 'make some part of it required' } };
  return { ways };
}
