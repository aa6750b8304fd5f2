/**
 * @module Signals of word families in what an action says: the text itself and every layer that was decoded out of it.
 */
import type { Span, TextFact } from '@countersign/protocol';
import type { GuardContext } from './result.ts';
import { searchFamilies, type WordFamilies } from './word-families.ts';

/** Layers that only show where something invisible was taken out. */
const INVISIBLE: ReadonlySet<string> = new Set(['zero-width', 'bidi', 'tags']);

export interface TextSignals {
  /** Where each signal stands first, by id. */
  readonly spans: ReadonlyMap<string, Span>;
  readonly texts: readonly TextFact[];
  readonly invisible: boolean;
}

function spanOf({ span, layers }: TextFact, start: number, end: number): Span {
  // A decoded layer has no places of its own: the whole of what it came out of is shown.
  return layers.length > 0 ? span : { path: span.path, start: span.start + start, end: span.start + end };
}

/** Reads what the action says (its content); a parameter of a call is nobody's speech. */
export function textSignals(context: GuardContext, families: WordFamilies): TextSignals {
  const texts = context.facts.texts.filter(({ role }) => role === 'content');
  const spans = new Map<string, Span>();
  for (const text of texts) {
    for (const { signal, start, end } of searchFamilies(families, text.lower, context.counter)) {
      if (!spans.has(signal)) spans.set(signal, spanOf(text, start, end));
    }
  }
  return { spans, texts, invisible: texts.some(({ layers }) => layers.some((layer) => INVISIBLE.has(layer))) };
}

/** Some of what was said has not become a text. */
export function isUnread({ facts }: GuardContext): boolean {
  return facts.cuts.includes('texts') || facts.cuts.includes('bytes');
}
