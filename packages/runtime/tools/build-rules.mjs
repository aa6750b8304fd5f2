/**
 * @module Resolves the built-in rule packs once, to the file that `openRuntime` starts from: `packages/rules/dist/rules.json`.
 * Run after TypeScript was compiled. Fails where a pack is refused, and leaves no half-written file.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { builtRulesPath, builtRulesText, hashRuleSources, resolveRules } from '../dist/built-rules.js';

const path = fileURLToPath(builtRulesPath());
rmSync(path, { force: true });
try {
  const sources = await hashRuleSources();
  const text = builtRulesText(await resolveRules([]), sources);
  // A pack that was saved meanwhile is of the next build.
  if ((await hashRuleSources()) !== sources) throw new Error('the rules changed while they were read');
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
} catch (error) {
  process.stderr.write(`the built-in rules cannot be resolved: ${error.message}\n`);
  process.exitCode = 1;
}
