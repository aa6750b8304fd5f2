import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { canonicalize, parseJson, type JsonValue } from '@countersign/kernel';
import { describe, expect, it } from 'vitest';
import { INVALID, NUMBERS, VALID } from './vector-files.ts';

function double(ieee: string): number {
  return new DataView(Uint8Array.from(Buffer.from(ieee, 'hex')).buffer).getFloat64(0);
}

describe('RFC 8785 numbers', () => {
  it.each(NUMBERS.valid)('$ieee is $canonical', ({ ieee, canonical }) => {
    expect(canonicalize(double(ieee))).toBe(canonical);
    expect(parseJson(canonical)).toEqual({ ok: true, value: { value: Number(canonical), exactNumbers: [] } });
  });
  it.each(NUMBERS.invalid)('$why has no text', ({ ieee }) => {
    expect(() => canonicalize(double(ieee))).toThrow('not finite');
  });
});

describe('documents that are accepted', () => {
  it.each(VALID)('$name', ({ text, canonical, exactNumbers }) => {
    for (const input of [text, Buffer.from(text, 'utf8')]) {
      const parsed = parseJson(input);
      expect(parsed.ok && parsed.value.exactNumbers).toEqual(exactNumbers);
      expect(parsed.ok && canonicalize(parsed.value.value)).toBe(canonical);
    }
  });
});

describe('documents that are refused', () => {
  it.each(INVALID)('$name', ({ text, hex, code, path, span }) => {
    const parsed = parseJson(text ?? Uint8Array.from(Buffer.from(hex ?? '', 'hex')));
    expect(parsed).toMatchObject({ ok: false, error: { code, path, span: { start: span[0], end: span[1] } } });
  });
  it.each(INVALID.filter(({ text }) => text !== undefined))('$name, as bytes', ({ text, code, path }) => {
    expect(parseJson(Buffer.from(text ?? '', 'utf8'))).toMatchObject({ ok: false, error: { code, path } });
  });
});

describe('fixtures of another implementation', () => {
  const shared = process.env['COUNTERSIGN_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const archive = `${shared}/conformance/clawdstrike-fixtures.tar.gz`;
  it.skipIf(!existsSync(archive))('its RFC 8785 vectors have our bytes (skipped where ../shared is absent)', () => {
    const text = execFileSync('tar', ['xzOf', archive, './fixtures/canonical/jcs_vectors.json'], { encoding: 'utf8' });
    const rows = JSON.parse(text) as { name: string; input: JsonValue; expected: string }[];
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) expect(canonicalize(row.input), row.name).toBe(row.expected);
  });
});
