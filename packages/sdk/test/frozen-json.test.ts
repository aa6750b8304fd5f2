import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { copyJson } from '../src/frozen-json.ts';
import { SDK_LIMITS } from '../src/limits.ts';

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

describe('copyJson', () => {
  // A property of this name is refused: see the list below.
  const named = (value: unknown): boolean => JSON.stringify(value).includes('"__proto__"');

  test.prop([fc.jsonValue().filter((value) => !named(value))])('says what JSON would say of any JSON value', (value) => {
    const copy = copyJson(value);
    expect(copy.ok && JSON.stringify(copy.value)).toBe(JSON.stringify(value));
  });

  test.prop([
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withNullPrototype: true }),
  ])('gives a value that JSON holds without loss, or refuses', (value) => {
    const copy = copyJson(value);
    if (copy.ok) expect(JSON.parse(JSON.stringify(copy.value))).toEqual(copy.value);
    else expect(copy.error.path ?? '').toMatch(/^(?:\/|$)/);
  });

  it.each([
    ['a function', { f: () => 0 }, '/f'],
    ['undefined in a list', [undefined], '/0'],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole in a list', [1, , 2], '/1'],
    ['not a number', { a: { 'b/c': Number.NaN } }, '/a/b~1c'],
    ['infinity', [Infinity], '/0'],
    ['a big integer', [1n], '/0'],
    ['a symbol', [Symbol('s')], '/0'],
    ['a date', { at: new Date(0) }, '/at'],
    ['a map', [new Map()], '/0'],
    ['bytes', [new Uint8Array(1)], '/0'],
    ['an error', [new Error('e')], '/0'],
    ['a class instance', [Object.create({ inherited: true })], '/0'],
    ['half a surrogate pair', ['\ud800'], '/0'],
    ['half a surrogate pair in a name', { '\ud800': 1 }, ''],
    ['a property called __proto__', JSON.parse('{"__proto__":{"admin":true}}'), ''],
  ])('refuses %s and says where', (_name, value, path) => {
    expect(copyJson(value)).toMatchObject({ ok: false, error: { code: 'not_json', path } });
  });

  it('refuses a getter or a proxy that throws', () => {
    const thrower = {
      get a(): never {
        throw new Error('no');
      },
    };
    expect(copyJson(thrower)).toMatchObject({ ok: false, error: { code: 'not_json' } });
    expect(
      copyJson(
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no');
            },
          },
        ),
      ),
    ).toMatchObject({ ok: false, error: { code: 'not_json' } });
  });

  it('leaves out a property that is undefined, and reads minus zero as zero', () => {
    const copy = copyJson({ a: undefined, b: -0 });
    expect(copy).toEqual({ ok: true, value: { b: 0 } });
  });

  it('does not follow a circle for ever', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(copyJson(circle)).toMatchObject({ ok: false, error: { code: 'too_deep' } });
  });

  it('has a limit of depth, at n and n + 1', () => {
    expect(copyJson(nested(SDK_LIMITS.argumentDepthMax)).ok).toBe(true);
    expect(copyJson(nested(SDK_LIMITS.argumentDepthMax + 1))).toMatchObject({ ok: false, error: { code: 'too_deep' } });
  });

  it('has a limit of values, at n and n + 1', () => {
    const list = Array.from({ length: SDK_LIMITS.argumentNodesMax - 1 }, () => 0);
    expect(copyJson(list).ok).toBe(true);
    expect(copyJson([...list, 0])).toMatchObject({ ok: false, error: { code: 'too_many_values' } });
  });
});
