/** @module Structured facts against rules: a fact is shown only to the leaves that its values lead to. */
import { scanLiterals } from '@countersign/kernel';
import type { Check, Checks } from './compile-facts.ts';
import type { ClassIndex, FieldIndex } from './compile-rules.ts';
import { factsOf, type AnyFact } from './fact-fields.ts';
import type { Matching } from './matching.ts';
import { searchValue, type CompiledPattern } from './pattern.ts';

function someHolds(patterns: readonly CompiledPattern[], values: readonly string[], matching: Matching): boolean {
  return values.some((value) => patterns.some((pattern) => searchValue(pattern, value, matching.meter) !== undefined));
}

function checkHolds(check: Check, fact: AnyFact, matching: Matching): boolean {
  matching.meter.steps += 1;
  switch (check.type) {
    case 'flag':
      return check.read(fact) === check.value;
    case 'numbers':
      return check.read(fact).some((value) => check.values.has(value));
    case 'commands':
      return check.read(fact, matching.facts).some((command) => allHold(check.test, command, matching));
    case 'strings':
      break;
  }
  const values = check.read(fact);
  if (check.any.length > 0 && !someHolds(check.any, values, matching)) return false;
  if (check.none.length > 0 && someHolds(check.none, values, matching)) return false;
  return check.all.every((pattern) => someHolds([pattern], values, matching));
}

function allHold(test: Checks, fact: AnyFact, matching: Matching): boolean {
  return (
    test.checks.every((check) => checkHolds(check, fact, matching)) && !test.unless.some((exception) => allHold(exception, fact, matching))
  );
}

function candidatesOf(field: FieldIndex, fact: AnyFact, into: Set<number>): number {
  let steps = 0;
  for (const value of field.read(fact)) {
    steps += 1;
    for (const leaf of field.byValue.get(value) ?? []) into.add(leaf);
    if (field.automaton === undefined) continue;
    steps += scanLiterals(field.automaton, value, (literal) => {
      for (const leaf of field.byLiteral[literal] ?? []) into.add(leaf);
    });
  }
  return steps;
}

function matchFact(fact: AnyFact, index: ClassIndex, matching: Matching): void {
  const candidates = new Set<number>(index.always);
  for (const field of index.fields) matching.meter.steps += candidatesOf(field, fact, candidates);
  for (const id of candidates) {
    const leaf = matching.compiled.leaves[id];
    if (leaf?.type !== 'fact' || matching.speaking.rules[matching.compiled.ruleOf[id] ?? 0] !== 1) continue;
    if (matching.isSpent(fact.span)) return;
    if (allHold(leaf, fact, matching)) matching.hit(id, { position: -1, span: fact.span, layers: fact.layers ?? [], joined: false });
  }
}

/** Reads every fact of the action that some rule asks for. */
export function matchFacts(matching: Matching): void {
  for (const [factClass, index] of matching.compiled.classes) {
    if (index.fields.length === 0 && index.always.length === 0) continue;
    for (const fact of factsOf(factClass, matching.action, matching.facts)) matchFact(fact, index, matching);
  }
}
