/** One contract, two builds: what Node says of a hash, a text, a key or a signature, the browser says too, in every case we know of. */
import { readFileSync } from 'node:fs';
import * as node from '@countersign/crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isStrictEd25519 } from '../src/ed25519-strictness.ts';
import { type BrowserBuild, type BrowserCrypto, buildForBrowser } from './browser-build.ts';
import { type Edge, ed25519Edges, mixed, TORSION } from './ed25519-edges.ts';

let build: BrowserBuild;
let browser: BrowserCrypto;
beforeAll(async () => {
  build = await buildForBrowser();
  browser = build.crypto;
});

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../vectors/crypto/${name}`, import.meta.url), 'utf8'));
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
/** Any UTF-16, with lone surrogates. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 60 });

interface Signed {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

function answers({ publicKey, message, signature }: Signed): { node: boolean; browser: boolean } {
  const [key, text, proof] = [hex(publicKey), hex(message), hex(signature)];
  return { node: node.createVerifier(key).verify(text, proof), browser: browser.createVerifier(key).verify(text, proof) };
}

const both = (holds: boolean) => ({ node: holds, browser: holds });

describe('the build for browsers', () => {
  it('imports nothing and holds no module of Node', () => {
    expect(build.imports).toEqual([]);
    expect(build.modules.filter((path) => path.startsWith('node:'))).toEqual([]);
    const own = build.modules.flatMap((path) => /packages\/crypto\/src\/(.*)$/.exec(path)?.[1] ?? []);
    expect(own.sort()).toEqual([
      'browser/base64.ts',
      'browser/ed25519.ts',
      'browser/hash.ts',
      'ed25519-strictness.ts',
      'limits.ts',
      'note-key.ts',
      'note.ts',
    ]);
  });

  it('has names of the build for Node only, and none that signs, seals or mints', () => {
    const names = Object.keys(browser);
    expect(names.filter((name) => !(name in node))).toEqual([]);
    expect(names.filter((name) => /sign(?!ature)|seal|open(?!Note)|mint|jwt|secret|hmac/i.test(name))).toEqual([]);
  });
});

describe('Ed25519', () => {
  const vectors = read('ed25519.json') as { valid: (Signed & { name: string })[]; invalid: (Signed & { name: string })[]; edges: Edge[] };

  it.each(vectors.valid)('holds in both: $name', (row) => expect(answers(row)).toEqual(both(true)));
  it.each(vectors.invalid)('refused by both: $name', (row) => expect(answers(row)).toEqual(both(false)));
  it.each(vectors.edges)('BNDL-016, edge: $name: $holds', (row) => expect(answers(row)).toEqual(both(row.holds)));

  it('edges are what the recipes give today', () => expect(ed25519Edges()).toEqual(vectors.edges));

  it('edges hold something that other verifiers let pass', () => {
    const lenient = (row: Signed, zip215: boolean): boolean =>
      ed25519.verify(hex(row.signature), hex(row.message), hex(row.publicKey), { zip215 });
    const refused = vectors.edges.filter(({ holds }) => !holds);
    expect(refused.filter((row) => lenient(row, true)).length).toBeGreaterThan(20);
    expect(refused.filter((row) => lenient(row, false)).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['R of mixed order', 'A of mixed order, k no multiple of 8']),
    );
  });

  it('every spelling of every point of small order is refused as key and as R', () => {
    const honest = vectors.edges.find(({ name }) => name === 'an honest signature');
    const [key, signature] = [hex(honest?.publicKey ?? ''), hex(honest?.signature ?? '')];
    expect(isStrictEd25519(key, signature)).toBe(true);
    for (const point of TORSION) {
      for (const sign of [0, 0x80]) {
        const spelled = Uint8Array.from(point.toBytes());
        spelled[31] = ((spelled[31] ?? 0) & 0x7f) | sign;
        expect(isStrictEd25519(spelled, signature)).toBe(false);
        expect(isStrictEd25519(key, Uint8Array.from([...spelled, ...signature.subarray(32)]))).toBe(false);
      }
    }
  });

  it.each([0, 31, 33])('a key of %i bytes is our own mistake in both', (length) => {
    for (const crypto of [node, browser]) expect(() => crypto.createVerifier(new Uint8Array(length))).toThrow(/32 bytes/);
  });

  it('agree on honest signatures, and on any byte of key, message or signature that is another', () => {
    fc.assert(
      fc.property(
        bytesOf(32),
        fc.uint8Array({ maxLength: 200 }),
        fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })),
        (seed, message, [at, change]) => {
          const signer = node.createSigner(seed);
          const whole = Uint8Array.from([...signer.publicKey, ...signer.sign(message), ...message]);
          const parts = (): Signed => {
            const part = (from: number, to?: number): string => Buffer.from(whole.subarray(from, to)).toString('hex');
            return { publicKey: part(0, 32), signature: part(32, 96), message: part(96) };
          };
          expect(answers(parts())).toEqual(both(true));
          whole[at % whole.length] = (whole[at % whole.length] ?? 0) ^ change;
          expect(answers(parts())).toEqual(both(false));
          expect(browser.keyIdOf(signer.publicKey)).toBe(signer.keyId);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('agree on any mixture of small orders in key and R', () => {
    const torsion = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(torsion, torsion, torsion, (key, r, residue) => {
        const edge = mixed('', { key, r, wanted: (k) => k % 8n === BigInt(residue), holds: false });
        const { node: first, browser: second } = answers(edge);
        expect(second).toBe(first);
      }),
      { numRuns: 60 },
    );
  });

  it('agree on bytes that nobody made', () => {
    fc.assert(
      fc.property(bytesOf(32), bytesOf(64), fc.uint8Array({ maxLength: 20 }), (publicKey, signature, message) => {
        const of = (crypto: BrowserCrypto): boolean => crypto.createVerifier(publicKey).verify(message, signature);
        expect([of(node), of(browser)]).toEqual([false, false]);
      }),
      { numRuns: 100 },
    );
  });

  it('a text is signed as its UTF-8 bytes in both', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const signer = node.createSigner(new Uint8Array(32));
        expect(browser.createVerifier(signer.publicKey).verify(text, signer.sign(text))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('SHA-256', () => {
  const vectors = read('hash.json') as { sha256: { data: string; digest: string }[] };
  it.each(vectors.sha256)('of "$data"', ({ data, digest }) => {
    expect([browser.sha256(hex(data)), browser.sha256Hex(hex(data))]).toEqual([hex(digest), digest]);
  });

  it('agree on any bytes and any text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), anyText, (bytes, text) => {
        for (const data of [bytes, bytes.subarray(1), text]) {
          expect(browser.sha256Hex(data)).toBe(node.sha256Hex(data));
          expect(browser.sha256(data)).toEqual(node.sha256(data));
        }
      }),
    );
  });
});

describe('base64', () => {
  const vectors = read('base64.json') as {
    valid: { bytes: string; base64: string; base64url: string }[];
    invalid: { base64: string[]; base64url: string[] };
  };

  it('vectors', () => {
    for (const row of vectors.valid) {
      expect([browser.base64(hex(row.bytes)), browser.base64url(hex(row.bytes))]).toEqual([row.base64, row.base64url]);
      expect([browser.fromBase64(row.base64), browser.fromBase64url(row.base64url)]).toEqual([hex(row.bytes), hex(row.bytes)]);
    }
    expect(vectors.invalid.base64.filter((text) => browser.fromBase64(text) !== undefined)).toEqual([]);
    expect(vectors.invalid.base64url.filter((text) => browser.fromBase64url(text) !== undefined)).toEqual([]);
  });

  it('agree on any bytes, on any text, and on texts that are nearly right', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'AQgw/+-_=z \n'.split('')), maxLength: 12 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.oneof(nearly, anyText), (bytes, text) => {
        expect([browser.base64(bytes), browser.base64url(bytes)]).toEqual([node.base64(bytes), node.base64url(bytes)]);
        expect([browser.fromBase64(text), browser.fromBase64url(text)]).toEqual([node.fromBase64(text), node.fromBase64url(text)]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('signed notes', () => {
  const vectors = read('note.json') as {
    vkey: string;
    notes: { valid: { note: string }[]; invalid: { note: string }[] };
    keys: { valid: { vkey: string }[]; invalid: { vkey: string }[] };
  };
  const notes = [...vectors.notes.valid, ...vectors.notes.invalid].map(({ note }) => note);
  const opened = (crypto: BrowserCrypto, note: string): unknown => {
    const key = crypto.parseNoteVerifierKey(vectors.vkey);
    return crypto.openNote(note, key.ok ? [key.value] : []);
  };
  const keyOf = (crypto: BrowserCrypto, vkey: string): unknown => {
    const parsed = crypto.parseNoteVerifierKey(vkey);
    if (!parsed.ok) return parsed;
    const { name, keyHash, publicKey } = parsed.value;
    return { name, keyHash, publicKey, again: crypto.noteVerifierKey(name, publicKey) };
  };

  it('vectors are opened and refused alike', () => {
    expect(notes.length).toBeGreaterThan(20);
    for (const note of notes) expect(opened(browser, note)).toEqual(opened(node, note));
    for (const { vkey } of [...vectors.keys.valid, ...vectors.keys.invalid]) expect(keyOf(browser, vkey)).toEqual(keyOf(node, vkey));
  });

  it('agree on notes and keys with any character changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...notes), fc.nat(), fc.string({ minLength: 0, maxLength: 2 }), (note, at, put) => {
        const cut = (text: string): string => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1);
        expect(opened(browser, cut(note))).toEqual(opened(node, cut(note)));
        expect(keyOf(browser, cut(vectors.vkey))).toEqual(keyOf(node, cut(vectors.vkey)));
      }),
      { numRuns: 300 },
    );
  });
});
