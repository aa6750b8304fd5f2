/** @module Compiles the test of an action's texts. */
import type { TextFact } from '@countersign/protocol';
import { compilePatterns, type Report } from './compile-facts.ts';
import { dictionaryWord, isSelective, type DictionaryWord } from './dictionaries.ts';
import { RULE_LIMITS } from './limits.ts';
import type { PatternFault } from './pattern-syntax.ts';
import type { CompiledPattern } from './pattern.ts';
import type { Pattern, TextTest, WordList } from './rule.ts';

export interface TextLeaf {
  readonly type: 'text';
  readonly any: readonly CompiledPattern[];
  /** Dictionary words; their positions follow those of the written list. */
  readonly words: readonly DictionaryWord[];
  readonly near: readonly CompiledPattern[];
  readonly unless: readonly CompiledPattern[];
  readonly unlessNear: readonly CompiledPattern[];
  readonly roles: ReadonlySet<string>;
  readonly layers: 'plain' | 'decoded' | 'both';
  readonly keys: ReadonlySet<string> | undefined;
  readonly exceptKeys: ReadonlySet<string>;
  readonly maxLength: number;
  readonly atLeast: number;
}

const DEFAULT_ROLES = ['param', 'content', 'joined'] as const;

function isWordList(item: Pattern | WordList): item is WordList {
  return typeof item === 'object' && 'words' in item;
}

/** Words of all dictionaries in the list, numbered after its own patterns. */
function compileWords(written: readonly (Pattern | WordList)[], path: string, report: Report): readonly DictionaryWord[] {
  const compiled: DictionaryWord[] = [];
  let position = written.length;
  for (const [i, item] of written.entries()) {
    if (!isWordList(item)) continue;
    for (const [at, word] of item.words.entries()) {
      const read = dictionaryWord(word, position);
      position += 1;
      if (read.ok) compiled.push(read.value);
      else report(read.error, `${path}/any/${i}/words/${at}`);
    }
  }
  return compiled;
}

function needLiteral(pattern: CompiledPattern): PatternFault | undefined {
  if (pattern.literals.length > 0 && pattern.literals.every(isSelective)) return undefined;
  const message = `a text pattern must contain a literal of at least ${RULE_LIMITS.literalCharsMin} characters by which it is found`;
  return { code: 'pattern_without_literal', message, start: 0, end: 0, hint: 'put a fixed word outside of every optional part' };
}

/** Compiles the test; a pattern by which no literal leads is refused here, for texts have no other bound. */
export function compileTextTest(test: TextTest, path: string, report: Report): TextLeaf {
  const any = compilePatterns(test.any, 'phrase', { path: `${path}/any`, report, check: needLiteral, skip: isWordList });
  return {
    type: 'text',
    any,
    words: compileWords(Array.isArray(test.any) ? test.any : [], path, report),
    near: compilePatterns(test.near, 'phrase', { path: `${path}/near`, report }),
    unless: compilePatterns(test.unless, 'phrase', { path: `${path}/unless`, report }),
    unlessNear: compilePatterns(test.unless_near, 'phrase', { path: `${path}/unless_near`, report }),
    roles: new Set(test.roles ?? DEFAULT_ROLES),
    layers: test.layers ?? 'both',
    keys: test.keys === undefined ? undefined : new Set(test.keys),
    exceptKeys: new Set(test.except_keys),
    maxLength: test.max_length ?? Infinity,
    atLeast: test.at_least ?? 1,
  };
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).toLowerCase();
}

/** True when the leaf looks at this text at all. */
export function looksAt(leaf: TextLeaf, text: TextFact): boolean {
  if (!leaf.roles.has(text.role) || text.text.length > leaf.maxLength) return false;
  if (leaf.layers !== 'both' && (text.layers.length === 0) !== (leaf.layers === 'plain')) return false;
  if (leaf.keys === undefined && leaf.exceptKeys.size === 0) return true;
  const key = lastSegment(text.span.path);
  return !leaf.exceptKeys.has(key) && (leaf.keys === undefined || leaf.keys.has(key));
}
