import type { Facts } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCard, isIban, isLuhn, isVerhoeff } from '../src/checksums.ts';
import { createMeter } from '../src/meter.ts';
import { decodeLeaf } from '../src/decode.ts';
import { FACTS_LIMITS } from '../src/limits.ts';
import { NATIONAL_IDS } from '../src/national-ids.ts';
import { createParsers } from '../src/parsers.ts';
import { entropyOf, isPlaceholder } from '../src/placeholders.ts';
import { PII_WORDS } from '../src/pii-words.ts';
import { SECRET_WORDS } from '../src/secrets.ts';
import { createUnderstanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { vectorsOf } from './vectors.ts';
import { wasmBytes } from './wasm-bytes.ts';

const understanding = createUnderstanding(await createParsers(wasmBytes()));

function factsOf(content: string): Facts {
  return understanding.understand(actionOf('model.output', { content }), []);
}

interface SecretCase {
  readonly type: string | null;
  readonly before: string;
  readonly parts: readonly string[];
  readonly after: string;
  /** The reported text, where it is not all parts. */
  readonly secret?: string;
}

describe('secrets', () => {
  it.each(
    (vectorsOf('secrets.json') as readonly SecretCase[]).map((entry) => [`${entry.type ?? 'none'} ${entry.parts[0]}`, entry] as const),
  )('%s', (_name, entry) => {
    const value = entry.parts.join('');
    const text = `${entry.before}${value}${entry.after}`;
    const found = factsOf(text).secrets;
    if (entry.type === null) {
      expect(found).toEqual([]);
      return;
    }
    const reported = found.map((fact) => [fact.type, text.slice(fact.span.start, fact.span.end)]);
    expect(reported).toContainEqual([entry.type, entry.secret ?? value]);
  });

  const SIGNS = 'Q7w2E9r4T6y1U8i3O5p0ASDFGHJKLZXCVBNM';

  it('looks through layers, and names them', () => {
    const key = ['AKI', 'AQ3EGRIQX', '2JDWTOL7'].join('');
    const text = `x ${btoa(`aws key ${key} here`)} y`;
    expect(factsOf(text).secrets).toEqual([
      { span: { path: '/content', start: 2, end: text.length - 2 }, type: 'aws_access_key', layers: ['base64'], confidence: 'high' },
    ]);
  });

  it('reports as many as the limit and says when there are more', () => {
    const keys = (count: number): string =>
      Array.from({ length: count }, (_, i) => `npm_${String(i).padStart(4, '0')}${SIGNS.slice(0, 32)}`).join(' ');
    const at = factsOf(keys(FACTS_LIMITS.secretsMax));
    const over = factsOf(keys(FACTS_LIMITS.secretsMax + 1));
    expect([at.secrets.length, at.cuts]).toEqual([FACTS_LIMITS.secretsMax, []]);
    expect([over.secrets.length, over.cuts]).toEqual([FACTS_LIMITS.secretsMax, ['secrets']]);
  });

  it('takes a parameter by its key', () => {
    const facts = understanding.understand(
      actionOf('tool.call', { params: { db: { password: 'Tr0ub4dor&3x' }, note: 'Tr0ub4dor&3x' } }),
      [],
    );
    expect(facts.secrets.map((fact) => [fact.type, fact.span.path])).toEqual([['password', '/params/db/password']]);
  });

  it('measures surprise in bits', () => {
    expect(entropyOf('')).toBe(0);
    expect(entropyOf('aaaa')).toBe(0);
    expect(entropyOf('abcd')).toBe(2);
    expect(entropyOf('aabbccdd')).toBe(2);
    expect(entropyOf('abcdefgh')).toBe(3);
    expect(entropyOf('aab')).toBeCloseTo(0.918_295_8, 5);
  });

  it.each(['xxxxxxxxxxxx', 'your_token_here', '<token>', '${TOKEN}', '{{ token }}', 'changeme123', '************', 'AAAAAAAAAAAAAAAB'])(
    'takes %s for a placeholder',
    (text) => {
      expect(isPlaceholder(text)).toBe(true);
    },
  );
});

/** Besides identity numbers. */
const PII_TYPES =
  'credit_card email phone pan mrn dob health_plan_id vin zip_code drivers_license iban uk_nino eu_vat eu_passport fax biometric ip_address mac_address'.split(
    ' ',
  );

interface PiiCase {
  readonly text: string;
  readonly types: readonly string[];
}

describe('personal data', () => {
  it.each(vectorsOf('pii.json') as readonly PiiCase[])('$text', ({ text, types }) => {
    expect([...new Set(factsOf(text).pii.map((fact) => fact.type))].sort()).toEqual([...types].sort());
  });

  it('has a vector for each type of the Clampd door and each kind of identity number', () => {
    const types = new Set((vectorsOf('pii.json') as readonly PiiCase[]).flatMap((entry) => entry.types));
    expect(NATIONAL_IDS.map((id) => id.type).filter((type) => !types.has(type))).toEqual([]);
    expect(PII_TYPES.filter((type) => !types.has(type))).toEqual([]);
    expect(new Set(NATIONAL_IDS.map((id) => id.type.slice(0, 2))).size).toBeGreaterThanOrEqual(30);
  });

  it.each([
    ['card 4539 1488 0343 6467', 'high'],
    ['card 4242 4242 4242 4242', 'low'],
    ['her number is 536-22-8145', 'high'],
    ['digest: 536-22-8145', 'low'],
    ['{"order_no":"536-22-8145"}', 'low'],
    ['SSN for order 7: 536-22-8145', 'high'],
    ['CPF 111.444.777-35', 'high'],
    ['serial=111.444.777-35', 'low'],
    ['seen 8.8.4.4 twice', 'low'],
    ['the client connection is from 8.8.4.4', 'high'],
    ['call 555-123-4567', 'high'],
    ['part 555-123-4567', 'low'],
  ])('is as sure of %s as %s', (content, confidence) => {
    expect(factsOf(content).pii.map((fact) => fact.confidence)).toEqual([confidence]);
  });

  it('spans exactly the value', () => {
    const text = 'mail jo@mail.example.org now';
    expect(factsOf(text).pii).toEqual([{ span: { path: '/content', start: 5, end: 24 }, type: 'email', layers: [], confidence: 'high' }]);
  });

  it('finds a card that came as a number', () => {
    const facts = understanding.understand(actionOf('tool.call', { params: { card: 4_111_111_111_111_111 } }), []);
    expect(facts.pii.map((fact) => [fact.type, fact.span.path])).toEqual([['credit_card', '/params/card']]);
  });

  it('reports as many as the limit and says when there are more', () => {
    const mails = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}@mail.example.org`).join(' ');
    const at = factsOf(mails(FACTS_LIMITS.piiMax));
    const over = factsOf(mails(FACTS_LIMITS.piiMax + 1));
    expect([at.pii.length, at.cuts]).toEqual([FACTS_LIMITS.piiMax, []]);
    expect([over.pii.length, over.cuts]).toEqual([FACTS_LIMITS.piiMax, ['pii']]);
  });
});

describe('check digits', () => {
  it('accept exactly one last digit', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{11,15}$/), (head) => {
        const digits = Array.from('0123456789');
        expect(digits.filter((digit) => isLuhn(head + digit))).toHaveLength(1);
        expect(digits.filter((digit) => isVerhoeff(head + digit))).toHaveLength(1);
      }),
    );
  });

  it('catch every single wrong digit of an IBAN and a card', () => {
    const iban = 'DE89370400440532013000';
    const card = '4111111111111111';
    for (let i = 4; i < iban.length; i += 1) {
      const wrong = iban.slice(0, i) + ((Number(iban.charAt(i)) + 1) % 10) + iban.slice(i + 1);
      expect(isIban(wrong)).toBe(false);
    }
    for (let i = 0; i < card.length; i += 1) {
      const wrong = card.slice(0, i) + ((Number(card.charAt(i)) + 1) % 10) + card.slice(i + 1);
      expect(isCard(wrong)).toBe(false);
    }
  });
});

describe('the funnel for findings', () => {
  it('is searched by words of ASCII alone, because its automaton knows no others', () => {
    expect([...PII_WORDS, ...SECRET_WORDS].filter((word) => !/^[ -~\n]+$/.test(word) || word !== word.toLowerCase())).toEqual([]);
  });

  it('hands every reader the words of each layer once', () => {
    const reads = decodeLeaf({ path: '/content', role: 'content', text: 'password%3dx', key: '' }, createMeter(), { textsLeft: 9 });
    expect(reads.map((read) => [read.fact.text, read.hits.length > 0])).toEqual([
      ['password%3dx', true],
      ['password=x', true],
    ]);
  });
});
