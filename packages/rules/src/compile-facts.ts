/** @module Compiles the test of one fact into checks. */
import { pointer } from '@countersign/kernel';
import type { CommandFact, Facts } from '@countersign/protocol';
import { FACT_FIELDS, type AnyFact, type FactClass } from './fact-fields.ts';
import type { PatternFault } from './pattern-syntax.ts';
import { compilePattern, type CompiledPattern } from './pattern.ts';
import type { FactTest, NumberRange, Pattern, WordList } from './rule.ts';

export interface StringsCheck {
  readonly type: 'strings';
  readonly field: string;
  readonly read: (fact: AnyFact) => readonly string[];
  /** The same values as they came. */
  readonly raw: (fact: AnyFact) => readonly string[];
  readonly any: readonly CompiledPattern[];
  readonly all: readonly CompiledPattern[];
  readonly none: readonly CompiledPattern[];
}

export type Check =
  | StringsCheck
  | { readonly type: 'flag'; readonly read: (fact: AnyFact) => boolean; readonly value: boolean }
  | {
      readonly type: 'numbers';
      readonly read: (fact: AnyFact) => readonly number[];
      readonly values: ReadonlySet<number>;
      readonly ranges: readonly NumberRange[];
    }
  | { readonly type: 'commands'; readonly read: (fact: AnyFact, facts: Facts) => readonly CommandFact[]; readonly test: Checks };

/** Every check holds, and none of the exceptions. */
export interface Checks {
  readonly checks: readonly Check[];
  readonly unless: readonly Checks[];
}

export interface FactLeaf extends Checks {
  readonly type: 'fact';
  readonly factClass: FactClass;
  /** How many facts must pass. */
  readonly atLeast: number;
}

/** Takes a fault and the JSON pointer at which it is. */
export type Report = (fault: PatternFault, path: string) => void;

interface Written {
  readonly factClass: FactClass;
  readonly test: FactTest;
  readonly path: string;
}

interface PatternPlace {
  readonly path: string;
  readonly report: Report;
  /** A further condition on each pattern. */
  readonly check?: (pattern: CompiledPattern) => PatternFault | undefined;
  /** Entries that somebody else compiles. */
  readonly skip?: (entry: Pattern | WordList) => boolean;
}

/** Compiles a list of patterns; faulty ones are reported and left out, and the set is refused then. */
export function compilePatterns(written: unknown, mode: 'phrase' | 'value', at: PatternPlace): readonly CompiledPattern[] {
  if (!Array.isArray(written)) return [];
  const patterns: CompiledPattern[] = [];
  for (const [i, pattern] of written.entries()) {
    // A list of patterns by its schema; `compilePattern` refuses what is not one.
    if (at.skip?.(pattern as Pattern | WordList) === true) continue;
    const result = compilePattern(pattern as Pattern, mode);
    const fault = result.ok ? at.check?.(result.value) : result.error;
    if (fault !== undefined) at.report(fault, pointer(at.path, i));
    else if (result.ok) patterns.push(result.value);
  }
  return patterns;
}

function stringsCheck(
  field: string,
  written: FactTest[string],
  at: { readonly path: string; readonly report: Report },
): Omit<StringsCheck, 'read' | 'raw'> {
  if (Array.isArray(written)) return { type: 'strings', field, any: compilePatterns(written, 'value', at), all: [], none: [] };
  const parts = written as { readonly any?: unknown; readonly all?: unknown; readonly none?: unknown };
  const part = (name: 'any' | 'all' | 'none'): readonly CompiledPattern[] =>
    compilePatterns(parts[name], 'value', { path: pointer(at.path, name), report: at.report });
  return { type: 'strings', field, any: part('any'), all: part('all'), none: part('none') };
}

function unknownField(written: Written, field: string): PatternFault {
  const known = Object.keys(FACT_FIELDS[written.factClass]).join(', ');
  return {
    code: 'pattern_syntax',
    message: `\`${written.factClass}\` has no field \`${field}\``,
    start: 0,
    end: field.length,
    hint: `use one of ${known}`,
  };
}

function compileCheck(written: Written, field: string, report: Report): Check | undefined {
  const known = FACT_FIELDS[written.factClass];
  const definition = Object.hasOwn(known, field) ? known[field] : undefined;
  const value = written.test[field];
  const path = pointer(written.path, field);
  if (definition === undefined || value === undefined) {
    report(unknownField(written, field), path);
    return undefined;
  }
  // A leaf of a class is only ever given facts of that class, which is what its fields read.
  switch (definition.type) {
    case 'strings':
      return {
        ...stringsCheck(field, value, { path, report }),
        read: definition.read as StringsCheck['read'],
        raw: (definition.raw ?? definition.read) as StringsCheck['raw'],
      };
    case 'flag':
      return { type: 'flag', read: definition.read as (fact: AnyFact) => boolean, value: value === true };
    case 'numbers': {
      const numbers = value as readonly (number | NumberRange)[];
      return {
        type: 'numbers',
        read: definition.read as (fact: AnyFact) => readonly number[],
        values: new Set(numbers.filter((item) => typeof item === 'number')),
        ranges: numbers.filter((item) => typeof item !== 'number'),
      };
    }
    case 'commands':
      break;
  }
  const test = compileChecks({ factClass: 'command', test: value as FactTest, path }, report);
  return { type: 'commands', read: definition.read as (fact: AnyFact, facts: Facts) => readonly CommandFact[], test };
}

function compileChecks(written: Written, report: Report): Checks {
  const checks: Check[] = [];
  const unless: Checks[] = [];
  for (const field of Object.keys(written.test)) {
    if (field === 'at_least') continue;
    if (field === 'unless') {
      const exceptions = written.test[field] as readonly FactTest[];
      for (const [i, test] of exceptions.entries())
        unless.push(compileChecks({ ...written, test, path: `${written.path}/unless/${i}` }, report));
      continue;
    }
    const check = compileCheck(written, field, report);
    if (check !== undefined) checks.push(check);
  }
  return { checks, unless };
}

/** Compiles the test of one fact. */
export function compileFactTest(written: Written, report: Report): FactLeaf {
  const atLeast = written.test['at_least'];
  return {
    type: 'fact',
    factClass: written.factClass,
    ...compileChecks(written, report),
    atLeast: typeof atLeast === 'number' ? atLeast : 1,
  };
}
