/** @module Examples of rules, run through the engine as real actions: a positive one must be found by its rule, a negative one must not. */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { ExampleSketch, RuleDocument, RuleSet } from '@countersign/rules';
import type { Context } from './command.ts';
import { type ActionSketch, judgeSketch, type Judging, openJudging } from './judging.ts';
import { configError } from './outcome.ts';
import { resolveRuleset } from './policies.ts';

export interface ExampleFailure {
  readonly rule: string;
  readonly sketch: ExampleSketch;
  /** `finding`: the rule should have found something. `silence`: it should not. */
  readonly wanted: 'finding' | 'silence';
  /** Rules that found something. */
  readonly found: readonly string[];
}

export interface ExampleReport {
  readonly passed: number;
  readonly failures: readonly ExampleFailure[];
}

function text(sketch: ExampleSketch, form: string): string | undefined {
  const value = getOwn(sketch, form);
  return typeof value === 'string' ? value : undefined;
}

/** Kind, tool and the parameter that a form of one word stands for (`spec/rules.md`). */
const FORMS: Readonly<Record<string, { readonly kind: string; readonly tool?: string; readonly param?: string }>> = {
  shell: { kind: 'shell.exec', tool: 'shell.exec', param: 'command' },
  sql: { kind: 'db.query', tool: 'database.query', param: 'sql' },
  url: { kind: 'net.egress', tool: 'http.request', param: 'url' },
  prompt: { kind: 'prompt.input' },
  response: { kind: 'tool.response' },
  output: { kind: 'model.output' },
};

function formOf(sketch: ExampleSketch): ActionSketch {
  for (const [form, { kind, tool, param }] of Object.entries(FORMS)) {
    const value = text(sketch, form);
    if (value === undefined) continue;
    const body = param === undefined ? { content: value } : { params: { [param]: value } };
    return { kind, ...(tool === undefined ? {} : { tool }), ...body };
  }
  const path = text(sketch, 'path');
  const access = text(sketch, 'access') ?? 'read';
  if (path !== undefined) return { kind: access === 'read' ? 'file.read' : 'file.write', tool: `filesystem.${access}`, params: { path } };
  const file = text(sketch, 'file');
  if (file !== undefined) return { kind: 'file.write', tool: 'filesystem.write', params: { path: file } };
  return { kind: 'tool.call' };
}

function descriptorOf(value: JsonValue | undefined): Pick<ActionSketch, 'descriptor'> {
  if (value === undefined) return {};
  const description = isJsonObject(value) ? getOwn(value, 'description') : value;
  const schema = isJsonObject(value) ? getOwn(value, 'schema') : undefined;
  const hash = '0'.repeat(64);
  return {
    descriptor: { hash, ...(typeof description === 'string' ? { description } : {}), ...(schema === undefined ? {} : { schema }) },
  };
}

/** The action that a sketch stands for. */
export function actionOf(sketch: ExampleSketch): ActionSketch {
  const form = formOf(sketch);
  const params = getOwn(sketch, 'params');
  const [kind, tool, content, context] = [text(sketch, 'kind'), text(sketch, 'tool'), text(sketch, 'content'), text(sketch, 'context')];
  return {
    ...form,
    ...(params === undefined ? {} : { params }),
    ...(kind === undefined ? {} : { kind }),
    ...(tool === undefined ? {} : { tool }),
    ...(content === undefined ? {} : { content }),
    ...(context === undefined ? {} : { context }),
    ...descriptorOf(getOwn(sketch, 'descriptor')),
  };
}

function findingsOf(judging: Judging, sketch: ExampleSketch, context: Context): readonly string[] {
  return judgeSketch(judging, actionOf(sketch), context).findings.map(({ rule }) => rule);
}

type Wanted = ExampleFailure['wanted'];

function marked(
  sketches: readonly ExampleSketch[],
  wanted: Wanted,
): readonly { readonly sketch: ExampleSketch; readonly wanted: Wanted }[] {
  return sketches.map((sketch) => ({ sketch, wanted }));
}

/** Runs every example of every document. @throws {CliError} exit 3 where a rule has no example of either kind. */
export async function testExamples(
  given: { readonly documents: readonly RuleDocument[]; readonly rules: RuleSet },
  context: Context,
): Promise<ExampleReport> {
  const judging = await openJudging(await resolveRuleset('permissive', context), given.rules);
  const failures: ExampleFailure[] = [];
  let passed = 0;
  for (const { rule, examples } of given.documents.flatMap(({ rules }) => rules)) {
    if (examples.positive.length === 0 || examples.negative.length === 0) {
      throw configError([{ code: 'rule_without_examples', message: `rule \`${rule.id}\` needs a positive and a negative example` }]);
    }
    for (const { sketch, wanted } of [...marked(examples.positive, 'finding'), ...marked(examples.negative, 'silence')]) {
      const found = findingsOf(judging, sketch, context);
      if (found.includes(rule.id) === (wanted === 'finding')) passed += 1;
      else failures.push({ rule: rule.id, sketch, wanted, found });
    }
  }
  return { passed, failures };
}
