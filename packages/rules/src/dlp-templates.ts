/**
 * @module Templates against the loss of data, as data: each names what may not go out together or in number, for one law or standard, and expands to
 * ordinary rules. A rule document asks for one by name (`dlp: [{template: pci-dss, at_least: 3, score: 0.8}]`); the built-in pack `dlp` holds all of them
 * with what is the default here.
 */
import type { Severity } from '@countersign/protocol';
import type { Condition, FactTest, Rule } from './rule.ts';

/** One rule of a template. */
export interface DlpPart {
  /** Last part of the id of its rule. */
  readonly name: string;
  /** Its rule in the built-in pack. */
  readonly rule: string;
  readonly title: string;
  /** Thousandths. */
  readonly score: number;
  readonly level: number;
  readonly kinds: readonly string[];
  /** How many of the data there must be; 0 where the part says so itself and no option changes it. */
  readonly atLeast: number;
  readonly when: (atLeast: number) => Condition;
}

/** A template by its name. */
export interface DlpTemplate {
  readonly about: string;
  readonly regulation: readonly string[];
  readonly parts: readonly DlpPart[];
}

/** What a document may change. */
export interface TemplateOptions {
  /** Thousandths; for every rule of the template. */
  readonly score?: number;
  readonly atLeast?: number;
  readonly level?: number;
  readonly kinds?: readonly string[];
  /** What ids begin with; default `dlp`. */
  readonly prefix?: string;
}

/** What leaves: calls, messages, and what a model or a tool answers. */
const OUT: readonly string[] = ['agent.delegate', 'agent.message', 'mcp.call', 'model.output', 'net.egress', 'tool.call', 'tool.response'];
/** The same without what a tool answers: documents are read all day. */
const SENT: readonly string[] = OUT.filter((kind) => kind !== 'tool.response');
const ANSWER: readonly string[] = ['model.output'];

const BANK = ['iban', 'us_bank_account', 'us_routing_number'];
const CONTACT = ['email', 'phone', 'postal_address', 'fax'];
const DOCUMENTS = ['ssn', 'drivers_license', 'eu_passport', 'us_itin'];
const HEALTH_IDS = ['mrn', 'health_plan_id', 'us_medicare_mbi', 'nhs_number', 'de_health_insurance', 'au_medicare'];
const WHO = ['ssn', 'dob', 'person_name', 'postal_address', 'phone', 'email', 'drivers_license', 'eu_passport', 'mrn', 'nhs_number'];
const NATIONAL: FactTest = {
  type: [
    {
      regex:
        '^(ssn|aadhaar|nhs_number|(ar|at|au|be|bg|br|ca|ch|cl|cn|cz|de|dk|ec|ee|es|fi|fr|gr|hk|hr|hu|ie|il|in|is|it|jp|kr|lt|lv|mx|ng|nl|no|nz|pl|pt|ro|ru|se|sg|si|th|tr|tw|ua|uk|us|uy|za)_(?!routing|bank|npi|dea)[a-z_]{2,24})$',
    },
  ],
  confidence: ['high'],
};

const ILLNESS = [
  { regex: 'diagnos(ed with|is( is|:| of))' },
  'hiv positive',
  'test result',
  { word: 'icd-10' },
  { regex: 'prescri(bed|ption)' },
  { regex: '(chemo|radio|psycho)therapy' },
  'treated for',
  { regex: '(positive|negative) for (hiv|hepatitis|covid|syphilis)' },
];

const SPECIAL = [
  { regex: '(sexual orientation|religio(n|us belief)|ethnic(ity| origin)|political (opinion|party|view))s?["\\s]{0,2}(:|=|is\\b)' },
  'trade union member',
  { regex: 'criminal (record|conviction)s?["\\s]{0,2}(:|=|is\\b|for\\b)' },
  { regex: '(genetic|biometric) (data|profile|template)s?["\\s]{0,2}(:|=|is\\b|of\\b)' },
];

/** Parameters by which a tool is told how to log in. */
const LOGIN_KEYS = ['*password', 'passwd', 'pwd', '*token', '*secret', '*key', 'apikey', 'auth', 'authorization'];

const MARKS = [
  { regex: '(strictly|company|business|highly) confidential' },
  { regex: 'attorney[- ]client privilege' },
  'not for distribution',
  'do not distribute',
  { regex: '(internal|official) use only' },
  { regex: '(trade secret|proprietary) (and|&) confidential' },
  { regex: 'confidential (and|&) proprietary' },
];

const SOURCE_MARKS = [
  { regex: '(proprietary|confidential|unpublished) source code' },
  { regex: 'source code (is|contains|constitutes) (proprietary|confidential|a trade secret|trade secrets|valuable)' },
  { regex: 'this (file|source|code|software) (is|contains) (the )?(proprietary|confidential|trade secret)' },
];

function counted(types: readonly string[]): (atLeast: number) => Condition {
  return (atLeast) => ({ pii: { type: types, at_least: atLeast } });
}

function together(...conditions: readonly Condition[]): () => Condition {
  return () => ({ all: conditions });
}

const TEMPLATES: Readonly<Record<string, DlpTemplate>> = {
  'pci-dss': {
    about: 'payment cards',
    regulation: ['PCI-DSS'],
    parts: [
      {
        name: 'cards',
        rule: 'R270',
        title: 'Numbers of payment cards in number',
        score: 850,
        level: 1,
        kinds: OUT,
        atLeast: 3,
        when: (atLeast) => ({ pii: { type: ['credit_card'], confidence: ['high'], at_least: atLeast } }),
      },
      {
        name: 'card-code',
        rule: 'R271',
        title: 'Payment card with its security code',
        score: 850,
        level: 1,
        kinds: SENT,
        atLeast: 0,
        when: together({ pii: { type: ['credit_card'], confidence: ['high'] } }, { pii: { type: ['card_code'] } }),
      },
    ],
  },
  hipaa: {
    about: 'health records of identified people',
    regulation: ['HIPAA'],
    parts: [
      {
        name: 'patient',
        rule: 'R272',
        title: 'Patient number with who the patient is',
        score: 780,
        level: 1,
        kinds: OUT,
        atLeast: 0,
        when: together({ pii: { type: HEALTH_IDS } }, { pii: { type: WHO.filter((type) => !HEALTH_IDS.includes(type)) } }),
      },
      {
        name: 'illness',
        rule: 'R273',
        title: 'Illness of somebody who can be told',
        score: 720,
        level: 1,
        kinds: SENT,
        atLeast: 0,
        when: together({ text: { any: ILLNESS } }, { pii: { type: ['ssn', 'dob', 'person_name', 'mrn', 'nhs_number', 'health_plan_id'] } }),
      },
    ],
  },
  gdpr: {
    about: 'personal data of people in the European Union',
    regulation: ['GDPR'],
    parts: [
      {
        name: 'national-ids',
        rule: 'R274',
        title: 'Several national identity numbers',
        score: 850,
        level: 1,
        kinds: OUT,
        atLeast: 2,
        when: (atLeast) => ({ pii: { ...NATIONAL, at_least: atLeast } }),
      },
      {
        name: 'doubtful-ids',
        rule: 'R286',
        title: 'Number that may be of an identity document',
        score: 700,
        level: 3,
        kinds: ANSWER,
        atLeast: 1,
        when: (atLeast) => ({ pii: { ...NATIONAL, confidence: ['low'], at_least: atLeast } }),
      },
      {
        name: 'special-categories',
        rule: 'R275',
        title: 'Special category of personal data with who it is about',
        score: 720,
        level: 2,
        kinds: SENT,
        atLeast: 0,
        when: together({ text: { any: SPECIAL } }, { pii: { type: WHO } }),
      },
      {
        name: 'contacts',
        rule: 'R276',
        title: 'Contact data of several people',
        score: 700,
        level: 2,
        kinds: SENT,
        atLeast: 5,
        when: counted(CONTACT),
      },
      {
        name: 'answers',
        rule: 'R277',
        title: 'Contact data or address of a machine in an answer',
        score: 700,
        level: 2,
        kinds: ANSWER,
        atLeast: 1,
        when: (atLeast) => ({ pii: { type: [...CONTACT, 'ip_address', 'dob', 'iban'], confidence: ['high'], at_least: atLeast } }),
      },
    ],
  },
  glba: {
    about: 'accounts of customers of a bank',
    regulation: ['GLBA'],
    parts: [
      {
        name: 'account',
        rule: 'R278',
        title: 'Bank account with its bank or its owner',
        score: 750,
        level: 1,
        kinds: SENT,
        atLeast: 0,
        when: together(
          { pii: { type: ['iban', 'us_bank_account'] } },
          { pii: { type: ['us_routing_number', 'ssn', 'dob', 'person_name', 'postal_address'] } },
        ),
      },
      {
        name: 'accounts',
        rule: 'R279',
        title: 'Bank accounts in number',
        score: 780,
        level: 1,
        kinds: SENT,
        atLeast: 4,
        when: counted(BANK),
      },
    ],
  },
  ccpa: {
    about: 'documents of residents with who they belong to',
    regulation: ['CCPA'],
    parts: [
      {
        name: 'document',
        rule: 'R280',
        title: 'Identity document with birth date or home',
        score: 800,
        level: 1,
        kinds: OUT,
        atLeast: 0,
        when: together({ pii: { type: DOCUMENTS } }, { pii: { type: ['dob', 'postal_address', 'person_name'] } }),
      },
      {
        name: 'any',
        rule: 'R281',
        title: 'Anything that points to a person or a machine',
        score: 700,
        level: 4,
        kinds: ANSWER,
        atLeast: 1,
        when: (atLeast) => ({ pii: { confidence: ['high', 'low'], at_least: atLeast } }),
      },
    ],
  },
  secrets: {
    about: 'credentials',
    regulation: ['SOC2', 'PCI-DSS'],
    parts: [
      {
        name: 'credentials',
        rule: 'R282',
        title: 'Several things that look like credentials',
        score: 750,
        level: 1,
        kinds: SENT,
        atLeast: 4,
        when: (atLeast) => ({ secret: { confidence: ['high', 'low'], at_least: atLeast } }),
      },
      {
        name: 'doubtful',
        rule: 'R283',
        title: 'Something that looks like a credential',
        score: 700,
        level: 3,
        kinds: SENT,
        atLeast: 1,
        when: (atLeast) => ({ secret: { confidence: ['low'], unless: [{ key: LOGIN_KEYS }], at_least: atLeast } }),
      },
    ],
  },
  'source-code': {
    about: 'source code whose owner calls it secret',
    regulation: ['SOC2'],
    parts: [
      {
        name: 'source',
        rule: 'R284',
        title: 'Source code that its owner calls secret',
        score: 720,
        level: 1,
        kinds: ['agent.message', 'mcp.call', 'net.egress', 'tool.call'],
        atLeast: 1,
        when: (atLeast) => ({ text: { any: SOURCE_MARKS, at_least: atLeast } }),
      },
    ],
  },
  confidential: {
    about: 'documents marked as confidential',
    regulation: ['SOC2'],
    parts: [
      {
        name: 'marked',
        rule: 'R285',
        title: 'Document marked as confidential',
        score: 700,
        level: 2,
        kinds: ['agent.message', 'mcp.call', 'net.egress', 'tool.call'],
        atLeast: 1,
        when: (atLeast) => ({ text: { any: MARKS, at_least: atLeast } }),
      },
    ],
  },
};

/** All templates by name. */
export const DLP_TEMPLATES: ReadonlyMap<string, DlpTemplate> = new Map(Object.entries(TEMPLATES));

const HIGH_FROM = 700;
const CRITICAL_FROM = 850;

/** A severity that does not contradict the score. */
function severityOf(score: number): Severity {
  if (score >= CRITICAL_FROM) return 'critical';
  return score >= HIGH_FROM ? 'high' : 'medium';
}

/** The rules of a template; undefined where there is none of that name. */
export function rulesOfTemplate(name: string, options: TemplateOptions = {}): readonly Rule[] | undefined {
  const template = DLP_TEMPLATES.get(name);
  return template?.parts.map((part): Rule => {
    const score = options.score ?? part.score;
    return {
      id: `${options.prefix ?? 'dlp'}.${name}.${part.name}`,
      title: part.title,
      category: 'data-loss',
      severity: severityOf(score),
      score,
      level: options.level ?? part.level,
      kinds: [...(options.kinds ?? part.kinds)].sort(),
      when: part.when(part.atLeast === 0 ? 0 : (options.atLeast ?? part.atLeast)),
      tags: { owasp: ['LLM02'], atlas: ['AML.T0057'], cwe: ['CWE-359'], regulation: [...template.regulation].sort() },
      exemptable: true,
    };
  });
}
