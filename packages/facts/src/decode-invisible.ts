/**
 * @module Invisible text: characters that a reader does not see and a model or a parser does. Zero-width characters, bidirectional
 * controls (UAX 9, the Trojan Source trick), tag characters (U+E0000 block), variation selectors that carry bytes and zero-width
 * characters of two kinds that carry bits.
 * What is ordinary in living scripts stays: joiners and selectors in emoji, ZWNJ and ZWJ in Arabic and Indic words, a leading BOM.
 */
import { strictUtf8 } from './decode-utf8.ts';
import { FACTS_LIMITS } from './limits.ts';

/** What `readInvisible` found; each text is present only where it differs. */
export interface InvisibleText {
  /** Text without invisible characters, and the names of what was removed: `zero-width`, `bidi`, `tags`. */
  readonly visible: string;
  readonly layers: readonly string[];
  /** Characters that were removed. */
  readonly count: number;
  /** Message hidden in tag characters, in variation selectors or in zero-width bits. */
  readonly hidden?: string;
  /** Text in the order it is shown, where an override turns it round. */
  readonly shown?: string;
}

const ZERO_WIDTH: ReadonlySet<number> = new Set([
  0x00ad, 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180c, 0x180d, 0x180e, 0x180f, 0x200b, 0x200c, 0x200d, 0x2060, 0x2061, 0x2062,
  0x2063, 0x2064, 0x206a, 0x206b, 0x206c, 0x206d, 0x206e, 0x206f, 0x3164, 0xfeff, 0xffa0, 0xfff9, 0xfffa, 0xfffb,
]);
const BIDI: ReadonlySet<number> = new Set([0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069]);
const RLO = '\u202e';
const BLACK_FLAG = 0x1f3f4;
/** A flag of a region is at most this many tags. */
const FLAG_TAGS_MAX = 7;
/** Fewer selectors than this in a row are typography. */
const SELECTORS_MIN = 4;

type Kind = 'plain' | 'zero-width' | 'bidi' | 'tag' | 'selector';

function kindOf(point: number): Kind {
  if (point < 0xad) return 'plain';
  if (ZERO_WIDTH.has(point)) return 'zero-width';
  if (BIDI.has(point)) return 'bidi';
  if (point >= 0xe0000 && point <= 0xe007f) return 'tag';
  if ((point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0100 && point <= 0xe01ef)) return 'selector';
  return 'plain';
}

/** Scripts that need joiners: Arabic, Syriac, the Indic blocks, Sinhala to Khmer, Mongolian. */
function joinsLetters(point: number): boolean {
  return (point >= 0x0600 && point <= 0x08ff) || (point >= 0x0900 && point <= 0x109f) || (point >= 0x1780 && point <= 0x18af);
}

function isJoiner(point: number): boolean {
  return point === 0x200c || point === 0x200d;
}

interface Reading {
  visible: string;
  zeroWidth: boolean;
  bidi: boolean;
  tags: boolean;
  hidden: string;
  selectors: number[];
  count: number;
  /** Zero-width characters since the last visible one. */
  bits: number[];
  /** Last visible code point, and how many tags followed a black flag. */
  previous: number;
  flagTags: number;
}

function closeSelectors(reading: Reading): void {
  const { selectors } = reading;
  if (selectors.length >= SELECTORS_MIN) {
    reading.tags = true;
    reading.count += selectors.length;
    for (const byte of selectors) reading.hidden += String.fromCharCode(byte);
  } else if (reading.previous < 0x2000) {
    reading.zeroWidth = true;
    reading.count += selectors.length;
  }
  reading.selectors = [];
}

/** Bits of two zero-width characters, eight a byte. The first bit of a letter is zero, so the first character stands for zero. */
function closeBits(reading: Reading): void {
  const { bits } = reading;
  reading.bits = [];
  if (bits.length < FACTS_LIMITS.zeroWidthBitsMin || new Set(bits).size !== 2) return;
  const bytes = new Uint8Array(bits.length >> 3);
  for (let i = 0; i < bytes.length * 8; i += 1) {
    bytes[i >> 3] = ((bytes[i >> 3] ?? 0) << 1) | (bits[i] === bits[0] ? 0 : 1);
  }
  const text = strictUtf8(bytes);
  if (text === undefined) return;
  reading.tags = true;
  reading.hidden += text;
}

function readTag(reading: Reading, point: number): void {
  reading.flagTags = reading.previous === BLACK_FLAG ? reading.flagTags + 1 : FLAG_TAGS_MAX + 1;
  if (reading.flagTags > FLAG_TAGS_MAX) {
    reading.tags = true;
    reading.count += 1;
  }
  if (point >= 0xe0020 && point < 0xe007f) reading.hidden += String.fromCharCode(point - 0xe0000);
}

/** Invisible but ordinary here: kept in the text. */
function isOrdinary(reading: Reading, point: number, at: number): boolean {
  if (point === 0xfeff && at === 0) return true;
  if (!isJoiner(point)) return false;
  return joinsLetters(reading.previous) || (point === 0x200d && reading.previous >= 0x2190);
}

function readPoint(reading: Reading, point: number, at: number): void {
  const kind = kindOf(point);
  if (kind !== 'selector' && reading.selectors.length > 0) closeSelectors(reading);
  if (kind !== 'zero-width' && reading.bits.length > 0) closeBits(reading);
  switch (kind) {
    case 'plain':
      reading.visible += String.fromCodePoint(point);
      reading.previous = point;
      reading.flagTags = 0;
      return;
    case 'zero-width':
      reading.bits.push(point);
      if (isOrdinary(reading, point, at)) reading.visible += String.fromCodePoint(point);
      else {
        reading.zeroWidth = true;
        reading.count += 1;
      }
      return;
    case 'bidi':
      reading.bidi = true;
      reading.count += 1;
      return;
    case 'tag':
      readTag(reading, point);
      return;
    case 'selector':
      reading.selectors.push(point >= 0xe0100 ? point - 0xe0100 + 16 : point - 0xfe00);
      return;
  }
}

/** Every piece after an override, up to the next control, turned round by code points. */
function shownOrder(text: string): string {
  const pieces = text.split(RLO);
  let out = pieces[0] ?? '';
  for (const piece of pieces.slice(1)) {
    const close = piece.search(/[\u202a-\u202d\u2066-\u2069\n]/);
    const turned = close < 0 ? piece : piece.slice(0, close);
    out += Array.from(turned).reverse().join('') + (close < 0 ? '' : piece.slice(close));
  }
  return out;
}

/** Reads every code point once. */
function readingOf(text: string): Reading {
  const reading: Reading = {
    visible: '',
    zeroWidth: false,
    bidi: false,
    tags: false,
    hidden: '',
    selectors: [],
    count: 0,
    bits: [],
    previous: 0,
    flagTags: 0,
  };
  let at = 0;
  while (at < text.length) {
    const point = text.codePointAt(at) ?? 0;
    readPoint(reading, point, at);
    at += point > 0xffff ? 2 : 1;
  }
  if (reading.selectors.length > 0) closeSelectors(reading);
  if (reading.bits.length > 0) closeBits(reading);
  return reading;
}

/** Every character that is not plain here, and some that are; tags and the later selectors by the first half of their pair. */
const INVISIBLE =
  /[\u00ad\u02ff-\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdff-\ufe0f\ufeff\uffa0\ufff9-\ufffb\udb40]/;

/** Reads once; undefined where nothing is hidden. A flag of a region and an emoji sequence are nothing hidden. */
export function readInvisible(text: string): InvisibleText | undefined {
  if (!INVISIBLE.test(text)) return undefined;
  const reading = readingOf(text);
  const layers: string[] = [];
  if (reading.zeroWidth) layers.push('zero-width');
  if (reading.bidi) layers.push('bidi');
  if (reading.tags) layers.push('tags');
  if (layers.length === 0) return undefined;
  return {
    visible: reading.visible,
    layers,
    count: reading.count,
    ...(reading.tags && reading.hidden !== '' ? { hidden: reading.hidden } : {}),
    ...(text.includes(RLO) ? { shown: shownOrder(text) } : {}),
  };
}

/** How many characters of `text` are hidden from a reader; those that are ordinary where they stand do not count. */
export function countInvisible(text: string): number {
  return readInvisible(text)?.count ?? 0;
}
