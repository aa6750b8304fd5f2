/** @module The recorded decisions of ClawSentry, played to ours: each is equal, or stands in the list of differences with its reason. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClawSentryCases, readCases } from './clawsentry-cases.ts';

/** One case in which ours says something else, and why that is right. */
interface Difference {
  readonly id: string;
  readonly kind: string;
  readonly why: string;
}

const shared = process.env['COUNTERSIGN_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const file = join(shared, 'conformance', 'clawsentry-cases.jsonl.gz');
const present = existsSync(file);
const AREAS = ['L1', 'L1-dim', 'D6', 'pattern', 'hints', 'text', 'L2-rule', 'regex-safety'] as const;

const listed = JSON.parse(readFileSync(new URL('clawsentry-differences.json', import.meta.url), 'utf8')) as {
  readonly kinds: Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
};

describe.skipIf(!present)(
  `VER-048 recorded cases of ClawSentry${present ? '' : ` (skipped: no cases at ${file}; set COUNTERSIGN_SHARED)`}`,
  () => {
    let cases: ClawSentryCases;
    beforeAll(async () => {
      cases = await ClawSentryCases.open();
    });

    it.each(AREAS)('%s: equal, or listed with the reason', (area) => {
      const all = readCases(file, [area]);
      expect(all.length).toBeGreaterThan(0);
      const different = all.filter((one) => {
        const { ours, theirs } = cases.answer(one);
        return JSON.stringify(ours) !== JSON.stringify(theirs);
      });
      expect(different.map(({ id }) => id)).toEqual(
        listed.differences.map(({ id }) => id).filter((id) => all.some((one) => one.id === id)),
      );
    });

    it('lists no case that is not there', () => {
      const ids = new Set(readCases(file, AREAS).map(({ id }) => id));
      expect(listed.differences.filter(({ id }) => !ids.has(id))).toEqual([]);
    });
  },
);

describe('VER-048 the list of differences', () => {
  it('gives every case one known kind and a reason', () => {
    const ids = listed.differences.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { kind, why } of listed.differences) {
      expect(Object.keys(listed.kinds)).toContain(kind);
      expect(why.length).toBeGreaterThan(20);
    }
  });
});
