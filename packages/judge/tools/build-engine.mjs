// Builds the judge into one self-contained file, packages/judge/dist/engine.mjs. Equal sources and lock file give equal bytes,
// and the SHA-256 of those bytes is what receipts name as their engine.
// `--out FILE` puts it elsewhere, and `--replace SOURCE=FILE` takes the text of a source from another file: an engine with one change,
// to see what the change decides otherwise (`countersign replay --engine`).
import { createHash } from 'node:crypto';
import { builtinModules, createRequire } from 'node:module';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string' }, replace: { type: 'string', multiple: true, default: [] } } });
const out = resolve(values.out ?? join(here, '..', 'dist', 'engine.mjs'));
/** Texts to take instead of those of sources, by the absolute path of the source. */
const replaced = new Map(
  values.replace.map((pair) => pair.split('=')).map(([source, file]) => [resolve(source), readFileSync(file, 'utf8')]),
);
const require = createRequire(join(here, '..', '..', 'facts', 'package.json'));

/** Wasm of the parsers, by the name the engine gives it. */
const WASM = {
  treeSitter: require.resolve('web-tree-sitter/web-tree-sitter.wasm'),
  bash: require.resolve('tree-sitter-bash/tree-sitter-bash.wasm'),
  pgQuery: join(dirname(require.resolve('libpg-query')), 'libpg-query.wasm'),
};

/** Cedar is large and most policies hold none of it: it is compressed, and unpacked when the first policy wants it. */
const requireOfPolicy = createRequire(join(here, '..', '..', 'policy', 'package.json'));
const CEDAR = join(dirname(requireOfPolicy.resolve('@cedar-policy/cedar-wasm/nodejs')), 'cedar_wasm_bg.wasm');

// A plain loop: an iterator over millions of characters costs a cold start a third of a second.
const BYTES = `function bytes(text) {
  const units = atob(text);
  const out = new Uint8Array(units.length);
  for (let i = 0; i < units.length; i += 1) out[i] = units.charCodeAt(i);
  return out;
}`;

const wasmModule = {
  name: 'countersign-wasm',
  resolveId: (id) => (id === 'countersign:wasm' ? '\0countersign:wasm' : null),
  load(id) {
    if (id !== '\0countersign:wasm') return null;
    const lines = Object.entries(WASM).map(
      ([name, file]) => `export const ${name} = bytes(${JSON.stringify(readFileSync(file).toString('base64'))});`,
    );
    const cedar = readFileSync(CEDAR);
    const packed = JSON.stringify(deflateRawSync(cedar, { level: 9 }).toString('base64'));
    lines.push(`export const cedarLength = ${cedar.length};`, `export const packedCedar = () => bytes(${packed});`);
    return `${BYTES}\n${lines.join('\n')}`;
  },
};

// The glue of the parsers names these for its own file loading, which never happens here: the bytes are given.
const noBuiltins = {
  name: 'no-builtins',
  resolveId: (id) => (id.startsWith('node:') || builtinModules.includes(id) ? `\0none:${id}` : null),
  load: (id) => (id.startsWith('\0none:') ? 'export default {};' : null),
};

/** Hashes inside the engine are those of the build for browsers: the same answers without `node:crypto`, and without a signer. */
const CRYPTO = join(here, '..', '..', 'crypto', 'src', 'browser');
const portableCrypto = {
  name: 'portable-crypto',
  resolveId(id) {
    if (id === '@countersign/crypto') return join(CRYPTO, 'index.ts');
    return id === '#primitives' ? join(CRYPTO, 'primitives.ts') : null;
  },
};

const loaded = new Set();
const replacement = {
  name: 'replacement',
  load(id) {
    if (!replaced.has(id)) return null;
    loaded.add(id);
    return { code: replaced.get(id), moduleType: 'ts' };
  },
};

const bundle = await rolldown({
  input: join(here, 'bundle-entry.mjs'),
  platform: 'neutral',
  resolve: { conditionNames: ['@countersign/source', 'import', 'module', 'default'], mainFields: ['module', 'main'] },
  plugins: [wasmModule, portableCrypto, noBuiltins, replacement],
  // Nothing that is kept uses what `noBuiltins` leaves out; the check on imports below and the engine's own test say so.
  shimMissingExports: true,
  // The engine is imported from its bytes, which have no place; the glue only wants something that parses as a URL.
  transform: { define: { 'import.meta.url': '"file:///engine.mjs"' } },
  treeshake: true,
  onLog(level, log, handler) {
    if (log.code !== 'EVAL' && log.code !== 'CIRCULAR_DEPENDENCY') handler(level, log);
  },
});
// What a pure function has no use for is not there: the parsers' glue then takes the bytes it is given and looks no further.
const NOT_HERE = 'const process = undefined, require = undefined, fetch = undefined, XMLHttpRequest = undefined, performance = undefined;';
const { output } = await bundle.generate({
  format: 'esm',
  banner: NOT_HERE,
  footer: '//# sourceURL=countersign-engine.mjs',
  codeSplitting: false,
  sourcemap: false,
  minify: false,
});
const unused = [...replaced.keys()].filter((source) => !loaded.has(source));
if (unused.length > 0) throw new Error(`the engine does not hold ${unused.join(', ')}`);
if (output.length !== 1) throw new Error(`the engine must be one file, got ${output.length}`);
const { code, imports } = output[0];
if (imports.length > 0) throw new Error(`the engine must import nothing, but imports ${imports.join(', ')}`);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(`${out}.tmp`, code);
renameSync(`${out}.tmp`, out);
process.stdout.write(`${createHash('sha256').update(code).digest('hex')}\n`);
