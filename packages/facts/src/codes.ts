/** @module Codes: parameters that a page or an interpreter would take for its own language. */
import type { CodeFact } from '@countersign/protocol';
import type { CodeReading, CodeText } from './code-reading.ts';
import { readGraphql } from './graphql.ts';
import { FACTS_LIMITS } from './limits.ts';
import { readMarkup } from './markup.ts';
import type { Meter } from './meter.ts';
import { TRAIT } from './profile.ts';
import type { ReadText } from './read-text.ts';
import { readScriptCode } from './script.ts';

const READERS: readonly (readonly [CodeFact['language'], (code: CodeText) => CodeReading])[] = [
  ['html', readMarkup],
  ['script', readScriptCode],
  ['graphql', readGraphql],
];

/** Adds what a text is besides a value. Plain words are passed over. */
export function addCodes(codes: CodeFact[], { fact, profile }: ReadText, meter: Meter): void {
  if ((profile.mask & (TRAIT.syntax | TRAIT.colon)) === 0 && !fact.lower.includes('window.') && !fact.lower.includes('document.')) return;
  const { text, span, layers } = fact;
  for (const [language, read] of READERS) {
    const reading = read(fact);
    meter.steps += reading.steps;
    if (reading.features.length === 0) continue;
    if (codes.length >= FACTS_LIMITS.codesMax) {
      meter.cuts.add('codes');
      return;
    }
    const exact = layers.length === 0 && span.end - span.start === text.length;
    const place = exact ? { ...span, start: span.start + reading.start, end: span.start + reading.end } : span;
    codes.push({ span: place, language, features: reading.features, layers });
  }
}
