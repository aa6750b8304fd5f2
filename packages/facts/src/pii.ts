/**
 * @module Personal data: the 21 types of the Clampd door. Numbers by their shape and check digit, the rest by the word that announces them.
 * One pass over the digit groups and words of a text; a text with few digits and no `@` is not looked at.
 */
import type { PiiFact, Span } from '@countersign/protocol';
import { isCard, isIban, isNanp, isSsn, isTestCard, isVin } from './checksums.ts';
import { CARD_SIZES, type DigitGroups, isUniform, LOCAL_SIZES, numbersFrom, writtenAs } from './digit-groups.ts';
import type { ReadText } from './read-text.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import { isAadhaar, isHetu, isMbi, isUkDriver } from './national-checks.ts';
import { bareValue, nationalIdOfGroups, nationalIdOfWord } from './national-ids.ts';
import { type DigitWord, digitWords, isLetterCode, unspaced } from './digit-words.ts';
import { machineAddresses } from './pii-addresses.ts';
import { ANNOUNCED_BY_WORD, ANNOUNCED_WINDOW } from './pii-words.ts';

/** Personal data found so far in one action. */
export interface PiiFinder {
  readonly meter: Meter;
  readonly found: PiiFact[];
  /** Index in `found` of what stands at a place, or of a value that a layer need not repeat. */
  readonly known: Map<string, number>;
}

/** Starts a search. */
export function createPiiFinder(meter: Meter): PiiFinder {
  return { meter, found: [], known: new Map() };
}

interface Hit {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: 'high' | 'low';
}

function report(finder: PiiFinder, read: ReadText, hit: Hit): void {
  const { span, layers, text } = read.fact;
  const key = `${hit.type} ${text.slice(hit.start, hit.end)}`;
  const place: Span = layers.length > 0 ? span : { path: span.path, start: hit.start, end: hit.end };
  const here = `${key} ${place.path} ${place.start}`;
  const fact: PiiFact = { span: place, type: hit.type, layers, confidence: hit.confidence };
  const known = finder.known.get(layers.length > 0 ? key : here);
  if (known !== undefined) {
    if (hit.confidence === 'high' && layers.length === 0) finder.found[known] = fact;
    return;
  }
  if (finder.found.length >= FACTS_LIMITS.piiMax) {
    finder.meter.cuts.add('pii');
    return;
  }
  finder.known.set(key, finder.found.length).set(here, finder.found.length);
  finder.found.push(fact);
}

/** A sign before a number that makes it part of something else: a decimal, a version, a currency amount. */
function isTail(text: string, start: number): boolean {
  const before = text.charAt(start - 1);
  if (before === '$' || before === '€' || before === '£') return true;
  return (before === '.' || before === '-' || before === '_' || before === '/') && /[A-Za-z0-9]/.test(text.charAt(start - 2));
}

function cardOf(number: DigitGroups): Hit | undefined {
  if (!CARD_SIZES.has(number.sizes) || !isUniform(number.separators)) return undefined;
  if (!isCard(number.digits)) return undefined;
  return { type: 'credit_card', start: number.start, end: number.end, confidence: isTestCard(number.digits) ? 'low' : 'high' };
}

function ssnOf(number: DigitGroups, text: string): Hit | undefined {
  if (number.sizes !== '3-2-4' || !isUniform(number.separators) || !isSsn(number.digits)) return undefined;
  if (number.separators.startsWith(')') || isTail(text, number.start)) return undefined;
  return { type: 'ssn', start: number.start, end: number.end, confidence: isLabelled(text, number.start) ? 'low' : 'high' };
}

const LABEL =
  /\b\w{0,24}(?:digest|hash|checksum|counter|count|status|version|build|commit|serial|sku|part|order|ticket|invoice|tracking|model|batch|lot)(?:[ _-](?:no|nr|number|id|code))?["']?\s{0,2}(?:[:=#]|is)?\s{0,2}["']?$/i;
const LABEL_CHARS = 48;

/** The word right before a number says that it is something else than a person's. */
function isLabelled(text: string, start: number): boolean {
  return LABEL.test(text.slice(Math.max(0, start - LABEL_CHARS), start));
}

function aadhaarOf(number: DigitGroups, text: string): Hit | undefined {
  if (number.sizes !== '4-4-4' && number.sizes !== '12') return undefined;
  if (isTail(text, number.start) || !isUniform(number.separators)) return undefined;
  if (!isAadhaar(number.digits)) return undefined;
  return { type: 'aadhaar', start: number.start, end: number.end, confidence: number.sizes === '12' ? 'low' : 'high' };
}

/** Words that say that a number is there to be called. */
const CALLED = /\b(?:call|calling|phone|tel|telephone|mobile|cell|reach|dial|text|whatsapp|contact)\b/i;
const CALLED_CHARS = 40;

function phoneOf(number: DigitGroups, text: string): Hit | undefined {
  const before = text.charAt(number.start - 1);
  const start = before === '+' || before === '(' ? number.start - 1 : number.start;
  const international = before === '+' && /^[1-9]\d{7,14}$/.test(number.digits);
  if (!international && !isLocalPhone(number, text)) return undefined;
  const sure = international || isNanp(number.digits.slice(-10)) || CALLED.test(text.slice(Math.max(0, start - CALLED_CHARS), start));
  return { type: 'phone', start, end: number.end, confidence: sure ? 'high' : 'low' };
}

/** `555-123-4567` and kin; all dots or none, so that a version or an address is none. */
function isLocalPhone(number: DigitGroups, text: string): boolean {
  if (!LOCAL_SIZES.has(number.sizes) || isTail(text, number.start)) return false;
  if (/nhs/i.test(text.slice(Math.max(0, number.start - 24), number.start))) return false;
  const dots = number.separators.split('.').length - 1;
  if (dots > 0 && dots !== number.separators.length) return false;
  const ten = number.digits.slice(-10);
  return isNanp(ten) || (/^[2-9]/.test(ten) && /^[-)]+$/.test(number.separators) && number.separators.length > 1);
}

/** An identity number by its groups; of a plain run of digits one must not be part of something longer. */
function nationalOf(number: DigitGroups, text: string): Hit | undefined {
  const written = writtenAs(number);
  const id = nationalIdOfGroups(written, number.digits);
  if (id === undefined || isTail(text, number.start)) return undefined;
  const sure = id.bare === 'high' && !isLabelled(text, number.start);
  return { type: id.type, start: number.start, end: number.end, confidence: sure ? 'high' : 'low' };
}

/** The longest reading of each number wins: a card is no telephone number and a half. */
function readNumbers(finder: PiiFinder, read: ReadText, words: readonly DigitWord[]): void {
  const { text } = read.fact;
  let from = 0;
  for (const [i, word] of words.entries()) {
    if (!word.digits || word.start < from) continue;
    const { numbers, steps } = numbersFrom(text, words, i);
    finder.meter.steps += steps;
    for (const number of numbers) {
      const hit = cardOf(number) ?? aadhaarOf(number, text) ?? ssnOf(number, text) ?? nationalOf(number, text) ?? phoneOf(number, text);
      if (hit === undefined) continue;
      report(finder, read, hit);
      from = number.end;
      break;
    }
  }
}

const PAN = /^[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]$/;
const NINO = /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/;
const IBAN_HEAD = /^[A-Z]{2}\d{2}[A-Z0-9]{0,30}$/;
const IBAN_CHARS_MAX = 42;

/** An IBAN as one word or in groups of four. */
function ibanOf(text: string, word: DigitWord): Hit | undefined {
  if (!IBAN_HEAD.test(word.text)) return undefined;
  const window = /^[A-Z0-9]{4,34}(?: [A-Z0-9]{1,4}){0,8}/.exec(text.slice(word.start, word.start + IBAN_CHARS_MAX))?.[0] ?? '';
  let grouped = window;
  for (let i = 0; i < 9 && grouped.length >= 15; i += 1) {
    if (isIban(grouped.replaceAll(' ', '')))
      return { type: 'iban', start: word.start, end: word.start + grouped.length, confidence: 'high' };
    const space = grouped.lastIndexOf(' ');
    if (space < 0) break;
    grouped = grouped.slice(0, space);
  }
  return undefined;
}

function ninoOf(text: string, word: DigitWord): Hit | undefined {
  if (NINO.test(word.text)) return { type: 'uk_nino', start: word.start, end: word.end, confidence: 'high' };
  if (!word.digits || word.text.length !== 2 || text[word.end] !== ' ') return undefined;
  const before = text.slice(Math.max(0, word.start - 3), word.start);
  const head = /^[A-Z]{2} $/.test(before) ? before.slice(0, 2) : '';
  const spaced = head === '' ? null : /^\d{2} \d{2} \d{2} [A-D]\b/.exec(text.slice(word.start, word.start + 10));
  if (spaced === null || !NINO.test(head + spaced[0].replaceAll(' ', ''))) return undefined;
  return { type: 'uk_nino', start: word.start - 3, end: word.start + spaced[0].length, confidence: 'high' };
}

const HETU_HEAD = 7;
/** The sign of the century. */
const HETU_SIGN = /[-+A-FU-Y]/;

/** `131052-308T`: the date and the sign stand before the word. */
function hetuOf(text: string, word: DigitWord): Hit | undefined {
  if (word.text.length !== 4) return undefined;
  const start = word.start - HETU_HEAD;
  if (start < 0 || !HETU_SIGN.test(text.charAt(word.start - 1))) return undefined;
  if (!isHetu(text.slice(start, word.end)) || /[A-Za-z0-9]/.test(text.charAt(start - 1))) return undefined;
  return { type: 'fi_henkilotunnus', start, end: word.end, confidence: 'high' };
}

const MBI_GROUPS = /^[A-Z0-9]{4}-[A-Z0-9]{3}-[A-Z0-9]{4}(?![A-Z0-9-])/;
const MBI_CHARS = 14;

/** `1EG4-TE5-MK73`, in its three groups. */
function mbiOf(text: string, word: DigitWord): Hit | undefined {
  if (word.text.length !== 4) return undefined;
  const grouped = MBI_GROUPS.exec(text.slice(word.start, word.start + MBI_CHARS))?.[0];
  if (grouped === undefined || !isMbi(grouped.replaceAll('-', '')) || isTail(text, word.start)) return undefined;
  return { type: 'us_medicare_mbi', start: word.start, end: word.start + grouped.length, confidence: 'high' };
}

/** Digits alone are a part of an identifier that has letters elsewhere. */
function partlyLetteredOf(text: string, word: DigitWord): Hit | undefined {
  if (word.text.length === 2) return ninoOf(text, word);
  return word.text.length === 4 ? hetuOf(text, word) : undefined;
}

function letteredOf(text: string, word: DigitWord): Hit | undefined {
  if (PAN.test(word.text)) return { type: 'pan', start: word.start, end: word.end, confidence: 'high' };
  if (word.text.length === 17 && /[A-Z]/.test(word.text) && isVin(word.text)) {
    return { type: 'vin', start: word.start, end: word.end, confidence: 'high' };
  }
  const id = nationalIdOfWord(word.text);
  if (id !== undefined) return { type: id.type, start: word.start, end: word.end, confidence: id.bare === 'high' ? 'high' : 'low' };
  if (isUkDriver(word.text)) return { type: 'drivers_license', start: word.start, end: word.end, confidence: 'high' };
  return ibanOf(text, word) ?? ninoOf(text, word) ?? hetuOf(text, word) ?? mbiOf(text, word);
}

const LOCAL_MAX = 64;
const DOMAIN_MAX = 255;
const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}(?![A-Za-z0-9])/;
const LOCAL_CHAR = /[A-Za-z0-9._%+'-]/;

/** Addresses around each `@`; what stands between two of them is read once from each side. */
function readEmails(finder: PiiFinder, read: ReadText): void {
  const { text } = read.fact;
  let floor = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at, floor);
    floor = at + 1;
    const domain = start < at ? DOMAIN.exec(text.slice(at + 1, at + 1 + DOMAIN_MAX))?.[0] : undefined;
    finder.meter.steps += at - start + (domain?.length ?? 1);
    if (domain === undefined || isUserinfo(text, start) || isNoMailbox(text.slice(start, at), domain)) continue;
    report(finder, read, { type: 'email', start, end: at + 1 + domain.length, confidence: 'high' });
  }
}

function localStart(text: string, at: number, floor: number): number {
  let start = at;
  while (start > floor && at - start < LOCAL_MAX && LOCAL_CHAR.test(text.charAt(start - 1))) start -= 1;
  while (start < at && /[.'%+-]/.test(text.charAt(start))) start += 1;
  return start;
}

/** The password of a URL ends in `@` too. */
function isUserinfo(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 90), start);
  return before.includes('://') && /:[^\s/@]{0,64}$/.test(before);
}

/** `git@host:path` and package versions are no mailboxes. */
function isNoMailbox(local: string, domain: string): boolean {
  return /^(?:git|svn|hg)$/.test(local) || /\.(?:png|jpe?g|gif|svg|webp|js|ts|css|json|py)$/i.test(domain);
}

/** Addresses of machines in what is said; those in parameters are hosts. */
function readMachines(finder: PiiFinder, read: ReadText): void {
  const { found, steps } = machineAddresses(read.fact.text);
  finder.meter.steps += steps;
  for (const { type, start, end } of found) report(finder, read, { type, start, end, confidence: 'low' });
}

/** Fewer digits than this hold no number worth knowing. */
const DIGITS_MIN = 4;

/** Looks at one text for numbers and addresses. Announced data comes through `announcedPii`. */
export function scanPii(finder: PiiFinder, read: ReadText): void {
  const { text } = read.fact;
  if (text.includes('@')) readEmails(finder, read);
  const many = read.profile.digits >= DIGITS_MIN;
  if (read.fact.role === 'content' && (many || text.includes('::'))) readMachines(finder, read);
  if (!many) return;
  finder.meter.steps += text.length;
  const words = digitWords(text);
  readNumbers(finder, read, words);
  for (const word of words) {
    const hit = word.digits ? partlyLetteredOf(text, word) : letteredOf(text, word);
    if (hit !== undefined) report(finder, read, hit);
  }
}

/** Reads what word number `number` of `PII_WORDS`, which ends at `end`, announces. */
export function announcedPii(
  finder: PiiFinder,
  read: ReadText,
  at: { readonly number: number; readonly start: number; readonly end: number },
): void {
  const { text, lower } = read.fact;
  if (read.profile.digits < DIGITS_MIN) return;
  if (at.start > 0 && isLetterCode(lower.charCodeAt(at.start - 1))) return;
  const window = unspaced(text.slice(at.end, at.end + ANNOUNCED_WINDOW));
  for (const announced of ANNOUNCED_BY_WORD[at.number] ?? []) {
    finder.meter.steps += ANNOUNCED_WINDOW;
    const found = announced.value.exec(window.text);
    const value = found?.[1];
    if (found === null || value === undefined || announced.check?.(bareValue(value), value) === false) continue;
    const end = at.end + window.placeOf(found[0].length);
    const start = at.end + window.placeOf(found[0].length - value.length);
    report(finder, read, { type: announced.type, start, end, confidence: announced.sure === true ? 'high' : 'low' });
    return;
  }
}
