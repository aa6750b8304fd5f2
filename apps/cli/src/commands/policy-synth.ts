/** @module `policy synth`: a policy that permits what recorded events did, as a proposal. */
import { resolve } from 'node:path';
import { PolicySynthesis, type PolicyEventFault } from '@countersign/policy';
import { checkPolicy } from '../check-policy.ts';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { decideEvent, type EventJudge } from '../event-decisions.ts';
import { eventLines } from '../event-lines.ts';
import { openInstalledJudging } from '../judging.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { resolveNamed, resolveText } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { OUT_OPTIONS, writeNewFile } from '../write-out.ts';

/** What cannot be read is nothing that was seen: a policy made of the rest would refuse it unsaid. */
function refuse(id: string, { code, message }: PolicyEventFault, file: string): never {
  throw configError([{ code, message: `${id}: ${message}`, path: file, hint: 'take the line out, or mend it' }]);
}

/** Who says which events were no good work; nobody where no policy is named. */
async function judgeOf(named: string | undefined, context: Context): Promise<EventJudge | undefined> {
  if (named === undefined) return undefined;
  const policy = await resolveNamed(named, context);
  return { judging: await context.progress('loading the engine', () => openInstalledJudging(policy, context)), context, allowUnseen: true };
}

async function run(input: Input, context: Context): Promise<Outcome> {
  const [file = '-'] = input.args;
  const base = textOption(input, 'extends');
  const judge = await judgeOf(textOption(input, 'without'), context);
  const leftOut: string[] = [];
  const synthesis = new PolicySynthesis();
  for await (const { id, event } of eventLines(file, context)) {
    if (!event.ok) refuse(id, event.error, file);
    if (judge !== undefined && decideEvent(judge, event.value).outcome === 'blocked') leftOut.push(id);
    else synthesis.add(event.value);
  }
  const { document, remarks, events } = synthesis.finish({
    posture: flag(input, 'withPosture'),
    ...(base === undefined ? {} : { extends: base }),
  });
  if (events === 0) throw usageError('there are no events that count', 'countersign policy synth events.jsonl');
  await checkPolicy(await resolveText({ source: file, yaml: document }, context), mergePacks(await readPacks([], context)));
  const out = textOption(input, 'out');
  if (out !== undefined) await writeNewFile(resolve(context.world.cwd, out), new TextEncoder().encode(document), flag(input, 'force'));
  const told = remarks.map(({ code, text }) => ({ code, text }));
  const json = { events, left_out: leftOut, remarks: told, ...(out === undefined ? { document } : { file: out }) };
  const shown =
    out === undefined ? document.trimEnd() : `${out}: of ${String(events)} events; next: countersign policy simulate ${out} ${file}`;
  const without = leftOut.map((id) => `# ${id} is refused, and does not count`);
  return { exitCode: EXIT.ok, json, text: [...without, ...remarks.map(({ text }) => `# ${text}`), shown].join('\n') };
}

export const policySynthCommand: Command = {
  path: 'policy synth',
  args: '[events]',
  summary: 'propose a policy that permits what recorded events did: every event counts as wanted, unless --without refuses it',
  options: [
    { flags: '--out <file>', summary: 'write the policy there; it goes to standard output where none is named' },
    { flags: '--extends <ruleset-or-file>', summary: 'what it extends' },
    { flags: '--without <ruleset-or-file>', summary: 'leave out what this policy refuses, and say which events that were' },
    { flags: '--with-posture', summary: 'with budgets: what was counted and a fifth more, at least five' },
    ...OUT_OPTIONS,
  ],
  examples: [
    'countersign policy synth events.jsonl --without default',
    'countersign policy synth events.jsonl --with-posture --out candidate.yaml',
  ],
  run,
};
