/** @module Structured facts against rules: a fact is shown only to the leaves that its values lead to. */
import { scanLiterals } from '@countersign/kernel';
import type { Check, Checks, StringsCheck } from './compile-facts.ts';
import type { ClassIndex, FieldIndex, Scratch } from './compile-rules.ts';
import { factsOf, type AnyFact } from './fact-fields.ts';
import type { Matching } from './matching.ts';
import { searchValue, type CompiledPattern } from './pattern.ts';

/** The values of a fact's field; with their case only where a pattern asks for it. */
interface Values {
  readonly lower: readonly string[];
  readonly check: StringsCheck;
  readonly fact: AnyFact;
}

function someHolds(patterns: readonly CompiledPattern[], { lower, check, fact }: Values, matching: Matching): boolean {
  return patterns.some((pattern) => {
    const values = pattern.cased ? check.raw(fact) : lower;
    return values.some((value) => searchValue(pattern, value, matching.meter) !== undefined);
  });
}

function checkHolds(check: Check, fact: AnyFact, matching: Matching): boolean {
  matching.meter.steps += 1;
  switch (check.type) {
    case 'flag':
      return check.read(fact) === check.value;
    case 'numbers':
      return check.read(fact).some((value) => check.values.has(value) || check.ranges.some(({ from, to }) => value >= from && value <= to));
    case 'commands':
      return check.read(fact, matching.facts).some((command) => allHold(check.test, command, matching));
    case 'strings':
      break;
  }
  const values: Values = { lower: check.read(fact), check, fact };
  if (check.any.length > 0 && !someHolds(check.any, values, matching)) return false;
  if (check.none.length > 0 && someHolds(check.none, values, matching)) return false;
  return check.all.every((pattern) => someHolds([pattern], values, matching));
}

function allHold(test: Checks, fact: AnyFact, matching: Matching): boolean {
  return (
    test.checks.every((check) => checkHolds(check, fact, matching)) && !test.unless.some((exception) => allHold(exception, fact, matching))
  );
}

const NONE: readonly number[] = [];

/** Leaves that one fact leads to, each once, in the order in which it does. */
class Candidates {
  readonly #scratch: Scratch;
  readonly leaves: number[] = [];
  readonly #onLiteral: (literal: number) => void;
  #byLiteral: readonly (readonly number[])[] = [];

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
    this.#onLiteral = (literal) => this.add(this.#byLiteral[literal] ?? NONE);
  }

  begin(always: readonly number[]): void {
    this.#scratch.epoch += 1;
    this.leaves.length = 0;
    this.add(always);
  }

  add(leaves: readonly number[]): void {
    const { leafStamp, epoch } = this.#scratch;
    for (const leaf of leaves) {
      if (leafStamp[leaf] === epoch) continue;
      leafStamp[leaf] = epoch;
      this.leaves.push(leaf);
    }
  }

  /** Takes in what a field of the fact leads to. Returns the steps taken. */
  addField(field: FieldIndex, fact: AnyFact): number {
    let steps = 0;
    for (const value of field.read(fact)) {
      steps += 1;
      const leaves = field.byValue.get(value);
      if (leaves !== undefined) this.add(leaves);
      if (field.automaton === undefined) continue;
      this.#byLiteral = field.byLiteral;
      steps += scanLiterals(field.automaton, value, this.#onLiteral);
    }
    return steps;
  }
}

interface Search {
  readonly matching: Matching;
  readonly candidates: Candidates;
}

function matchFact(fact: AnyFact, index: ClassIndex, { matching, candidates }: Search): void {
  candidates.begin(index.always);
  for (const field of index.fields) matching.meter.steps += candidates.addField(field, fact);
  for (const id of candidates.leaves) {
    const leaf = matching.compiled.leaves[id];
    if (leaf?.type !== 'fact' || matching.speaking.rules[matching.compiled.ruleOf[id] ?? 0] !== 1) continue;
    if (matching.isSpent(fact.span)) return;
    if (allHold(leaf, fact, matching)) matching.hit(id, { position: -1, span: fact.span, layers: fact.layers ?? [], joined: false });
  }
}

/** Reads every fact of the action that some rule asks for. */
export function matchFacts(matching: Matching): void {
  const search: Search = { matching, candidates: new Candidates(matching.compiled.scratch) };
  for (const [factClass, index] of matching.compiled.classes) {
    if (index.fields.length === 0 && index.always.length === 0) continue;
    for (const fact of factsOf(factClass, matching.action, matching.facts)) matchFact(fact, index, search);
  }
}
