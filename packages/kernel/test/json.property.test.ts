import { canonicalize, type JsonValue, parseJson, stringifyExact } from '@countersign/kernel';
import reference from 'canonicalize';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const wellFormed = fc.string({ unit: 'binary' });
const key = wellFormed.filter((text) => text !== '__proto__');
const { value: json } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    wellFormed,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

/** A literal as a fraction of integers: exact, slow, obviously right. */
function fraction(literal: string): [bigint, bigint] {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e');
  const [whole = '', part = ''] = mantissa.split('.');
  const scale = Number(exponent) - part.length;
  const digits = BigInt(whole + part);
  return scale >= 0 ? [digits * 10n ** BigInt(scale), 1n] : [digits, 10n ** BigInt(-scale)];
}

function sameDecimal(a: string, b: string): boolean {
  const [an, ad] = fraction(a);
  const [bn, bd] = fraction(b);
  return an * bd === bn * ad;
}

const literal = fc
  .tuple(
    fc.boolean(),
    fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.nat().map(BigInt)),
    fc.option(fc.stringMatching(/^[0-9]{1,25}$/)),
    fc.option(fc.integer({ min: -330, max: 330 })),
  )
  .map(
    ([minus, whole, part, exponent]) =>
      `${minus ? '-' : ''}${whole}${part === null ? '' : `.${part}`}${exponent === null ? '' : `e${exponent}`}`,
  );

/** The platform's reading, without negative zeros. */
function parseLoosely(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) => (item === 0 ? 0 : item));
}

describe('canonicalize', () => {
  it('has the bytes of package canonicalize', () => {
    fc.assert(
      fc.property(json, (value) => canonicalize(value) === reference(value)),
      { numRuns: 400 },
    );
  });
  it('does not depend on the order of keys, and is a fixed point', () => {
    fc.assert(
      fc.property(fc.dictionary(key, json, { maxKeys: 8, noNullPrototype: true }), (value) => {
        const text = canonicalize(value);
        expect(canonicalize(Object.fromEntries(Object.entries(value).reverse()))).toBe(text);
        const parsed = parseJson(text, { depthMax: 100 });
        expect(parsed.ok && canonicalize(parsed.value.value)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseJson', () => {
  it('reads what JSON.stringify writes, compact or indented, as text or bytes', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const expected = { ok: true, value: { value: JSON.parse(text) as unknown, exactNumbers: [] } };
        expect(parseJson(text)).toEqual(expected);
        expect(parseJson(new TextEncoder().encode(text))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
  it('accepts nothing that JSON.parse refuses, whatever was changed', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.nat(3),
      fc.oneof(fc.constantFrom(...'{}[]",:\\ue+-.0123 \n'.split('')), fc.string({ maxLength: 2, unit: 'binary' })),
    );
    fc.assert(
      fc.property(json, fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
        let text = JSON.stringify(value);
        for (const [at, drop, put] of changes)
          text = text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + drop);
        const parsed = parseJson(text);
        if (parsed.ok) expect(parseLoosely(stringifyExact(parsed.value.value, parsed.value.exactNumbers))).toEqual(parseLoosely(text));
      }),
      { numRuns: 1500 },
    );
  });
  it('never throws on bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => typeof parseJson(bytes).ok === 'boolean'),
      { numRuns: 500 },
    );
  });
  it('refuses bytes exactly where a strict decoder does', () => {
    const utf8 = fc.array(
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xa0, 0xed, 0x9f, 0xef, 0xf0, 0x90, 0x8f, 0xf4, 0xf5, 0xff),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(utf8, (middle) => {
        const bytes = Uint8Array.of(0x22, ...middle, 0x22);
        const text = new TextDecoder().decode(bytes);
        const valid = Buffer.from(text, 'utf8').equals(bytes);
        const parsed = parseJson(bytes);
        expect(parsed.ok).toBe(valid);
        if (parsed.ok || parsed.error.span === undefined) return;
        // Everything before the fault is UTF-8, and the fault is not the start of a sequence.
        const { start } = parsed.error.span;
        expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, start))).not.toThrow();
        for (let length = 1; length <= 4; length += 1) {
          const part = bytes.subarray(start, start + length);
          expect(() => new TextDecoder('utf-8', { fatal: true }).decode(part)).toThrow();
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('numbers', () => {
  it('stay numbers exactly when the double has the same decimal value', () => {
    fc.assert(
      fc.property(literal, (text) => {
        const parsed = parseJson(`[${text}]`);
        const double = Number(text);
        const exact = Number.isFinite(double) && sameDecimal(text, String(double));
        const zero = double === 0 ? 0 : double;
        expect(parsed).toEqual({ ok: true, value: { value: [exact ? zero : text], exactNumbers: exact ? [] : ['/0'] } });
      }),
      { numRuns: 800 },
    );
  });
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(literal, { maxLength: 5 }), (literals) => {
        const parsed = parseJson(`{"a":[${literals.join(',')}]}`);
        const text = parsed.ok ? stringifyExact(parsed.value.value, parsed.value.exactNumbers) : '';
        const back = text.slice('{"a":['.length, -2);
        const numbers = back === '' ? [] : back.split(',');
        expect(numbers.length).toBe(literals.length);
        for (const [i, number] of numbers.entries()) expect(sameDecimal(number, literals[i] ?? '')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
