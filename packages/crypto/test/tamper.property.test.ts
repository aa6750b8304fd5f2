import { createHmac } from 'node:crypto';
import {
  agentJwtKey,
  base64,
  base64url,
  constantTimeEqual,
  createNoteVerifier,
  createSigner,
  createVerifier,
  fromBase64,
  fromBase64url,
  hmacSha256,
  mintAgentJwt,
  mintScopeToken,
  noteVerifierKey,
  openAesGcm,
  openNote,
  parseNoteVerifierKey,
  readAgentJwt,
  readScopeToken,
  type ScopeClaims,
  scopeBinding,
  sealAesGcm,
  signNote,
  verifyAgentJwt,
} from '@countersign/crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const seed = bytesOf(32);
const message = fc.uint8Array({ maxLength: 64 });
/** A bit to flip, as a share of the whole. */
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const bit = Math.floor(at * bytes.length * 8);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

function flipText(text: string, at: number): string {
  return Buffer.from(flipBit(Buffer.from(text, 'latin1'), at)).toString('latin1');
}

const CLAIMS: ScopeClaims = {
  sub: 'b0000000-0000-4000-8000-000000000001',
  scope: 'db:query:read fs:read',
  tool: 'database.query',
  binding: scopeBinding('database.query', 'abc'),
  exp: 1300,
  rid: 'request-1',
  jti: 'token-1',
  iat: 1000,
  aud: 'tool-service',
};

describe('any flipped bit is refused', () => {
  it('Ed25519: message, signature', () => {
    fc.assert(
      fc.property(seed, message, share, (key, text, at) => {
        const signer = createSigner(key);
        const verifier = createVerifier(signer.publicKey);
        const signature = signer.sign(text);
        expect(verifier.verify(text, signature)).toBe(true);
        expect(verifier.verify(text, flipBit(signature, at))).toBe(false);
        if (text.length > 0) expect(verifier.verify(flipBit(text, at), signature)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
  it('AES-GCM: key, nonce, additional data, ciphertext', () => {
    fc.assert(
      fc.property(
        fc.record({ key: seed, nonce: bytesOf(12), plaintext: message, aad: fc.uint8Array({ minLength: 1, maxLength: 8 }), at: share }),
        ({ key, nonce, plaintext, aad, at }) => {
          const ciphertext = sealAesGcm({ key, nonce, plaintext, aad });
          expect(ciphertext.length).toBe(plaintext.length + 16);
          expect(openAesGcm({ key, nonce, ciphertext, aad })).toEqual(plaintext);
          expect(openAesGcm({ key: flipBit(key, at), nonce, ciphertext, aad })).toBeUndefined();
          expect(openAesGcm({ key, nonce: flipBit(nonce, at), ciphertext, aad })).toBeUndefined();
          expect(openAesGcm({ key, nonce, ciphertext: flipBit(ciphertext, at), aad })).toBeUndefined();
          expect(openAesGcm({ key, nonce, ciphertext, aad: flipBit(aad, at) })).toBeUndefined();
          expect(openAesGcm({ key, nonce, ciphertext })).toBeUndefined();
          expect(openAesGcm({ key, nonce, ciphertext: ciphertext.subarray(1), aad })).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });
  it('agent JWT, in every part', () => {
    const key = agentJwtKey(`ags_${'x'.repeat(8)}`);
    const token = mintAgentJwt({ key, claims: { sub: CLAIMS.sub, exp: 1300 } });
    fc.assert(
      fc.property(share, (at) => !verifyAgentJwt(flipText(token, at), { key, nowSeconds: 1000 }).ok),
      { numRuns: 500 },
    );
  });
  it('scope token, in both parts', () => {
    const signer = createSigner(new Uint8Array(32).fill(1));
    const verifier = createVerifier(signer.publicKey);
    const token = mintScopeToken(CLAIMS, signer);
    fc.assert(
      fc.property(share, (at) => !readScopeToken(flipText(token, at), verifier, 1000).ok),
      { numRuns: 300 },
    );
  });
  it('a signed note never opens with another text', () => {
    const signer = createSigner(new Uint8Array(32).fill(2));
    const verifiers = [createNoteVerifier('example.com/log', createVerifier(signer.publicKey))];
    const note = Buffer.from(signNote('example.com/log\n7\nAAAA\n', { name: 'example.com/log', signer }), 'utf8');
    fc.assert(
      fc.property(share, (at) => !openNote(Buffer.from(flipBit(note, at)).toString('utf8'), verifiers).ok),
      { numRuns: 500 },
    );
  });
  it('a verifier key', () => {
    const text = noteVerifierKey('example.com/log', createSigner(new Uint8Array(32).fill(2)).publicKey);
    const hash = text.slice(16, 24);
    fc.assert(
      fc.property(share, (at) => {
        const parsed = parseNoteVerifierKey(flipText(text, at));
        // The case of the hash's hex digits is the one thing that does not matter.
        return !parsed.ok || flipText(text, at).slice(16, 24).toLowerCase() === hash;
      }),
      { numRuns: 500 },
    );
  });
});

describe('round trips and references', () => {
  it('base64 and base64url have one text for one byte sequence', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(fromBase64(base64(bytes))).toEqual(bytes);
        expect(fromBase64url(base64url(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9+/=_\s-]{0,12}$/), (text) => {
        const [plain, url] = [fromBase64(text), fromBase64url(text)];
        if (plain !== undefined) expect(base64(plain)).toBe(text);
        if (url !== undefined) expect(base64url(url)).toBe(text);
      }),
    );
  });
  it('HMAC is that of the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), message, (key, data) => {
        expect(Buffer.from(hmacSha256(key, data)).equals(createHmac('sha256', key).update(data).digest())).toBe(true);
      }),
    );
  });
  it('constantTimeEqual is equality', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        expect(constantTimeEqual(a, b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
        expect(constantTimeEqual(a, Uint8Array.from(a))).toBe(true);
      }),
    );
  });
  it('scope tokens carry their claims', () => {
    const signer = createSigner(new Uint8Array(32).fill(3));
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(text, text, (scope, tool) => {
        const claims = { ...CLAIMS, scope, tool };
        expect(readScopeToken(mintScopeToken(claims, signer), createVerifier(signer.publicKey), 1300)).toEqual({ ok: true, value: claims });
      }),
      { numRuns: 60 },
    );
  });
  it('readers never throw, whatever the text', () => {
    const verifier = createVerifier(createSigner(new Uint8Array(32)).publicKey);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const result of [readAgentJwt(text), readScopeToken(text, verifier, 0), openNote(text, []), parseNoteVerifierKey(text)])
          expect(result.ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
