import {
  agentJwtKey,
  base64url,
  createNoteVerifier,
  createSigner,
  createVerifier,
  ed25519NoteKeyHash,
  isNoteName,
  jwkOf,
  mintAgentJwt,
  mintScopeToken,
  noteSignatureLine,
  noteVerifierKey,
  openAesGcm,
  openNote,
  parseNoteVerifierKey,
  readAgentJwt,
  readScopeToken,
  type ScopeClaims,
  scopeBinding,
  sealAesGcm,
  sha256,
  sha256Hex,
  type Signer,
  signNote,
  verifyAgentJwt,
} from '@countersign/crypto';
import { READ_TOKENS_MAX } from '../src/limits.ts';
import { describe, expect, it } from 'vitest';

const signer = createSigner(new Uint8Array(32).fill(9));
const verifier = createVerifier(signer.publicKey);

describe('keys', () => {
  it('a seed or key of another length is our bug', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => createSigner(new Uint8Array(length))).toThrow('32 bytes');
      expect(() => createVerifier(new Uint8Array(length))).toThrow('32 bytes');
    }
  });
  it('a JWK has the fields of the JWKS that SDKs read', () => {
    expect(jwkOf(signer.publicKey, 'scope-v1')).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      use: 'sig',
      kid: 'scope-v1',
      x: base64url(signer.publicKey),
    });
  });
  it('text is signed and hashed as UTF-8', () => {
    expect(signer.sign('\u20ac')).toEqual(signer.sign(Buffer.from('\u20ac', 'utf8')));
    expect(verifier.verify('\u20ac', signer.sign('\u20ac'))).toBe(true);
    expect(sha256('\u20ac')).toEqual(sha256(Buffer.from('\u20ac', 'utf8')));
  });
  it('a verifier keeps its key when the caller changes the bytes', () => {
    const bytes = Uint8Array.from(signer.publicKey);
    const kept = createVerifier(bytes);
    bytes.fill(0);
    expect(kept.publicKey).toEqual(signer.publicKey);
    expect(kept.verify('m', signer.sign('m'))).toBe(true);
  });
});

describe('AES-256-GCM lengths', () => {
  const [key, nonce] = [new Uint8Array(32), new Uint8Array(12)];
  it('a key or nonce of another length is our bug when sealing', () => {
    const plaintext = new Uint8Array(1);
    expect(() => sealAesGcm({ key: new Uint8Array(31), nonce, plaintext })).toThrow('32');
    expect(() => sealAesGcm({ key, nonce: new Uint8Array(16), plaintext })).toThrow('12');
    expect(() => openAesGcm({ key: new Uint8Array(16), nonce, ciphertext: new Uint8Array(20) })).toThrow('32');
  });
  it('what was read with a bad nonce or no tag does not open', () => {
    const ciphertext = sealAesGcm({ key, nonce, plaintext: new Uint8Array(0) });
    expect(openAesGcm({ key, nonce, ciphertext })).toEqual(new Uint8Array(0));
    expect(openAesGcm({ key, nonce, ciphertext: ciphertext.subarray(1) })).toBeUndefined();
    expect(openAesGcm({ key, nonce: new Uint8Array(11), ciphertext })).toBeUndefined();
  });
});

describe('agent JWT', () => {
  const key = agentJwtKey(`ags_${'s'.repeat(4)}`);
  const claims = { sub: 'b0000000-0000-4000-8000-000000000001', exp: 1000 };

  it('derives 64 ASCII characters from an agent secret, and takes others as they are', () => {
    expect(Buffer.from(key).toString('latin1')).toBe(sha256Hex('ags_ssss'));
    expect(Buffer.from(agentJwtKey('AGS_x\u20ac')).toString('utf8')).toBe('AGS_x\u20ac');
  });
  it('is limited to 8192 characters', () => {
    const longest = mintAgentJwt({ key, claims: { ...claims, iss: 'i'.repeat(8192 * 0.75 - 160) } });
    const spare = 8192 - longest.length;
    expect(spare).toBeGreaterThan(0);
    const text = `${longest}${'A'.repeat(spare)}`;
    expect(readAgentJwt(text)).toMatchObject({ ok: true });
    expect(readAgentJwt(`${text}A`)).toMatchObject({ ok: false, error: { code: 'jwt_malformed' } });
  });
  it('is read once for a while after its signature was right, and never before', () => {
    const tokenOf = (exp: number): string => mintAgentJwt({ key, claims: { ...claims, exp } });
    const isKept = (token: string): boolean => {
      const [first, second] = [readAgentJwt(token), readAgentJwt(token)];
      return first.ok && second.ok && first.value === second.value;
    };
    const verify = (exp: number): void => void verifyAgentJwt(tokenOf(exp), { key, nowSeconds: 1 });
    const unsigned = `${tokenOf(1).slice(0, -4)}AAAA`;
    expect(verifyAgentJwt(unsigned, { key, nowSeconds: 1 }).ok).toBe(false);
    expect([isKept(unsigned), isKept(tokenOf(1))]).toEqual([false, false]);
    verify(1);
    expect(readAgentJwt(tokenOf(1))).toEqual({ ok: true, value: { ...claims, exp: 1 } });
    for (let n = 2; n <= READ_TOKENS_MAX; n += 1) verify(n);
    expect(isKept(tokenOf(1))).toBe(true);
    verify(READ_TOKENS_MAX + 1);
    expect([isKept(tokenOf(1)), isKept(tokenOf(2))]).toEqual([false, true]);
  });
  it('has three parts', () => {
    const token = mintAgentJwt({ key, claims });
    for (const other of [
      '',
      '.',
      '..',
      token.slice(0, token.lastIndexOf('.')),
      `${token}.`,
      `${token}.x`,
      `.${token}`,
      `${token} `,
      `${token}=`,
    ]) {
      expect(verifyAgentJwt(other, { key, nowSeconds: 1 }).ok, other).toBe(false);
    }
  });
  it('takes another leeway, and no clock that is not a number', () => {
    const token = mintAgentJwt({ key, claims });
    expect(verifyAgentJwt(token, { key, nowSeconds: 1000, leewaySeconds: 0 }).ok).toBe(true);
    expect(verifyAgentJwt(token, { key, nowSeconds: 1001, leewaySeconds: 0 })).toMatchObject({ error: { code: 'jwt_expired' } });
    expect(verifyAgentJwt(token, { key, nowSeconds: Number.NaN }).ok).toBe(false);
  });
  it('an empty key verifies nothing', () => {
    const empty = new Uint8Array(0);
    expect(verifyAgentJwt(mintAgentJwt({ key: empty, claims }), { key: empty, nowSeconds: 1 })).toMatchObject({
      error: { code: 'jwt_signature' },
    });
  });
});

describe('scope token', () => {
  const claims: ScopeClaims = {
    sub: 'a',
    scope: 's',
    tool: 't',
    binding: scopeBinding('t', 'p'),
    exp: 100,
    rid: 'r',
    jti: 'j',
    iat: 1,
    aud: 'x',
  };
  const sign = (payload: string, by: Signer = signer): string => {
    const part = base64url(Buffer.from(payload, 'utf8'));
    return `${part}.${base64url(by.sign(part))}`;
  };
  const codeOf = (token: string, now = 1): string => {
    const read = readScopeToken(token, verifier, now);
    return read.ok ? 'ok' : read.error.code;
  };

  it('binds tool and params', () => {
    expect(scopeBinding('t', 'p')).toBe(sha256Hex('t|p'));
  });
  it('is valid while now <= exp', () => {
    const token = mintScopeToken(claims, signer);
    expect([codeOf(token, 100), codeOf(token, 101), codeOf(token, Number.NaN)]).toEqual([
      'ok',
      'scope_token_expired',
      'scope_token_expired',
    ]);
  });
  it('names the number of parts', () => {
    expect(readScopeToken('', verifier, 1)).toMatchObject({ error: { message: 'Scope verification failed: No scope token provided' } });
    expect(readScopeToken('a', verifier, 1)).toMatchObject({
      error: { message: 'Scope verification failed: Malformed token: expected 2 parts, got 1' },
    });
    expect(readScopeToken('a.b.c', verifier, 1)).toMatchObject({
      error: { message: 'Scope verification failed: Malformed token: expected 2 parts, got 3' },
    });
  });
  it('refuses another signer, payloads that are no object, and claims of another type', () => {
    expect(codeOf(mintScopeToken(claims, createSigner(new Uint8Array(32))))).toBe('scope_token_signature');
    expect(codeOf(`${mintScopeToken(claims, signer)}=`)).toBe('scope_token_signature');
    for (const payload of ['', '[]', '1', '{', '{"a":{}}', '{"a":1,"a":2}'])
      expect(codeOf(sign(payload)), payload).toBe('scope_token_malformed');
    for (const name of Object.keys(claims)) {
      expect(codeOf(sign(JSON.stringify({ ...claims, [name]: undefined }))), name).toBe('scope_token_claims');
      expect(codeOf(sign(JSON.stringify({ ...claims, [name]: null }))), name).toBe('scope_token_claims');
    }
    expect(codeOf(`!.${base64url(signer.sign('!'))}`)).toBe('scope_token_malformed');
  });
  it('is limited to 8192 characters', () => {
    const withTool = (length: number): string => mintScopeToken({ ...claims, tool: 't'.repeat(length) }, signer);
    const fixed = withTool(0).length;
    let length = Math.floor((8192 - fixed) * 0.75);
    while (withTool(length + 1).length <= 8192) length += 1;
    expect(codeOf(withTool(length))).toBe('ok');
    expect(codeOf(withTool(length + 1))).toBe('scope_token_malformed');
  });
});

describe('signed notes', () => {
  const name = 'example.com/log';
  const known = createNoteVerifier(name, verifier);

  it('a text or name that cannot be in a note is our bug', () => {
    for (const text of ['', 'x', 'x\r\n', 'x\t\n', '\ud800\n'])
      expect(() => signNote(text, { name, signer }), JSON.stringify(text)).toThrow('text of a note');
    for (const bad of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u2028', '\ud800']) {
      expect(isNoteName(bad)).toBe(false);
      expect(() => signNote('x\n', { name: bad, signer })).toThrow('note name');
      expect(() => noteVerifierKey(bad, signer.publicKey)).toThrow('note name');
      expect(() => createNoteVerifier(bad, verifier)).toThrow('note name');
    }
    expect(() => noteVerifierKey(name, new Uint8Array(31))).toThrow('32 bytes');
  });
  it('a text with blank lines keeps them', () => {
    const opened = openNote(signNote('a\n\nb\n', { name, signer }), [known]);
    expect(opened).toMatchObject({ ok: true, value: { text: 'a\n\nb\n' } });
  });
  it('several signers, one line each', () => {
    const second = createSigner(new Uint8Array(32).fill(4));
    const line = noteSignatureLine({
      name: 'second',
      keyHash: ed25519NoteKeyHash('second', second.publicKey),
      signature: second.sign('x\n'),
    });
    const note = signNote('x\n', { name, signer }) + line;
    const both = openNote(note, [known, createNoteVerifier('second', createVerifier(second.publicKey))]);
    expect(both.ok && both.value.signatures.map((signature) => signature.name)).toEqual([name, 'second']);
    const one = openNote(note, [known]);
    expect(one.ok && [one.value.signatures.length, one.value.unverified.length]).toEqual([1, 1]);
  });
  it('two verifiers for one name and hash are refused', () => {
    expect(openNote(signNote('x\n', { name, signer }), [known, known])).toMatchObject({ error: { code: 'note_ambiguous_key' } });
  });
  it('at most 100 signatures', () => {
    const lines = Array.from({ length: 99 }, (_, i) =>
      noteSignatureLine({ name: `witness-${i}`, keyHash: i, signature: new Uint8Array(64) }),
    ).join('');
    const note = signNote('x\n', { name, signer }) + lines;
    expect(openNote(note, [known])).toMatchObject({ ok: true });
    expect(openNote(`${note}${noteSignatureLine({ name: 'one-more', keyHash: 1, signature: new Uint8Array(64) })}`, [known])).toMatchObject(
      { error: { code: 'note_too_many_signatures' } },
    );
  });
  it('at most 1,000,000 characters', () => {
    const overhead = signNote('\n', { name, signer }).length - 1;
    const fits = signNote(`${'x'.repeat(1_000_000 - overhead - 1)}\n`, { name, signer });
    expect(fits.length).toBe(1_000_000);
    expect(openNote(fits, [known])).toMatchObject({ ok: true });
    expect(openNote(`x${fits}`, [known])).toMatchObject({ error: { code: 'note_too_large' } });
  });
  it('a verifier key has at most 1024 characters', () => {
    const overhead = noteVerifierKey('n', signer.publicKey).length - 1;
    expect(parseNoteVerifierKey(noteVerifierKey('n'.repeat(1024 - overhead), signer.publicKey))).toMatchObject({ ok: true });
    expect(parseNoteVerifierKey(noteVerifierKey('n'.repeat(1025 - overhead), signer.publicKey))).toMatchObject({
      error: { code: 'vkey_malformed' },
    });
  });
});
