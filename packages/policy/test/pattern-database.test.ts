/** Pattern databases: what is read, what is believed, and what each failure is called. */
import { createSigner, sha256Hex, type Signer } from '@countersign/crypto';
import { err, ok } from '@countersign/kernel';
import { type PatternWorld, parsePolicy, POLICY_LIMITS, type PolicyFault, resolvePolicy, type ResolvedPolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { rulesets } from './support.ts';

const NOW = 1_764_000_000_000; // 2025-11-24T16:00:00Z

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function entry(id: string, embedding: readonly number[]): object {
  return { id, category: 'jailbreak', stage: 'perception', label: id, embedding };
}
const GOOD = [entry('a', [0.1, -0.2, 0.3]), entry('b', [1, 0, 0])];

/** Files by name; `lib/x` is found from `lib/y` as `x`. */
type Files = Readonly<Record<string, unknown>>;

function bytesOf(content: unknown): Uint8Array {
  return content instanceof Uint8Array
    ? content
    : new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
}

function worldOf(files: Files, nowMs: number | undefined = NOW): PatternWorld {
  return {
    nowMs,
    files: (path, { from = '' }) => {
      const place = from.includes('/') ? `${from.slice(0, from.lastIndexOf('/'))}/${path}` : path;
      const content = files[place];
      return content === undefined ? err('there is no such file') : ok({ place, bytes: bytesOf(content) });
    },
  };
}

function load(fields: object, world: PatternWorld): ResolvedPolicy | readonly PolicyFault[] {
  const guard = { embedding_api_url: 'https://e.example/v1/embeddings', embedding_model: 'm', ...fields };
  const document = parsePolicy(JSON.stringify({ version: '1.3.0', name: 'n', guards: { spider_sense: guard } }), 'test');
  if (!document.ok) return document.error;
  const resolved = resolvePolicy(document.value, { rulesets, hostSets: new Map(), ...world });
  return resolved.ok ? resolved.value : resolved.error;
}

function faultOf(fields: object, world: PatternWorld): string {
  const loaded = load(fields, world);
  if ('format' in loaded) return 'loads';
  return loaded.map(({ code, path }) => `${code} ${path ?? ''}`).join(', ');
}

function pinned(content: unknown, more: object = {}): object {
  return { pattern_db_path: 'db.json', pattern_db_version: 'v1', pattern_db_checksum: sha256Hex(bytesOf(content)), ...more };
}

function faultOfFile(content: unknown): string {
  const loaded = load(pinned(content), worldOf({ 'db.json': content }));
  return 'format' in loaded ? 'loads' : (loaded[0]?.message ?? '');
}

const G = 'guards.spider_sense';

describe('POL-171 a database of patterns', () => {
  it('is read, quantised and put into the resolved policy, without where it was', () => {
    const loaded = load(pinned(GOOD), worldOf({ 'db.json': GOOD }));
    if (!('format' in loaded)) throw new Error(JSON.stringify(loaded));
    const database = loaded.guards.spider_sense?.pattern_db;
    expect(database).toMatchObject({ version: 'v1', checksum: sha256Hex(bytesOf(GOOD)), dimension: 3 });
    expect(database?.patterns.map(({ id }) => id)).toEqual(['a', 'b']);
    const numbers = new Int16Array(new Uint8Array(Buffer.from(database?.vectors ?? '', 'base64')).buffer);
    expect([...numbers]).toEqual([10_922, -21_845, 32_767, 32_767, 0, 0]);
    expect(Object.keys(loaded.guards.spider_sense ?? {}).toSorted()).toEqual(
      [
        'ambiguity_band',
        'async',
        'embedding_api_url',
        'embedding_model',
        'enabled',
        'pattern_db',
        'similarity_threshold',
        'top_k',
      ].toSorted(),
    );
  });

  it.each([
    ['no list', {}, 'must be a list of at least one pattern'],
    ['an empty list', [], 'must be a list of at least one pattern'],
    ['no JSON', '[', 'the file is not JSON'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe), 'the file is not JSON'],
    ['an entry that is none', [1], 'pattern 0: is not a mapping'],
    ['a missing member', [{ id: 'a' }], 'pattern 0: must have `id`'],
    ['a member too many', [{ ...entry('a', [1]), more: 1 }], 'pattern 0: must have `id`'],
    ['an empty vector', [entry('a', [])], '`embedding` is not a list of numbers'],
    ['a vector of texts', [{ ...entry('a', []), embedding: ['1'] }], 'holds something that is no number'],
    ['a vector of zeros', [entry('a', [0, 0])], 'only zeros'],
    ['a number too large for a double', '[{"id":"a","category":"c","stage":"action","label":"l","embedding":[1e999]}]', 'not finite'],
    ['vectors of two dimensions', [entry('a', [1, 2]), entry('b', [1])], 'pattern 1: has 1 numbers where the first pattern has 2'],
    ['two of one name', [entry('a', [1]), entry('a', [2])], 'pattern 1: another pattern has the same `id`'],
    ['an unknown stage', [{ ...entry('a', [1]), stage: 'later' }], '`stage` is not one of'],
    ['a category with a space', [{ ...entry('a', [1]), category: 'a b' }], '`category` is not a name'],
  ] as const)('is refused: %s', (...[, content, message]) => {
    expect(faultOfFile(content)).toContain(message);
  });

  it('may have so many patterns, numbers a pattern and numbers in all, and no more', () => {
    const { patternsMax, patternDimensionMax: dimension, patternComponentsMax: all } = POLICY_LIMITS;
    const rows = (count: number, size: number): string => {
      const vector = `[1${',0'.repeat(size - 1)}]`;
      return `[${Array.from({ length: count }, (_, i) => `{"id":"p${i}","category":"c","stage":"action","label":"","embedding":${vector}}`).join()}]`;
    };
    expect(faultOfFile(rows(patternsMax, 1))).toBe('loads');
    expect(faultOfFile(rows(patternsMax + 1, 1))).toContain('more than 1024 patterns');
    expect(faultOfFile(rows(1, dimension))).toBe('loads');
    expect(faultOfFile(rows(1, dimension + 1))).toContain('more than 4096 numbers');
    expect(faultOfFile(rows(all / dimension, dimension))).toBe('loads');
    expect(faultOfFile(rows(all / dimension + 1, dimension))).toContain('more than 1048576 numbers in all');
    const id = 'x'.repeat(POLICY_LIMITS.patternIdCharsMax);
    expect([faultOfFile([entry(id, [1])]), faultOfFile([entry(`${id}x`, [1])])]).toEqual(['loads', expect.stringContaining('`id`')]);
  });

  it('is as large as its file may be, and no larger', () => {
    const spaces = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length).fill(0x20);
      bytes.set(bytesOf(GOOD));
      return bytes;
    };
    expect(faultOfFile(spaces(POLICY_LIMITS.patternFileBytesMax))).toBe('loads');
    expect(faultOfFile(spaces(POLICY_LIMITS.patternFileBytesMax + 1))).toContain('larger than');
  });

  it('has one source, and is pinned', () => {
    const world = worldOf({ 'db.json': GOOD });
    expect(faultOf(pinned(GOOD), {})).toBe(`policy_pattern_db ${G}.pattern_db_path`);
    expect(faultOf({}, world)).toBe(`policy_required ${G}.pattern_db_path`);
    expect(faultOf(pinned(GOOD, { pattern_db_checksum: null }), world)).toBe(`policy_required ${G}.pattern_db_checksum`);
    expect(faultOf(pinned(GOOD, { pattern_db_version: null }), world)).toBe(`policy_required ${G}.pattern_db_version`);
    expect(faultOf(pinned(GOOD, { pattern_db_checksum: '0'.repeat(64) }), world)).toBe(
      `policy_pattern_db_checksum ${G}.pattern_db_checksum`,
    );
    expect(faultOf(pinned(GOOD, { pattern_db_checksum: sha256Hex(bytesOf(GOOD)).toUpperCase() }), world)).toBe('loads');
    expect(faultOf(pinned(GOOD, { pattern_db_path: 'other.json' }), world)).toBe(`policy_pattern_db ${G}.pattern_db_path`);
    expect(faultOf(pinned(GOOD, { pattern_db_path: 'builtin:s2bench-v1' }), world)).toBe(`policy_pattern_db ${G}.pattern_db_path`);
    expect(faultOf(pinned(GOOD, { patterns: GOOD }), world)).toBe(`policy_pattern_db ${G}.pattern_db_path`);
    expect(faultOf({ patterns: GOOD }, world)).toBe('loads');
    expect(faultOf({ patterns: GOOD, pattern_db_checksum: '0'.repeat(64) }, world)).toBe(`policy_pattern_db ${G}.pattern_db_checksum`);
  });

  it('is found by what an operator set for a name', () => {
    const named = { ...worldOf({ 'db.json': GOOD }), named: (name: string) => ({ DB: 'db.json', SUM: sha256Hex(bytesOf(GOOD)) })[name] };
    expect(faultOf(pinned(GOOD, { pattern_db_path: '${DB}', pattern_db_checksum: '${SUM}' }), named)).toBe('loads');
    expect(faultOf(pinned(GOOD, { pattern_db_path: '${NONE}' }), named)).toBe(`policy_required ${G}.pattern_db_path`);
  });
});

const signer = createSigner(new Uint8Array(32).fill(7));
const stranger = createSigner(new Uint8Array(32).fill(8));
const PUBLIC = hex(signer.publicKey);
const KEY_ID = sha256Hex(PUBLIC).slice(0, 16);
const SIGNATURE = hex(signer.sign(`spider_sense_db:v1:v1:${sha256Hex(bytesOf(GOOD))}`));

describe('POL-172 a signed database', () => {
  const world = (nowMs?: number, files: Files = {}): PatternWorld => worldOf({ 'db.json': GOOD, ...files }, nowMs ?? NOW);
  const signed = (more: object): object => pinned(GOOD, { pattern_db_signature: SIGNATURE, ...more });
  const trusted = (more: object = {}, keyId = KEY_ID): object =>
    signed({ pattern_db_signature_key_id: keyId, pattern_db_trusted_keys: [{ public_key: PUBLIC, ...more }] });

  it('is believed for a key that stands beside it, or one that is listed', () => {
    expect(faultOf(signed({ pattern_db_public_key: PUBLIC }), world())).toBe('loads');
    expect(faultOf(signed({ pattern_db_public_key: `0x${PUBLIC.toUpperCase()}` }), world())).toBe('loads');
    expect(faultOf(trusted(), world())).toBe('loads');
    expect(faultOf(trusted({ key_id: KEY_ID, status: 'deprecated' }), world())).toBe('loads');
  });

  const P = 'policy_pattern_db';
  it.each([
    [
      'the signature of another version',
      signed({ pattern_db_public_key: PUBLIC, pattern_db_version: 'v2' }),
      `${P}_signature ${G}.pattern_db_signature`,
    ],
    ['a signature of another key', signed({ pattern_db_public_key: hex(stranger.publicKey) }), `${P}_signature ${G}.pattern_db_signature`],
    ['no signature where keys are named', pinned(GOOD, { pattern_db_public_key: PUBLIC }), `${P}_signature ${G}.pattern_db_signature`],
    ['a signature without a key', signed({}), `${P}_signature ${G}.pattern_db_signature`],
    ['a key id without trust', signed({ pattern_db_signature_key_id: KEY_ID }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    [
      'a key id of another key',
      signed({ pattern_db_signature_key_id: '0'.repeat(16), pattern_db_public_key: PUBLIC }),
      `${P}_signature ${G}.pattern_db_signature`,
    ],
    ['a key that is not listed', trusted({}, '0'.repeat(16)), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a listed key under a false name', trusted({ key_id: '0'.repeat(16) }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a revoked key', trusted({ status: 'revoked' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a key that is no key', trusted({ public_key: 'abc' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a key of later', trusted({ not_before: '2026-01-01T00:00:00Z' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a key of before', trusted({ not_after: '2025-11-24T15:59:59Z' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a time without a zone', trusted({ not_after: '2026-01-01T00:00:00' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
    ['a day that is not there', trusted({ not_after: '2027-02-29T00:00:00Z' }), `${P}_trust ${G}.pattern_db_trust_store_path`],
  ] as const)('is refused: %s', (...[, fields, fault]) => {
    expect(faultOf(fields, world())).toBe(fault);
  });

  it('is refused where one of two lines for its key revokes it', () => {
    const keys = [{ public_key: PUBLIC }, { public_key: PUBLIC, status: 'revoked' }];
    const fields = signed({ pattern_db_signature_key_id: KEY_ID, pattern_db_trusted_keys: keys });
    expect(faultOf(fields, world())).toBe(`${P}_trust ${G}.pattern_db_trust_store_path`);
  });

  it('holds from the first to the last moment of its key, whatever the zone is', () => {
    const inside = trusted({ not_before: '2025-11-24T16:00:00Z', not_after: '2025-11-24T18:00:00+02:00' });
    expect(faultOf(inside, world(NOW))).toBe('loads');
    expect(faultOf(inside, world(NOW - 1))).toContain('_trust');
    expect(faultOf(inside, world(NOW + 1))).toContain('_trust');
    expect(faultOf(inside, { files: worldOf({ 'db.json': GOOD }).files })).toContain('_trust');
  });

  it('is believed for the keys of a file, in both of its forms', () => {
    const fields = signed({ pattern_db_signature_key_id: KEY_ID, pattern_db_trust_store_path: 'keys.json' });
    const keys = [{ key_id: KEY_ID, public_key: PUBLIC, status: 'active' }];
    expect(faultOf(fields, world(NOW, { 'keys.json': keys }))).toBe('loads');
    expect(faultOf(fields, world(NOW, { 'keys.json': { keys } }))).toBe('loads');
    for (const bad of [
      { keys, more: 1 },
      [{ ...keys[0], more: 1 }],
      [{ public_key: 1 }],
      [{ public_key: PUBLIC, status: 'new' }],
      'x',
      undefined,
    ])
      expect(faultOf(fields, world(NOW, bad === undefined ? {} : { 'keys.json': bad }))).toBe(
        `${P}_trust ${G}.pattern_db_trust_store_path`,
      );
  });

  it('has so many keys in a file, in so many bytes, and no more', () => {
    const fields = signed({ pattern_db_signature_key_id: KEY_ID, pattern_db_trust_store_path: 'keys.json' });
    const keys = (count: number): unknown => Array.from({ length: count }, () => ({ public_key: PUBLIC }));
    const { trustedKeysMax, trustFileBytesMax } = POLICY_LIMITS;
    expect(faultOf(fields, world(NOW, { 'keys.json': keys(trustedKeysMax) }))).toBe('loads');
    expect(faultOf(fields, world(NOW, { 'keys.json': keys(trustedKeysMax + 1) }))).toContain('_trust');
    const text = JSON.stringify(keys(1));
    expect(faultOf(fields, world(NOW, { 'keys.json': text.padEnd(trustFileBytesMax) }))).toBe('loads');
    expect(faultOf(fields, world(NOW, { 'keys.json': text.padEnd(trustFileBytesMax + 1) }))).toContain('_trust');
  });
});

const ROOT = createSigner(new Uint8Array(32).fill(9));
const ROOT_PUBLIC = hex(ROOT.publicKey);
const ROOT_ID = sha256Hex(ROOT_PUBLIC).slice(0, 16);

type ManifestFields = Readonly<Record<string, unknown>>;

/** The text that is signed, written down here once more from its description. */
function signedText(manifest: ManifestFields): string {
  const text = (name: string): string => {
    const value = manifest[name];
    return typeof value === 'string' ? value : '';
  };
  const keys = (manifest['pattern_db_trusted_keys'] ?? []) as readonly Readonly<Record<string, string>>[];
  const lines = keys.map((key) => ['key_id', 'public_key', 'status', 'not_before', 'not_after'].map((name) => key[name] ?? '').join('|'));
  const named = ['path', 'version', 'checksum', 'signature', 'signature_key_id', 'public_key', 'trust_store_path'];
  const fields = [
    ...named.map((name) => text(`pattern_db_${name}`)),
    sha256Hex(lines.toSorted().join(';')),
    text('not_before'),
    text('not_after'),
  ];
  return `spider_sense_manifest:v1:${fields.join(':')}`;
}

function manifestOf(change: ManifestFields = {}, by: Signer = ROOT): ManifestFields {
  const manifest: ManifestFields = {
    pattern_db_path: 'db.json',
    pattern_db_version: 'v1',
    pattern_db_checksum: sha256Hex(bytesOf(GOOD)),
    pattern_db_signature: SIGNATURE,
    pattern_db_signature_key_id: KEY_ID,
    pattern_db_trusted_keys: [{ key_id: KEY_ID, public_key: PUBLIC }],
    not_before: '2025-01-01T00:00:00Z',
    not_after: '2026-01-01T00:00:00Z',
    manifest_signature_key_id: ROOT_ID,
    ...change,
  };
  return { ...manifest, manifest_signature: hex(by.sign(signedText(manifest))) };
}

describe('POL-173 a manifest', () => {
  const FIELDS = { pattern_db_manifest_path: 'lib/m.json', pattern_db_manifest_trusted_keys: [{ public_key: ROOT_PUBLIC }] };
  const load1 = (manifest: unknown, fields: object = FIELDS, nowMs = NOW): string =>
    faultOf(
      fields,
      worldOf(
        {
          'lib/m.json': manifest,
          'lib/db.json': GOOD,
          'lib/keys.json': [{ public_key: PUBLIC }],
          'roots.json': [{ public_key: ROOT_PUBLIC }],
        },
        nowMs,
      ),
    );
  const M = 'policy_pattern_db_manifest guards.spider_sense.pattern_db_manifest_path';

  it('names a database beside it, which its keys are believed for', () => {
    expect(load1(manifestOf())).toBe('loads');
    expect(load1(manifestOf({ pattern_db_trusted_keys: undefined, pattern_db_trust_store_path: 'keys.json' }))).toBe('loads');
    expect(
      load1(
        manifestOf({
          pattern_db_trusted_keys: [{ key_id: KEY_ID, public_key: PUBLIC, status: 'active', not_before: '2025-01-01T00:00:00Z' }],
        }),
      ),
    ).toBe('loads');
    expect(load1(manifestOf(), { pattern_db_manifest_path: 'lib/m.json', pattern_db_manifest_trust_store_path: 'roots.json' })).toBe(
      'loads',
    );
  });

  it.each([
    ['a changed version', { ...manifestOf(), pattern_db_version: 'v2' }, M],
    ['a changed path', { ...manifestOf(), pattern_db_path: 'other.json' }, M],
    ['a changed checksum', { ...manifestOf(), pattern_db_checksum: '0'.repeat(64) }, M],
    ['a changed end', { ...manifestOf(), not_after: '2030-01-01T00:00:00Z' }, M],
    ['a key that was added', { ...manifestOf(), pattern_db_trusted_keys: [{ public_key: hex(stranger.publicKey) }] }, M],
    [
      'a status that was added',
      { ...manifestOf(), pattern_db_trusted_keys: [{ key_id: KEY_ID, public_key: PUBLIC, status: 'active' }] },
      M,
    ],
    ['the signature of a stranger', manifestOf({}, stranger), M],
    ['no signature', { ...manifestOf(), manifest_signature: '' }, M],
    ['no key id', { ...manifestOf(), manifest_signature_key_id: '' }, M],
    ['a member that nobody knows', { ...manifestOf(), note: 'x' }, M],
    ['a member of another form', { ...manifestOf(), not_after: 1 }, M],
    ['a path that holds what joins', manifestOf({ pattern_db_path: 'a:b' }), M],
    ['no path', manifestOf({ pattern_db_path: '' }), M],
    ['not yet', manifestOf({ not_before: '2025-12-01T00:00:00Z' }), M],
    ['no longer', manifestOf({ not_after: '2025-11-01T00:00:00Z' }), M],
    ['no mapping', [], M],
    [
      'a signature of the database that is not one',
      manifestOf({ pattern_db_signature: '0'.repeat(128) }),
      'policy_pattern_db_signature guards.spider_sense.pattern_db_signature',
    ],
    [
      'a key of the database that nobody lists',
      manifestOf({ pattern_db_trusted_keys: [] }),
      `policy_pattern_db_trust ${G}.pattern_db_manifest_path`,
    ],
  ] as const)('is refused: %s', (...[, manifest, fault]) => {
    expect(load1(manifest)).toBe(fault);
  });

  it('is refused without roots, for roots that are not its own, beside a path, and where the policy says otherwise', () => {
    const path = 'lib/m.json';
    expect(load1(manifestOf(), { pattern_db_manifest_path: path })).toBe(`policy_pattern_db_trust ${G}.pattern_db_manifest_path`);
    const others = { pattern_db_manifest_path: path, pattern_db_manifest_trusted_keys: [{ public_key: PUBLIC }] };
    expect(load1(manifestOf(), others)).toBe(`policy_pattern_db_trust ${G}.pattern_db_manifest_path`);
    expect(load1(manifestOf(), { ...FIELDS, pattern_db_path: 'db.json' })).toBe(`policy_pattern_db ${G}.pattern_db_path`);
    expect(load1(manifestOf(), { ...FIELDS, pattern_db_version: 'v2' })).toBe(`policy_pattern_db_manifest ${G}.pattern_db_version`);
    expect(load1(manifestOf(), { ...FIELDS, pattern_db_checksum: '0'.repeat(64) })).toBe(
      `policy_pattern_db_manifest ${G}.pattern_db_checksum`,
    );
    expect(load1(manifestOf(), { ...FIELDS, pattern_db_public_key: PUBLIC })).toBe(`policy_pattern_db ${G}.pattern_db_public_key`);
    expect(load1(manifestOf(), { ...FIELDS, pattern_db_manifest_path: 'lib/none.json' })).toBe(M);
  });
});
