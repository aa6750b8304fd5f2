/** The parts of the page that need no browser: limits at n and n + 1, texts of strangers, keys. */
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { describe, expect, it } from 'vitest';
import { type HeldFile, tooMany } from '../src/page/intake.ts';
import { readKeys } from '../src/page/keys.ts';
import { PAGE_LIMITS } from '../src/page/limits.ts';
import { readNow, readQuorum } from '../src/page/questions.ts';
import { visible, visibleJson } from '../src/page/visible-text.ts';

const LOG_KEY = noteVerifierKey('example.org/log', createSigner(new Uint8Array(32)).publicKey);

describe('how much is taken', () => {
  const held = (count: number): HeldFile[] => Array.from({ length: count }, (_, i) => ({ name: `${i}` }));
  const coming = (...sizes: readonly number[]): { size: number }[] => sizes.map((size) => ({ size }));

  it('files: n and n + 1', () => {
    expect(tooMany(held(PAGE_LIMITS.filesMax - 1), coming(1))).toBeUndefined();
    expect(tooMany(held(PAGE_LIMITS.filesMax), coming(1))).toMatch(/^At most 1000 files at once, and these would be 1001/);
  });

  it('bytes of the list: n and n + 1; what is too large by itself takes no room', () => {
    const whole = coming(...Array.from({ length: 8 }, () => PAGE_LIMITS.fileBytesMax));
    expect(tooMany([], whole)).toBeUndefined();
    expect(tooMany([], [...whole, ...coming(PAGE_LIMITS.fileBytesMax + 1)])).toBeUndefined();
    expect(tooMany([], [...whole, ...coming(1)])).toMatch(/^At most 268435456 bytes at once, and these would be 268435457/);
    expect(tooMany([{ name: 'held', bytes: new Uint8Array(1) }], whole)).toMatch(/Nothing was added/);
  });
});

describe('texts of strangers', () => {
  it('are cut at n + 1, with a count', () => {
    const max = PAGE_LIMITS.shownCharsMax;
    expect(visible('x'.repeat(max))).toBe('x'.repeat(max));
    expect(visible('x'.repeat(max + 3))).toBe(`${'x'.repeat(max)}… (3 characters more)`);
    const room = PAGE_LIMITS.entryCharsMax - 2;
    expect(visibleJson('x'.repeat(room))).toBe(`"${'x'.repeat(room)}"`);
    expect(visibleJson('x'.repeat(room + 1))).toMatch(/cut here/);
  });

  it.each([
    ['\u202Eexe.txt', '⟨U+202E⟩exe.txt'],
    ['a\u200Bb\u00ADc\uFEFFd', 'a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩d'],
    ['line\nline\u2028line\u0000\u001B[31m', 'line⟨U+000A⟩line⟨U+2028⟩line⟨U+0000⟩⟨U+001B⟩[31m'],
    ['\uD800 \u{E0041} \uE000', '⟨U+D800⟩ ⟨U+E0041⟩ ⟨U+E000⟩'],
    ['zürich 東京 😀', 'zürich 東京 😀'],
  ])('%j has no character that cannot be seen', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('in JSON, too: its own newlines stay, those of the text do not', () => {
    expect(visibleJson({ a: 'x\ny\u202E' })).toBe('{\n  "a": "x\\ny⟨U+202E⟩"\n}');
  });
});

describe('keys', () => {
  it('one a line, without comments and empty lines, each once', () => {
    expect(readKeys('log', `\n# ours\n  ${LOG_KEY}\r\n${LOG_KEY}\n`)).toEqual({ keys: [LOG_KEY] });
    expect(readKeys('log', '')).toEqual({ keys: [] });
  });

  it.each([
    ['log', 'nonsense', /^line 3: not a verifier key/],
    ['log', LOG_KEY.replace('+', '+0'), /^line 3: not a verifier key/],
    ['receipt', LOG_KEY, /^line 3: not a receipt key/],
    ['receipt', 'A'.repeat(42), /^line 3: not a receipt key/],
    ['witness', LOG_KEY, /^line 3: .*type/],
    ['witness', 'nonsense', /^line 3: not a verifier key/],
  ] as const)('%s: %s is named by its line, and stays among the keys, so that nothing is verified past it', (box, line, complaint) => {
    const read = readKeys(box, `# one\n\n${line}\n`);
    expect([read.keys, read.complaint]).toEqual([[line], expect.stringMatching(complaint)]);
  });

  it('characters of a box: n and n + 1', () => {
    const comment = (length: number): string => `#${'x'.repeat(length - 1)}`;
    expect(readKeys('log', comment(PAGE_LIMITS.keysCharsMax))).toEqual({ keys: [] });
    expect(readKeys('log', comment(PAGE_LIMITS.keysCharsMax + 1)).complaint).toBe('at most 65536 characters of keys');
  });

  it.each([
    ['', 2, {}],
    [' 1 ', 2, { quorum: 1 }],
    ['2', 2, { quorum: 2 }],
    ['3', 2, { quorum: 3, complaint: 'a number from 1 to 2, the witness keys above' }],
    ['0', 2, { quorum: 3, complaint: 'a number from 1 to 2, the witness keys above' }],
    ['-1', 1, { quorum: 2, complaint: 'a number from 1 to 1, the witness keys above' }],
    ['1e0', 1, { quorum: 2, complaint: 'a number from 1 to 1, the witness keys above' }],
  ])('a quorum of %j of %i', (text, witnesses, expected) => {
    expect(readQuorum(text, witnesses)).toEqual(expected);
  });

  it.each([
    ['', {}],
    [' 2026-01-02T03:04:05Z ', { now: '2026-01-02T03:04:05.000Z' }],
    ['2026-01-02T03:04:05.678Z', { now: '2026-01-02T03:04:05.678Z' }],
    ['2026-01-02', { now: '9999-12-31T23:59:59.999Z', complaint: 'a time in UTC such as 2026-01-02T03:04:05Z' }],
    ['2026-13-02T03:04:05Z', { now: '9999-12-31T23:59:59.999Z', complaint: 'a time in UTC such as 2026-01-02T03:04:05Z' }],
  ])('what is due is judged at %j', (text, expected) => {
    expect(readNow(text)).toEqual(expected);
  });
});
