/** @module `vault`: what was sealed with decisions, erasing the content of one subject, and other keys. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { VaultView } from '@countersign/pipeline';
import { rotateMasterKey } from '@countersign/runtime';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { orgIdOf } from '../org-option.ts';
import { findGateway } from '../operator-gateway.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { renderFields } from '../render.ts';
import { withOperator } from './agents.ts';

function fieldsOf({ subjects, keys, erased }: VaultView): string {
  return renderFields([
    ['subjects', String(subjects)],
    ['keys', String(keys)],
    ['erased keys', String(erased)],
  ]);
}

async function show(_input: Input, context: Context): Promise<Outcome> {
  const vault = await withOperator(context, false, (operator) => operator.vault());
  return { exitCode: EXIT.ok, json: { vault: { ...vault } }, text: fieldsOf(vault) };
}

/** The org by its id or name, where one was named. */
async function orgOption(input: Input, context: Context): Promise<{ readonly org?: string }> {
  const named = textOption(input, 'org');
  if (named === undefined) return {};
  return { org: orgIdOf(await withOperator(context, false, (operator) => operator.listOrgs()), named) };
}

async function erase(input: Input, context: Context): Promise<Outcome> {
  const [subject, reason] = [textOption(input, 'subject'), textOption(input, 'reason')];
  const example = 'countersign vault erase --subject ID --reason TEXT --yes';
  if (subject === undefined || reason === undefined) throw usageError('say whose content, and why', example);
  if (!flag(input, 'yes')) {
    const advice = `what was sealed for this subject cannot be read again by anybody; say it with --yes: ${example}`;
    throw usageError('an erasure cannot be undone', advice);
  }
  const request = { ...(await orgOption(input, context)), subject, reason };
  const erasure = await withOperator(context, false, (operator) => operator.eraseSubject(request));
  const { id, index, time, keys } = erasure;
  const text = `${keys} ${keys === 1 ? 'key' : 'keys'} destroyed on ${time}; entry ${id} at ${index} of the log says so. Backups of vault.db still hold them.`;
  return { exitCode: EXIT.ok, json: { erasure: { id, index, time, keys } }, text };
}

async function rotate(input: Input, context: Context): Promise<Outcome> {
  const subject = textOption(input, 'subject');
  const request = subject === undefined ? undefined : { ...(await orgOption(input, context)), subject };
  const vault = await withOperator(context, false, (operator) => operator.rotateKeys(request));
  const whose = subject === undefined ? 'every subject' : 'this subject';
  return {
    exitCode: EXIT.ok,
    json: { vault: { ...vault } },
    text: `what comes is sealed under a new key for ${whose}; old content still opens\n${fieldsOf(vault)}`,
  };
}

async function rotateMaster(_input: Input, context: Context): Promise<Outcome> {
  const { dataDir } = context;
  if (!existsSync(join(dataDir, 'vault.db'))) {
    const hint = 'name the data directory with --data DIR';
    throw configError([{ code: 'no_data_directory', message: 'there is no Countersign data directory here', path: dataDir, hint }]);
  }
  if ((await findGateway(context)) !== undefined) {
    const hint = 'stop the gateway, change the key, start it again';
    throw configError([{ code: 'gateway_running', message: 'the master key is changed while no gateway runs', path: dataDir, hint }]);
  }
  const rotated = await context.progress('wrapping keys', () => rotateMasterKey({ dataDir }));
  const { keys, agents, files } = rotated;
  const text = `a new master key wraps ${keys} subject keys, ${agents} agent keys and ${files} key files; keep a copy of keys/master.key, the old one opens nothing here`;
  return { exitCode: EXIT.ok, json: { rotated: { keys, agents, files } }, text };
}

const ORG = { flags: '--org <org>', summary: 'its id or name, where there are several' } as const;

export const vaultCommands: readonly Command[] = [
  {
    path: 'vault show',
    summary: 'how many subjects and keys there are',
    examples: ['countersign vault show', 'countersign vault show --json'],
    run: show,
  },
  {
    path: 'vault erase',
    summary: 'destroy the keys of one subject: its content cannot be read again, every proof still holds',
    options: [
      { flags: '--subject <id>', summary: 'the end user as actions named them, or the id of an agent' },
      ORG,
      { flags: '--reason <text>', summary: 'why; it stands in the log, so name no person' },
      { flags: '--yes', summary: 'it cannot be undone, and that is understood' },
    ],
    examples: ['countersign vault erase --subject user-4711 --reason "request 2026-17" --yes'],
    run: erase,
  },
  {
    path: 'vault rotate',
    summary: 'seal what comes under new keys; old content still opens',
    options: [{ flags: '--subject <id>', summary: 'of one subject; of all where none is named' }, ORG],
    examples: ['countersign vault rotate', 'countersign vault rotate --subject user-4711'],
    run: rotate,
  },
  {
    path: 'vault rotate-master',
    summary: 'a new master key for the whole directory, while no gateway runs; the old one opens nothing afterwards',
    examples: ['countersign vault rotate-master --data .countersign'],
    run: rotateMaster,
  },
];
