/** @module What reading one rule document has found so far: faults with their places, and typed access to values. */
import { isJsonObject, pointer, type Fault, type JsonObject, type JsonValue } from '@countersign/kernel';
import { RULE_LIMITS } from './limits.ts';
import type { PatternFault } from './pattern-syntax.ts';

export type RuleFaultCode =
  | 'rule_yaml'
  | 'rule_too_large'
  | 'rule_type'
  | 'rule_unknown_field'
  | 'rule_missing_field'
  | 'rule_value'
  | 'rule_range'
  | 'rule_empty'
  | 'rule_too_deep'
  | 'rule_unbound'
  | 'rule_duplicate_id'
  | 'rule_too_many'
  | PatternFault['code'];

/** A fault of a rule document. `path` is a JSON pointer into it; line and column count from 1. */
export interface RuleFault extends Fault<RuleFaultCode> {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** Finds the offset of what a path names. */
export type Locate = (path: readonly (string | number)[]) => { readonly offset: number; readonly line: number; readonly column: number };

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 40) return undefined;
  return known.find((candidate) => editDistance(word, candidate) <= (word.length > 4 ? 2 : 1));
}

export class Reading {
  readonly source: string;
  readonly locate: Locate;
  readonly faults: RuleFault[] = [];
  /** Leaves of the rule that is being read. */
  leaves = 0;
  /** Dictionaries of the document. */
  dictionaries: ReadonlyMap<string, readonly string[]> = new Map();
  /** Words that dictionaries brought in so far, counted at each place where one is named. */
  dictionaryUses = 0;

  constructor(source: string, locate: Locate) {
    this.source = source;
    this.locate = locate;
  }

  /** `said` is what is wrong, alone or with what to do. */
  fault(
    code: RuleFaultCode,
    path: readonly (string | number)[],
    said: string | { readonly message: string; readonly hint: string | undefined },
  ): void {
    if (this.faults.length >= RULE_LIMITS.faultsMax) return;
    const { offset, line, column } = this.locate(path);
    const where = { path: path.reduce<string>(pointer, ''), span: { start: offset, end: offset }, source: this.source, line, column };
    const { message, hint } = typeof said === 'string' ? { message: said, hint: undefined } : said;
    this.faults.push(hint === undefined ? { code, message, ...where } : { code, message, hint, ...where });
  }

  /** The object when it is one with only the known fields, or with any where none are given; faults otherwise. */
  object(value: JsonValue | undefined, path: readonly (string | number)[], known?: readonly string[]): JsonObject | undefined {
    if (!isJsonObject(value)) {
      this.fault('rule_type', path, 'must be a mapping');
      return undefined;
    }
    for (const key of known === undefined ? [] : Object.keys(value)) {
      if (known === undefined || known.includes(key)) continue;
      const near = suggest(key, known);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${near}\`?`;
      this.fault('rule_unknown_field', [...path, key], { message: `unknown field \`${key.slice(0, 64)}\``, hint });
    }
    return value;
  }

  list(
    value: JsonValue | undefined,
    path: readonly (string | number)[],
    size: { readonly min: number; readonly max: number },
  ): readonly JsonValue[] {
    if (!Array.isArray(value)) {
      this.fault(value === undefined ? 'rule_missing_field' : 'rule_type', path, 'must be a list');
      return [];
    }
    // Array.isArray of a readonly array type gives any[]; what it holds is JSON.
    const items = value as readonly JsonValue[];
    if (items.length < size.min) this.fault('rule_empty', path, `must have at least ${size.min} ${size.min === 1 ? 'entry' : 'entries'}`);
    if (items.length > size.max) this.fault('rule_too_many', path, `must have at most ${size.max} entries`);
    return items.slice(0, size.max);
  }

  string(value: JsonValue | undefined, path: readonly (string | number)[], lengthMax = 1024): string {
    if (typeof value !== 'string') {
      this.fault(value === undefined ? 'rule_missing_field' : 'rule_type', path, {
        message: 'must be a string',
        hint: 'quote it if it looks like a number',
      });
      return '';
    }
    if (value.length === 0 || value.length > lengthMax) this.fault('rule_range', path, `must have 1 to ${lengthMax} characters`);
    return value;
  }

  integer(value: JsonValue | undefined, path: readonly (string | number)[], range: { readonly min: number; readonly max: number }): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max) return value;
    this.fault(value === undefined ? 'rule_missing_field' : 'rule_range', path, `must be a whole number from ${range.min} to ${range.max}`);
    return range.min;
  }

  oneOf(value: JsonValue | undefined, path: readonly (string | number)[], known: readonly string[]): string {
    if (typeof value === 'string' && known.includes(value)) return value;
    this.fault(value === undefined ? 'rule_missing_field' : 'rule_value', path, `must be one of ${known.join(', ')}`);
    return known[0] ?? '';
  }
}
