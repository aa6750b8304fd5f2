/**
 * @module Names that people can tell apart: no emoji, nothing invisible, one script a name, no look-alikes of Latin (after UTS #39,
 * "moderately restrictive" and stricter). Two names are the same when they fold to the same text.
 */
import { err, ok, type Fault, type Result } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';

const ALLOWED = /^[\p{L}\p{M}\p{Nd} ._:@/-]+$/u;
const COMMON = /^[\p{Nd} ._:@/-]$/u;
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Latin', /^\p{Script=Latin}$/u],
  ['Greek', /^\p{Script=Greek}$/u],
  ['Cyrillic', /^\p{Script=Cyrillic}$/u],
  ['Armenian', /^\p{Script=Armenian}$/u],
  ['Hebrew', /^\p{Script=Hebrew}$/u],
  ['Arabic', /^\p{Script=Arabic}$/u],
  ['Devanagari', /^\p{Script=Devanagari}$/u],
  ['Bengali', /^\p{Script=Bengali}$/u],
  ['Tamil', /^\p{Script=Tamil}$/u],
  ['Thai', /^\p{Script=Thai}$/u],
  ['Georgian', /^\p{Script=Georgian}$/u],
  // Chinese, Japanese and Korean mix these by custom.
  ['Cjk', /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]$/u],
];
/** Letters of Greek, Cyrillic and Armenian that pass for Latin ones; a name made of nothing else is a disguise. */
const LATIN_LOOKALIKES = new Set('аеорсухіјѕԁһӏԛԝвкмнтгпАВЕКМНОРСТХІЈЅαοριυνκχτΑΒΕΖΗΙΚΜΝΟΡΤΥΧոսօհ');

type NameFault = Fault<'invalid_name'>;

function refused(message: string): Result<never, NameFault> {
  return err({ code: 'invalid_name', message, path: '/name', hint: 'use letters of one script, digits, spaces and `. _ : @ / -`' });
}

function scriptOf(character: string): string | undefined {
  return SCRIPTS.find(([, pattern]) => pattern.test(character))?.[0];
}

function isMark(character: string): boolean {
  return /^\p{M}$/u.test(character);
}

/** Undefined when one script is used throughout, else what is wrong. */
function scriptFault(name: string): string | undefined {
  const scripts = new Set<string>();
  let letters = 0;
  let lookalikes = 0;
  for (const character of name) {
    if (COMMON.test(character) || isMark(character)) continue;
    const script = scriptOf(character);
    if (script === undefined) return 'the name uses a script that is not supported';
    scripts.add(script);
    letters += 1;
    if (LATIN_LOOKALIKES.has(character)) lookalikes += 1;
  }
  if (scripts.size > 1) return 'the name mixes scripts, so that it can pass for another';
  if (lookalikes > 0 && lookalikes === letters) return 'every letter of the name passes for a Latin one';
  return undefined;
}

/** The form names are compared by. */
export function foldName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[ _.:@/-]+/g, '-');
}

/** Checks a name for registration and gives it back with the form it is compared by. */
export function checkAgentName(name: string): Result<{ readonly name: string; readonly folded: string }, NameFault> {
  if (name === '' || name.length > STORE_LIMITS.agentNameCharsMax) {
    return refused(`a name has 1 to ${STORE_LIMITS.agentNameCharsMax} characters`);
  }
  if (name.trim() !== name) return refused('a name neither begins nor ends with a space');
  if (!name.isWellFormed() || !ALLOWED.test(name)) return refused('the name has a character that is invisible, an emoji or a symbol');
  if (name.normalize('NFKC') !== name) return refused('the name has compatibility characters that pass for others');
  const fault = scriptFault(name);
  return fault === undefined ? ok({ name, folded: foldName(name) }) : refused(fault);
}
