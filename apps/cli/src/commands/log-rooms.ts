/** @module `log list`, `log create`, `org log`: several logs in one installation, and which of them an org writes to. */
import type { JsonObject } from '@countersign/kernel';
import type { LogView } from '@countersign/pipeline';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { EXIT, type Outcome } from '../outcome.ts';
import { type Column, printable, renderFields, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';
import { chooseOrg } from './orgs.ts';

const COLUMNS: readonly Column<LogView>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'entries', value: ({ size }) => (size === null ? '-' : String(size)) },
  { title: 'orgs', value: ({ orgs }) => String(orgs) },
  { title: 'origin', value: ({ origin }) => origin ?? '-' },
  {
    title: 'state',
    value: ({ problem }) => (problem === null ? 'open' : problem),
    colour: ({ problem }) => (problem === null ? 'green' : 'red'),
  },
];

function logJson({ name, origin, keys, size, orgs, problem }: LogView): JsonObject {
  return { name, origin, keys: [...keys], size, orgs, problem };
}

async function list(_input: Input, context: Context): Promise<Outcome> {
  const logs = await withOperator(context, false, (operator) => operator.listLogs());
  const text = renderTable({ columns: COLUMNS, rows: logs, empty: 'no logs' }, context.paint, context.world.stdout.columns);
  const failed = logs.some(({ problem }) => problem !== null);
  // A log that takes nothing is something to look into: the others go on.
  return { exitCode: failed ? EXIT.warn : EXIT.ok, json: { logs: logs.map(logJson) }, text };
}

async function create(input: Input, context: Context): Promise<Outcome> {
  const [name = ''] = input.args;
  const origin = textOption(input, 'origin');
  const draft = origin === undefined ? { name } : { name, origin };
  const log = await withOperator(context, false, (operator) => operator.createLog(draft));
  const fields = [
    ['log', log.name],
    ['origin', log.origin ?? ''],
    ['key', log.keys.join('\n')],
  ] as const;
  const text = `${renderFields(fields)}\n\nGive the key to whoever verifies. Next: countersign org log ${log.name}`;
  return { exitCode: EXIT.ok, json: { log: logJson(log) }, text };
}

async function setLog(input: Input, context: Context): Promise<Outcome> {
  const [log = ''] = input.args;
  const { org, before } = await withOperator(context, false, async (operator) => {
    const chosen = chooseOrg(await operator.listOrgs(), textOption(input, 'org'));
    return { org: await operator.setOrgLog(chosen.id, log), before: chosen.log };
  });
  const { id, name, mode } = org;
  const text = printable(`org ${name} (${id}) writes to log ${org.log} from now on; what it wrote to ${before} stays there`);
  return { exitCode: EXIT.ok, json: { org: { id, name, mode, log: org.log }, before }, text };
}

export const logRoomCommands: readonly Command[] = [
  {
    path: 'log list',
    summary: 'the logs of this installation; exit 1 where one takes nothing',
    examples: ['countersign log list', 'countersign log list --json'],
    run: list,
  },
  {
    path: 'log create',
    args: '<name>',
    summary: 'another log, with a key of its own; a running gateway uses it at once',
    options: [{ flags: '--origin <origin>', summary: 'first line of its checkpoints, for life; made from its key where it is not said' }],
    examples: ['countersign log create team-a', 'countersign log create team-a --origin example.org/countersign/team-a'],
    run: create,
  },
  {
    path: 'org log',
    args: '<name>',
    summary: 'which log an org writes to',
    options: [{ flags: '--org <org>', summary: 'its id or name, where there are several' }],
    examples: ['countersign org log team-a', 'countersign org log main --org acme'],
    run: setLog,
  },
];
