import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner, noteVerifierKey } from '@countersign/crypto';
import { codeOf, CodedError } from '@countersign/kernel';
import { cosignerKeyText } from '@countersign/log';
import { describe, expect, test } from 'vitest';
import { addWitness, parseWitnessConfig, readWitnessConfig, removeWitness, RUNTIME_LIMITS, setWitnessQuorum } from '../src/index.ts';
import { freshDirectory } from './directory.ts';

const publicKey = (seed: number): Uint8Array => createSigner(new Uint8Array(32).fill(seed)).publicKey;
const keyOf = (seed: number, name = `w${seed}.example`): string => cosignerKeyText(name, publicKey(seed));
const one = (seed: number): object => ({ key: keyOf(seed), url: `https://w${seed}.example` });

function faultOf(work: () => unknown): { readonly code: string; readonly path: string | undefined; readonly message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof CodedError) return { code: codeOf(error), path: error.fault.path, message: error.message };
    throw error;
  }
  return { code: 'nothing', path: undefined, message: '' };
}

describe('witnesses.json', () => {
  test('says whom to ask and how many are wanted', () => {
    const config = parseWitnessConfig(
      JSON.stringify({ quorum: 1, witnesses: [one(1), { key: keyOf(2), url: 'http://127.0.0.1:7380/w/' }] }),
    );
    expect(config.quorum).toBe(1);
    expect(config.witnesses.map(({ url, key, cosigner }) => [url, key, cosigner.name])).toEqual([
      ['https://w1.example', keyOf(1), 'w1.example'],
      ['http://127.0.0.1:7380/w', keyOf(2), 'w2.example'],
    ]);
  });

  test.each([
    ['no JSON', '{', undefined],
    ['a list', '[]', ''],
    ['nothing', '{}', '/witnesses'],
    ['a setting nobody knows', { quorum: 0, witnesses: [], policy: 1 }, ''],
    ['witnesses that are no list', { quorum: 0, witnesses: {} }, '/witnesses'],
    ['no quorum', { witnesses: [] }, '/quorum'],
    ['a quorum in words', { quorum: '1', witnesses: [one(1)] }, '/quorum'],
    ['half a quorum', { quorum: 0.5, witnesses: [one(1)] }, '/quorum'],
    ['less than no quorum', { quorum: -1, witnesses: [one(1)] }, '/quorum'],
    ['a quorum above the number', { quorum: 2, witnesses: [one(1)] }, '/quorum'],
    ['a witness that is no object', { quorum: 0, witnesses: [one(1), 'w'] }, '/witnesses/1'],
    ['a witness with more', { quorum: 0, witnesses: [{ ...one(1), weight: 2 }] }, '/witnesses/0'],
    ['a witness without a key', { quorum: 0, witnesses: [{ url: 'https://a.example' }] }, '/witnesses/0/key'],
    ['the key of a log', { quorum: 0, witnesses: [{ ...one(1), key: noteVerifierKey('a', publicKey(1)) }] }, '/witnesses/0/key'],
    ['a witness without a URL', { quorum: 0, witnesses: [{ key: keyOf(1) }] }, '/witnesses/0/url'],
    ['a URL that is none', { quorum: 0, witnesses: [{ key: keyOf(1), url: 'w.example' }] }, '/witnesses/0/url'],
    ['another scheme', { quorum: 0, witnesses: [{ key: keyOf(1), url: 'file:///etc' }] }, '/witnesses/0/url'],
    ['a password', { quorum: 0, witnesses: [{ key: keyOf(1), url: 'https://u:p@w.example' }] }, '/witnesses/0/url'],
    ['a query', { quorum: 0, witnesses: [{ key: keyOf(1), url: 'https://w.example/?a' }] }, '/witnesses/0/url'],
    ['a fragment', { quorum: 0, witnesses: [{ key: keyOf(1), url: 'https://w.example/#a' }] }, '/witnesses/0/url'],
    ['one name twice', { quorum: 0, witnesses: [one(1), { ...one(2), key: keyOf(2, 'w1.example') }] }, '/witnesses'],
    [
      'one key twice, which would count twice',
      { quorum: 0, witnesses: [one(1), { ...one(2), key: keyOf(1, 'w2.example') }] },
      '/witnesses',
    ],
  ])('with %s is refused with its place', (_name, document, path) => {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    const fault = faultOf(() => parseWitnessConfig(text));
    expect(fault.code).toBe('witnesses_invalid');
    if (path !== undefined) expect(fault.path).toBe(path);
    expect(fault.message).not.toContain('u:p@');
  });

  test('has room for so many witnesses, so long a URL, so many bytes', () => {
    const { witnessesMax, witnessesBytesMax, witnessUrlCharsMax } = RUNTIME_LIMITS;
    const many = (count: number): string => JSON.stringify({ quorum: count, witnesses: Array.from({ length: count }, (_, i) => one(i)) });
    expect(parseWitnessConfig(many(witnessesMax)).witnesses).toHaveLength(witnessesMax);
    expect(faultOf(() => parseWitnessConfig(many(witnessesMax + 1)))).toMatchObject({ code: 'witnesses_invalid', path: '/witnesses' });
    const long = (chars: number): string =>
      JSON.stringify({ quorum: 0, witnesses: [{ key: keyOf(1), url: 'https://w.example/'.padEnd(chars, 'p') }] });
    expect(parseWitnessConfig(long(witnessUrlCharsMax)).witnesses).toHaveLength(1);
    expect(faultOf(() => parseWitnessConfig(long(witnessUrlCharsMax + 1))).path).toBe('/witnesses/0/url');
    expect(parseWitnessConfig(many(1).padEnd(witnessesBytesMax)).quorum).toBe(1);
    expect(faultOf(() => parseWitnessConfig(many(1).padEnd(witnessesBytesMax + 1))).code).toBe('witnesses_invalid');
  });
});

describe('changing it', () => {
  test('a new directory asks nobody; the first witness makes a quorum of one', async () => {
    const directory = await freshDirectory();
    expect(readWitnessConfig(directory)).toEqual({ quorum: 0, witnesses: [] });
    expect(addWitness(directory, keyOf(1), 'https://w1.example/').quorum).toBe(1);
    expect(addWitness(directory, keyOf(2), 'https://w2.example').quorum).toBe(1);
    expect(setWitnessQuorum(directory, 2).quorum).toBe(2);
    expect(readWitnessConfig(directory)).toMatchObject({
      quorum: 2,
      witnesses: [{ url: 'https://w1.example' }, { url: 'https://w2.example' }],
    });
    expect(statSync(join(directory, 'witnesses.json')).mode & 0o777).toBe(0o600);
  });

  test('what would not be read again is not written', async () => {
    const directory = await freshDirectory();
    addWitness(directory, keyOf(1), 'https://w1.example');
    const before = readFileSync(join(directory, 'witnesses.json'), 'utf8');
    for (const work of [
      () => addWitness(directory, keyOf(1), 'https://again.example'),
      () => addWitness(directory, 'no key', 'https://w2.example'),
      () => addWitness(directory, keyOf(2), 'no URL'),
      () => setWitnessQuorum(directory, 2),
      () => removeWitness(directory, 'w1.example'),
    ])
      expect(faultOf(work).code).toBe('witnesses_invalid');
    expect(faultOf(() => removeWitness(directory, 'nobody')).code).toBe('witness_unknown');
    expect(readFileSync(join(directory, 'witnesses.json'), 'utf8')).toBe(before);
    setWitnessQuorum(directory, 0);
    expect(removeWitness(directory, 'w1.example')).toEqual({ quorum: 0, witnesses: [] });
  });

  test('a file that is broken is neither read over nor written over', async () => {
    const directory = await freshDirectory();
    writeFileSync(join(directory, 'witnesses.json'), 'broken');
    expect(faultOf(() => readWitnessConfig(directory)).code).toBe('witnesses_invalid');
    expect(faultOf(() => addWitness(directory, keyOf(1), 'https://w1.example')).code).toBe('witnesses_invalid');
    expect(readFileSync(join(directory, 'witnesses.json'), 'utf8')).toBe('broken');
    expect(faultOf(() => readWitnessConfig(join(directory, 'witnesses.json'))).code).toBe('witnesses_unreadable');
    expect(faultOf(() => setWitnessQuorum(join(directory, 'nowhere'), 0)).code).toBe('witnesses_unwritable');
  });
});
