#!/usr/bin/env node
/**
 * @module `countersign` in a checkout: any Node may start it. It installs nothing, builds what is missing, and goes on under a
 * Node that is new enough.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../../../scripts/build.mjs';
import { endLike, run } from '../../../scripts/child.mjs';
import { chooseNode, environmentFor } from '../../../scripts/node-runtime.mjs';
import { say, ScriptError } from '../../../scripts/terminal.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const main = join(root, 'apps', 'cli', 'dist', 'main.js');

try {
  const node = chooseNode(root);
  const needed = [main, join(root, 'packages', 'judge', 'dist', 'engine.mjs')];
  if (needed.some((file) => !existsSync(file))) await ensureBuilt(root, node);
  if (node === process.execPath) await import(main);
  else endLike(await run(node, [main, ...process.argv.slice(2)], { env: environmentFor(root, node) }));
} catch (error) {
  if (!(error instanceof ScriptError)) throw error;
  say(error.message);
  say(error.hint);
  process.exitCode = error.exitCode;
}
