#!/usr/bin/env node
/**
 * @module One door to everything: `npm start`, `npm test` and the rest begin here, on any Node from 18 on and on an empty
 * checkout. It installs what the lockfile names, compiles what changed, and runs the command under the pinned Node.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureBrowser } from './browser.mjs';
import { ensureBuilt } from './build.mjs';
import { runChecks } from './check.mjs';
import { endLike, run } from './child.mjs';
import { ensureInstalled } from './install.mjs';
import { chooseNode, environmentFor } from './node-runtime.mjs';
import { EXIT, paint, say, ScriptError } from './terminal.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Programs of `bench/`, run from source: Node strips the types. */
const PROGRAMS = {
  bench: 'bench/bench.ts',
  detect: 'bench/detect.ts',
  train: 'bench/train-classifier.ts',
  crash: 'bench/crash.ts',
  replay: 'bench/replay.ts',
};
const COMMANDS = ['start', 'test', 'build', 'check', ...Object.keys(PROGRAMS)];

async function start(args) {
  const node = chooseNode(root);
  await ensureBuilt(root, node);
  const server = join(root, 'apps', 'server', 'dist', 'main.js');
  endLike(await run(node, [server, ...args], { env: environmentFor(root, node) }));
}

async function program(name, args) {
  const file = join(root, PROGRAMS[name]);
  if (!existsSync(file)) throw new ScriptError(`${PROGRAMS[name]} is not in this checkout`, 'update the checkout', EXIT.config);
  const node = chooseNode(root, { always: true });
  await ensureBuilt(root, node);
  endLike(await run(node, ['--conditions=@countersign/source', file, ...args], { env: environmentFor(root, node) }));
}

async function main([command, ...args]) {
  if (!COMMANDS.includes(command)) {
    throw new ScriptError(`unknown command \`${command ?? ''}\``, `use one of ${COMMANDS.join(', ')}`, EXIT.usage);
  }
  await ensureInstalled(root);
  if (command === 'start') return start(args);
  if (command in PROGRAMS) return program(command, args);
  const node = chooseNode(root, { always: true });
  if (command === 'build') return ensureBuilt(root, node);
  if (command === 'test') await ensureBrowser();
  process.exitCode = await runChecks(root, { node, tests: command === 'test', filters: args });
  return undefined;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ScriptError)) throw error;
  say(paint('red', error.message));
  say(error.hint);
  process.exitCode = error.exitCode;
}
