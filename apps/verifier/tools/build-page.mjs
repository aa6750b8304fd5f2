// Builds apps/verifier/dist/verify.html: one file with script and style inside, and a policy that names both by their hashes and allows
// nothing else. Equal sources and lock file give equal bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '..', 'src', 'page');
const out = join(here, '..', 'dist', 'verify.html');

const bundle = await rolldown({
  input: join(source, 'main.ts'),
  platform: 'browser',
  resolve: { conditionNames: ['@countersign/source', 'browser', 'import', 'module', 'default'], mainFields: ['module', 'main'] },
  treeshake: true,
  onLog(level, log, handler) {
    // Whatever cannot be resolved would be left to the browser, which has nobody to ask.
    if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    handler(level, log);
  },
});
const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, sourcemap: false, minify: true, comments: false });
if (output.length !== 1) throw new Error(`the page must have one script, got ${output.length}`);
const { code, imports } = output[0];
if (imports.length > 0) throw new Error(`the page must import nothing, but imports ${imports.join(', ')}`);
// An end tag or a comment in the script would end it, or hide what follows, wherever it stands.
if (/<\/script|<!--/i.test(code)) throw new Error('the script holds text that HTML would read as markup');

const style = readFileSync(join(source, 'page.css'), 'utf8').replace(/\s+/g, ' ');
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const script = code.trim();
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** What stands once in the markup, replaced. A markup that has lost its place would be a page without a script, or without a policy. */
function put(text, place, value) {
  const around = text.split(place);
  if (around.length !== 2) throw new Error(`the markup must have ${place} once, but has it ${around.length - 1} times`);
  return around.join(value);
}

const markup = readFileSync(join(source, 'page.html'), 'utf8');
const governed = put(markup, `content="default-src 'none'"`, `content="${policy}"`);
const styled = put(governed, '<style></style>', `<style>${style}</style>`);
const page = put(styled, '<script type="module"></script>', `<script type="module">${script}</script>`);
mkdirSync(dirname(out), { recursive: true });
// Two builds at once end with one whole page.
const draft = `${out}.${process.pid}.tmp`;
writeFileSync(draft, page);
renameSync(draft, out);
const bytes = Buffer.byteLength(page);
process.stdout.write(`${bytes} bytes, ${gzipSync(page).length} compressed, sha256 ${createHash('sha256').update(page).digest('hex')}\n`);
