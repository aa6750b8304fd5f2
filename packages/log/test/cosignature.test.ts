import { readFileSync } from 'node:fs';
import {
  base64,
  createVerifier,
  fromBase64,
  noteSignatureLine,
  noteVerifierKey,
  openNote,
  parseVerifierKey,
  signNote,
} from '@countersign/crypto';
import { describe, expect, it } from 'vitest';
import {
  cosignatureLine,
  cosignatureSeconds,
  cosignerKeyText,
  createCosignerKey,
  parseCosignerKey,
  type CosignerKey,
} from '../src/index.ts';
import { leaves, LOG_KEY, noteOf, WITNESS } from './witnessed-log.ts';

interface KeyVectors {
  readonly valid: readonly { name: string; vkey: string; keyName: string; publicKey: string }[];
  readonly invalid: readonly { name: string; vkey: string; code: string }[];
}
interface NoteVectors {
  readonly vkey: string;
  readonly valid: readonly { name: string; note: string; time: string }[];
  readonly invalid: readonly { name: string; note: string; code: string }[];
}
function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../vectors/cosignature/${name}`, import.meta.url), 'utf8'));
}

function keyFrom(text: string): CosignerKey {
  const parsed = parseCosignerKey(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

describe('BNDL-013 keys of witnesses', () => {
  const { valid, invalid } = read('keys.json') as KeyVectors;
  it.each(valid)('$name', ({ vkey, keyName, publicKey }) => {
    const key = keyFrom(vkey);
    expect([key.name, Buffer.from(key.publicKey).toString('hex')]).toEqual([keyName, publicKey]);
    expect(cosignerKeyText(key.name, key.publicKey)).toBe(vkey);
    expect(parseVerifierKey(vkey)).toMatchObject({ ok: true, value: { type: 4, keyHash: key.keyHash } });
  });
  it.each(invalid)('refused: $name', ({ vkey, code }) => {
    expect(parseCosignerKey(vkey)).toMatchObject({ ok: false, error: { code } });
  });
  it('the key of a log is named as such, and the other way round', () => {
    const logKey = noteVerifierKey('a', WITNESS.signer.publicKey);
    expect(parseCosignerKey(logKey)).toMatchObject({
      ok: false,
      error: { code: 'vkey_unknown_type', hint: expect.stringContaining('witness') },
    });
  });
});

describe('BNDL-013 cosignatures', () => {
  const { vkey, valid, invalid } = read('notes.json') as NoteVectors;
  it.each(valid)('$name', ({ note, time }) => {
    const opened = openNote(note, [keyFrom(vkey)]);
    expect(opened).toMatchObject({ ok: true, value: { signatures: [{ name: keyFrom(vkey).name }] } });
    const [signature] = opened.ok ? opened.value.signatures : [];
    expect(String(cosignatureSeconds(signature?.signature ?? new Uint8Array(0)))).toBe(time);
  });
  it.each(invalid)('refused: $name', ({ note, code }) => {
    expect(openNote(note, [keyFrom(vkey)])).toMatchObject({ ok: false, error: { code } });
  });

  const note = noteOf(leaves(7));
  const text = note.slice(0, note.indexOf('\n\n') + 1);
  const key = createCosignerKey(WITNESS.name, createVerifier(WITNESS.signer.publicKey));

  it('stand beside the signature of the log', () => {
    const line = cosignatureLine(text, 1_679_315_147, WITNESS);
    const logKey = noteVerifierKey(LOG_KEY.name, LOG_KEY.signer.publicKey);
    const both = openNote(note + line, [key]);
    expect(both).toMatchObject({ ok: true, value: { text, unverified: [{ name: LOG_KEY.name }] } });
    expect(parseVerifierKey(logKey).ok).toBe(true);
    // The time is eight bytes behind the key hash, big endian.
    expect(fromBase64(line.split(' ')[2]?.trimEnd() ?? '')?.subarray(4, 12)).toEqual(Uint8Array.from([0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb]));
  });

  it('change with every bit of time, signature, text and key', () => {
    const line = cosignatureLine(text, 1_679_315_147, WITNESS);
    const bytes = fromBase64(line.split(' ')[2]?.trimEnd() ?? '')?.subarray(4) ?? new Uint8Array(0);
    expect(key.verify(text, bytes)).toBe(true);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(key.verify(text, changed)).toBe(false);
    }
    expect(key.verify(text.replace('7', '8'), bytes)).toBe(false);
    expect(createCosignerKey(WITNESS.name, createVerifier(LOG_KEY.signer.publicKey)).verify(text, bytes)).toBe(false);
  });

  it('are total: bytes of any length are no cosignature, and never an exception', () => {
    for (let length = 0; length <= 80; length += 1) {
      expect(key.verify(text, new Uint8Array(length))).toBe(false);
      expect(cosignatureSeconds(new Uint8Array(length))).toBe(length === 72 ? 0n : undefined);
    }
  });

  it('hold up to the last second of the format, and not one above', () => {
    const at = (high: number): Uint8Array => Uint8Array.of(high, ...new Uint8Array(7).fill(255), ...new Uint8Array(64));
    expect(cosignatureSeconds(at(0x7f))).toBe(2n ** 63n - 1n);
    expect(cosignatureSeconds(at(0x80))).toBeUndefined();
  });

  it('are made of checkpoints and whole seconds only', () => {
    expect(() => cosignatureLine('no checkpoint\n', 1, WITNESS)).toThrow(/checkpoint/);
    for (const seconds of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => cosignatureLine(text, seconds, WITNESS)).toThrow(/seconds/);
    expect(() => createCosignerKey('a b', createVerifier(WITNESS.signer.publicKey))).toThrow(/name/);
    expect(() => cosignerKeyText('a', new Uint8Array(31))).toThrow(/32 bytes/);
  });

  it('a plain signature by the same key is none', () => {
    const plain = signNote(text, WITNESS);
    expect(openNote(plain, [key])).toMatchObject({ ok: false, error: { code: 'note_unverified' } });
    const signature = WITNESS.signer.sign(text);
    const dressed = noteSignatureLine({
      name: key.name,
      keyHash: key.keyHash,
      signature: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, ...signature),
    });
    expect(openNote(`${text}\n${dressed}`, [key])).toMatchObject({ ok: false, error: { code: 'note_bad_signature' } });
    expect(base64(signature)).not.toBe('');
  });
});
