import { InvariantError, JSON_LIMITS, parseJson, stringifyExact, utf8Length } from '@countersign/kernel';
import { findInvalidUtf8 } from '../src/utf8.ts';
import { describe, expect, it } from 'vitest';

function codeOf(input: string | Uint8Array, limits: Parameters<typeof parseJson>[1] = {}): string {
  const parsed = parseJson(input, limits);
  return parsed.ok ? 'ok' : parsed.error.code;
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

describe('limits at n and n + 1', () => {
  it('bytes, of text and of bytes', () => {
    expect(codeOf('"abc"', { bytesMax: 5 })).toBe('ok');
    expect(codeOf('"abcd"', { bytesMax: 5 })).toBe('json_too_large');
    expect(codeOf('"\u20ac"', { bytesMax: 5 })).toBe('ok');
    expect(codeOf('"\u20ac"', { bytesMax: 4 })).toBe('json_too_large');
    expect(codeOf(Buffer.from('"\u20ac"'), { bytesMax: 5 })).toBe('ok');
    expect(codeOf(Buffer.from('"\u20ac"'), { bytesMax: 4 })).toBe('json_too_large');
  });
  it('the default of bytes', () => {
    const fits = `"${'a'.repeat(JSON_LIMITS.bytesMax - 2)}"`;
    expect(codeOf(fits)).toBe('ok');
    expect(codeOf(`${fits} `)).toBe('json_too_large');
  });
  it('depth', () => {
    expect(codeOf(nested(JSON_LIMITS.depthMax))).toBe('ok');
    expect(codeOf(nested(JSON_LIMITS.depthMax + 1))).toBe('json_too_deep');
    expect(codeOf('{"a":{}}', { depthMax: 1 })).toBe('json_too_deep');
    expect(codeOf('{"a":{}}', { depthMax: 2 })).toBe('ok');
    expect(codeOf('{}', { depthMax: 0 })).toBe('json_too_deep');
    expect(codeOf('1', { depthMax: 0 })).toBe('ok');
  });
  it('depth has a ceiling that is a bug to pass', () => {
    expect(codeOf(nested(1024), { depthMax: 1024 })).toBe('ok');
    expect(() => parseJson('1', { depthMax: 1025 })).toThrow(InvariantError);
  });
  it('nodes: values and keys', () => {
    expect(codeOf('[1,2]', { nodesMax: 3 })).toBe('ok');
    expect(codeOf('[1,2,3]', { nodesMax: 3 })).toBe('json_too_many_nodes');
    expect(codeOf('{"a":1}', { nodesMax: 3 })).toBe('ok');
    expect(codeOf('{"a":1}', { nodesMax: 2 })).toBe('json_too_many_nodes');
    expect(codeOf('{"a":1}', { nodesMax: 1 })).toBe('json_too_many_nodes');
  });
  it('pointers of exact numbers, counted before they are built', () => {
    const key = 'k'.repeat(32_766);
    expect(codeOf(`{"${key}":[1e999]}`)).toBe('ok');
    const both = parseJson(`{"${key.slice(3)}":[1e999,1e999]}`);
    expect(both.ok && both.value.exactNumbers.length).toBe(2);
    expect(codeOf(`{"${key}":[1e999,1e999]}`)).toBe('json_too_many_exact_numbers');
  });
});

describe('faults', () => {
  it('quote one character at most and never a long key', () => {
    const parsed = parseJson(`{"${'secret'.repeat(100)}": x}`);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.error.message).toBe('expected a value, found `x`');
    expect(parsed.error.path?.length).toBe(257);
    expect(parsed.error.path?.endsWith('…')).toBe(true);
  });
  it('a pointer is cut between characters, not inside one', () => {
    const parsed = parseJson(`{"${'\u{1F600}'.repeat(200)}": x}`);
    expect(parsed.ok ? '' : parsed.error.path).toSatisfy((path: string) => path.isWellFormed());
  });
  it('names what cannot be shown', () => {
    expect(parseJson('`')).toMatchObject({ error: { message: 'expected a value, found U+0060' } });
    expect(parseJson('[1\u{1F600}')).toMatchObject({ error: { message: 'expected `,` or `]`, found U+1F600' } });
    expect(parseJson('"\u0007"')).toMatchObject({ error: { message: 'U+0007 stands raw in a string' } });
  });
  it('say what to do where there is something', () => {
    expect(parseJson('{"a":1,"a":1}')).toMatchObject({ error: { hint: 'send each key once: parsers disagree on which one counts' } });
    expect(parseJson('[')).toSatisfy((parsed: { error: object }) => !('hint' in parsed.error));
  });
  it('a lone surrogate in text has its place', () => {
    expect(parseJson('"ab\ud800"')).toMatchObject({ error: { code: 'json_lone_surrogate', span: { start: 3, end: 4 } } });
  });
});

describe('values', () => {
  it('are plain objects that structuredClone takes', () => {
    const parsed = parseJson('{"constructor":{"a":[1]},"valueOf":2}');
    const value = parsed.ok ? parsed.value.value : null;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(structuredClone(value)).toEqual(JSON.parse('{"constructor":{"a":[1]},"valueOf":2}'));
    expect({}.constructor).toBe(Object);
  });
  it('a subarray of a larger buffer is read alone', () => {
    const bytes = Buffer.from('xx[1]yy').subarray(2, 5);
    expect(parseJson(bytes)).toEqual({ ok: true, value: { value: [1], exactNumbers: [] } });
  });
});

describe('stringifyExact', () => {
  it('writes the literals back as numbers, and nothing else', () => {
    const text = '{"id":12345678901234567890,"list":[1,"2",{"a/b":1e999,"ok":true}],"m~n":-0.10000000000000000555,"n":null}';
    const parsed = parseJson(text);
    expect(parsed.ok && stringifyExact(parsed.value.value, parsed.value.exactNumbers)).toBe(text);
  });
  it('a top-level number', () => {
    expect(stringifyExact('1e999', [''])).toBe('1e999');
  });
  it('a string put there later stays a string', () => {
    expect(stringifyExact({ a: '[REDACTED]', b: '1,"x":2', c: '01', d: '1e5' }, ['/a', '/b', '/c', '/d'])).toBe(
      '{"a":"[REDACTED]","b":"1,\\"x\\":2","c":"01","d":1e5}',
    );
  });
  it('ignores pointers to nothing, to containers and to inherited names', () => {
    expect(stringifyExact({ a: [true], b: 1 }, ['/x/y', '/a', '/b', '/a/0/1', '/toString', 'no-slash'])).toBe('{"a":[true],"b":1}');
  });
});

describe('findInvalidUtf8', () => {
  it('finds nothing in UTF-8, and the first bad byte otherwise', () => {
    expect(findInvalidUtf8(Buffer.from('a\u00e9\u20ac\u{1F600}'))).toBe(-1);
    for (const [hex, at] of [
      ['e28220', 0],
      ['61f0908080f08080', 5],
      ['41e0a0', 1],
      ['edbfbf', 0],
      ['f4908080', 0],
      ['c3', 0],
      ['f5808080', 0],
      ['f0908041', 0],
    ] as const) {
      expect(findInvalidUtf8(Uint8Array.from(Buffer.from(hex, 'hex'))), hex).toBe(at);
    }
  });
});

describe('utf8Length', () => {
  it('is what an encoder writes', () => {
    for (const text of ['', 'a', '\u00e9', '\u20ac', '\u{1F600}', 'a\ud800b', '\udc00\ud800', '\ud800']) {
      expect(utf8Length(text), JSON.stringify(text)).toBe(new TextEncoder().encode(text).length);
    }
  });
});

/** Characters looked at or sliced while `work` runs: the reader's whole work, without a clock. */
function countSteps(work: () => void): number {
  let steps = 0;
  // oxlint-disable-next-line typescript/unbound-method -- both are called with their receiver below
  const { charCodeAt, slice } = String.prototype;
  const counted = {
    charCodeAt(this: string, i: number): number {
      steps += 1;
      return charCodeAt.call(this, i);
    },
    slice(this: string, start?: number, end?: number): string {
      const part = slice.call(this, start, end);
      steps += part.length;
      return part;
    },
  };
  Object.assign(String.prototype, counted);
  try {
    work();
  } finally {
    Object.assign(String.prototype, { charCodeAt, slice });
  }
  return steps;
}

describe('work is linear in hostile input', () => {
  const shapes: Record<string, (n: number) => string> = {
    escapes: (n) => `"${'\\u0041'.repeat(n / 6)}"`,
    'an open string of escapes': (n) => `"${'\\\\'.repeat(n / 2)}`,
    'one long number': (n) => `0.${'0'.repeat(n - 10)}1e${n - 10}`,
    'numbers that no double holds': (n) => `[${'1e999,'.repeat(n / 6).slice(0, -1)}]`,
    'an exponent without end': (n) => `1e${'9'.repeat(n - 2)}`,
    'white space': (n) => ' '.repeat(n),
    'empty arrays': (n) => `[${'[],'.repeat(n / 3).slice(0, -1)}]`,
  };
  it.each(Object.entries(shapes))('%s', (_, make) => {
    const perCharacter = [65_536, 1_000_000].map((n) => {
      const text = make(n);
      return countSteps(() => parseJson(text, { nodesMax: 1_000_000 })) / text.length;
    });
    for (const steps of perCharacter) expect(steps).toBeLessThan(10);
  });
});
