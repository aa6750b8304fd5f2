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
const GAP = String.raw`(?:["'\s:#=._/-]|\b(?:is|no|nr|num|number|numer|numero|nummer|id|the|of|my|from|are|was|n°|code|reg|member|ist|es|laut)\b|numaras\u0131){0,16}`;

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

/** An address that the whole world can reach, or one that stands for such in examples: one of a network at home says nothing of anybody. */
function isPublicAddress(_value: string, raw: string): boolean {
  const kind = readAddress(raw)?.kind;
  return kind === 'public' || kind === 'reserved';
}

const PHONE_DIGITS = { min: 7, max: 15 } as const;

/** As many digits as telephone numbers have, and no date. */
function isPhone(_value: string, raw: string): boolean {
  const digits = raw.replaceAll(/\D/g, '').length;
  return (
    digits >= PHONE_DIGITS.min && digits <= PHONE_DIGITS.max && !/^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4})/.test(raw)
  );
}

/** A year in which somebody may be born who is spoken of today, also without its century. */
function isBirthDate(_value: string, raw: string): boolean {
  return /(?:^|[^\d])(?:(?:19|20)?\d\d)$|^(?:19|20)\d\d/.test(raw) && !/^0{1,4}\D/.test(raw);
}

const NAME = String.raw`\p{Lu}[\p{Ll}'’-]{1,24}(?:\s\p{Lu}\.?)?(?:\s\p{Lu}[\p{Ll}'’-]{1,24}){1,2}(?![\p{L}])`;
const STREET = String.raw`(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|square|sq|terrace|close|crescent|highway|hwy)\b`;
const HOME = [
  String.raw`\d{1,5}[a-z]?\s(?:[\w.'-]{1,20}\s){1,4}?${STREET}`,
  String.raw`\p{L}[\p{L}.-]{1,30}?(?:\s\p{L}{1,20})?(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse)\s\d{1,4}[a-z]?(?![\d])`,
  String.raw`\d{1,4},?\s(?:bis\s|ter\s)?(?:rue|avenue|boulevard|chemin|impasse|quai)\s[\p{L}'’ -]{3,40}`,
  String.raw`(?:calle|avenida|via|viale|piazza|rua)\s[\p{L}'’. -]{3,40}?,?\s\d{1,4}(?![\d])`,
].join('|');

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
    check: isBirthDate,
    sure: true,
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
    sure: true,
  },
  {
    type: 'mac_address',
    words: ['mac address', 'hardware address', 'mac_address', 'mac:', 'ether '],
    value: after(String.raw`[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![:-])`),
  },
  {
    type: 'phone',
    words: [
      'phone',
      'telephone',
      'tel:',
      'tel.',
      'mobile',
      'cell:',
      'cell number',
      'whatsapp',
      'telefon',
      'telefono',
      'celular',
      'handynummer',
      'rufnummer',
    ],
    value: after(String.raw`\+?\(?\d[\d\s().\/-]{5,18}\d(?!\d)`),
    check: isPhone,
    sure: true,
  },
  {
    type: 'postal_address',
    words: [
      'home address',
      'street address',
      'mailing address',
      'billing address',
      'shipping address',
      'postal address',
      'residential address',
      'address:',
      'address is',
      '"address"',
      'lives at',
      'resides at',
      'residing at',
      'ship to',
      'anschrift',
      'adresse',
      'wohnhaft',
      'domicilio',
      'indirizzo',
    ],
    value: new RegExp(`^["'\\s:=,]{0,8}(?:in\\s|is\\s|:\\s)?["']?(${HOME})`, 'iu'),
    sure: true,
  },
  {
    type: 'person_name',
    words: [
      'patient name',
      'patient:',
      'name of patient',
      'full name',
      'full_name',
      'fullname',
      'customer name',
      'employee name',
      'cardholder',
      'card holder',
      'account holder',
      'accountholder',
      'policyholder',
      'policy holder',
      'next of kin',
      'emergency contact',
      'legal name',
      'patientenname',
      'nom du patient',
    ],
    value: new RegExp(`^(?:'s)?(?:\\sname)?["'\\s:=]{0,6}(?:is\\s)?["']?(?:(?:Mr|Mrs|Ms|Dr)\\.?\\s)?(${NAME})`, 'u'),
  },
  {
    type: 'card_code',
    words: ['cvv', 'cvv2', 'cvc', 'card security code', 'security code', 'card verification'],
    value: after(String.raw`\d{3,4}(?![\d-])`),
  },
  {
    type: 'us_bank_account',
    words: [
      'account number',
      'account no',
      'account #',
      'acct number',
      'acct no',
      'acct #',
      'bank account',
      'checking account',
      'savings account',
    ],
    value: after(String.raw`\d{6,17}(?![\d-])`),
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
