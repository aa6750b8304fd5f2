/** @module `policy`: what the rulesets say, and whether a file is one. */
import { BUILTIN_RULESETS, compilePolicy, GUARD_NAMES } from '@countersign/policy';
import { steeringFaults, unknownRules } from '@countersign/rules';
import type { JsonValue } from '@countersign/kernel';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type NamedPolicy, resolveFile, resolveRuleset, textToApply } from '../policies.ts';
import { renderFields, renderTable } from '../render.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { withOperator } from './agents.ts';
import { ignoredLine } from './rules-steering.ts';

function isRuleset(name: string): boolean {
  return BUILTIN_RULESETS.includes(name);
}

async function list(_input: Input, context: Context): Promise<Outcome> {
  const policies: NamedPolicy[] = [];
  for (const name of BUILTIN_RULESETS) policies.push(await resolveRuleset(name, context));
  const columns = [
    { title: 'ruleset', value: (policy: NamedPolicy) => policy.source },
    { title: 'hash', value: (policy: NamedPolicy) => policy.hash.slice(0, 12) },
    { title: 'description', value: (policy: NamedPolicy) => policy.resolved.description },
  ];
  const text = renderTable({ columns, rows: policies, empty: 'no rulesets' }, context.paint, context.world.stdout.columns);
  const json = { policies: policies.map(({ source, hash, resolved }) => ({ name: source, hash, description: resolved.description })) };
  return { exitCode: EXIT.ok, json, text };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const [name] = input.args;
  if (name === undefined) throw usageError('no policy is named', 'countersign policy list');
  const policy = isRuleset(name) ? await resolveRuleset(name, context) : await resolveFile(name, context);
  const resolved = policy.resolved as unknown as JsonValue;
  const text = flag(input, 'resolved') ? JSON.stringify(resolved, null, 2) : policy.yaml.trimEnd();
  return { exitCode: EXIT.ok, json: { name, hash: policy.hash, resolved, source: policy.yaml }, text };
}

async function validate(input: Input, context: Context): Promise<Outcome> {
  const [file] = input.args;
  if (file === undefined) throw usageError('no file is named', 'countersign policy validate --help');
  const policy = await resolveFile(file, context);
  const compiled = compilePolicy(policy.resolved);
  if (!compiled.ok) throw configError(compiled.error);
  const rules = mergePacks(await readPacks([], context));
  const faults = steeringFaults(rules, compiled.value.detection);
  if (faults.length > 0) throw configError(faults);
  const ignored = unknownRules(rules, compiled.value.detection);
  const guards = GUARD_NAMES.filter((name) => policy.resolved.guards[name].enabled);
  const fields = [
    ['valid', file],
    ['name', policy.resolved.name],
    ['hash', policy.hash],
    ['guards', guards.join(', ')],
  ] as const;
  const json = { valid: true, file, name: policy.resolved.name, hash: policy.hash, guards, ignored: [...ignored] };
  return { exitCode: EXIT.ok, json, text: [renderFields(fields), ...ignoredLine(ignored)].join('\n') };
}

async function apply(input: Input, context: Context): Promise<Outcome> {
  const [name = ''] = input.args;
  const policy = isRuleset(name) ? await resolveRuleset(name, context) : await resolveFile(name, context);
  const text = await textToApply(policy, context);
  const view = await withOperator(context, true, (operator) => operator.setPolicy(text));
  const json = { policy: { name: view.name, version: view.version, hash: view.hash, active: view.active } };
  return { exitCode: EXIT.ok, json, text: `policy ${view.name} version ${view.version} (${view.hash.slice(0, 12)}) is in force` };
}

export const policyCommands: readonly Command[] = [
  {
    path: 'policy list',
    summary: 'the built-in rulesets',
    examples: ['countersign policy list', 'countersign policy list --json'],
    run: list,
  },
  {
    path: 'policy show',
    args: '<ruleset-or-file>',
    summary: 'a ruleset or file as written, or with every default filled in',
    options: [{ flags: '--resolved', summary: 'what is hashed into receipts' }],
    examples: ['countersign policy show default', 'countersign policy show policy.yaml --resolved'],
    run: show,
  },
  {
    path: 'policy validate',
    args: '<file>',
    summary: 'is the file a policy? Every fault at once, with line and column',
    examples: ['countersign policy validate policy.yaml', 'cat policy.yaml | countersign policy validate -'],
    run: validate,
  },
  {
    path: 'policy apply',
    args: '<ruleset-or-file>',
    summary: 'put a policy in force: the whole of it, or nothing',
    examples: ['countersign policy apply default', 'countersign policy apply policy.yaml'],
    run: apply,
  },
];
