/** @module `policy synth`: a policy that permits what recorded events did, as a proposal. */
import { resolve } from 'node:path';
import { PolicySynthesis, type PolicyEventFault } from '@countersign/policy';
import { checkPolicy } from '../check-policy.ts';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { eventLines } from '../event-lines.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { resolveText } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { OUT_OPTIONS, writeNewFile } from '../write-out.ts';

/** What cannot be read is nothing that was seen: a policy made of the rest would refuse it unsaid. */
function refuse(id: string, { code, message }: PolicyEventFault, file: string): never {
  throw configError([{ code, message: `${id}: ${message}`, path: file, hint: 'take the line out, or mend it' }]);
}

async function run(input: Input, context: Context): Promise<Outcome> {
  const [file = '-'] = input.args;
  const base = textOption(input, 'extends');
  const synthesis = new PolicySynthesis();
  for await (const { id, event } of eventLines(file, context)) {
    if (!event.ok) refuse(id, event.error, file);
    synthesis.add(event.value);
  }
  const { document, remarks, events } = synthesis.finish({
    posture: flag(input, 'withPosture'),
    ...(base === undefined ? {} : { extends: base }),
  });
  if (events === 0) throw usageError('there are no events', 'countersign policy synth events.jsonl');
  await checkPolicy(await resolveText({ source: file, yaml: document }, context), mergePacks(await readPacks([], context)));
  const out = textOption(input, 'out');
  if (out !== undefined) await writeNewFile(resolve(context.world.cwd, out), new TextEncoder().encode(document), flag(input, 'force'));
  const told = remarks.map(({ code, text }) => ({ code, text }));
  const json = { events, remarks: told, ...(out === undefined ? { document } : { file: out }) };
  const shown =
    out === undefined ? document.trimEnd() : `${out}: of ${String(events)} events; next: countersign policy simulate ${out} ${file}`;
  return { exitCode: EXIT.ok, json, text: [...remarks.map(({ text }) => `# ${text}`), shown].join('\n') };
}

export const policySynthCommand: Command = {
  path: 'policy synth',
  args: '[events]',
  summary: 'propose a policy that permits what recorded events did: every event counts as wanted, so record good work',
  options: [
    { flags: '--out <file>', summary: 'write the policy there; it goes to standard output where none is named' },
    { flags: '--extends <ruleset-or-file>', summary: 'what it extends' },
    { flags: '--with-posture', summary: 'with budgets: what was counted and a fifth more, at least five' },
    ...OUT_OPTIONS,
  ],
  examples: ['countersign policy synth events.jsonl', 'countersign policy synth events.jsonl --with-posture --out candidate.yaml'],
  run,
};
