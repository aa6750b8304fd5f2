/** Sealed bytes open for whom they were sealed and for nobody else; key files are what they must be. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSealer, createSecretFile, loadMasterKey, loadSigningSeed, readSecretFile, STORE_LIMITS } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { test as propertyTest, fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const KEY = new Uint8Array(32).fill(5);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const { random } = createBench();
const sealer = createSealer(KEY, random);

let folder = '';
let count = 0;
const fresh = (): string => join(folder, `key-${(count += 1)}`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sealer', () => {
  propertyTest.prop([fc.string(), fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 60 })])(
    'opens what it sealed, in this process and the next',
    (subject, plaintext, aad) => {
      const sealed = sealer.seal(subject, plaintext, aad);
      expect(Buffer.from(sealer.open(subject, sealed, aad))).toEqual(Buffer.from(plaintext));
      expect(Buffer.from(createSealer(KEY, random).open(subject, sealed, aad))).toEqual(Buffer.from(plaintext));
    },
  );

  test('every flipped bit is noticed', () => {
    const sealed = sealer.seal('s', bytes('content'), bytes('a'));
    for (let at = 0; at < sealed.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Uint8Array.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(() => sealer.open('s', changed, bytes('a'))).toThrow(expect.objectContaining({ code: expect.stringMatching(/^seal_/) }));
      }
    }
  });

  test('cut short it does not open', () => {
    const sealed = sealer.seal('s', bytes('content'), bytes('a'));
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => sealer.open('s', sealed.slice(0, length), bytes('a'))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^seal_/) }),
      );
    }
  });

  test('subject and aad are bound, and cannot be traded for one another', () => {
    const sealed = sealer.seal('ab', bytes('x'), bytes('c'));
    for (const [subject, aad] of [
      ['a', 'bc'],
      ['abc', ''],
      ['ab', 'd'],
      ['b', 'c'],
    ] as const) {
      expect(() => sealer.open(subject, sealed, bytes(aad))).toThrow(expect.objectContaining({ code: 'seal_broken' }));
    }
  });

  test('another master key is named as such', () => {
    const sealed = sealer.seal('s', bytes('x'), bytes(''));
    const other = createSealer(new Uint8Array(32).fill(6), random);
    expect(() => other.open('s', sealed, bytes(''))).toThrow(expect.objectContaining({ code: 'seal_key_unknown' }));
  });

  test('no nonce is used twice under one key', () => {
    const seen = new Set<string>();
    for (let n = 0; n < 2000; n += 1)
      seen.add(
        Buffer.from(sealer.seal('s', bytes('x'), bytes('')))
          .subarray(9, 37)
          .toString('hex'),
      );
    expect(seen.size).toBe(2000);
  });

  test('a master key of another length is our own bug', () => {
    expect(() => createSealer(new Uint8Array(31), random)).toThrow(expect.objectContaining({ code: 'invariant' }));
  });
});

describe('key files', () => {
  test('a master key is made once and read ever after', () => {
    const path = fresh();
    const key = loadMasterKey({ path, random, create: true });
    expect(key).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(Buffer.from(loadMasterKey({ path, random, create: true }))).toEqual(Buffer.from(key));
    expect(Buffer.from(loadMasterKey({ path, random, create: false }))).toEqual(Buffer.from(key));
  });

  test('a missing key is made only where that is allowed', () => {
    expect(() => loadMasterKey({ path: fresh(), random, create: false })).toThrow(expect.objectContaining({ code: 'key_file_missing' }));
    expect(() => loadSigningSeed({ path: fresh(), random, create: false, sealer, purpose: 'log' })).toThrow(
      expect.objectContaining({ code: 'key_file_missing' }),
    );
  });

  test.each([0o640, 0o604, 0o620, 0o602, 0o610])('mode %o is refused', (mode) => {
    const path = fresh();
    loadMasterKey({ path, random, create: true });
    chmodSync(path, mode);
    expect(() => loadMasterKey({ path, random, create: true })).toThrow(expect.objectContaining({ code: 'key_file_unsafe' }));
  });

  test('a link and a folder are refused', () => {
    const [target, link, directory] = [fresh(), fresh(), fresh()];
    loadMasterKey({ path: target, random, create: true });
    symlinkSync(target, link);
    mkdirSync(directory, { mode: 0o700 });
    for (const path of [link, directory]) {
      expect(() => loadMasterKey({ path, random, create: true })).toThrow(expect.objectContaining({ code: 'key_file_unsafe' }));
    }
  });

  test('anything but the very form is malformed, and the error does not quote it', () => {
    const path = fresh();
    loadMasterKey({ path, random, create: true });
    const good = readFileSync(path, 'utf8');
    for (const bad of [
      '',
      good.trimEnd(),
      `${good}\n`,
      good.replace('v1', 'v2'),
      good.slice(0, -3),
      `${good.slice(0, -2)}=\n`,
      'x'.repeat(5000),
    ]) {
      writeFileSync(path, bad);
      let thrown: unknown;
      try {
        loadMasterKey({ path, random, create: true });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: 'key_file_malformed' });
      expect(JSON.stringify(thrown)).not.toContain(good.split('\n')[1]);
    }
  });

  test('an existing file is never written over', () => {
    const path = fresh();
    createSecretFile(path, 'one');
    expect(() => createSecretFile(path, 'two')).toThrow(expect.objectContaining({ code: 'key_file_exists' }));
    expect(readSecretFile(path)).toBe('one');
  });

  test('a directory that is not there is unreadable', () => {
    expect(() => createSecretFile(join(folder, 'none', 'key'), 'x')).toThrow(expect.objectContaining({ code: 'key_file_unreadable' }));
  });

  test('size at n and n + 1', () => {
    const path = fresh();
    createSecretFile(path, 'x'.repeat(STORE_LIMITS.keyFileBytesMax));
    expect(readSecretFile(path)).toHaveLength(STORE_LIMITS.keyFileBytesMax);
    writeFileSync(path, 'x'.repeat(STORE_LIMITS.keyFileBytesMax + 1));
    expect(() => readSecretFile(path)).toThrow(expect.objectContaining({ code: 'key_file_malformed' }));
  });

  test('a signing seed is sealed, and for one purpose', () => {
    const path = fresh();
    const seed = loadSigningSeed({ path, random, create: true, sealer, purpose: 'log' });
    expect(readFileSync(path, 'utf8')).not.toContain(Buffer.from(seed).toString('base64url'));
    expect(Buffer.from(loadSigningSeed({ path, random, create: false, sealer, purpose: 'log' }))).toEqual(Buffer.from(seed));
    expect(() => loadSigningSeed({ path, random, create: false, sealer, purpose: 'scope' })).toThrow(
      expect.objectContaining({ code: 'key_file_malformed' }),
    );
    const other = createSealer(new Uint8Array(32).fill(9), random);
    expect(() => loadSigningSeed({ path, random, create: false, sealer: other, purpose: 'log' })).toThrow(
      expect.objectContaining({ code: 'seal_key_unknown' }),
    );
  });
});
