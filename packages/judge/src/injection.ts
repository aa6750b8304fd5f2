/**
 * @module D6, injection: how much in the texts of an action tries to steer a model, in thousandths from 0 to 3000. The families of
 * ClawSentry are rules of ours (pack `d6`, told apart by their category); other rules that block a text count as strong ones.
 */
import { countInvisible } from '@countersign/facts';
import type { Action, Facts, Finding } from '@countersign/protocol';
import { INJECTION_WEIGHTS as WEIGHTS, SCORE_WEIGHTS } from './limits.ts';

/** Where the text of an action comes from. */
export type ContentOrigin = 'external' | 'user' | 'unknown';

/** What speaks for an injection. */
export interface InjectionSigns {
  readonly invisible: number;
  /** Distinct families of each strength. */
  readonly weak: number;
  readonly strong: number;
  readonly toolSpecific: number;
  readonly origin: ContentOrigin;
}

/** Thousandths, 0 to 3000. `external` is what an external origin adds. */
export function injectionScore(signs: InjectionSigns, external: number = WEIGHTS.external): number {
  const score =
    Math.min(signs.invisible * WEIGHTS.invisible, WEIGHTS.invisibleMax) +
    Math.min(signs.weak * WEIGHTS.weak, WEIGHTS.weakMax) +
    Math.min(signs.strong * WEIGHTS.strong, WEIGHTS.strongMax) +
    Math.min(signs.toolSpecific * WEIGHTS.toolSpecific, WEIGHTS.toolSpecificMax) +
    (signs.origin === 'external' ? external : 0);
  return Math.min(score, WEIGHTS.max);
}

const SCRATCH = /^\/(?:private\/)?(?:var\/)?tmp\//;
const FETCHES = /^(?:http|web|browser|search)[._]|[._](?:fetch|search)$|^(?:fetch|web_?search|web_?fetch)$/;
const FILE_TOOL = /(?:^|[._])(?:read|write|edit|create|append|patch)_?file$|^(?:edit|apply_patch|str_replace)$/;

/**
 * Where the text comes from, by what the action does and never by what it says of itself: from the network, or from a directory that
 * everybody writes to, it is external.
 */
export function originOf({ kind, tool = '' }: Action, { hosts, paths, commands }: Facts): ContentOrigin {
  if (kind === 'net.egress' || FETCHES.test(tool.toLowerCase())) return 'external';
  if (kind === 'shell.exec' || commands.length > 0) return hosts.length > 0 ? 'external' : 'user';
  if (kind.startsWith('file.') || FILE_TOOL.test(tool.toLowerCase()))
    return paths.some(({ normalized }) => SCRATCH.test(normalized)) ? 'external' : 'user';
  return kind === 'prompt.input' || kind.startsWith('input.') ? 'user' : 'unknown';
}

const INVISIBLE_LAYERS: ReadonlySet<string> = new Set(['zero-width', 'bidi', 'tags']);

/** Counted on leaves as they came, and only where a decoder saw that something is hidden. */
function invisibleIn({ texts, encodings }: Facts): number {
  if (encodings.length === 0 || !encodings.some((name) => INVISIBLE_LAYERS.has(name))) return 0;
  let count = 0;
  for (const { role, layers, text } of texts) if (role !== 'joined' && layers.length === 0) count += countInvisible(text);
  return count;
}

/** Categories of the rules of pack `d6`. An operator's own rules of these categories count as well. */
const FAMILY_CATEGORIES = { weak: 'injection-weak', strong: 'injection-strong', toolSpecific: 'injection-tool' } as const;

/** The families that were found, with nothing but them. */
export function injectionSigns(action: Action, facts: Facts, findings: readonly Finding[]): InjectionSigns {
  let [weak, strong, toolSpecific] = [0, 0, 0];
  for (const { category } of findings) {
    if (category === FAMILY_CATEGORIES.weak) weak += 1;
    else if (category === FAMILY_CATEGORIES.strong) strong += 1;
    else if (category === FAMILY_CATEGORIES.toolSpecific) toolSpecific += 1;
  }
  return { invisible: invisibleIn(facts), weak, strong, toolSpecific, origin: originOf(action, facts) };
}

const FAMILIES: ReadonlySet<string> = new Set(Object.values(FAMILY_CATEGORIES));
/** Categories of rules that speak of what is said to a model. */
const STEERS: ReadonlySet<string> = new Set([
  'prompt-injection',
  'jailbreak',
  'delimiter-abuse',
  'prompt-extraction',
  'indirect-injection',
  'encoded-injection',
  'goal-hijack',
  'tool-poisoning',
  'agent-impersonation',
  'schema-injection',
  'memory-poisoning',
]);

/** D6 of an action: its families, and no less than what the other rules on steering say. */
export function injectionDimension(action: Action, facts: Facts, findings: readonly Finding[]): number {
  const signs = injectionSigns(action, facts, findings);
  if (findings.length === 0) return injectionScore(signs);
  const steering = findings.filter(({ category }) => STEERS.has(category) && !FAMILIES.has(category));
  const strong = steering.filter(({ score }) => score >= SCORE_WEIGHTS.blocks).length;
  const ours = injectionScore({ ...signs, strong, weak: steering.length - strong, toolSpecific: 0 });
  return Math.max(injectionScore(signs), ours);
}
