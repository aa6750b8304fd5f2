import {
  canonicalize,
  CodedError,
  codeOf,
  err,
  formatTime,
  getOwn,
  invariant,
  InvariantError,
  isJsonObject,
  isUuid,
  type JsonValue,
  ok,
  pointer,
  uuidv7,
} from '@countersign/kernel';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('Result', () => {
  it('is a value or a fault', () => {
    expect(ok(1)).toEqual({ ok: true, value: 1 });
    expect(err('x')).toEqual({ ok: false, error: 'x' });
  });
});

describe('errors', () => {
  it('a coded error carries its fault and its cause', () => {
    const cause = new Error('disk');
    const error = new CodedError({ code: 'log_failed', message: 'the log cannot be written', path: 'journal' }, { cause });
    expect(error).toMatchObject({ name: 'CodedError', code: 'log_failed', message: 'the log cannot be written', cause });
    expect(error.fault.path).toBe('journal');
  });
  it('an invariant holds or throws', () => {
    expect(() => invariant(true, 'no')).not.toThrow();
    expect(() => invariant(false, 'two is three')).toThrow(InvariantError);
    expect(() => invariant(false, 'two is three')).toThrow('two is three');
  });
  it('codeOf knows every thrown thing', () => {
    expect(codeOf(new CodedError({ code: 'a', message: '' }))).toBe('a');
    expect(codeOf(new InvariantError('x'))).toBe('invariant');
    expect(codeOf(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    for (const thrown of [new Error('x'), Object.assign(new Error('x'), { code: 5 }), 'text', undefined, { code: 'a' }])
      expect(codeOf(thrown)).toBe('unexpected');
  });
});

describe('JSON values', () => {
  it('isJsonObject', () => {
    expect([{}, [], null, 'a', 1].map((value) => isJsonObject(value))).toEqual([true, false, false, false, false]);
  });
  it('getOwn never reaches a prototype', () => {
    expect(getOwn({ a: 1 }, 'a')).toBe(1);
    expect(getOwn({}, 'toString')).toBeUndefined();
  });
  it('pointer escapes as RFC 6901 says', () => {
    expect(pointer(pointer('', 'a/b'), 'm~n')).toBe('/a~1b/m~0n');
    expect(pointer('', '~1')).toBe('/~01');
    expect(pointer('/x', 3)).toBe('/x/3');
  });
});

describe('UUIDv7', () => {
  const fill = (byte: number): { bytes(length: number): Uint8Array } => ({ bytes: (length) => new Uint8Array(length).fill(byte) });
  it('has the layout of RFC 9562', () => {
    expect(uuidv7({ nowMs: () => 0x0123456789ab }, fill(0xff))).toBe('01234567-89ab-7fff-bfff-ffffffffffff');
    expect(uuidv7({ nowMs: () => 0 }, fill(0))).toBe('00000000-0000-7000-8000-000000000000');
    // RFC 9562 A.6
    const random = Uint8Array.from(Buffer.from('0000000000000cc318c4dc0c0c07398f', 'hex'));
    expect(uuidv7({ nowMs: () => 0x017f22e279b0 }, { bytes: () => random })).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });
  it('takes no fewer random bytes than it asked for', () => {
    expect(() => uuidv7({ nowMs: () => 0 }, { bytes: () => new Uint8Array(15) })).toThrow(InvariantError);
  });
  it('sorts by time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.integer({ min: 0, max: 2 ** 48 - 1 }), (a, b) => {
        const [first, second] = [uuidv7({ nowMs: () => a }, fill(1)), uuidv7({ nowMs: () => b }, fill(1))];
        expect(first < second).toBe(a < b);
        expect(isUuid(first)).toBe(true);
      }),
    );
  });
  it('isUuid takes the canonical form only', () => {
    const id = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
    expect(isUuid(id)).toBe(true);
    for (const other of [id.toUpperCase(), `${id} `, id.slice(1), id.replace('-', '0'), id.replaceAll('-', ''), `{${id}}`, ''])
      expect(isUuid(other), other).toBe(false);
  });
});

describe('time', () => {
  it('is RFC 3339 with milliseconds', () => {
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(formatTime(1_790_000_000_123)).toBe('2026-09-21T14:13:20.123Z');
  });
});

describe('canonicalize', () => {
  it('leaves out undefined members, keeps array places', () => {
    const value = { b: undefined, a: [undefined, 1] } as unknown as JsonValue;
    expect(canonicalize(value)).toBe('{"a":[null,1]}');
  });
  it('refuses what JSON cannot hold', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }, ['\ud800']])
      expect(() => canonicalize(value)).toThrow(InvariantError);
  });
  it('writes an own `__proto__` as any key', () => {
    expect(canonicalize(JSON.parse('{"__proto__":1,"a":2}') as JsonValue)).toBe('{"__proto__":1,"a":2}');
  });
  it('is the same whether or not a key was seen before', () => {
    const keys = Array.from({ length: 5000 }, (_, i) => `key-${i}`);
    const value = Object.fromEntries(keys.map((key, i) => [key, i]));
    const expected = `{${[...keys]
      .sort()
      .map((key) => `"${key}":${value[key]}`)
      .join(',')}}`;
    expect(canonicalize(value)).toBe(expected);
    expect(canonicalize(value)).toBe(expected);
  });
});
