/**
 * @module Rules: the document as people write it, and the set as machines hash and load it. `spec/rules.md` is the reference.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Severity, Tags } from '@countersign/protocol';
import type { FactClass } from './fact-fields.ts';

/**
 * One pattern, in lower case unless it is `cased`: then it is held against the text as it came. A string is a phrase in texts (a space stands for 1 to 8 white-space characters) and the whole value
 * elsewhere (with `*` as wildcard); `word` is a phrase that stands by itself; `regex` is an expression, in which `.` matches any character.
 */
export type Pattern = string | { readonly regex: string; readonly cased?: true } | { readonly word: string };

/** From and to, both included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** A dictionary of whole words and phrases, each a pattern of its own. Documents name one, `{dictionary: name}`; a rule holds its words. */
export interface WordList {
  readonly words: readonly string[];
}

/** What the texts of an action must show. */
export interface TextTest {
  /** One of these is there. */
  readonly any: readonly (Pattern | WordList)[];
  /** All of these are in the same window as it. */
  readonly near?: readonly Pattern[];
  /** None of these lies over it: an exception must contain what it lifts. */
  readonly unless?: readonly Pattern[];
  /** None of these is in the same window: for what makes a text harmless wherever it stands. A decoy does the same, so only low stakes bear it. */
  readonly unless_near?: readonly Pattern[];
  /** Default: `param`, `content`, `joined`. */
  readonly roles?: readonly string[];
  /** `plain`: as it came; `decoded`: only under an encoding; default both. */
  readonly layers?: 'plain' | 'decoded';
  /** Last segment of the leaf's pointer: only in these, or everywhere but in these. */
  readonly keys?: readonly string[];
  readonly except_keys?: readonly string[];
  /** Only texts of at most this many code units. */
  readonly max_length?: number;
  /** How many different patterns of `any` must be there; default 1. */
  readonly at_least?: number;
}

/** Patterns for a field: any of a list, or spelled out. */
export type StringTest =
  | readonly Pattern[]
  | { readonly any?: readonly Pattern[]; readonly all?: readonly Pattern[]; readonly none?: readonly Pattern[] };

/** What one fact must be like: every field must hold. The fields are those of `FACT_FIELDS`. */
export interface FactTest {
  readonly [field: string]:
    | StringTest
    | readonly string[]
    | readonly (number | NumberRange)[]
    | boolean
    | number
    | FactTest
    | readonly FactTest[];
}

/** What must hold of an action. Exactly one key. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly at_least: number; readonly of: readonly Condition[] }
  | { readonly text: TextTest }
  | { readonly [K in FactClass]?: FactTest };

/** One rule as it is hashed, loaded and matched. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  /** Thousandths, 1..1000. */
  readonly score: number;
  /** Paranoia level from which the rule speaks, 1..4. */
  readonly level: number;
  /** Kinds of action, sorted; a `*` at the end stands for the rest. */
  readonly kinds: readonly string[];
  readonly when: Condition;
  readonly tags: Tags;
  readonly exemptable: boolean;
}

/** A sketch of an action that a rule must, or must not, find something in. Exactly one of the forms; see `spec/rules.md`. */
export interface ExampleSketch {
  readonly [form: string]: JsonValue;
}

export interface RuleExamples {
  readonly positive: readonly ExampleSketch[];
  readonly negative: readonly ExampleSketch[];
}

/** A rule with its examples, as it stands in a document. */
export interface WrittenRule {
  readonly rule: Rule;
  readonly examples: RuleExamples;
}

/** One validated document. */
export interface RuleDocument {
  readonly version: 1;
  readonly pack: string;
  readonly description: string;
  readonly rules: readonly WrittenRule[];
}

/** All rules of all documents, sorted by id, as plain JSON and without examples: JCS of this is what receipts hash. */
export interface RuleSet {
  readonly version: 1;
  readonly packs: readonly string[];
  readonly rules: readonly Rule[];
}
