/**
 * @module Building: TypeScript to `dist`, then the rule packs to one document, the judge to its single file and the verifier to its page;
 * each skipped where no input changed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { environmentFor } from './node-runtime.mjs';
import { EXIT, progress, say, ScriptError, seconds } from './terminal.mjs';

const ENGINE_PACKAGES = ['kernel', 'crypto', 'protocol', 'facts', 'rules', 'policy', 'judge'];
const RULES_TOOL = join('packages', 'runtime', 'tools', 'build-rules.mjs');
const BUILT_RULES = join('packages', 'rules', 'dist', 'rules.json');
const PAGE_PACKAGES = ['kernel', 'crypto', 'protocol', 'log', 'receipts'];
const PAGE_TOOL = join('apps', 'verifier', 'tools', 'build-page.mjs');
const PAGE = join('apps', 'verifier', 'dist', 'verify.html');
const ENGINE_TOOL = join('packages', 'judge', 'tools', 'build-engine.mjs');

function listFiles(folder, into) {
  if (!existsSync(folder)) return into;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) listFiles(path, into);
    else into.push(path);
  }
  return into;
}

/** The workspaces of the repository: every folder of `packages` and `apps` with a package.json. */
export function workspaces(root) {
  return ['packages', 'apps'].flatMap((parent) => {
    const folder = join(root, parent);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => existsSync(join(folder, name, 'package.json')))
      .map((name) => join(parent, name));
  });
}

/** One hash over name, size and modification time of every file: cheap, and any save changes it. */
export function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort((a, b) => (a < b ? -1 : 1))) {
    const stat = statSync(file, { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size ?? 'none'}\0${stat?.mtimeMs ?? 0}\n`);
  }
  return hash.digest('hex');
}

function typescriptInputs(root) {
  const files = [join(root, 'tsconfig.json'), join(root, 'tsconfig.base.json'), join(root, 'package-lock.json')];
  for (const workspace of workspaces(root)) {
    files.push(join(root, workspace, 'package.json'), join(root, workspace, 'tsconfig.json'));
    listFiles(join(root, workspace, 'src'), files);
  }
  return files;
}

function engineInputs(root) {
  const files = [join(root, 'package-lock.json')];
  listFiles(join(root, 'packages', 'judge', 'tools'), files);
  for (const name of ENGINE_PACKAGES) listFiles(join(root, 'packages', name, 'src'), files);
  return files;
}

function pageInputs(root) {
  const files = [join(root, 'package-lock.json'), join(root, PAGE_TOOL)];
  listFiles(join(root, 'apps', 'verifier', 'src', 'page'), files);
  for (const name of PAGE_PACKAGES) listFiles(join(root, 'packages', name, 'src'), files);
  for (const name of PAGE_PACKAGES) files.push(join(root, 'packages', name, 'package.json'));
  return files;
}

function rulesInputs(root) {
  const files = [join(root, 'package-lock.json'), join(root, RULES_TOOL)];
  for (const name of ['built-rules.ts', 'builtin.ts']) files.push(join(root, 'packages', 'runtime', 'src', name));
  for (const name of ['kernel', 'crypto', 'protocol', 'rules']) listFiles(join(root, 'packages', name, 'src'), files);
  return listFiles(join(root, 'packages', 'rules', 'packs'), files);
}

function hasOutputs(root) {
  return workspaces(root).every((workspace) => existsSync(join(root, workspace, 'dist', 'index.js')));
}

function hasEngine(root) {
  return existsSync(join(root, 'packages', 'judge', 'dist', 'engine.mjs'));
}

function stampPath(root, name) {
  return join(root, '.build', `${name}.stamp`);
}

function readStamp(root, name) {
  const path = stampPath(root, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function writeStamp(root, name, value) {
  mkdirSync(join(root, '.build'), { recursive: true });
  writeFileSync(stampPath(root, name), value);
}

async function step(root, { name, text, command, env }) {
  const line = progress(text);
  const result = await run(command[0], command.slice(1), { cwd: root, capture: true, env });
  const took = line.end();
  if (result.code === 0) {
    say(`${name} in ${seconds(took)}`);
    return result.stdout.trim();
  }
  process.stderr.write(`${result.stdout}${result.stderr}`.trimEnd() + '\n');
  throw new ScriptError(`${text} failed`, 'the first error above is the one to mend', EXIT.failed);
}

/** Compiles TypeScript where a source changed since the last success. */
async function buildTypescript(root, node) {
  const inputs = fingerprint(typescriptInputs(root));
  const outputs = hasOutputs(root);
  if (outputs && readStamp(root, 'typescript') === inputs) return;
  // A build record without its outputs would make the compiler believe there is nothing to do.
  if (!outputs) for (const workspace of workspaces(root)) rmSync(join(root, workspace, 'dist', '.tsbuildinfo'), { force: true });
  const compiler = join('node_modules', '@typescript', 'native', 'bin', 'tsc');
  await step(root, { name: 'compiled', text: 'compiling', command: [node, compiler, '-b'], env: environmentFor(root, node) });
  writeStamp(root, 'typescript', inputs);
}

/** Resolves the rule packs where one of them, or the code that reads them, changed since the last success. */
async function buildRules(root, node) {
  if (!existsSync(join(root, RULES_TOOL))) return;
  const inputs = fingerprint(rulesInputs(root));
  if (existsSync(join(root, BUILT_RULES)) && readStamp(root, 'rules') === inputs) return;
  await step(root, { name: 'rules resolved', text: 'resolving the rules', command: [node, RULES_TOOL], env: environmentFor(root, node) });
  writeStamp(root, 'rules', inputs);
}

/** Bundles the judge where one of its inputs changed since the last success. */
async function buildEngine(root, node) {
  if (!existsSync(join(root, ENGINE_TOOL))) return;
  const inputs = fingerprint(engineInputs(root));
  if (hasEngine(root) && readStamp(root, 'engine') === inputs) return;
  await step(root, { name: 'judge bundled', text: 'bundling the judge', command: [node, ENGINE_TOOL], env: environmentFor(root, node) });
  writeStamp(root, 'engine', inputs);
}

/** Makes the page that verifies in a browser where one of its inputs changed since the last success, and says how large it is. */
async function buildPage(root, node) {
  if (!existsSync(join(root, PAGE_TOOL))) return;
  const inputs = fingerprint(pageInputs(root));
  if (existsSync(join(root, PAGE)) && readStamp(root, 'page') === inputs) return;
  const env = environmentFor(root, node);
  say(await step(root, { name: 'verifier page made', text: 'making the verifier page', command: [node, PAGE_TOOL], env }));
  writeStamp(root, 'page', inputs);
}

/** Everything the server and the command line need. */
export async function ensureBuilt(root, node) {
  await buildTypescript(root, node);
  await buildRules(root, node);
  await buildEngine(root, node);
  await buildPage(root, node);
}
