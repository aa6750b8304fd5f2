/**
 * @module What a field of a policy document can hold, as data, and the short words in which `fields.ts` and the sections say it.
 */
import { POLICY_LIMITS } from './limits.ts';

/** Of counts that are written in a document. */
export const COUNT_MAX = 1_000_000_000;

export type Pattern =
  | 'path-glob'
  | 'host-glob'
  | 'frozen-host'
  | 'regex'
  | 'tool-glob'
  | 'reference'
  | 'rule-id'
  | 'scope'
  | 'label'
  | 'posture-name'
  | 'posture-from'
  | 'duration'
  | 'tool-prefix'
  | 'url-path'
  | 'plain-host'
  | 'header-name'
  | 'guard-package'
  | 'sha256'
  | 'secret-name';

export type Field =
  | { readonly is: 'text'; readonly max: number; readonly pattern?: Pattern; readonly blank?: boolean }
  | { readonly is: 'flag' }
  | { readonly is: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  /** `refused` are words of the format that are not carried out, with the reason. */
  | { readonly is: 'word'; readonly words: ReadonlyMap<string, string>; readonly refused?: ReadonlyMap<string, string> }
  | { readonly is: 'list'; readonly item: Field; readonly key?: string }
  /** A number above 0 and up to 1 with at most two decimals, kept as thousandths. */
  | { readonly is: 'score' }
  /** Keys of one kind, each with a value of one kind. */
  | { readonly is: 'map'; readonly keys: Field; readonly item: Field }
  /** A mapping of any form, its canonical JSON bounded in characters. */
  | { readonly is: 'object'; readonly charsMax: number }
  /** A mapping whose shape its `key` says; `other` where none is known by that name. */
  | { readonly is: 'by'; readonly key: string; readonly shapes: ReadonlyMap<string, Shape>; readonly other: Shape }
  | Shape;

export interface Shape {
  readonly is: 'shape';
  readonly fields: ReadonlyMap<string, Field>;
  readonly required?: readonly string[];
  /** Fields that the format knows and this version does not carry out. */
  readonly unsupported?: ReadonlySet<string>;
  /** Fields where a bare key (null) means what leaving it out means. */
  readonly nullable?: ReadonlySet<string>;
}

export function words(table: Readonly<Record<string, string>>, refused?: Readonly<Record<string, string>>): Field {
  const known = new Map(Object.entries(table));
  return refused === undefined ? { is: 'word', words: known } : { is: 'word', words: known, refused: new Map(Object.entries(refused)) };
}

/** Words that mean themselves. */
export function wordsOf(known: readonly string[]): Field {
  return words(Object.fromEntries(known.map((word) => [word, word])));
}

export function whole(min: number, max: number): Field {
  return { is: 'number', min, max, whole: true };
}

export function text(pattern: Pattern): Field {
  return { is: 'text', max: pattern === 'regex' ? POLICY_LIMITS.regexCharsMax : POLICY_LIMITS.entryCharsMax, pattern };
}

export function list(item: Field, key?: string): Field {
  return key === undefined ? { is: 'list', item } : { is: 'list', item, key };
}

export function shape(fields: Readonly<Record<string, Field>>, extra: Omit<Shape, 'is' | 'fields'> = {}): Shape {
  return { is: 'shape', fields: new Map(Object.entries(fields)), ...extra };
}
