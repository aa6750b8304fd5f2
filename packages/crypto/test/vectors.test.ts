import { readFileSync } from 'node:fs';
import {
  agentJwtKey,
  base64,
  base64url,
  createSigner,
  createVerifier,
  fromBase64,
  fromBase64url,
  hmacSha256,
  keyIdOf,
  mintAgentJwt,
  noteVerifierKey,
  openAesGcm,
  openNote,
  parseNoteVerifierKey,
  readAgentJwt,
  sealAesGcm,
  sha256,
  sha256Hex,
  verifyAgentJwt,
  type NoteVerifier,
} from '@countersign/crypto';
import { describe, expect, it } from 'vitest';

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../vectors/crypto/${name}`, import.meta.url), 'utf8'));
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

describe('Ed25519', () => {
  interface Row {
    name: string;
    seed: string;
    publicKey: string;
    message: string;
    signature: string;
    keyId: string;
  }
  const vectors = read('ed25519.json') as { valid: Row[]; invalid: Omit<Row, 'seed' | 'keyId'>[] };
  it.each(vectors.valid)('$name', (row) => {
    const signer = createSigner(hex(row.seed));
    expect(signer.publicKey).toEqual(hex(row.publicKey));
    expect(signer.sign(hex(row.message))).toEqual(hex(row.signature));
    expect([signer.keyId, keyIdOf(hex(row.publicKey)), createVerifier(hex(row.publicKey)).keyId]).toEqual([
      row.keyId,
      row.keyId,
      row.keyId,
    ]);
    expect(createVerifier(hex(row.publicKey)).verify(hex(row.message), hex(row.signature))).toBe(true);
  });
  it.each(vectors.invalid)('refused: $name', (row) => {
    expect(createVerifier(hex(row.publicKey)).verify(hex(row.message), hex(row.signature))).toBe(false);
  });
});

describe('hashes and AES-256-GCM', () => {
  const vectors = read('hash.json') as {
    sha256: { data: string; digest: string }[];
    hmacSha256: { key: string; data: string; mac: string }[];
    aes256gcm: { key: string; nonce: string; plaintext: string; aad: string; ciphertext: string }[];
  };
  it.each(vectors.sha256)('SHA-256 of "$data"', ({ data, digest }) => {
    expect(sha256(hex(data))).toEqual(hex(digest));
    expect(sha256Hex(hex(data))).toBe(digest);
  });
  it.each(vectors.hmacSha256)('HMAC with key $key', ({ key, data, mac }) => {
    expect(hmacSha256(hex(key), hex(data))).toEqual(hex(mac));
    expect(hmacSha256(hex(key), Buffer.from(data, 'hex').toString('latin1'))).toEqual(hex(mac));
  });
  it.each(vectors.aes256gcm)('AES-256-GCM of "$plaintext"', (row) => {
    const [key, nonce, aad] = [hex(row.key), hex(row.nonce), hex(row.aad)];
    expect(sealAesGcm({ key, nonce, aad, plaintext: hex(row.plaintext) })).toEqual(hex(row.ciphertext));
    expect(openAesGcm({ key, nonce, aad, ciphertext: hex(row.ciphertext) })).toEqual(hex(row.plaintext));
  });
});

describe('base64', () => {
  const vectors = read('base64.json') as {
    valid: { bytes: string; base64: string; base64url: string }[];
    invalid: { base64: string[]; base64url: string[] };
  };
  it.each(vectors.valid)('$bytes', (row) => {
    expect([base64(hex(row.bytes)), base64url(hex(row.bytes))]).toEqual([row.base64, row.base64url]);
    expect([fromBase64(row.base64), fromBase64url(row.base64url)]).toEqual([hex(row.bytes), hex(row.bytes)]);
  });
  it.each(vectors.invalid.base64.map((text) => ({ text })))('base64 refused: $text', ({ text }) =>
    expect(fromBase64(text)).toBeUndefined(),
  );
  it.each(vectors.invalid.base64url.map((text) => ({ text })))('base64url refused: $text', ({ text }) =>
    expect(fromBase64url(text)).toBeUndefined(),
  );
});

describe('agent JWT', () => {
  interface Row {
    name: string;
    code: string;
    header: string;
    payload: string;
    secret: string;
    signature: string;
    now: number;
  }
  const vectors = read('agent-jwt.json') as { valid: Row[]; invalid: Row[] };
  const tokenOf = (row: Row): string =>
    `${base64url(Buffer.from(row.header))}.${base64url(Buffer.from(row.payload))}.${base64url(hex(row.signature))}`;

  it.each(vectors.valid)('$name', (row) => {
    const verified = verifyAgentJwt(tokenOf(row), { key: agentJwtKey(row.secret), nowSeconds: row.now });
    const claims = JSON.parse(row.payload) as { sub: string; exp: number; scopes?: string[]; extra?: object };
    delete claims.extra;
    expect(verified).toEqual({ ok: true, value: { ...claims, sub: claims.sub.toLowerCase() } });
    expect(readAgentJwt(tokenOf(row))).toEqual(verified);
  });
  it.each(vectors.invalid)('refused: $name', (row) => {
    const verified = verifyAgentJwt(tokenOf(row), { key: agentJwtKey(row.secret), nowSeconds: row.now });
    expect(verified).toMatchObject({ ok: false, error: { code: row.code } });
    if (!verified.ok) expect(verified.error.message).toMatch(/^JWT validation failed: /);
  });
  it('is minted as SDKs mint it', () => {
    const row = vectors.valid[0];
    expect(row).toBeDefined();
    if (row === undefined) return;
    const claims = JSON.parse(row.payload) as { sub: string; exp: number };
    expect(mintAgentJwt({ key: agentJwtKey(row.secret), claims })).toBe(tokenOf(row));
  });
});

describe('signed notes', () => {
  const vectors = read('note.json') as {
    vkey: string;
    notes: {
      valid: { name: string; note: string; text: string; unverified: number }[];
      invalid: { name: string; code: string; note: string }[];
    };
    keys: {
      valid: { name: string; vkey: string; vname: string; keyHash: number }[];
      invalid: { name: string; code: string; vkey: string }[];
    };
  };
  const known = parseNoteVerifierKey(vectors.vkey);
  const verifiers: NoteVerifier[] = known.ok ? [known.value] : [];

  it.each(vectors.notes.valid)('$name', ({ note, text, unverified }) => {
    const opened = openNote(note, verifiers);
    expect(opened).toMatchObject({ ok: true, value: { text, signatures: [{ name: 'PeterNeumann', keyHash: 0xc74f20a3 }] } });
    expect(opened.ok && opened.value.unverified.length).toBe(unverified);
  });
  it.each(vectors.notes.invalid)('refused: $name', ({ note, code }) => {
    expect(openNote(note, verifiers)).toMatchObject({ ok: false, error: { code } });
  });
  it.each(vectors.keys.valid)('key $name', ({ vkey, vname, keyHash }) => {
    const parsed = parseNoteVerifierKey(vkey);
    expect(parsed).toMatchObject({ ok: true, value: { name: vname, keyHash } });
    if (parsed.ok) expect(noteVerifierKey(vname, parsed.value.publicKey).toLowerCase()).toBe(vkey.toLowerCase());
  });
  it.each(vectors.keys.invalid)('key refused: $name', ({ vkey, code }) => {
    expect(parseNoteVerifierKey(vkey)).toMatchObject({ ok: false, error: { code } });
  });
});
