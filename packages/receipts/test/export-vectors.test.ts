import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exportFormatOf, verifyExport } from '../src/exports.ts';
import { exportVectors } from './export-vectors.ts';
import type { ExportVector } from './vector-files.ts';

function stored(name: 'valid' | 'invalid'): readonly ExportVector[] {
  return JSON.parse(readFileSync(new URL(`../../../vectors/exports/${name}.json`, import.meta.url), 'utf8')) as ExportVector[];
}

describe.each(['valid', 'invalid'] as const)('vectors/exports/%s.json', (name) => {
  test.each(stored(name).map((vector) => [vector.name, vector] as const))(
    '%s',
    async (_name, { format, file, trust, ok, expect: wanted }) => {
      const report = await verifyExport(format, Buffer.from(file), trust);
      const said = report.checks.map((check) => `${check.name} ${check.status} ${check.code}`);
      expect(said).toEqual(expect.arrayContaining([...wanted]));
      expect([report.ok, ok, 'content' in report]).toEqual([name === 'valid', name === 'valid', name === 'valid']);
      expect(report.checks.some(({ status }) => status === 'fail')).toBe(name === 'invalid');
    },
  );

  test('is what today is written from the same seeds, byte for byte', async () => {
    expect((await exportVectors())[name]).toEqual(stored(name));
  });
});

test('EXP-003 a valid file is recognised by its content', () => {
  for (const { name, format, file } of stored('valid')) expect([name, exportFormatOf(Buffer.from(file))]).toEqual([name, format]);
});
