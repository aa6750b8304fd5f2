/**
 * @module `rules disable`, `enable`, `tune`, `level`: how a policy steers detection. With `--policy FILE` the file is edited and its comments
 * stay; without it the policy in force gets a new version, which the installation keeps.
 */
import { realpath, rename, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, type JsonObject } from '@countersign/kernel';
import {
  type Detection,
  DETECTION_DEFAULTS,
  type DetectionChange,
  editDetection,
  isPolicyBundle,
  type ResolvedPolicy,
} from '@countersign/policy';
import { type RuleSet, steeringFaults, unknownRules } from '@countersign/rules';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type PolicyText, resolveFile, resolveText } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { fraction } from '../verdicts.ts';
import { withOperator } from './agents.ts';

interface Wanted {
  readonly change: DetectionChange;
  /** What a person reads, after `rule R1 `. */
  readonly said: string;
}

/** A policy before and after. */
interface Edited {
  readonly yaml: string;
  readonly detection: Detection;
  readonly isChanged: boolean;
}

function detectionOf(resolved: Pick<ResolvedPolicy, 'detection'>): Detection {
  return resolved.detection ?? DETECTION_DEFAULTS;
}

/** @throws {CliError} exit 3 where the change would weaken what is not exemptable, or the policy is none. */
async function edit(policy: PolicyText, wanted: Wanted, context: Context): Promise<Edited & { ignored: readonly string[] }> {
  const rules: RuleSet = mergePacks(await readPacks([], context));
  const { change } = wanted;
  if ('rule' in change && change.do !== 'enable' && !rules.rules.some(({ id }) => id === change.rule))
    throw usageError(`there is no rule \`${change.rule}\``, 'countersign rules list');
  const before = detectionOf((await resolveText(policy, context)).resolved);
  const yaml = editDetection(policy.yaml, change, before);
  const detection = detectionOf((await resolveText({ ...policy, yaml }, context)).resolved);
  const faults = steeringFaults(rules, detection);
  if (faults.length > 0) throw configError(faults);
  return { yaml, detection, isChanged: JSON.stringify(before) !== JSON.stringify(detection), ignored: unknownRules(rules, detection) };
}

/** Puts the text in place of the file's, whole; a link stays one. */
async function replaceFile(path: string, text: string): Promise<void> {
  try {
    const target = await realpath(path);
    const { mode } = await stat(target);
    await writeFile(`${target}.new`, text, { mode, flag: 'wx' });
    await rename(`${target}.new`, target);
  } catch (error) {
    throw configError([{ code: 'file_unwritable', message: `the file cannot be written (${codeOf(error)})`, path }]);
  }
}

function detectionJson({ paranoia_level, disable, scores }: Detection): JsonObject {
  const shown = Object.fromEntries(Object.entries(scores).map(([id, score]) => [id, fraction(score)]));
  return { paranoia_level, disable: [...disable], scores: shown };
}

async function editFile(file: string, wanted: Wanted, context: Context): Promise<Outcome> {
  if (file === '-') throw usageError('a policy is edited in its file', 'countersign rules disable R042 --policy policy.yaml');
  const named = await resolveFile(file, context);
  const { yaml, detection, isChanged, ignored } = await edit(named, wanted, context);
  if (isChanged) await replaceFile(resolve(context.world.cwd, file), yaml);
  const json = { policy: { file }, changed: isChanged, detection: detectionJson(detection), ignored: [...ignored] };
  const hint = isChanged ? `; next: countersign policy apply ${file}` : '; nothing was changed';
  return { exitCode: EXIT.ok, json, text: [`${wanted.said} in ${file}${hint}`, ...ignoredLine(ignored)].join('\n') };
}

async function editInForce(wanted: Wanted, context: Context): Promise<Outcome> {
  return withOperator(context, false, async (operator) => {
    const active = await operator.activePolicy();
    if (active === undefined)
      throw configError([{ code: 'policy_unavailable', message: 'no policy is in force', hint: 'countersign policy apply default' }]);
    if (isPolicyBundle(active.source))
      throw configError([
        {
          code: 'policy_signed',
          message: 'the policy in force is a signed bundle',
          hint: 'change the document it is built from, and sign that',
        },
      ]);
    const { yaml, detection, isChanged, ignored } = await edit({ source: `${active.name}.yaml`, yaml: active.source }, wanted, context);
    const { name, version, hash } = isChanged ? await operator.setPolicy(yaml) : active;
    const json = { policy: { name, version, hash }, changed: isChanged, detection: detectionJson(detection), ignored: [...ignored] };
    const place = `${name} version ${version} (${hash.slice(0, 12)})`;
    const text = isChanged ? `${wanted.said}: policy ${place} is in force` : `${wanted.said} already: policy ${place} stays`;
    return { exitCode: EXIT.ok, json, text: [text, ...ignoredLine(ignored)].join('\n') };
  });
}

/** Ids that change nothing, said so that a misspelt one is seen. */
export function ignoredLine(ignored: readonly string[]): readonly string[] {
  return ignored.length === 0 ? [] : [`the policy names rules that are not there, which changes nothing: ${ignored.join(', ')}`];
}

function steer(wantedOf: (input: Input) => Wanted): Command['run'] {
  return (input, context) => {
    const wanted = wantedOf(input);
    const file = textOption(input, 'policy');
    return file === undefined ? editInForce(wanted, context) : editFile(file, wanted, context);
  };
}

function tuned(input: Input): Wanted {
  const [rule = '', written] = input.args;
  if (flag(input, 'reset') === (written !== undefined)) throw usageError('say a score, or --reset', 'countersign rules tune R001 0.4');
  if (written === undefined) return { change: { do: 'tune', rule, score: undefined }, said: `rule ${rule} has its own score` };
  if (!/^(?:0?\.\d{1,2}|[01](?:\.\d{1,2})?)$/.test(written) || Number(written) <= 0 || Number(written) > 1)
    throw usageError('a score is above 0 and up to 1, with at most two decimals', 'countersign rules tune R001 0.4');
  return { change: { do: 'tune', rule, score: Number(written) }, said: `rule ${rule} has the score ${Number(written).toFixed(2)}` };
}

function levelled(input: Input): Wanted {
  const [written = ''] = input.args;
  if (!/^[1-4]$/.test(written)) throw usageError('a paranoia level is 1, 2, 3 or 4', 'countersign rules level 2');
  return { change: { do: 'level', level: Number(written) }, said: `the paranoia level is ${written}` };
}

const POLICY = { flags: '--policy <file>', summary: 'edit this policy file; the policy in force where none is named' } as const;

export const ruleSteeringCommands: readonly Command[] = [
  {
    path: 'rules disable',
    args: '<id>',
    summary: 'switch a rule off',
    options: [POLICY],
    examples: ['countersign rules disable R042', 'countersign rules disable R042 --policy policy.yaml'],
    run: steer(({ args: [rule = ''] }) => ({ change: { do: 'disable', rule }, said: `rule ${rule} is switched off` })),
  },
  {
    path: 'rules enable',
    args: '<id>',
    summary: 'switch a rule on again',
    options: [POLICY],
    examples: ['countersign rules enable R042', 'countersign rules enable R042 --policy policy.yaml'],
    run: steer(({ args: [rule = ''] }) => ({ change: { do: 'enable', rule }, said: `rule ${rule} is switched on` })),
  },
  {
    path: 'rules tune',
    args: '<id> [score]',
    summary: 'give a rule another score, above 0 and up to 1',
    options: [POLICY, { flags: '--reset', summary: 'its own score again' }],
    examples: ['countersign rules tune R042 0.4', 'countersign rules tune R042 --reset --policy policy.yaml'],
    run: steer(tuned),
  },
  {
    path: 'rules level',
    args: '<level>',
    summary: 'set the paranoia level, 1 to 4: which rules speak at all',
    options: [POLICY],
    examples: ['countersign rules level 2', 'countersign rules level 3 --policy policy.yaml'],
    run: steer(levelled),
  },
];
