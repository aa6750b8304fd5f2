/** @module `doctor`: is everything here that a decision needs? Each check is a sentence, and each failure says what to do. */
import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { codeOf, type JsonObject } from '@countersign/kernel';
import { BUILTIN_RULESETS, compilePolicy, OPERATOR_RULESETS } from '@countersign/policy';
import { compileRules } from '@countersign/rules';
import { hostSetsPath, readHostSets } from '@countersign/runtime';
import type { Command, Context, Input } from '../command.ts';
import { type Diagnosis, examineLog, examineVault, examineWitnesses } from '../log-health.ts';
import { judgeSketch, openJudging } from '../judging.ts';
import { findGateway } from '../operator-gateway.ts';
import { describeError, EXIT, type Outcome } from '../outcome.ts';
import { resolveRuleset } from '../policies.ts';
import { type Colour, faultLine, printable } from '../render.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';

type Examination = readonly [name: string, examine: (context: Context) => Promise<Diagnosis>];

function ok(sentence: string): Diagnosis {
  return { status: 'ok', sentence };
}

function examineNode(): Promise<Diagnosis> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return Promise.resolve(ok(`Node ${process.versions.node}`));
  return Promise.resolve({ status: 'fail', sentence: `Node ${process.versions.node} is too old`, hint: 'install Node 22.13 or newer' });
}

async function examineRules(context: Context): Promise<Diagnosis> {
  const rules = mergePacks(await readPacks([], context));
  const compiled = compileRules(rules);
  if (!compiled.ok)
    return {
      status: 'fail',
      sentence: `the built-in rules are refused: ${compiled.error[0]?.message ?? ''}`,
      hint: 'reinstall Countersign',
    };
  return ok(`${rules.rules.length} rules in ${rules.packs.length} packs`);
}

async function examineRulesets(context: Context): Promise<Diagnosis> {
  // What needs an operator's own files is his to try out: `policy show`.
  for (const name of BUILTIN_RULESETS.filter((ruleset) => !OPERATOR_RULESETS.has(ruleset))) {
    const compiled = compilePolicy((await resolveRuleset(name, context)).resolved);
    if (!compiled.ok) return { status: 'fail', sentence: `ruleset ${name} is refused: ${compiled.error[0]?.message ?? ''}` };
  }
  return ok(`${BUILTIN_RULESETS.length} rulesets`);
}

/** Not whether the engine is there, but whether it tells good from bad. */
async function examineEngine(context: Context): Promise<Diagnosis> {
  const judging = await openJudging(await resolveRuleset('default', context), mergePacks(await readPacks([], context)));
  const say = (command: string): string =>
    judgeSketch(judging, { kind: 'shell.exec', tool: 'shell.exec', params: { command } }, context).verdict.decision;
  const [good, bad] = [say('git status'), say('rm -rf /')];
  const sentence = `engine ${judging.hashes.engine.slice(0, 16)}: \`git status\` is ${good}, \`rm -rf /\` is ${bad}`;
  return good === 'allow' && bad === 'deny' ? ok(sentence) : { status: 'fail', sentence, hint: 'npm run build' };
}

function examineHostSets(context: Context): Promise<Diagnosis> {
  const path = hostSetsPath(context.world.home);
  const names = Object.keys(readHostSets(path));
  if (names.includes('package-registries')) return Promise.resolve(ok(`host sets: ${names.join(', ')}`));
  const sentence = 'the host set package-registries is empty: package installs are refused by rulesets that block unknown hosts';
  return Promise.resolve({ status: 'warn', sentence, hint: 'countersign hosts set package-registries HOST...' });
}

async function examineDirectory({ dataDir }: Context): Promise<Diagnosis> {
  if (!existsSync(join(dataDir, 'state.db')))
    return { status: 'warn', sentence: `no data directory at ${dataDir} yet`, hint: 'countersign up' };
  await access(dataDir, constants.W_OK);
  const { mode } = await stat(join(dataDir, 'keys', 'master.key'));
  if ((mode & 0o077) !== 0)
    return { status: 'fail', sentence: 'the master key may be read by others', hint: `chmod 600 ${join(dataDir, 'keys', 'master.key')}` };
  if (!existsSync(join(dataDir, 'vault.db')))
    return { status: 'fail', sentence: 'the keys of what was sealed are gone', hint: 'restore `vault.db` from a backup' };
  return ok(`data directory ${dataDir}`);
}

async function examineGateway(context: Context): Promise<Diagnosis> {
  const operator = await findGateway(context);
  if (operator === undefined) return { status: 'warn', sentence: 'no gateway runs on this data directory', hint: 'countersign up' };
  const { policyRefused, problem } = await operator.status();
  if (typeof problem === 'string')
    return { status: 'fail', sentence: `${operator.where}: ${problem}`, hint: 'countersign policy apply default' };
  if (typeof policyRefused === 'string')
    return { status: 'warn', sentence: `${operator.where}: ${policyRefused}`, hint: 'countersign policy validate FILE' };
  const agents = await operator.listAgents();
  return ok(`${operator.where}, ${agents.length} agents`);
}

const EXAMINATIONS: readonly Examination[] = [
  ['node', examineNode],
  ['rules', examineRules],
  ['rulesets', examineRulesets],
  ['engine', examineEngine],
  ['host sets', examineHostSets],
  ['directory', examineDirectory],
  ['gateway', examineGateway],
  ['log', examineLog],
  ['witnesses', examineWitnesses],
  ['vault', examineVault],
];

async function examine([name, work]: Examination, context: Context): Promise<Diagnosis & { readonly name: string }> {
  try {
    return { name, ...(await work(context)) };
  } catch (error) {
    const [fault] = describeError(error).faults;
    if (fault === undefined) return { name, status: 'fail', sentence: `failed (${codeOf(error)})` };
    const hint = fault.hint === undefined ? {} : { hint: fault.hint };
    return { name, status: 'fail', sentence: faultLine(fault), ...hint };
  }
}

const COLOURS: Readonly<Record<Diagnosis['status'], Colour>> = { ok: 'green', warn: 'yellow', fail: 'red' };

async function doctor(_input: Input, context: Context): Promise<Outcome> {
  const found: (Diagnosis & { readonly name: string })[] = [];
  for (const examination of EXAMINATIONS)
    found.push(await context.progress(`checking ${examination[0]}`, () => examine(examination, context)));
  const lines = found.flatMap(({ name, status, sentence, hint }) => {
    const line = `${context.paint(COLOURS[status], status.toUpperCase().padEnd(4))} ${name.padEnd(9)}  ${printable(sentence)}`;
    return hint === undefined ? [line] : [line, `                 ${context.paint('dim', 'try')}: ${hint}`];
  });
  const failed = found.some(({ status }) => status === 'fail');
  const warned = found.some(({ status }) => status === 'warn');
  const checks = found.map(({ name, status, sentence, hint = '' }): JsonObject => ({ name, status, sentence, hint }));
  return { exitCode: failed ? EXIT.deny : warned ? EXIT.warn : EXIT.ok, json: { checks }, text: lines.join('\n') };
}

export const doctorCommand: Command = {
  path: 'doctor',
  summary: 'is everything here that a decision needs?',
  examples: ['countersign doctor', 'countersign doctor --json'],
  run: doctor,
};
