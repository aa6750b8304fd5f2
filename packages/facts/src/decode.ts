/**
 * @module Decode funnel: a leaf and everything it says when it is decoded, again and again until nothing changes.
 *
 * Each round applies every decoder of whole texts in turn, and each that changes something gives a layer; runs of base64 and hex,
 * hidden messages and ROT13 start a branch of their own. A text is never decoded twice, so the work is bounded by the number of
 * different texts, each of which costs a fixed number of passes; depth and bytes have a budget besides.
 */
import type { Span, TextFact } from '@countersign/protocol';
import { decodeBackslash, decodePercent } from './decode-escapes.ts';
import { decodeHtml } from './decode-html.ts';
import { readInvisible } from './decode-invisible.ts';
import { decodeNfkc } from './decode-nfkc.ts';
import { decodeRuns } from './decode-runs.ts';
import { foldHomoglyphs } from './homoglyphs.ts';
import type { Leaf } from './leaves.ts';
import { FACTS_LIMITS } from './limits.ts';
import { compileLiterals } from './literals.ts';
import type { Meter } from './meter.ts';
import { lowerOf, profileOf, TRAIT, type TextProfile } from './profile.ts';
import { rot13, ROT13_WORDS } from './rot13.ts';

/** A text with what the other readers want to know of it. */
export interface ReadText {
  readonly fact: TextFact;
  readonly profile: TextProfile;
  /** Key of the leaf it came from. */
  readonly key: string;
}

interface Funnel {
  readonly leaf: Leaf;
  readonly meter: Meter;
  readonly out: ReadText[];
  readonly seen: Set<string>;
  readonly textsLeft: number;
}

/** A text on its way: where it came from and how deep it is. */
interface Draft {
  readonly text: string;
  readonly span: Span;
  readonly layers: readonly string[];
  readonly depth: number;
}

const rotIndex = compileLiterals(ROT13_WORDS);
const ESCAPED = TRAIT.percent | TRAIT.ampersand | TRAIT.backslash | TRAIT.nonAscii;
const ROT_LETTERS_MIN = 4;

function readTextOf(funnel: Funnel, draft: Draft, profile: TextProfile): ReadText {
  const { text, span, layers } = draft;
  return { fact: { span, role: funnel.leaf.role, layers, text, lower: lowerOf(text) }, profile, key: funnel.leaf.key };
}

/** Takes a decoded text in, unless it is known, empty or over a budget. */
function admit(funnel: Funnel, draft: Draft): ReadText | undefined {
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
  meter.steps += draft.text.length;
  seen.add(draft.text);
  for (const layer of draft.layers) meter.encodings.add(layer);
  const read = readTextOf(funnel, draft, profileOf(draft.text));
  out.push(read);
  return read;
}

interface Stage {
  /** Traits one of which a text must have. */
  readonly needs: number;
  run(text: string): { readonly text: string; readonly layers: readonly string[] } | undefined;
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
  { needs: TRAIT.nonAscii, run: single('nfkc', decodeNfkc) },
  { needs: TRAIT.nonAscii, run: single('homoglyph', foldHomoglyphs) },
];

/** One round of whole-text decoders; the last layer it gave, or undefined at the fixpoint. */
function round(funnel: Funnel, from: Draft): Draft | undefined {
  let { text, layers } = from;
  let mask = profileOf(text).mask;
  let changed: Draft | undefined;
  for (const stage of STAGES) {
    if ((mask & stage.needs) === 0) continue;
    funnel.meter.steps += text.length;
    const found = stage.run(text);
    if (found === undefined || found.text === text) continue;
    text = found.text;
    layers = [...layers, ...found.layers];
    const draft: Draft = { text, span: from.span, layers, depth: from.depth + 1 };
    const read = admit(funnel, draft);
    if (read === undefined) return undefined;
    branch(funnel, draft, read);
    mask = read.profile.mask;
    changed = draft;
  }
  return changed;
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
  const read = admit(funnel, draft);
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

function branchRot13(funnel: Funnel, from: Draft, lower: string): void {
  if (lower.length < ROT_LETTERS_MIN || from.layers.includes('rot13')) return;
  funnel.meter.steps += lower.length;
  let hit = false;
  rotIndex.scan(lower, (_word, start, end) => {
    hit ||= !(start > 0 && isLetterAt(lower, start - 1)) && !isLetterAt(lower, end);
  });
  if (hit) branchTo(funnel, { text: rot13(from.text), span: from.span, layers: [...from.layers, 'rot13'], depth: from.depth + 1 });
}

/** Branches that leave the text itself as it is. */
function branch(funnel: Funnel, from: Draft, read: ReadText): void {
  if (read.profile.longestRun >= FACTS_LIMITS.hexRunMin / 2 + 2) branchRuns(funnel, from);
  if ((read.profile.mask & TRAIT.nonAscii) !== 0) branchInvisible(funnel, from);
  branchRot13(funnel, from, read.fact.lower);
}

/**
 * The leaf and all its layers, the leaf first. Whole-leaf layers carry the span of the leaf, embedded runs their own.
 * `textsLeft` is how many texts the action may still have. Adds what was cut to `meter`.
 */
export function decodeLeaf(leaf: Leaf, meter: Meter, textsLeft: number): ReadText[] {
  const profile = profileOf(leaf.text);
  meter.steps += leaf.text.length;
  const funnel: Funnel = { leaf, meter, out: [], seen: new Set([leaf.text]), textsLeft };
  const draft: Draft = { text: leaf.text, span: { path: leaf.path, start: 0, end: leaf.text.length }, layers: [], depth: 0 };
  const read = readTextOf(funnel, draft, profile);
  funnel.out.push(read);
  branch(funnel, draft, read);
  if ((profile.mask & ESCAPED) !== 0) descend(funnel, draft);
  return funnel.out;
}
