import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyBundle, verifyConsistencyFile, verifySession, type Check } from '../src/verify.ts';
import { bundleVectors } from './bundle-vectors.ts';
import type { BundleVector, ConsistencyVector } from './vector-forms.ts';
import { consistencyVectors } from './consistency-vectors.ts';

function stored(name: 'valid' | 'invalid'): readonly BundleVector[] {
  return JSON.parse(readFileSync(new URL(`../../../vectors/bundle/${name}.json`, import.meta.url), 'utf8')) as BundleVector[];
}

async function outcomeOf({ bundles, trust, now }: BundleVector): Promise<{ ok: boolean; checks: readonly Check[] }> {
  const files = bundles.map((text) => Buffer.from(text, 'utf8'));
  const [only] = files;
  if (files.length === 1 && only !== undefined) return verifyBundle(only, trust);
  const session = await verifySession(files, trust, now === undefined ? {} : { now });
  return { ok: session.ok, checks: [session.chain, session.outcomes] };
}

describe.each(['valid', 'invalid'] as const)('BNDL-013 BNDL-023 vectors/bundle/%s.json', (name) => {
  test.each(stored(name).map((vector) => [vector.name, vector] as const))('%s', async (_name, vector) => {
    const { ok, checks } = await outcomeOf(vector);
    expect(ok).toBe(name === 'valid');
    expect(vector.ok).toBe(ok);
    expect(checks.map((check) => `${check.name} ${check.status} ${check.code}`)).toEqual(expect.arrayContaining([...vector.expect]));
  });

  test('is what today issues from the same seeds, byte for byte', async () => {
    expect((await bundleVectors())[name]).toEqual(stored(name));
  });
});

/** Cases of the second verifier and of this one, in one form (BNDL-040). */
function cases(name: string): readonly unknown[] {
  const file = new URL(`../../../vectors/bundle/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly unknown[] }).cases;
}

const lineOf = ({ name, status, code }: Check): string => `${name} ${status} ${code}`;

describe.each(['consistency', 'consistency-seeded'])('BNDL-030 BNDL-031 BNDL-032 BNDL-040 vectors/bundle/%s.json', (stem) => {
  const vectors = cases(stem) as readonly ConsistencyVector[];

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', async (_name, { file, trust, seen, expect: expected }) => {
    const report = await verifyConsistencyFile(Buffer.from(file, 'utf8'), trust, seen);
    expect(report.ok).toBe(expected.ok);
    expect(report.checks.map(lineOf)).toEqual(expect.arrayContaining([...expected.checks]));
  });

  test('with any one byte changed nothing is believed', async () => {
    for (const { file, trust } of vectors.filter(({ expect: expected }) => expected.ok)) {
      const bytes = Buffer.from(file, 'utf8');
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        const report = await verifyConsistencyFile(damaged, trust);
        if (report.ok) throw new Error(`byte ${at} changed, and still believed`);
      }
    }
  });
});

test('vectors/bundle/consistency-seeded.json is what today issues from the same seeds, byte for byte', async () => {
  expect(await consistencyVectors()).toEqual(cases('consistency-seeded'));
});

interface SessionCase {
  readonly name: string;
  readonly trust: BundleVector['trust'];
  readonly now?: string;
  readonly files: readonly string[];
  readonly expect: { readonly ok: boolean; readonly end: string; readonly checks: readonly string[] };
}

test.each((cases('sessions') as readonly SessionCase[]).map((one) => [one.name, one] as const))(
  'vectors/bundle/sessions.json: %s',
  async (_name, one) => {
    const files = one.files.map((text) => Buffer.from(text, 'utf8'));
    const report = await verifySession(files, one.trust, one.now === undefined ? {} : { now: one.now });
    expect([report.ok, report.end]).toEqual([one.expect.ok, one.expect.end]);
    expect([report.chain, report.outcomes].map(lineOf)).toEqual(expect.arrayContaining([...one.expect.checks]));
  },
);

interface BundleCase {
  readonly name: string;
  readonly trust: BundleVector['trust'];
  readonly file: string;
  readonly expect: { readonly ok: boolean; readonly checks: readonly string[] };
}

test.each((cases('extended') as readonly BundleCase[]).map((one) => [one.name, one] as const))(
  'vectors/bundle/extended.json: %s',
  async (_name, one) => {
    const report = await verifyBundle(Buffer.from(one.file, 'utf8'), one.trust);
    expect(report.ok).toBe(one.expect.ok);
    expect(report.checks.map(lineOf)).toEqual(expect.arrayContaining([...one.expect.checks]));
  },
);
