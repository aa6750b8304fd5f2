/**
 * @module `policy signer`: whose signed policies are believed. The keys are yours: kept in your user-level configuration, never in a project,
 * and there are none until you pin one.
 */
import { policySignersPath, readPolicySigners, writePolicySigners } from '@countersign/runtime';
import type { Command, Context, Input } from '../command.ts';
import { readPin } from '../key-files.ts';
import { configError, EXIT, type Outcome } from '../outcome.ts';
import { renderTable } from '../render.ts';

type Row = readonly [name: string, key: string];

function list(_input: Input, context: Context): Outcome {
  const path = policySignersPath(context.world.home);
  const signers = readPolicySigners(path);
  const columns = [
    { title: 'signer', value: ([name]: Row) => name },
    { title: 'key', value: ([, key]: Row) => key },
  ];
  const rows: readonly Row[] = Object.entries(signers);
  const empty = 'nobody may sign policies; try: countersign policy signer pin release policy-key.pub';
  const text = renderTable({ columns, rows, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { path, signers }, text };
}

async function pin(input: Input, context: Context): Promise<Outcome> {
  const [name = '', given = ''] = input.args;
  const path = policySignersPath(context.world.home);
  const key = await readPin(given, context);
  const signers = { ...readPolicySigners(path), [name]: key };
  writePolicySigners(signers, path);
  return { exitCode: EXIT.ok, json: { path, signers }, text: `${name} (${key.slice(0, 12)}) may sign policies (${path})` };
}

function drop(input: Input, context: Context): Outcome {
  const [name = ''] = input.args;
  const path = policySignersPath(context.world.home);
  const { [name]: key, ...signers } = readPolicySigners(path);
  if (key === undefined)
    throw configError([
      { code: 'signer_unknown', message: 'no signer of this name is pinned', path: name, hint: 'countersign policy signer list' },
    ]);
  writePolicySigners(signers, path);
  return { exitCode: EXIT.ok, json: { path, signers }, text: `${name} may not sign policies any more; what is in force stays` };
}

export const policySignerCommands: readonly Command[] = [
  { path: 'policy signer list', summary: 'whose signed policies are believed', examples: ['countersign policy signer list'], run: list },
  {
    path: 'policy signer pin',
    args: '<name> <key>',
    summary: 'believe bundles of this key: 64 hex digits, or a file of it',
    examples: ['countersign policy signer pin release policy-key.pub'],
    run: pin,
  },
  {
    path: 'policy signer drop',
    args: '<name>',
    summary: 'believe this signer no more',
    examples: ['countersign policy signer drop release'],
    run: drop,
  },
];
