/** @module `rules add`, `remove`, `packs`, `reload`: rules of the operator beside the built-in packs. */
import type { JsonObject } from '@countersign/kernel';
import type { RulePackView, RulesView } from '@countersign/pipeline';
import { parseRules } from '@countersign/rules';
import type { Command, Context, Input } from '../command.ts';
import { readText } from '../documents.ts';
import { configError, EXIT, type Outcome } from '../outcome.ts';
import { renderTable } from '../render.ts';
import { withOperator } from './agents.ts';
import { ignoredLine } from './rules-steering.ts';

function packJson({ pack, description, rules, hash }: RulePackView): JsonObject {
  return { pack, description, rules, hash };
}

function viewJson({ hash, packs, ignored, problem }: RulesView): JsonObject {
  return { hash, packs: packs.map(packJson), ignored: [...ignored], problem };
}

/** Where the set stands: its hash, or why there is none. */
function inForce({ hash, problem }: RulesView): string {
  return problem ?? `rules ${hash.slice(0, 12)} are in force`;
}

async function add(input: Input, context: Context): Promise<Outcome> {
  const [file = ''] = input.args;
  const source = await readText(file, context);
  const parsed = parseRules(source, file);
  if (!parsed.ok) throw configError(parsed.error);
  const { added, view } = await withOperator(context, true, async (operator) => ({
    added: await operator.putRules(parsed.value.pack, source),
    view: await operator.rules(),
  }));
  const text = `pack ${added.pack} with ${added.rules === 1 ? '1 rule' : `${added.rules} rules`}: ${inForce(view)}`;
  return { exitCode: EXIT.ok, json: { pack: packJson(added), rules: viewJson(view) }, text };
}

async function remove(input: Input, context: Context): Promise<Outcome> {
  const [pack = ''] = input.args;
  const view = await withOperator(context, false, (operator) => operator.removeRules(pack));
  return {
    exitCode: view.problem === null ? EXIT.ok : EXIT.warn,
    json: { rules: viewJson(view) },
    text: `pack ${pack} is gone: ${inForce(view)}`,
  };
}

async function reload(_input: Input, context: Context): Promise<Outcome> {
  const view = await withOperator(context, false, (operator) => operator.reloadRules());
  return { exitCode: EXIT.ok, json: { rules: viewJson(view) }, text: `${view.packs.length} packs of your own: ${inForce(view)}` };
}

async function listPacks(_input: Input, context: Context): Promise<Outcome> {
  const view = await withOperator(context, false, (operator) => operator.rules());
  const columns = [
    { title: 'pack', value: ({ pack }: RulePackView) => pack },
    { title: 'rules', value: ({ rules }: RulePackView) => String(rules) },
    { title: 'hash', value: ({ hash }: RulePackView) => hash.slice(0, 12) },
    { title: 'description', value: ({ description }: RulePackView) => description },
  ];
  const empty = 'no packs of your own; try: countersign rules add FILE';
  const table = renderTable({ columns, rows: view.packs, empty }, context.paint, context.world.stdout.columns);
  const text = [table, '', inForce(view), ...ignoredLine(view.ignored)].join('\n');
  return { exitCode: view.problem === null ? EXIT.ok : EXIT.warn, json: { rules: viewJson(view) }, text };
}

export const customRuleCommands: readonly Command[] = [
  {
    path: 'rules add',
    args: '<file>',
    summary: 'put a rule document of your own in force; its examples must hold',
    examples: ['countersign rules add my-rules.yaml'],
    run: add,
  },
  {
    path: 'rules remove',
    args: '<pack>',
    summary: 'take a pack of your own out of force',
    examples: ['countersign rules remove acme'],
    run: remove,
  },
  { path: 'rules packs', summary: 'your own packs, and what is in force', examples: ['countersign rules packs'], run: listPacks },
  {
    path: 'rules reload',
    summary: 'read the directory `rules` of the data directory again',
    examples: ['countersign rules reload'],
    run: reload,
  },
];
