/** Stores the bundle vectors: `node --conditions=@countersign/source packages/receipts/test/write-bundle-vectors.ts`. Review the difference. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { bundleVectors } from './bundle-vectors.ts';
import { consistencyVectors } from './consistency-vectors.ts';

const ABOUT = 'consistency files from fixed seeds: forks, rollbacks, two keys, a digest (spec/bundle.md, BNDL-040)';
const folder = new URL('../../../vectors/bundle/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, vectors] of Object.entries({
  ...(await bundleVectors()),
  'consistency-seeded': { about: ABOUT, cases: await consistencyVectors() },
}))
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(vectors, null, 1)}\n`);
