import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyBundle, verifyConsistencyFile, verifySession, type Check } from '../src/verify.ts';
import { bundleVectors, type BundleVector, type ConsistencyVector } from './bundle-vectors.ts';
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

describe('BNDL-030 BNDL-031 vectors/bundle/consistency.json', () => {
  const file = new URL('../../../vectors/bundle/consistency.json', import.meta.url);
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as ConsistencyVector[];

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', async (_name, vector) => {
    const report = await verifyConsistencyFile(Buffer.from(vector.file, 'utf8'), vector.trust, vector.seen);
    expect(report.ok).toBe(vector.ok);
    expect(report.checks.map((check) => `${check.name} ${check.status} ${check.code}`)).toEqual(expect.arrayContaining([...vector.expect]));
  });

  test('is what today issues from the same seeds, byte for byte', async () => {
    expect(await consistencyVectors()).toEqual(vectors);
  });

  test('with any one byte changed nothing is believed', async () => {
    for (const { file: text, trust } of vectors.filter(({ ok }) => ok)) {
      const bytes = Buffer.from(text, 'utf8');
      for (let at = 0; at < bytes.length; at += 1) {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        const report = await verifyConsistencyFile(damaged, trust);
        if (report.ok) throw new Error(`byte ${at} changed, and still believed`);
      }
    }
  });
});
