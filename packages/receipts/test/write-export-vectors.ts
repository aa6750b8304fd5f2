/** Stores the export vectors: `node --conditions=@countersign/source packages/receipts/test/write-export-vectors.ts`. Review the difference. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { exportVectors } from './export-vectors.ts';

const folder = new URL('../../../vectors/exports/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, vectors] of await exportVectors())
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(vectors, null, 1)}\n`);
