/**
 * @module Prose: texts that others wrote for a model to read, as the classifier sees them. Parameters of calls, commands and statements are not
 * prose, and cost nothing here.
 */
import type { Action, ProseFact, TextFact } from '@countersign/protocol';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import { TRAIT } from './profile.ts';
import type { ReadText } from './read-text.ts';
import { PROSE_MODEL } from './text-classifier-weights.ts';
import { type ProseModel, proseScore, readProse } from './text-classifier.ts';
import { wordSet } from './word-set.ts';

const PROSE_KINDS = wordSet('prompt.input model.output tool.response agent.message');
const LETTERS = TRAIT.letter | TRAIT.nonAscii;

/** What the model makes of one text, and the code units it looked at. */
export function weighProse(
  { span, role, layers, lower }: TextFact,
  model: ProseModel,
): { readonly fact: ProseFact | undefined; readonly sum: number; readonly steps: number } {
  const { sum, words, start, end, steps } = readProse(lower, model);
  if (words < FACTS_LIMITS.proseWordsMin || sum < model.likely) return { fact: undefined, sum, steps };
  const place = layers.length > 0 ? span : { path: span.path, start: span.start + start, end: span.start + end };
  const strength = sum >= model.strong ? 'strong' : 'likely';
  return { fact: { span: place, role, layers, strength, score: proseScore(sum, model) }, sum, steps };
}

function isProse({ fact, profile }: ReadText, content: boolean): boolean {
  if (fact.role !== 'descriptor' && !(content && fact.role === 'content')) return false;
  return fact.text.length >= FACTS_LIMITS.proseCharsMin && (profile.mask & LETTERS) !== 0;
}

/** What reads like an attempt to take over the model, in document order; undefined where there is none. */
export function proseFacts(action: Action, texts: readonly ReadText[], meter: Meter): readonly ProseFact[] | undefined {
  const content = action.content !== undefined && PROSE_KINDS.has(action.kind);
  if (!content && action.descriptor === undefined) return undefined;
  const found: ProseFact[] = [];
  for (const read of texts) {
    if (found.length >= FACTS_LIMITS.proseMax) break;
    if (!isProse(read, content)) continue;
    const { fact, steps } = weighProse(read.fact, PROSE_MODEL);
    meter.steps += steps;
    if (fact !== undefined) found.push(fact);
  }
  return found.length === 0 ? undefined : found;
}
