/**
 * @module Homoglyphs: letters of other scripts that look like ASCII ones (after Unicode TR 39, own table). A word is folded when it mixes
 * scripts, or when the text holds no letter that only a native text would have: Russian and Greek prose stays as it is.
 */

/** Look-alikes by script; each string lists pairs of look-alike and ASCII letter. */
const CYRILLIC = 'аaвBеeкKмMнHоoрpсcтTуyхxѕsіiјjһhԁdԛqԝwүyҮYӏlѵvґrАAВBЕEКKМMНHОOРPСCТTУYХXЅSІIЈJҺHԜWԚQӀIѴVҐГпnгrьbЬbиuИUшwШWцuзэ'.slice(
  0,
  -2,
);
const GREEK = 'αaβBεeηnικιiκkνvοoρpτtυuχxγyςcωwϲcϳjΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCͿJ'.replace('ικιi', 'ιi');
const OTHER =
  'ոnօoսuհhցgզqւlɡgɑaɩiʟlɪiɢgɴnʀrʏyᴀaʙbᴄcᴅdᴇeꜰfʜhᴊjᴋkᴍmᴏoᴘpꜱsᴛtᴜuᴠvᴡwᴢzıiȷjſsꓐBꓚCꓓDꓰEꓖGꓧHꓲIꓙJꓗKꓡLꓟMꓠNꓳOꓑPꓣRꓢSꓔTꓴUꓦVꓪWꓫXꓬYꓮAꓜZᎪAᏴBᏟCᎠDᎬEᏀGᎻHᎥiᎫJᏦKᏞLᎷMᏢPᎡRᏚSᎢTᏙVᎳWᏃZ';

/** U+1F130 blocks that NFKC leaves: negative circled and negative squared capitals. */
const CAPITAL_BLOCKS = [0x1f150, 0x1f170] as const;

/** ASCII letter for a code point. */
const FOLD: ReadonlyMap<number, string> = buildFold();

function buildFold(): Map<number, string> {
  const fold = new Map<number, string>();
  for (const pairs of [CYRILLIC, GREEK, OTHER]) {
    const signs = Array.from(pairs);
    for (let i = 0; i + 1 < signs.length; i += 2) fold.set((signs[i] ?? '').codePointAt(0) ?? 0, signs[i + 1] ?? '');
  }
  for (const base of CAPITAL_BLOCKS) {
    for (let i = 0; i < 26; i += 1) fold.set(base + i, String.fromCharCode(0x41 + i));
  }
  return fold;
}

type Script = 0 | 1 | 2 | 4 | 8 | 16;
const LATIN = 1;
const GREEK_SCRIPT = 2;
const CYRILLIC_SCRIPT = 4;
const OTHER_SCRIPT = 8;
const ENCLOSED = 16;

/** Blocks of letters; the multiplication and division signs stand among the Latin ones and are left out. */
const BLOCKS: readonly (readonly [from: number, to: number, script: Script])[] = [
  [0xc0, 0xd6, LATIN],
  [0xd8, 0xf6, LATIN],
  [0xf8, 0x24f, LATIN],
  [0x250, 0x2af, OTHER_SCRIPT],
  [0x370, 0x3ff, GREEK_SCRIPT],
  [0x400, 0x52f, CYRILLIC_SCRIPT],
  [0x1f00, 0x1fff, GREEK_SCRIPT],
  [0x1f150, 0x1f189, ENCLOSED],
];

function isAsciiLetter(point: number): boolean {
  const low = point | 0x20;
  return low >= 0x61 && low <= 0x7a;
}

/** Script of a letter as far as mixing matters; 0 for what is no letter here. */
function scriptOf(point: number): Script {
  if (point < 0x80) return isAsciiLetter(point) ? LATIN : 0;
  const block = BLOCKS.find(([from, to]) => point >= from && point <= to);
  if (block !== undefined) return block[2];
  return FOLD.has(point) ? OTHER_SCRIPT : 0;
}

interface Survey {
  /** Some word mixes scripts and all its foreign letters are look-alikes. */
  mixed: boolean;
  /** Some letter of a foreign script is no look-alike. */
  native: boolean;
  /** Some letter is a look-alike. */
  foldable: boolean;
}

function surveyOf(text: string): Survey {
  const survey: Survey = { mixed: false, native: false, foldable: false };
  let scripts = 0;
  let strangers = false;
  const closeWord = (): void => {
    if (!strangers && (scripts & (scripts - 1)) !== 0) survey.mixed = true;
    scripts = 0;
    strangers = false;
  };
  for (let at = 0; at < text.length; at += 1) {
    const point = text.codePointAt(at) ?? 0;
    if (point > 0xffff) at += 1;
    const script = scriptOf(point);
    if (script === 0) {
      closeWord();
      continue;
    }
    scripts |= script;
    if (script === LATIN) continue;
    if (FOLD.has(point)) survey.foldable = true;
    else {
      survey.native = true;
      strangers = true;
    }
  }
  closeWord();
  return survey;
}

/** Look-alikes as ASCII letters; undefined where the text is plain or honestly of another script. Two linear passes. */
export function foldHomoglyphs(text: string): string | undefined {
  const survey = surveyOf(text);
  if (!survey.foldable || (survey.native && !survey.mixed)) return undefined;
  let out = '';
  for (const sign of text) out += FOLD.get(sign.codePointAt(0) ?? 0) ?? sign;
  return out;
}

/** Look-alikes as ASCII letters wherever they stand: for host names, where no prose excuses them. */
export function foldEveryHomoglyph(text: string): string {
  let out = '';
  for (const sign of text) out += FOLD.get(sign.codePointAt(0) ?? 0) ?? sign;
  return out;
}
