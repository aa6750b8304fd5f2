/**
 * @module Profile: one linear look at a text that decides which readers need to look again. Plain text costs this and no more.
 */

/** Bits of `TextProfile.mask`. */
export const TRAIT = {
  percent: 1,
  ampersand: 2,
  backslash: 4,
  nonAscii: 8,
  slash: 16,
  colon: 32,
  at: 64,
  digit: 128,
  letter: 256,
  control: 512,
  other: 1024,
  /** Quotes, brackets, operators: what code has and prose has little of. */
  syntax: 2048,
  /** A letter in upper case, beside `letter`. */
  upper: 4096,
  /** A dot, beside `other`. */
  dot: 8192,
} as const;

/** What a text holds, without saying where. */
export interface TextProfile {
  readonly mask: number;
  readonly digits: number;
  /** Longest run of base64, base64url or hex characters. */
  readonly longestRun: number;
}

const RUN = 0x8000;
const TRAITS: Uint16Array = buildTraits();

function buildTraits(): Uint16Array {
  const table = new Uint16Array(128).fill(TRAIT.other);
  for (let code = 0; code < 32; code += 1) table[code] = TRAIT.control;
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = TRAIT.digit | RUN;
  for (let code = 0x41; code <= 0x5a; code += 1) table[code] = TRAIT.letter | TRAIT.upper | RUN;
  for (let code = 0x61; code <= 0x7a; code += 1) table[code] = TRAIT.letter | RUN;
  for (const sign of '\'"`=;#()*|<>^{}[]') table[sign.charCodeAt(0)] = TRAIT.syntax;
  table[0x25] = TRAIT.percent;
  table[0x26] = TRAIT.ampersand;
  table[0x5c] = TRAIT.backslash;
  table[0x2f] = TRAIT.slash | RUN;
  table[0x2b] = TRAIT.other | RUN;
  table[0x2e] = TRAIT.other | TRAIT.dot;
  table[0x2d] = TRAIT.other | RUN;
  table[0x5f] = TRAIT.other | RUN;
  table[0x3a] = TRAIT.colon;
  table[0x40] = TRAIT.at;
  return table;
}

/** Looks once at every code unit of `text`. */
export function profileOf(text: string): TextProfile {
  let mask = 0;
  let digits = 0;
  let run = 0;
  let longestRun = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const trait = code < 128 ? (TRAITS[code] ?? 0) : TRAIT.nonAscii;
    mask |= trait;
    if ((trait & TRAIT.digit) !== 0) digits += 1;
    if ((trait & RUN) !== 0) run += 1;
    else {
      if (run > longestRun) longestRun = run;
      run = 0;
    }
  }
  if (run > longestRun) longestRun = run;
  return { mask: mask & 0x7fff, digits, longestRun };
}

/** `text` in lower case at the same length: a code unit whose lower case is longer stays as it is. */
export function lowerOf(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  let kept = '';
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charAt(i);
    const low = unit.toLowerCase();
    kept += low.length === 1 ? low : unit;
  }
  return kept;
}

/** Profile of texts joined by one space, from theirs. */
export function joinProfiles(profiles: readonly TextProfile[]): TextProfile {
  let mask: number = TRAIT.other;
  let digits = 0;
  let longestRun = 0;
  for (const profile of profiles) {
    mask |= profile.mask;
    digits += profile.digits;
    longestRun = Math.max(longestRun, profile.longestRun);
  }
  return { mask, digits, longestRun };
}
