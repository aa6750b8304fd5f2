/** @module Words that announce personal data, and what must follow them; each shape reads one bounded window after its word. */

/** A word (lower case) and the value it announces. */
export interface Announced {
  readonly type: string;
  readonly words: readonly string[];
  /** Matches at the start of the window right after the word; group 1 is the value. */
  readonly value: RegExp;
  readonly check?: 'nhs' | 'steuer' | 'ssn' | 'digit';
}

/** Blanks, `:`, `#`, `=`, `is`, `no.`, quotes between the word and the value. */
const GAP = String.raw`(?:["'\s:#=._/-]|\b(?:is|no|nr|num|number|id|the|of|my|are|was|n°|code|reg|member)\b){0,16}`;

function after(value: string): RegExp {
  return new RegExp(`^${GAP}(${value})`, 'i');
}

const DATE = String.raw`\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?[a-z]{3,9},?\s\d{4}|[a-z]{3,9}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4}`;

/** The window after a word, in UTF-16 code units. */
export const ANNOUNCED_WINDOW = 80;

export const ANNOUNCED: readonly Announced[] = [
  {
    type: 'ssn',
    words: ['ssn', 'social security'],
    value: after(String.raw`\d{3}[-\s.]?\d{2}[-\s.]?\d{4}(?!\d)`),
    check: 'ssn',
  },
  {
    type: 'mrn',
    words: ['mrn', 'medical record', 'patient id', 'patient number', 'patient no', 'pat-'],
    value: after(String.raw`[a-z]{0,3}-?\d[a-z0-9-]{4,14}`),
    check: 'digit',
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
    check: 'digit',
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
    ],
    value: after(String.raw`[a-z]{0,3}-?\d[a-z0-9-]{4,17}|[a-z]{5}\d{6}[a-z0-9]{5}`),
    check: 'digit',
  },
  {
    type: 'eu_vat',
    words: ['vat', 'ust-id', 'ust-idnr', 'tva', 'btw', 'partita iva'],
    value: after(
      String.raw`(?:at|be|bg|cy|cz|de|dk|ee|el|es|fi|fr|gb|hr|hu|ie|it|lt|lu|lv|mt|nl|pl|pt|ro|se|si|sk|xi)[a-z0-9]{8,12}(?![a-z0-9])`,
    ),
    check: 'digit',
  },
  {
    type: 'de_steuer_id',
    words: ['steuer-id', 'steuerid', 'steuer id', 'steueridentifikationsnummer', 'steuer-identifikationsnummer', 'idnr', 'tax id'],
    value: after(String.raw`\d{2}\s?\d{3}\s?\d{3}\s?\d{3}(?!\d)`),
    check: 'steuer',
  },
  {
    type: 'eu_passport',
    words: ['passport', 'reisepass', 'passeport', 'pasaporte', 'passaporto'],
    value: after(String.raw`[a-z]{0,3}\d[a-z0-9]{5,8}(?![a-z0-9])|[cfghjk][0-9cfghjklmnprtvwxyz]{8}(?![a-z0-9])`),
    check: 'digit',
  },
  {
    type: 'nhs_number',
    words: ['nhs', 'national health service'],
    value: after(String.raw`\d{3}[-\s]?\d{3}[-\s]?\d{4}(?!\d)`),
    check: 'nhs',
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

/** For each of `PII_WORDS`, what it announces. */
export const ANNOUNCED_BY_WORD: readonly Announced[] = PII_WORDS.flatMap((word) =>
  ANNOUNCED.filter((entry) => entry.words.includes(word)).slice(0, 1),
);
