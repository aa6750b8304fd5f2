/**
 * @module `policy import-clampd`: thresholds, exemptions, Cedar policies, boundaries and protected entities of Clampd as a policy document, and a report of
 * what could not be taken over. A document that does not load is not written: its faults are told.
 */
import { resolve } from 'node:path';
import { parseJson } from '@countersign/kernel';
import { BUILTIN_RULESETS, importClampd, type ImportRemark } from '@countersign/policy';
import { checkPolicy } from '../check-policy.ts';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readText } from '../documents.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { resolveText } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { OUT_OPTIONS, writeNewFile } from '../write-out.ts';

function line({ path, why }: ImportRemark): string {
  return path === '' ? why : `${path}: ${why}`;
}

async function readImport(file: string, base: string, context: Context): Promise<ReturnType<typeof importClampd>> {
  const json = parseJson(await readText(file, context));
  if (!json.ok) throw configError([{ ...json.error, path: file }]);
  const imported = importClampd(json.value.value, base);
  if (Object.values(imported.counts).some((count) => count > 0)) return imported;
  const faults = imported.remarks.map((remark) => ({ code: 'clampd_left_out', message: line(remark) }));
  throw configError([{ code: 'clampd_nothing', message: 'nothing in it could be taken over', path: file }, ...faults]);
}

async function run(input: Input, context: Context): Promise<Outcome> {
  const [file] = input.args;
  const base = textOption(input, 'extends') ?? 'default';
  if (file === undefined) throw usageError('no file is named', 'countersign policy import-clampd export.json');
  if (!BUILTIN_RULESETS.includes(base)) throw usageError(`there is no ruleset ${base}`, `use one of ${BUILTIN_RULESETS.join(', ')}`);
  const { document, counts, remarks } = await readImport(file, base, context);
  await checkPolicy(await resolveText({ source: file, yaml: document }, context), mergePacks(await readPacks([], context)));
  const out = textOption(input, 'out');
  if (out !== undefined) await writeNewFile(resolve(context.world.cwd, out), new TextEncoder().encode(document), flag(input, 'force'));
  const taken = Object.entries(counts).filter(([, count]) => count > 0);
  const total = taken.map(([kind, count]) => `${String(count)} ${kind.replaceAll('_', ' ')}`).join(', ');
  const shown = out === undefined ? [document.trimEnd()] : [`${out}: ${total}; next: countersign policy apply ${out}`];
  const told = remarks.map(({ path, why }) => ({ path, why }));
  const json = { counts: { ...counts }, remarks: told, ...(out === undefined ? { document } : { file: out }) };
  return { exitCode: remarks.length > 0 ? EXIT.warn : EXIT.ok, json, text: [...remarks.map(line), ...shown].join('\n') };
}

export const importClampdCommand: Command = {
  path: 'policy import-clampd',
  args: '<file>',
  summary: 'make a policy of what Clampd keeps as JSON, and say what could not be taken over',
  options: [
    { flags: '--out <file>', summary: 'write the policy there; it goes to standard output where none is named' },
    { flags: '--extends <ruleset>', summary: 'the ruleset it extends, `default` where it is not said' },
    ...OUT_OPTIONS,
  ],
  examples: [
    'countersign policy import-clampd export.json',
    'countersign policy import-clampd export.json --out policy.yaml --extends strict',
  ],
  run,
};
