import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyBundle, verifySession, type Check } from '../src/verify.ts';
import { bundleVectors, type BundleVector } from './bundle-vectors.ts';

function stored(name: 'valid' | 'invalid'): readonly BundleVector[] {
  return JSON.parse(readFileSync(new URL(`../../../vectors/bundle/${name}.json`, import.meta.url), 'utf8')) as BundleVector[];
}

async function outcomeOf({ bundles, trust }: BundleVector): Promise<{ ok: boolean; checks: readonly Check[] }> {
  const files = bundles.map((text) => Buffer.from(text, 'utf8'));
  const [only] = files;
  if (files.length === 1 && only !== undefined) return verifyBundle(only, trust);
  const session = await verifySession(files, trust);
  return { ok: session.ok, checks: [session.chain] };
}

describe.each(['valid', 'invalid'] as const)('vectors/bundle/%s.json', (name) => {
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
