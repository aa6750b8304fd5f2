/** @module `rules`: the detection rules, one by one, and their examples run as tests. */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { type Detection, DETECTION_DEFAULTS } from '@countersign/policy';
import type { RuleDocument } from '@countersign/rules';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, renderFields, renderTable } from '../render.ts';
import { resolveFile } from '../policies.ts';
import { FILTER_OPTIONS, filterRules, type ListedRule, tagsOf } from '../rule-filters.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { testExamples } from '../rule-examples.ts';
import { fraction } from '../verdicts.ts';

function listed(documents: readonly RuleDocument[]): readonly ListedRule[] {
  return documents
    .flatMap(({ pack, rules }) => rules.map(({ rule }) => ({ rule, pack })))
    .toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
}

/** What a policy makes of a rule. */
function stateOf({ rule }: ListedRule, { paranoia_level: level, disable, scores }: Detection): string {
  if (disable.includes(rule.id)) return 'off';
  if (rule.level > level) return 'silent';
  return scores[rule.id] === undefined ? 'on' : `on at ${fraction(scores[rule.id] ?? 0).toFixed(2)}`;
}

const COLUMNS: readonly Column<ListedRule>[] = [
  { title: 'id', value: ({ rule }) => rule.id },
  { title: 'score', value: ({ rule }) => fraction(rule.score).toFixed(2) },
  { title: 'level', value: ({ rule }) => String(rule.level) },
  { title: 'severity', value: ({ rule }) => rule.severity },
  { title: 'category', value: ({ rule }) => rule.category },
  { title: 'title', value: ({ rule }) => rule.title },
];

function listedJson({ rule, pack }: ListedRule): JsonObject {
  const { id, title, category, severity, score, level, kinds, tags, exemptable } = rule;
  const { owasp, atlas, cwe } = tags;
  const regulation = tagsOf(tags, 'regulation');
  const shown = {
    owasp: [...owasp],
    atlas: [...atlas],
    cwe: [...cwe],
    ...(regulation.length === 0 ? {} : { regulation: [...regulation] }),
  };
  return { id, pack, title, category, severity, score: fraction(score), level, kinds: [...kinds], tags: shown, exemptable };
}

async function list(input: Input, context: Context): Promise<Outcome> {
  const rows = filterRules(listed(await readPacks(input.rest, context)), input);
  const file = textOption(input, 'policy');
  const policy = file === undefined ? undefined : await resolveFile(file, context);
  const detection = policy === undefined ? undefined : (policy.resolved.detection ?? DETECTION_DEFAULTS);
  const state = (row: ListedRule): string => (detection === undefined ? '' : stateOf(row, detection));
  const columns = detection === undefined ? COLUMNS : [...COLUMNS.slice(0, 1), { title: 'state', value: state }, ...COLUMNS.slice(1)];
  const text = renderTable({ columns, rows, empty: 'no rules' }, context.paint, context.world.stdout.columns);
  const rules = rows.map((row) => ({ ...listedJson(row), ...(detection === undefined ? {} : { state: state(row) }) }));
  return { exitCode: EXIT.ok, json: { rules }, text: `${text}\n\n${rows.length} rules` };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const [id = '', ...files] = [...input.args, ...input.rest];
  const documents = await readPacks(files, context);
  const found = documents.flatMap(({ pack, rules }) => rules.map((written) => ({ pack, ...written }))).find(({ rule }) => rule.id === id);
  if (found === undefined) throw usageError(`there is no rule \`${id}\``, 'countersign rules list');
  const { rule, pack, examples } = found;
  const regulation = tagsOf(rule.tags, 'regulation');
  const fields: readonly (readonly [string, string])[] = [
    ['id', rule.id],
    ['title', rule.title],
    ['pack', pack],
    ['category', rule.category],
    ['severity', rule.severity],
    ['score', fraction(rule.score).toFixed(2)],
    ['level', String(rule.level)],
    ['kinds', rule.kinds.join(', ')],
    ['owasp', rule.tags.owasp.join(', ')],
    ['atlas', rule.tags.atlas.join(', ')],
    ['cwe', rule.tags.cwe.join(', ')],
    ...(regulation.length === 0 ? [] : [['regulation', regulation.join(', ')] as const]),
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
    summary: 'all rules, built-in and your own, or those of the given files',
    options: [...FILTER_OPTIONS, { flags: '--policy <file>', summary: 'with what this policy makes of each' }],
    examples: [
      'countersign rules list',
      'countersign rules list --owasp LLM01 --level 2 --json',
      'countersign rules list --policy policy.yaml',
    ],
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
