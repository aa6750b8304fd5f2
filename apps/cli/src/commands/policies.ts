/** @module `policy`: what the rulesets say, and whether a file is one. */
import {
  BUILTIN_RULESETS,
  DETECTION_DEFAULTS,
  GUARD_NAMES,
  isGuardOn,
  isPolicyBundle,
  OPERATOR_RULESETS,
  type ResolvedPolicy,
} from '@countersign/policy';
import { loadRuleset, readRuleset } from '@countersign/runtime';
import { unknownRules } from '@countersign/rules';
import type { JsonValue } from '@countersign/kernel';
import { checkPolicy } from '../check-policy.ts';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { readPolicyFile, resolveFile, resolveNamed, resolveRuleset, resolveText, textToApply } from '../policies.ts';
import { renderFields, renderTable } from '../render.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { withOperator } from './agents.ts';
import { ignoredLine } from './rules-steering.ts';

interface Listed {
  readonly name: string;
  /** Null where the ruleset needs what the operator has not set here. */
  readonly hash: string | null;
  readonly description: string;
}

async function listed(name: string, context: Context): Promise<Listed> {
  try {
    const { hash, resolved } = await resolveRuleset(name, context);
    return { name, hash, description: resolved.description };
  } catch (error) {
    const document = OPERATOR_RULESETS.has(name) ? await loadRuleset(name) : undefined;
    if (document === undefined) throw error;
    return { name, hash: null, description: document.content.description ?? '' };
  }
}

async function list(_input: Input, context: Context): Promise<Outcome> {
  const rows: Listed[] = [];
  for (const name of BUILTIN_RULESETS) rows.push(await listed(name, context));
  const columns = [
    { title: 'ruleset', value: ({ name }: Listed) => name },
    { title: 'hash', value: ({ hash }: Listed) => hash?.slice(0, 12) ?? 'not set up' },
    { title: 'description', value: ({ description }: Listed) => description },
  ];
  const text = renderTable({ columns, rows, empty: 'no rulesets' }, context.paint, context.world.stdout.columns);
  const policies = rows.map(({ name, hash, description }) => ({ name, hash, description }));
  return { exitCode: EXIT.ok, json: { policies }, text };
}

/** As it is written, whether or not the operator has set what it names. */
async function showWritten(name: string): Promise<Outcome> {
  const yaml = await readRuleset(name);
  if (!yaml.ok) throw configError(yaml.error);
  return { exitCode: EXIT.ok, json: { name, source: yaml.value }, text: yaml.value.trimEnd() };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const [name] = input.args;
  if (name === undefined) throw usageError('no policy is named', 'countersign policy list');
  if (OPERATOR_RULESETS.has(name) && !flag(input, 'resolved')) return showWritten(name);
  const policy = await resolveNamed(name, context);
  const resolved = policy.resolved as unknown as JsonValue;
  const text = flag(input, 'resolved') ? JSON.stringify(resolved, null, 2) : policy.yaml.trimEnd();
  return { exitCode: EXIT.ok, json: { name, hash: policy.hash, resolved, source: policy.yaml }, text };
}

/** What else the policy holds, a line for each section that is there. */
function sectionFields({
  cedar,
  boundaries,
  exemptions,
  protected_entities: entities,
}: ResolvedPolicy): readonly (readonly [string, string])[] {
  const names = (entries: readonly { readonly name: string }[]): string => entries.map(({ name }) => name).join(', ');
  return [
    ...(cedar === undefined ? [] : [['cedar', `default ${cedar.default}; ${cedar.policies.map(({ id }) => id).join(', ')}`] as const]),
    ...(boundaries === undefined ? [] : [['boundaries', names(boundaries)] as const]),
    ...(exemptions === undefined ? [] : [['exemptions', exemptions.map(({ label }) => label).join(', ')] as const]),
    ...(entities === undefined ? [] : [['protected', names(entities)] as const]),
  ];
}

async function validate(input: Input, context: Context): Promise<Outcome> {
  const [file] = input.args;
  if (file === undefined) throw usageError('no file is named', 'countersign policy validate --help');
  const policy = await resolveFile(file, context);
  const rules = mergePacks(await readPacks([], context));
  await checkPolicy(policy, rules);
  const ignored = unknownRules(rules, policy.resolved.detection ?? DETECTION_DEFAULTS);
  const custom = (policy.resolved.guards.custom ?? []).filter(({ enabled }) => enabled).map((guard) => guard.package);
  const guards = [...GUARD_NAMES.filter((name) => isGuardOn(policy.resolved, name)), ...custom];
  const fields = [
    ['valid', file],
    ['name', policy.resolved.name],
    ['hash', policy.hash],
    ['guards', guards.join(', ')],
    ...sectionFields(policy.resolved),
  ] as const;
  const json = { valid: true, file, name: policy.resolved.name, hash: policy.hash, guards, ignored: [...ignored] };
  return { exitCode: EXIT.ok, json, text: [renderFields(fields), ...ignoredLine(ignored)].join('\n') };
}

/** A bundle goes as it is: the gateway asks who signed it. */
async function readToApply(name: string, context: Context): Promise<string> {
  if (BUILTIN_RULESETS.includes(name)) return textToApply(await resolveRuleset(name, context), context);
  const read = await readPolicyFile(name, context);
  return isPolicyBundle(read.yaml) ? read.yaml : textToApply(await resolveText(read, context), context);
}

async function apply(input: Input, context: Context): Promise<Outcome> {
  const [name = ''] = input.args;
  const text = await readToApply(name, context);
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
    summary: 'put a policy, or a bundle of a pinned signer, in force: the whole of it, or nothing',
    examples: ['countersign policy apply default', 'countersign policy apply policy.yaml', 'countersign policy apply policy.bundle.json'],
    run: apply,
  },
];
