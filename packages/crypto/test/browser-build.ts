/** @module The browser's half of this package as a page gets it: resolved by the condition `browser`, bundled, and loaded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

export type BrowserCrypto = typeof import('../src/browser/index.ts');

export interface BrowserBuild {
  readonly crypto: BrowserCrypto;
  /** Module specifiers that are left in the bundle. */
  readonly imports: readonly string[];
  /** Paths of the modules that are in it. */
  readonly modules: readonly string[];
}

const CONDITIONS = ['@countersign/source', 'browser', 'import', 'default'];

export async function buildForBrowser(): Promise<BrowserBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-crypto-'));
  try {
    const bundle = await rolldown({
      input: 'countersign:all',
      platform: 'browser',
      resolve: { conditionNames: CONDITIONS },
      plugins: [
        {
          name: 'everything',
          resolveId: (id) => (id === 'countersign:all' ? join(import.meta.dirname, 'everything.mjs') : null),
          load: (id) => (id.endsWith('everything.mjs') ? "export * from '@countersign/crypto';" : null),
        },
      ],
    });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    const [chunk] = output;
    const file = join(folder, 'crypto.mjs');
    writeFileSync(file, chunk.code);
    const crypto = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as BrowserCrypto;
    return { crypto, imports: chunk.imports, modules: Object.keys(chunk.modules) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
