/** @module `org`: whether tools that nobody approved are learnt or refused. */
import type { OrgRecord } from '@countersign/pipeline';
import type { JsonObject } from '@countersign/kernel';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';

const MEANING: Readonly<Record<OrgRecord['mode'], string>> = {
  learning: 'tools that nobody approved are noted, and allowed with a warning where the policy says so',
  locked: 'only approved tools are allowed',
};

const COLUMNS: readonly Column<OrgRecord>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'name', value: ({ name }) => name },
  { title: 'mode', value: ({ mode }) => mode, colour: ({ mode }) => (mode === 'locked' ? 'green' : 'yellow') },
  { title: 'log', value: ({ log }) => log },
  { title: 'meaning', value: ({ mode }) => MEANING[mode] },
];

function orgJson({ id, name, mode, log }: OrgRecord): JsonObject {
  return { id, name, mode, log };
}

async function show(_input: Input, context: Context): Promise<Outcome> {
  const orgs = await withOperator(context, false, (operator) => operator.listOrgs());
  const text = renderTable({ columns: COLUMNS, rows: orgs, empty: 'no orgs' }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { orgs: orgs.map(orgJson) }, text };
}

function readMode(text: string): OrgRecord['mode'] {
  if (text === 'learning' || text === 'locked') return text;
  throw usageError(`an org cannot be \`${text}\``, 'countersign org mode locked');
}

/** The org that is meant: it is never guessed where there are several. */
export function chooseOrg(orgs: readonly OrgRecord[], named: string | undefined): OrgRecord {
  const found = named === undefined ? orgs : orgs.filter(({ id, name }) => id === named.toLowerCase() || name === named);
  const [only] = found;
  if (only === undefined) throw usageError(`there is no org \`${named ?? ''}\``, 'countersign org show');
  if (found.length > 1) throw usageError('there is more than one such org', 'name it with --org ID; `countersign org show` lists them');
  return only;
}

async function setMode(input: Input, context: Context): Promise<Outcome> {
  const mode = readMode(input.args[0] ?? '');
  const named = textOption(input, 'org');
  const { org, before, pending } = await withOperator(context, false, async (operator) => {
    const chosen = chooseOrg(await operator.listOrgs(), named);
    const changed = await operator.setOrgMode(chosen.id, mode);
    return {
      org: changed,
      before: chosen.mode,
      pending: mode === 'locked' && named === undefined ? await operator.listTools('pending') : [],
    };
  });
  const next = pending.length === 0 ? '' : `\n${pending.length} tools wait for approval; next: countersign tool list --status pending`;
  const text = `org ${org.name} (${org.id}) is ${org.mode}: ${MEANING[org.mode]}${next}`;
  return { exitCode: EXIT.ok, json: { org: orgJson(org), before }, text };
}

export const orgCommands: readonly Command[] = [
  {
    path: 'org show',
    summary: 'the orgs of this directory and their modes',
    examples: ['countersign org show', 'countersign org show --json'],
    run: show,
  },
  {
    path: 'org mode',
    args: '<mode>',
    summary: 'learning: a policy may let unapproved tools pass with a warning; locked: they are refused',
    options: [{ flags: '--org <org>', summary: 'its id or name, where there are several' }],
    examples: ['countersign org mode locked', 'countersign org mode learning'],
    run: setMode,
  },
];
