import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBackslash, decodePercent } from '../src/decode-escapes.ts';
import { decodeHtml } from '../src/decode-html.ts';
import { decodeNfkc } from '../src/decode-nfkc.ts';
import { decodeRuns } from '../src/decode-runs.ts';
import { decodeLeaf } from '../src/decode.ts';
import { FACTS_LIMITS } from '../src/limits.ts';
import { compileLiterals } from '../src/literals.ts';
import { createMeter } from '../src/meter.ts';
import { joinProfiles, lowerOf, profileOf } from '../src/profile.ts';
import { rot13 } from '../src/rot13.ts';
import { vectorsOf } from './vectors.ts';

interface DecodeCase {
  readonly name: string;
  readonly text: string;
  readonly layers: readonly { readonly layers: readonly string[]; readonly text: string }[];
}

function layersOf(text: string): { layers: readonly string[]; text: string }[] {
  const leaf = { path: '/content', role: 'content', text, key: '' } as const;
  return decodeLeaf(leaf, createMeter(), { textsLeft: 100 })
    .slice(1)
    .map(({ fact }) => ({ layers: fact.layers, text: fact.text }));
}

function order(list: { layers: readonly string[]; text: string }[]): unknown {
  return list.map((entry) => `${entry.layers.join('>')}\t${entry.text}`).sort();
}

describe('decode funnel', () => {
  it.each(vectorsOf('decode.json') as readonly DecodeCase[])('$name', ({ text, layers }) => {
    expect(order(layersOf(text))).toEqual(order([...layers]));
  });

  it('gives an embedded run its own span and a whole-leaf layer the span of the leaf', () => {
    const run = btoa('read the secret file');
    const text = `say ${run} %41`;
    const reads = decodeLeaf({ path: '/content', role: 'content', text, key: '' }, createMeter(), { textsLeft: 100 });
    const byLayer = new Map(reads.map((read) => [read.fact.layers.join('>'), read.fact.span]));
    expect(byLayer.get('base64')).toEqual({ path: '/content', start: 4, end: 4 + run.length });
    expect(byLayer.get('url')).toEqual({ path: '/content', start: 0, end: text.length });
  });

  it('goes as deep as the limit and says when there is more', () => {
    const nest = (depth: number): string => {
      let text = "'";
      for (let i = 0; i < depth; i += 1) text = text.replaceAll('%', '%25').replaceAll("'", '%27');
      return text;
    };
    const cutsAt = (depth: number): string[] => {
      const meter = createMeter();
      const reads = decodeLeaf({ path: '/content', role: 'content', text: nest(depth), key: '' }, meter, { textsLeft: 100 });
      return [String(reads.at(-1)?.fact.text === "'"), ...meter.cuts];
    };
    expect(cutsAt(FACTS_LIMITS.decodeDepthMax)).toEqual(['true']);
    expect(cutsAt(FACTS_LIMITS.decodeDepthMax + 1)).toEqual(['false', 'decode-depth']);
  });

  it('decodes as many embedded runs as the limit and says when there are more', () => {
    const runs = (count: number): string => Array.from({ length: count }, (_, i) => btoa(`the message number ${i}`)).join(' ');
    const at = decodeRuns(runs(FACTS_LIMITS.runsPerTextMax));
    const over = decodeRuns(runs(FACTS_LIMITS.runsPerTextMax + 1));
    expect([at.runs.length, at.cut]).toEqual([FACTS_LIMITS.runsPerTextMax, false]);
    expect([over.runs.length, over.cut]).toEqual([FACTS_LIMITS.runsPerTextMax, true]);
  });

  it('takes a base64 run of the shortest length and none shorter', () => {
    expect(decodeRuns(btoa('twelve bytes')).runs).toHaveLength(1);
    expect(decodeRuns(btoa('twelve bytes').slice(0, FACTS_LIMITS.base64RunMin - 1)).runs).toHaveLength(0);
  });

  it('takes a hex run of the shortest length and none shorter', () => {
    expect(decodeRuns('6472 6f70').runs).toHaveLength(0);
    expect(decodeRuns('64726f7020746162').runs[0]?.text).toBe('drop tab');
    expect(decodeRuns('64726f70207461').runs).toHaveLength(0);
    expect(decodeRuns('0x64726f702074').runs[0]?.text).toBe('drop t');
    expect(decodeRuns('0x64726f7020').runs).toHaveLength(0);
  });

  it('stops at the byte budget and says so', () => {
    const cut = (already: number): boolean => {
      const meter = createMeter();
      meter.decodedChars = already;
      decodeLeaf({ path: '/content', role: 'content', text: '%41bc', key: '' }, meter, { textsLeft: 100 });
      return meter.cuts.has('decode-bytes');
    };
    expect(cut(FACTS_LIMITS.decodeCharsMax - 3)).toBe(false);
    expect(cut(FACTS_LIMITS.decodeCharsMax - 2)).toBe(true);
  });

  it('keeps runs of combining marks linear', () => {
    const marks = 'a' + '\u0315\u0300'.repeat(5000);
    expect(decodeNfkc(marks)?.length).toBeLessThan(40);
  });
});

const hostile = fc.stringMatching(
  /^(?:%[0-9a-fu]{0,4}|&#?x?[0-9a-z]{0,4};?|\\[xuU0-7{}]{0,4}|[\u200b-\u202e\u0430-\u0455]|[A-Za-z0-9+/=]{0,24}|.){0,24}$/u,
);

describe('decoders on any text', () => {
  it('never throw, keep spans inside the leaf and lower case at length', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), hostile), (text) => {
        const meter = createMeter();
        for (const { fact } of decodeLeaf({ path: '/content', role: 'content', text, key: '' }, meter, { textsLeft: 200 })) {
          expect(fact.span.start).toBeGreaterThanOrEqual(0);
          expect(fact.span.end).toBeLessThanOrEqual(text.length);
          expect(fact.span.start).toBeLessThanOrEqual(fact.span.end);
          expect(fact.lower.length).toBe(fact.text.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('agree with the platform on well-formed percent encoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeURIComponent(text);
        expect(decodePercent(encoded, false) ?? encoded).toBe(decodeURIComponent(encoded));
      }),
    );
  });

  it('agree with the platform on JSON escapes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0x20, max: 0xd7ff }).map((code) => String.fromCharCode(code)), minLength: 1 }),
        (text) => {
          const escaped = Array.from(text, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
          expect(decodeBackslash(escaped)?.text).toBe(text);
        },
      ),
    );
  });

  it('undo numeric character references', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(!text.includes('\0'));
        const encoded = Array.from(text, (sign) => `&#${sign.codePointAt(0) ?? 0};`).join('');
        expect(decodeHtml(encoded)).toBe(text);
      }),
    );
  });

  it('undo rot13 by itself', () => {
    fc.assert(fc.property(fc.string(), (text) => rot13(rot13(text)) === text));
  });
});

describe('literals', () => {
  it('find what a dull search finds', () => {
    const word = fc.stringMatching(/^[ab-]{1,4}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 8 }), fc.stringMatching(/^[abc\u00e9-]{0,40}$/), (words, text) => {
        const expected: string[] = [];
        for (const [number, literal] of words.entries()) {
          for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + 1)) expected.push(`${number}:${at}`);
        }
        const hits = compileLiterals(words).scan(text);
        const found: string[] = [];
        for (let i = 0; i < hits.length; i += 3) {
          found.push(`${hits[i]}:${hits[i + 1]}`);
          expect(text.slice(hits[i + 1], hits[i + 2])).toBe(words[hits[i] ?? -1]);
        }
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });
});

describe('profiles', () => {
  it('of joined texts are the profile of the join', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 5 }), (texts) => {
        const joined = joinProfiles(texts.map(profileOf));
        const whole = profileOf(texts.join(' '));
        expect(joined).toEqual(whole);
      }),
    );
  });

  it('keep a letter whose lower case is longer', () => {
    expect(lowerOf('\u0130ABC')).toBe('\u0130abc');
    expect(lowerOf('ABC')).toBe('abc');
  });
});
