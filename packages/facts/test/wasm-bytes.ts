import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ParserBytes } from '../src/parsers.ts';

const require = createRequire(import.meta.url);

/** The grammars' bytes out of node_modules, for tests. */
export function wasmBytes(): ParserBytes {
  return {
    treeSitter: readFileSync(require.resolve('web-tree-sitter/web-tree-sitter.wasm')),
    bash: readFileSync(require.resolve('tree-sitter-bash/tree-sitter-bash.wasm')),
    pgQuery: readFileSync(require.resolve('libpg-query/wasm/libpg-query.wasm')),
  };
}
