/** @module Words that announce personal data, and what must follow them; each shape reads one bounded window after its word. */

import { readAddress } from './addresses.ts';
import { NATIONAL_IDS } from './national-ids.ts';

/** A word (lower case) and the value it announces. */
export interface Announced {
  readonly type: string;
  readonly words: readonly string[];
  /** Matches at the start of the window right after the word; group 1 is the value. */
  readonly value: RegExp;
  /** Takes the value without separators in upper case, and as it is written. */
  readonly check?: (value: string, raw: string) => boolean;
  /** True where word and check together are proof. */
  readonly sure?: boolean;
}

/** Blanks, `:`, `#`, `=`, `is`, `no.`, quotes between the word and the value. */
const GAP = String.raw`(?:["'\s:#=._/-]|\b(?:is|no|nr|num|number|numer|numero|nummer|id|the|of|my|are|was|n°|code|reg|member|ist|es|laut)\b|numaras\u0131){0,16}`;

function after(value: string): RegExp {
  return new RegExp(`^(?:nummer|number|nr|no)?${GAP}(${value})`, 'i');
}

const DATE = String.raw`\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?[a-z]{3,9},?\s\d{4}|[a-z]{3,9}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4}`;

/** The window after a word, in UTF-16 code units. */
export const ANNOUNCED_WINDOW = 80;

function hasDigit(value: string): boolean {
  return /\d/.test(value);
}

const DIGITS_OF_DOCUMENT = 6;

/** As many digits as a passport or licence has; a date is none. */
function isDocument(value: string): boolean {
  return value.replaceAll(/\D/g, '').length >= DIGITS_OF_DOCUMENT && !/^(?:19|20)\d{6}$/.test(value);
}

const DIGITS_OF_PASSPORT = 6;

/** Digits as a passport has them; letters only is a word. German ones may hold more letters. */
function isPassport(value: string): boolean {
  return isDocument(value) || (value.length === 9 && value.replaceAll(/\D/g, '').length * 2 >= DIGITS_OF_PASSPORT);
}

const DIGITS_OF_RECORD = 5;

function isRecord(value: string): boolean {
  return value.replaceAll(/\D/g, '').length >= DIGITS_OF_RECORD;
}

/** An address that the whole world can reach: one of a network at home says nothing of anybody. */
function isPublicAddress(_value: string, raw: string): boolean {
  return readAddress(raw)?.kind === 'public';
}

export const ANNOUNCED: readonly Announced[] = [
  ...NATIONAL_IDS.map((id) => ({ type: id.type, words: id.words, value: after(id.value), check: id.check, sure: true })),
  {
    type: 'mrn',
    words: ['mrn', 'medical record'],
    value: after(String.raw`[a-z]{0,3}-?\d[a-z0-9-]{4,14}`),
    check: isRecord,
    sure: true,
  },
  {
    type: 'mrn',
    words: ['patient id', 'patient number', 'patient no', 'pat-'],
    value: after(String.raw`[a-z]{0,3}-?\d[a-z0-9-]{4,14}`),
    check: hasDigit,
  },
  {
    type: 'dob',
    words: ['dob', 'd.o.b', 'date of birth', 'birth date', 'birthdate', 'birthday', 'born on', 'born', 'date_of_birth', 'birth_date'],
    value: after(DATE),
  },
  {
    type: 'health_plan_id',
    words: [
      'health plan',
      'health insurance',
      'insurance id',
      'insurance member',
      'member id',
      'policy number',
      'beneficiary',
      'medicare',
      'medicaid',
      'subscriber id',
      'hicn',
      'health_plan_id',
    ],
    value: after(String.raw`[a-z0-9]{1,6}-?[a-z0-9-]{4,18}`),
    check: hasDigit,
  },
  { type: 'zip_code', words: ['zip', 'postal code', 'postcode', 'zip_code'], value: after(String.raw`\d{5}(?:-\d{4})?(?![\d-])`) },
  {
    type: 'drivers_license',
    words: [
      "driver's license",
      'drivers license',
      'driver license',
      "driver's licence",
      'driving licence',
      'driving license',
      'drivers_license',
      'driver_license',
      'dl#',
      'dl number',
      'dl no',
      'fahrerlaubnis',
      'hrerschein',
      'permis de conduire',
      'patente di guida',
      'my license',
      'my licence',
      'licence number',
      'license number',
    ],
    value: after(String.raw`[a-z]{0,3}-?\d[a-z0-9-]{4,17}|[a-z]{5}\d{6}[a-z0-9]{5}`),
    check: isDocument,
    sure: true,
  },
  {
    type: 'eu_vat',
    words: ['vat', 'ust-id', 'ust-idnr', 'tva', 'btw', 'partita iva'],
    value: after(
      String.raw`(?:at|be|bg|cy|cz|de|dk|ee|el|es|fi|fr|gb|hr|hu|ie|it|lt|lu|lv|mt|nl|pl|pt|ro|se|si|sk|xi)[a-z0-9]{8,12}(?![a-z0-9])`,
    ),
    check: hasDigit,
  },
  {
    type: 'eu_passport',
    words: ['passport', 'reisepass', 'passeport', 'pasaporte', 'passaporto', 'pass-nr', 'passnummer'],
    value: after(String.raw`[a-z]{0,3}\d[a-z0-9]{5,8}(?![a-z0-9])|[cfghjk][0-9cfghjklmnprtvwxyz]{8}(?![a-z0-9])`),
    check: isPassport,
    sure: true,
  },
  {
    type: 'ip_address',
    words: ['ip address', 'client ip', 'my ip', 'user ip', 'source ip', 'remote ip', 'ip_address', 'client connection', 'connection from'],
    value: after(String.raw`[0-9a-f]{0,4}(?:[.:][0-9a-f]{0,4}){2,7}`),
    check: isPublicAddress,
  },
  {
    type: 'mac_address',
    words: ['mac address', 'hardware address', 'mac_address', 'mac:', 'ether '],
    value: after(String.raw`[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![:-])`),
  },
  { type: 'fax', words: ['fax', 'facsimile', 'telefax'], value: after(String.raw`\+?[\d(][\d\s().-]{6,20}\d`) },
  {
    type: 'biometric',
    words: [
      'fingerprint',
      'retina',
      'iris scan',
      'iris template',
      'face template',
      'faceprint',
      'face encoding',
      'voiceprint',
      'biometric',
    ],
    value: after(
      String.raw`(?:template|hash|data|scan|encoding|signature|id)?["'\s:=#]{0,4}(?:0x)?[a-f0-9]{16,64}(?![a-z0-9])|(?:template|hash|data)["'\s:=#]{1,4}[a-z0-9+/=_-]{16,64}`,
    ),
  },
];

/** All words, distinct. */
export const PII_WORDS: readonly string[] = [...new Set(ANNOUNCED.flatMap((entry) => entry.words))];

/** For each of `PII_WORDS`, what it may announce. */
export const ANNOUNCED_BY_WORD: readonly (readonly Announced[])[] = PII_WORDS.map((word) =>
  ANNOUNCED.filter((entry) => entry.words.includes(word)),
);
