import { sha256Hex } from '@countersign/crypto';
import { describe, expect, it } from 'vitest';
import { HUSHD_KEYS_MAX, keyringOf, readHushdKeys } from '../src/hushd-keys.ts';

const key = (n: number, more: object = {}): object => ({
  name: `key-${n}`,
  key: `a-key-of-the-test-${n}`,
  scopes: ['check'],
  org: 'o',
  agent: 'a',
  ...more,
});
const read = (...keys: object[]): unknown => readHushdKeys(JSON.stringify({ keys }));

describe('HUSHD-003: the file of keys', () => {
  it('gives each key its scopes, agent and end', () => {
    const [plain, all, ends] = readHushdKeys(
      JSON.stringify({ keys: [key(1), key(2, { scopes: ['*'] }), key(3, { expires_at: '2026-01-01T00:00:00Z' })] }),
    );
    expect([plain?.scopes, all?.scopes, ends?.expires_at]).toEqual([['check'], ['check', 'read', 'admin'], '2026-01-01T00:00:00Z']);
  });

  it.each([
    ['no JSON', '{'],
    ['no list', '{"keys":{}}'],
    ['an empty list', '{"keys":[]}'],
    ['a member twice', '{"keys":[],"keys":[]}'],
  ])('%s is refused', (_, text) => {
    expect(() => readHushdKeys(text)).toThrow('hushd.json has no list');
  });

  it.each([
    ['no scopes', { scopes: [] }, '/keys/0/scopes'],
    ['an unknown scope beside a known one', { scopes: ['check', 'certifications:read'] }, '/keys/0/scopes'],
    ['a scope twice', { scopes: ['check', 'check'] }, '/keys/0/scopes'],
    ['everything and something', { scopes: ['*', 'check'] }, '/keys/0/scopes'],
    ['scopes that are no list', { scopes: 'admin' }, '/keys/0/scopes'],
    ['no agent', { agent: '' }, '/keys/0/agent'],
    ['a key of 15 characters', { key: 'k'.repeat(15) }, '/keys/0/key'],
    ['a key of 513 characters', { key: 'k'.repeat(513) }, '/keys/0/key'],
    ['a time that is none', { expires_at: 'soon' }, '/keys/0/expires_at'],
    ['a time that is a number', { expires_at: 7 }, '/keys/0/expires_at'],
  ])('%s is refused, and the place is named', (_, more, path) => {
    expect(() => read(key(1, more))).toThrow(
      expect.objectContaining({ code: 'hushd_keys_invalid', fault: expect.objectContaining({ path }) }),
    );
  });

  it('keys of 16 and of 512 characters are keys', () => {
    for (const length of [16, 512]) expect(() => read(key(1, { key: 'k'.repeat(length) }))).not.toThrow();
  });

  it(`holds ${HUSHD_KEYS_MAX} keys`, () => {
    const keys = Array.from({ length: HUSHD_KEYS_MAX + 1 }, (_, n) => key(n));
    expect(() => read(...keys.slice(1))).not.toThrow();
    expect(() => read(...keys)).toThrow('hushd.json has no list of 1 to');
  });
});

describe('the keys of the door', () => {
  it('are found by their hash, and known by a part of it', () => {
    const found = keyringOf(readHushdKeys(JSON.stringify({ keys: [key(1, { expires_at: '1970-01-01T00:00:01Z' })] }))).find(
      sha256Hex('a-key-of-the-test-1'),
    );
    expect(found).toMatchObject({ name: 'key-1', scopes: ['check'], org: 'o', agent: 'a', expiresMs: 1000 });
    expect(JSON.stringify(found)).not.toContain('a-key-of-the-test');
  });

  it('two that are the same are refused: one would have the rights of the other', () => {
    expect(() => keyringOf(readHushdKeys(JSON.stringify({ keys: [key(1), { ...key(1, { scopes: ['*'] }), name: 'other' }] })))).toThrow(
      'two keys are the same',
    );
  });
});
