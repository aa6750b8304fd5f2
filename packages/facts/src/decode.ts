/**
 * @module Decode funnel: a leaf and everything it says when it is decoded, again and again until nothing changes.
 *
 * Each round applies every decoder of whole texts in turn, and each that changes something gives a layer; runs of base64 and hex,
 * hidden messages and other spellings start a branch of their own. A text is never decoded twice, so the work is bounded by the number of
 * different texts, each of which costs a fixed number of passes; depth and bytes have a budget besides.
 */
import type { Span, TextFact } from '@countersign/protocol';
import { decodeBackslash, decodePercent } from './decode-escapes.ts';
import { decodeHtml } from './decode-html.ts';
import { readInvisible } from './decode-invisible.ts';
import { decodeNfkc, hasDisguise, stripMarks } from './decode-nfkc.ts';
import { decodeRuns } from './decode-runs.ts';
import { foldHomoglyphs } from './homoglyphs.ts';
import type { Leaf } from './leaves.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { LiteralHits } from './literals.ts';
import type { Meter } from './meter.ts';
import { lowerOf, profileOf, TRAIT, type TextProfile } from './profile.ts';
import type { ReadText } from './read-text.ts';
import { SPELLINGS } from './spellings.ts';
import { meaningOfWord, wordsIn } from './text-index.ts';

interface Funnel {
  readonly leaf: Leaf;
  readonly meter: Meter;
  readonly out: ReadText[];
  readonly seen: Set<string>;
  readonly textsLeft: number;
  /** Regions that were read in another spelling, each with its number. */
  readonly respelt: Set<string>;
}

/** A text on its way: where it came from and how deep it is. */
interface Draft {
  readonly text: string;
  readonly span: Span;
  readonly layers: readonly string[];
  readonly depth: number;
}

const ESCAPED = TRAIT.percent | TRAIT.ampersand | TRAIT.backslash | TRAIT.nonAscii;
/** What has a lower case. */
const CASED = TRAIT.upper | TRAIT.nonAscii;
const NO_LAYERS: readonly string[] = [];
const NO_HITS: LiteralHits = [];
/** A key that is a name like any other: no digit, no sign, too short to hold anything. */
const PLAIN_KEY = /^[A-Za-z_]{1,24}$/;
const PLAIN_PROFILE: TextProfile = { mask: TRAIT.letter, digits: 0, longestRun: 0 };
/** Shortest run worth a look: `0x` and twelve digits, or base64. */
const RUN_MIN = 14;

/** What is known of a text before it is looked at. */
export interface KnownOfText {
  readonly profile: TextProfile;
  /** Words of a text in lower case. */
  wordsIn(lower: string): LiteralHits;
}

function readTextOf(leaf: Leaf, draft: Omit<Draft, 'depth'>, known: KnownOfText): ReadText {
  const { text, span, layers } = draft;
  const { profile } = known;
  const lower = (profile.mask & CASED) === 0 ? text : lowerOf(text);
  return { fact: { span, role: leaf.role, layers, text, lower }, profile, hits: known.wordsIn(lower), key: leaf.key };
}

/** Takes a decoded text in, with the names it adds to `encodings`, unless it is known, empty or over a budget. */
function admit(funnel: Funnel, draft: Draft, named: readonly string[]): ReadText | undefined {
  const { meter, out, seen } = funnel;
  if (draft.text === '' || seen.has(draft.text)) return undefined;
  if (out.length >= funnel.textsLeft) {
    meter.cuts.add('texts');
    return undefined;
  }
  if (meter.decodedChars + draft.text.length > FACTS_LIMITS.decodeCharsMax) {
    meter.cuts.add('decode-bytes');
    return undefined;
  }
  meter.decodedChars += draft.text.length;
  meter.steps += 2 * draft.text.length;
  seen.add(draft.text);
  for (const layer of named) meter.encodings.add(layer);
  const read = readTextOf(funnel.leaf, draft, { profile: profileOf(draft.text), wordsIn });
  out.push(read);
  return read;
}

interface Stage {
  /** Traits one of which a text must have. */
  readonly needs: number;
  run(text: string): { readonly text: string; readonly layers: readonly string[] } | undefined;
  /** False for a change that honest writing makes too: it gives a layer, and no name in `encodings`. */
  names?(text: string): boolean;
}

function single(layer: string, decoder: (text: string) => string | undefined): Stage['run'] {
  const layers = [layer];
  return (text) => {
    const decoded = decoder(text);
    return decoded === undefined ? undefined : { text: decoded, layers };
  };
}

const STAGES: readonly Stage[] = [
  { needs: TRAIT.percent, run: single('url', (text) => decodePercent(text, true)) },
  { needs: TRAIT.ampersand, run: single('html', decodeHtml) },
  { needs: TRAIT.backslash, run: decodeBackslash },
  {
    needs: TRAIT.nonAscii,
    run: (text) => {
      const found = readInvisible(text);
      return found === undefined ? undefined : { text: found.visible, layers: found.layers };
    },
  },
  { needs: TRAIT.nonAscii, run: single('nfkc', decodeNfkc), names: hasDisguise },
  { needs: TRAIT.nonAscii, run: single('marks', stripMarks) },
  { needs: TRAIT.nonAscii, run: single('homoglyph', foldHomoglyphs) },
];

/** One round of whole-text decoders; the last layer it gave, or undefined at the fixpoint. */
function round(funnel: Funnel, from: Draft): Draft | undefined {
  let at = from;
  let mask = profileOf(from.text).mask;
  for (const stage of STAGES) {
    if ((mask & stage.needs) === 0) continue;
    funnel.meter.steps += at.text.length;
    const found = stage.run(at.text);
    if (found === undefined || found.text === at.text) continue;
    const named = stage.names?.(at.text) === false ? [] : found.layers;
    at = { text: found.text, span: from.span, layers: at.layers.concat(found.layers), depth: from.depth + 1 };
    const read = admit(funnel, at, named);
    if (read === undefined) return undefined;
    branch(funnel, at, read);
    mask = read.profile.mask;
  }
  return at === from ? undefined : at;
}

/** Decodes `draft`, which is in already, to its fixpoint. */
function descend(funnel: Funnel, draft: Draft): void {
  let at: Draft | undefined = draft;
  while (at !== undefined) {
    const mask: number = profileOf(at.text).mask;
    if ((mask & ESCAPED) === 0) return;
    if (at.depth >= FACTS_LIMITS.decodeDepthMax) {
      if (STAGES.some((stage) => (mask & stage.needs) !== 0 && stage.run(at?.text ?? '') !== undefined))
        funnel.meter.cuts.add('decode-depth');
      return;
    }
    at = round(funnel, at);
  }
}

function branchTo(funnel: Funnel, draft: Draft): void {
  if (draft.depth > FACTS_LIMITS.decodeDepthMax) {
    funnel.meter.cuts.add('decode-depth');
    return;
  }
  const read = admit(funnel, draft, draft.layers.slice(-1));
  if (read === undefined) return;
  branch(funnel, draft, read);
  descend(funnel, draft);
}

function branchRuns(funnel: Funnel, from: Draft): void {
  const found = decodeRuns(from.text);
  funnel.meter.steps += found.steps;
  if (found.cut) funnel.meter.cuts.add('decode-bytes');
  for (const run of found.runs) {
    const span = from.layers.length > 0 ? from.span : { path: from.span.path, start: run.start, end: run.end };
    branchTo(funnel, { text: run.text, span, layers: [...from.layers, run.layer], depth: from.depth + 1 });
  }
}

function branchInvisible(funnel: Funnel, from: Draft): void {
  funnel.meter.steps += from.text.length;
  const found = readInvisible(from.text);
  if (found === undefined) return;
  const next = { span: from.span, depth: from.depth + 1 };
  if (found.hidden !== undefined) branchTo(funnel, { ...next, text: found.hidden, layers: [...from.layers, 'tags'] });
  if (found.shown !== undefined) branchTo(funnel, { ...next, text: found.shown, layers: [...from.layers, 'bidi'] });
}

function isLetterAt(text: string, at: number): boolean {
  const low = text.charCodeAt(at) | 0x20;
  return low >= 0x61 && low <= 0x7a;
}

function isHiddenWord(lower: string, start: number, end: number): boolean {
  return !(start > 0 && isLetterAt(lower, start - 1)) && !isLetterAt(lower, end);
}

/** A region in every spelling that one of its words betrays, each once. */
function branchSpellings(funnel: Funnel, from: Draft, read: ReadText): void {
  const { hits, fact } = read;
  const place = `${from.span.start}-${from.span.end}`;
  for (let i = 0; i < hits.length; i += 3) {
    const number = meaningOfWord(hits[i] ?? -1).spelling;
    const spelling = SPELLINGS[number];
    if (spelling === undefined || from.layers.includes(spelling.layer) || funnel.respelt.has(`${number}:${place}`)) continue;
    if (spelling.alone && !isHiddenWord(fact.lower, hits[i + 1] ?? 0, hits[i + 2] ?? 0)) continue;
    funnel.respelt.add(`${number}:${place}`);
    funnel.meter.steps += 2 * from.text.length;
    for (const text of spelling.decode(from.text))
      branchTo(funnel, { text, span: from.span, layers: [...from.layers, spelling.layer], depth: from.depth + 1 });
  }
}

/** Branches that leave the text itself as it is. */
function branch(funnel: Funnel, from: Draft, read: ReadText): void {
  if (read.profile.longestRun >= RUN_MIN) branchRuns(funnel, from);
  if ((read.profile.mask & TRAIT.nonAscii) !== 0) branchInvisible(funnel, from);
  if (read.hits.length > 0) branchSpellings(funnel, from, read);
}

/** False for a text that no decoder could change: the usual case, and the reason why plain text is cheap. */
function mayHide(read: ReadText): boolean {
  const { profile, hits } = read;
  if ((profile.mask & ESCAPED) !== 0 || profile.longestRun >= RUN_MIN) return true;
  for (let i = 0; i < hits.length; i += 3) if (meaningOfWord(hits[i] ?? -1).spelling >= 0) return true;
  return false;
}

/**
 * The leaf and all its layers, the leaf first. Whole-leaf layers carry the span of the leaf, embedded runs their own.
 * `textsLeft` is how many texts the action may still have. Adds what was cut to `meter`.
 */
export function decodeLeaf(leaf: Leaf, meter: Meter, options: { readonly textsLeft: number; readonly known?: KnownOfText }): ReadText[] {
  const { text } = leaf;
  const span: Span = { path: leaf.path, start: 0, end: text.length };
  meter.steps += text.length;
  if (leaf.role === 'key' && PLAIN_KEY.test(text)) {
    const fact: TextFact = { span, role: 'key', layers: NO_LAYERS, text, lower: text.toLowerCase() };
    return [{ fact, profile: PLAIN_PROFILE, hits: NO_HITS, key: '' }];
  }
  const known = options.known ?? { profile: profileOf(leaf.text), wordsIn };
  const { profile } = known;
  const read = readTextOf(leaf, { text, span, layers: NO_LAYERS }, known);
  meter.steps += text.length;
  if (!mayHide(read)) return [read];
  const draft: Draft = { text, span, layers: NO_LAYERS, depth: 0 };
  const funnel: Funnel = { leaf, meter, out: [read], seen: new Set([leaf.text]), textsLeft: options.textsLeft, respelt: new Set() };
  branch(funnel, draft, read);
  if ((profile.mask & ESCAPED) !== 0) descend(funnel, draft);
  return funnel.out;
}
