/**
 * @module `rules import-sigma`: Sigma rules as a rule document, and a report of what could not be taken over. An example is made for each rule and
 * run through the engine: a rule that does not find what was made from its own patterns is not written.
 */
import { resolve } from 'node:path';
import type { JsonObject } from '@countersign/kernel';
import {
  type ExampleSketch,
  importSigma,
  mergeRuleDocuments,
  parseRules,
  sigmaDocument,
  type SigmaDraft,
  type SigmaFile,
  type SigmaOutcome,
  type SigmaPack,
  type SigmaRule,
} from '@countersign/rules';
import type { ExampleFailure } from '@countersign/runtime';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readText } from '../documents.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Colour, renderTable } from '../render.ts';
import { testExamples } from '../rule-examples.ts';
import { OUT_OPTIONS, writeNewFile } from '../write-out.ts';

/** Actions that nobody minds: a rule that finds something in them finds it everywhere. */
const HARMLESS: readonly ExampleSketch[] = [{ shell: 'true' }, { prompt: 'good morning' }, { path: '/srv/app/readme.txt' }];

interface Tried {
  readonly rules: readonly SigmaRule[];
  readonly outcomes: readonly SigmaOutcome[];
}

function refusedAfter(outcome: SigmaOutcome, why: string): SigmaOutcome {
  return { ...outcome, status: 'refused', remarks: [{ path: 'detection', why }], draft: undefined };
}

function withExamples(draft: SigmaDraft): SigmaRule {
  return { draft, examples: { positive: draft.examples, negative: HARMLESS } };
}

/** Runs what was made; gives the failures of each rule. */
async function failuresOf(
  rules: readonly SigmaRule[],
  pack: SigmaPack,
  context: Context,
): Promise<ReadonlyMap<string, readonly ExampleFailure[]>> {
  if (rules.length === 0) return new Map();
  const document = parseRules(sigmaDocument(rules, pack), 'sigma.yaml');
  if (!document.ok) throw configError(document.error);
  const merged = mergeRuleDocuments([document.value]);
  if (!merged.ok) throw configError(merged.error);
  const given = { documents: [document.value], rules: merged.value };
  const { failures } = await context.progress('trying the rules', () => testExamples(given, context));
  const byRule = new Map<string, ExampleFailure[]>();
  for (const failure of failures) byRule.set(failure.rule, [...(byRule.get(failure.rule) ?? []), failure]);
  return byRule;
}

async function tryRules(outcomes: readonly SigmaOutcome[], pack: SigmaPack, context: Context): Promise<Tried> {
  const drafts = outcomes.flatMap(({ draft }) => (draft === undefined || draft.examples.length === 0 ? [] : [draft]));
  const failures = await failuresOf(drafts.map(withExamples), pack, context);
  const rules: SigmaRule[] = [];
  const tried = outcomes.map((outcome): SigmaOutcome => {
    const { draft } = outcome;
    if (draft === undefined) return outcome;
    if (draft.examples.length === 0)
      return refusedAfter(outcome, 'no example could be made of it, so nobody can see whether it finds anything');
    const failed = failures.get(draft.id) ?? [];
    if (failed.some(({ wanted }) => wanted === 'silence'))
      return refusedAfter(outcome, 'it finds something in an action that does nothing');
    const paths = new Set(failed.map(({ path }) => path.split('/').at(-1)));
    const positive = draft.examples.filter((_, i) => !paths.has(String(i)));
    if (positive.length === 0)
      return refusedAfter(outcome, `it does not find the example that was made of it: ${JSON.stringify(draft.examples[0])}`);
    rules.push({ draft, examples: { positive, negative: HARMLESS.slice(0, 1) } });
    return outcome;
  });
  return { rules, outcomes: tried };
}

const COLOURS: Readonly<Record<SigmaOutcome['status'], Colour>> = { imported: 'green', partly: 'yellow', refused: 'red' };

function report(outcomes: readonly SigmaOutcome[], context: Context): string {
  const columns = [
    { title: 'status', value: ({ status }: SigmaOutcome) => status, colour: ({ status }: SigmaOutcome) => COLOURS[status] },
    { title: 'file', value: ({ file }: SigmaOutcome) => file },
    { title: 'rule', value: ({ title, draft }: SigmaOutcome) => draft?.title ?? title },
  ];
  const lines = outcomes.flatMap(({ file, title, status, remarks }) =>
    remarks.map(
      ({ path, why }) =>
        `${file}: ${title === '' ? '' : `${title}: `}${path === '' ? '' : `${path}: `}${status === 'partly' ? 'left out: ' : ''}${why}`,
    ),
  );
  const table = renderTable({ columns, rows: outcomes, empty: 'no rules' }, context.paint, context.world.stdout.columns);
  return [table, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

function outcomeJson({ file, title, status, remarks, draft }: SigmaOutcome): JsonObject {
  const told = remarks.map(({ path, why }) => ({ path, why }));
  return {
    file,
    title,
    status,
    ...(draft === undefined ? {} : { rule: draft.id, severity: draft.severity, score: draft.score }),
    remarks: told,
  };
}

function packOf(input: Input): SigmaPack {
  const pack = textOption(input, 'pack') ?? 'sigma';
  if (!/^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/.test(pack) || pack.length > 64)
    throw usageError('a pack name is lower-case words joined by `-` or `.`', 'countersign rules import-sigma rule.yml --pack sigma-linux');
  return { pack, description: 'Rules taken over from Sigma.' };
}

async function readFiles(names: readonly string[], context: Context): Promise<readonly SigmaFile[]> {
  const files: SigmaFile[] = [];
  for (const name of names) files.push({ name, text: await readText(name, context) });
  return files;
}

/** Where the document went, or the document itself where nobody said. */
interface Put {
  readonly json: JsonObject;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

async function putDocument(rules: readonly SigmaRule[], given: { pack: SigmaPack; input: Input }, context: Context): Promise<Put> {
  const out = textOption(given.input, 'out');
  if (rules.length === 0) return { json: out === undefined ? { document: null } : {}, before: [], after: [] };
  const document = sigmaDocument(rules, given.pack);
  if (out === undefined) return { json: { document }, before: [document, ''], after: [] };
  await writeNewFile(resolve(context.world.cwd, out), new TextEncoder().encode(document), flag(given.input, 'force'));
  return { json: { file: out }, before: [], after: [`${out}: ${rules.length} rules; next: countersign rules add ${out}`] };
}

async function run(input: Input, context: Context): Promise<Outcome> {
  const pack = packOf(input);
  const files = await readFiles([...input.args, ...input.rest], context);
  const { rules, outcomes } = await tryRules(importSigma(files), pack, context);
  const counts = { imported: 0, partly: 0, refused: 0 };
  for (const { status } of outcomes) counts[status] += 1;
  const put = await putDocument(rules, { pack, input }, context);
  const total = `${counts.imported} imported, ${counts.partly} partly, ${counts.refused} refused`;
  const json = { ...counts, rules: outcomes.map(outcomeJson), ...put.json };
  const isWhole = counts.partly + counts.refused === 0;
  const exitCode = rules.length === 0 ? EXIT.config : isWhole ? EXIT.ok : EXIT.warn;
  return { exitCode, json, text: [...put.before, report(outcomes, context), '', total, ...put.after].join('\n') };
}

export const sigmaCommand: Command = {
  path: 'rules import-sigma',
  args: '<file> [file...]',
  summary: 'make a rule document of Sigma rules, and say what could not be taken over',
  options: [
    { flags: '--out <file>', summary: 'write the document there; it goes to standard output where none is named' },
    { flags: '--pack <name>', summary: 'what the pack is called, `sigma` where it is not said' },
    ...OUT_OPTIONS,
  ],
  examples: ['countersign rules import-sigma rule.yml', 'countersign rules import-sigma linux/*.yml --out sigma.yaml --pack sigma-linux'],
  run,
};
