import { defineConfig } from 'vitest/config';

const conditions = ['@countersign/source', 'module', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // A process each, not a thread: V8 frees code of WebAssembly from a cache that the threads of a process share, and that can end it
    // (packages/runtime/src/wasm-wrappers.ts has the why of the flag).
    pool: 'forks',
    execArgv: ['--wasm-wrapper-tiering-budget=2147483647'],
    // As many as the cores of CI; left to itself one core stays idle.
    maxWorkers: 2,
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
});
