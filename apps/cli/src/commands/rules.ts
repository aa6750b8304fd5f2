/** @module `rules`: the detection rules, one by one, and their examples run as tests. */
import type { JsonValue } from '@countersign/kernel';
import type { Rule, RuleDocument } from '@countersign/rules';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, renderFields, renderTable } from '../render.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { testExamples } from '../rule-examples.ts';
import { fraction } from '../verdicts.ts';

interface Listed {
  readonly rule: Rule;
  readonly pack: string;
}

function listed(documents: readonly RuleDocument[]): readonly Listed[] {
  return documents
    .flatMap(({ pack, rules }) => rules.map(({ rule }) => ({ rule, pack })))
    .toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
}

const COLUMNS: readonly Column<Listed>[] = [
  { title: 'id', value: ({ rule }) => rule.id },
  { title: 'score', value: ({ rule }) => fraction(rule.score).toFixed(2) },
  { title: 'severity', value: ({ rule }) => rule.severity },
  { title: 'category', value: ({ rule }) => rule.category },
  { title: 'title', value: ({ rule }) => rule.title },
];

async function list(input: Input, context: Context): Promise<Outcome> {
  const category = textOption(input, 'category');
  const all = listed(await readPacks(input.rest, context));
  const rows = all.filter(({ rule }) => category === undefined || rule.category === category);
  if (rows.length === 0 && category !== undefined) {
    const known = [...new Set(all.map(({ rule }) => rule.category))].toSorted().join(', ');
    throw usageError(`no rule is of category \`${category}\``, `the categories are ${known}`);
  }
  const text = renderTable({ columns: COLUMNS, rows, empty: 'no rules' }, context.paint, context.world.stdout.columns);
  const rules = rows.map(({ rule, pack }) => ({
    id: rule.id,
    pack,
    title: rule.title,
    category: rule.category,
    severity: rule.severity,
    score: fraction(rule.score),
  }));
  return { exitCode: EXIT.ok, json: { rules }, text: `${text}\n\n${rows.length} rules` };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const [id = '', ...files] = [...input.args, ...input.rest];
  const documents = await readPacks(files, context);
  const found = documents.flatMap(({ pack, rules }) => rules.map((written) => ({ pack, ...written }))).find(({ rule }) => rule.id === id);
  if (found === undefined) throw usageError(`there is no rule \`${id}\``, 'countersign rules list');
  const { rule, pack, examples } = found;
  const fields: readonly (readonly [string, string])[] = [
    ['id', rule.id],
    ['title', rule.title],
    ['pack', pack],
    ['category', rule.category],
    ['severity', rule.severity],
    ['score', fraction(rule.score).toFixed(2)],
    ['kinds', rule.kinds.join(', ')],
    ['owasp', rule.tags.owasp.join(', ')],
    ['atlas', rule.tags.atlas.join(', ')],
    ['cwe', rule.tags.cwe.join(', ')],
    ['exemptable', rule.exemptable ? 'yes' : 'no'],
    ['when', JSON.stringify(rule.when)],
    ...examples.positive.map((sketch) => ['finds', JSON.stringify(sketch)] as const),
    ...examples.negative.map((sketch) => ['leaves', JSON.stringify(sketch)] as const),
  ];
  const json = { pack, rule: rule as unknown as JsonValue, examples: examples as unknown as JsonValue };
  return { exitCode: EXIT.ok, json, text: renderFields(fields) };
}

async function test(input: Input, context: Context): Promise<Outcome> {
  const documents = await readPacks(input.rest, context);
  const rules = mergePacks(documents);
  if (rules.rules.length === 0) throw configError([{ code: 'no_rules', message: 'there are no rules to test' }]);
  const report = await context.progress('running the examples', () => testExamples({ documents, rules }, context));
  const failures = report.failures.map(({ rule, sketch, wanted, found }) => ({
    rule,
    sketch: sketch as JsonValue,
    wanted,
    found: [...found],
  }));
  const lines = failures.map(({ rule, sketch, wanted, found }) => {
    const said = found.length === 0 ? 'nothing' : found.join(', ');
    return `${context.paint('red', 'FAIL')} ${rule} ${wanted === 'finding' ? 'finds nothing in' : 'speaks of'} ${JSON.stringify(sketch)} (found: ${said})`;
  });
  const total = `${report.passed} examples passed, ${failures.length} failed, ${rules.rules.length} rules`;
  const exitCode = failures.length === 0 ? EXIT.ok : EXIT.deny;
  return {
    exitCode,
    json: { passed: report.passed, failed: failures.length, rules: rules.rules.length, failures },
    text: [...lines, total].join('\n'),
  };
}

export const ruleCommands: readonly Command[] = [
  {
    path: 'rules list',
    args: '[file...]',
    summary: 'all rules, of the built-in packs or of the given files',
    options: [{ flags: '--category <name>', summary: 'only these' }],
    examples: ['countersign rules list', 'countersign rules list --category injection --json'],
    run: list,
  },
  {
    path: 'rules show',
    args: '<id> [file...]',
    summary: 'one rule with its examples',
    examples: ['countersign rules show R001'],
    run: show,
  },
  {
    path: 'rules test',
    args: '[file...]',
    summary: 'run the examples of rules: each must find, or leave alone, what it says',
    examples: ['countersign rules test', 'countersign rules test my-rules.yaml'],
    run: test,
  },
];
