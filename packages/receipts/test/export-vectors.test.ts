import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EXPORT_FORMATS, exportFormatOf, verifyExport } from '../src/exports.ts';
import { exportVectors } from './export-vectors.ts';
import type { ExportVector } from './vector-files.ts';

const FOLDER = new URL('../../../vectors/exports/', import.meta.url);

function stored(name: string): readonly ExportVector[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as ExportVector[];
}

const NAMES = EXPORT_FORMATS.flatMap((format) => [`${format}-valid`, `${format}-invalid`]);

describe.each(NAMES)('vectors/exports/%s.json', (name) => {
  const isValid = name.endsWith('-valid');

  test.each(stored(name).map((vector) => [vector.name, vector] as const))(
    '%s',
    async (_name, { format, file, trust, ok, expect: wanted }) => {
      const report = await verifyExport(format, Buffer.from(file), trust);
      const said = report.checks.map((check) => `${check.name} ${check.status} ${check.code}`);
      expect(said).toEqual(expect.arrayContaining([...wanted]));
      expect([report.ok, ok, 'content' in report]).toEqual([isValid, isValid, isValid]);
      expect(report.checks.some(({ status }) => status === 'fail')).toBe(!isValid);
    },
  );

  test('is what today is written from the same seeds, byte for byte', async () => {
    expect((await exportVectors()).get(name)).toEqual(stored(name));
  });
});

test('EXP-003 a valid file is recognised by its content', () => {
  for (const format of EXPORT_FORMATS)
    for (const { name, file } of stored(`${format}-valid`)) expect([name, exportFormatOf(Buffer.from(file))]).toEqual([name, format]);
});

test('the folder holds these files and no others', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(NAMES.map((name) => `${name}.json`).sort());
});
