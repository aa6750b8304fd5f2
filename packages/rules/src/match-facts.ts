/** @module Structured facts against rules: a fact is shown only to the leaves that its values lead to. */
import { scanLiterals } from '@countersign/kernel';
import type { Check, Checks, StringsCheck } from './compile-facts.ts';
import type { ClassIndex, FieldIndex, Scratch } from './compile-rules.ts';
import { factsOf, type AnyFact, type NameFact } from './fact-fields.ts';
import type { Matching } from './matching.ts';
import { searchValue, type CompiledPattern } from './pattern.ts';

/** Values of one field: as they are compared, and what a long list is asked instead of each of its values. */
interface Values {
  readonly lower: readonly string[];
  /** All of them, one a line; made where there are many. */
  lines: string | undefined;
}

type Read = StringsCheck['read'];

/** A list of values longer than this is asked as a whole first. */
const MANY_VALUES = 32;

/** The values of the fact that is being looked at, each field read once, however many leaves ask for it. */
class FactValues {
  #fact: AnyFact | undefined;
  readonly #reads: Read[] = [];
  readonly #values: Values[] = [];
  #count = 0;

  begin(fact: AnyFact): void {
    this.#fact = fact;
    this.#count = 0;
  }

  of(read: Read, fact: AnyFact): Values {
    if (fact !== this.#fact) return { lower: read(fact), lines: undefined };
    for (let i = 0; i < this.#count; i += 1) {
      const known = this.#reads[i] === read ? this.#values[i] : undefined;
      if (known !== undefined) return known;
    }
    const values: Values = { lower: read(fact), lines: undefined };
    this.#reads[this.#count] = read;
    this.#values[this.#count] = values;
    this.#count += 1;
    return values;
  }
}

/** False where no value of a long list holds what every match of the pattern does. */
function mayHold(pattern: CompiledPattern, values: Values, matching: Matching): boolean {
  if (values.lower.length <= MANY_VALUES || pattern.literals.length === 0 || pattern.literals.length > MANY_VALUES) return true;
  const lines = (values.lines ??= values.lower.join('\n'));
  return pattern.literals.some((literal) => {
    matching.meter.steps += lines.length;
    return lines.includes(literal);
  });
}

function someHolds(patterns: readonly CompiledPattern[], { check, fact }: Asked, { matching, values }: Search): boolean {
  const known = values.of(check.read, fact);
  return patterns.some((pattern) => {
    if (!mayHold(pattern, known, matching)) return false;
    const list = pattern.cased ? check.raw(fact) : known.lower;
    return list.some((value) => searchValue(pattern, value, matching.meter) !== undefined);
  });
}

interface Asked {
  readonly check: StringsCheck;
  readonly fact: AnyFact;
}

function checkHolds(check: Check, fact: AnyFact, search: Search): boolean {
  const { matching } = search;
  matching.meter.steps += 1;
  switch (check.type) {
    case 'flag':
      return check.read(fact) === check.value;
    case 'numbers':
      return check.read(fact).some((value) => check.values.has(value) || check.ranges.some(({ from, to }) => value >= from && value <= to));
    case 'commands':
      return check.read(fact, matching.facts).some((command) => allHold(check.test, command, search));
    case 'strings':
      break;
  }
  const asked: Asked = { check, fact };
  if (check.any.length > 0 && !someHolds(check.any, asked, search)) return false;
  if (check.none.length > 0 && someHolds(check.none, asked, search)) return false;
  return check.all.every((pattern) => someHolds([pattern], asked, search));
}

function allHold(test: Checks, fact: AnyFact, search: Search): boolean {
  return (
    test.checks.every((check) => checkHolds(check, fact, search)) && !test.unless.some((exception) => allHold(exception, fact, search))
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
  addField(field: FieldIndex, fact: AnyFact, values: FactValues): number {
    let steps = 0;
    for (const value of values.of(field.read, fact).lower) {
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
  readonly values: FactValues;
}

/** Facts of names, without those that are known to lead to no leaf; what they cost is counted all the same. */
function matchKeys(index: ClassIndex, search: Search): void {
  const { matching, candidates } = search;
  const { quietKeys } = matching.compiled.scratch;
  for (const { role, lower, span } of matching.facts.texts) {
    if (role !== 'key') continue;
    const quiet = quietKeys.stepsOf(lower);
    if (quiet !== undefined) {
      matching.meter.steps += quiet;
      continue;
    }
    const before = matching.meter.steps;
    const name: NameFact = { name: lower, span };
    matchFact(name, index, search);
    if (candidates.leaves.length === 0) quietKeys.keep(lower, matching.meter.steps - before);
  }
}

function matchFact(fact: AnyFact, index: ClassIndex, search: Search): void {
  const { matching, candidates, values } = search;
  candidates.begin(index.always);
  values.begin(fact);
  for (const field of index.fields) matching.meter.steps += candidates.addField(field, fact, values);
  for (const id of candidates.leaves) {
    const leaf = matching.compiled.leaves[id];
    if (leaf?.type !== 'fact' || matching.speaking.rules[matching.compiled.ruleOf[id] ?? 0] !== 1) continue;
    if (matching.isSpent(fact.span)) return;
    if (allHold(leaf, fact, search)) matching.hit(id, { position: -1, span: fact.span, layers: fact.layers ?? [], joined: false });
  }
}

/** Reads every fact of the action that some rule asks for. */
export function matchFacts(matching: Matching): void {
  const search: Search = { matching, candidates: new Candidates(matching.compiled.scratch), values: new FactValues() };
  for (const [factClass, index] of matching.compiled.classes) {
    if (index.fields.length === 0 && index.always.length === 0) continue;
    if (factClass === 'key') matchKeys(index, search);
    else for (const fact of factsOf(factClass, matching.action, matching.facts)) matchFact(fact, index, search);
  }
}
