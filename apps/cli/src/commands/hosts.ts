/**
 * @module `hosts`: named lists of hosts that egress lists refer to as `@name`. They are yours: kept in your user-level
 * configuration, never in a project, and empty until you fill them.
 */
import { hostSetsPath, readHostSets, writeHostSet } from '@countersign/runtime';
import type { Command, Context, Input } from '../command.ts';
import { EXIT, type Outcome } from '../outcome.ts';
import { renderTable } from '../render.ts';

type Row = readonly [string, readonly string[]];

function list(_input: Input, context: Context): Outcome {
  const path = hostSetsPath(context.world.home);
  const sets = readHostSets(path);
  const columns = [
    { title: 'set', value: ([name]: Row) => `@${name}` },
    { title: 'hosts', value: ([, hosts]: Row) => (hosts.length === 0 ? '(none)' : hosts.join(' ')) },
  ];
  const rows: readonly Row[] = Object.entries(sets);
  const empty = 'no host sets; try: countersign hosts set package-registries HOST...';
  return {
    exitCode: EXIT.ok,
    json: { path, sets },
    text: renderTable({ columns, rows, empty }, context.paint, context.world.stdout.columns),
  };
}

function set(input: Input, context: Context): Outcome {
  const [name = ''] = input.args;
  const path = hostSetsPath(context.world.home);
  const sets = writeHostSet(name, input.rest, path);
  const count = input.rest.length === 1 ? '1 host' : `${input.rest.length} hosts`;
  return {
    exitCode: EXIT.ok,
    json: { path, sets },
    text: `@${name} has ${count} (${path}); running gateways read it when their policy is loaded again`,
  };
}

export const hostCommands: readonly Command[] = [
  { path: 'hosts list', summary: 'your host sets', examples: ['countersign hosts list'], run: list },
  {
    path: 'hosts set',
    args: '<name> [host...]',
    summary: 'replace a host set; without hosts it is empty',
    examples: ['countersign hosts set package-registries registry.example packages.example', 'countersign hosts set package-registries'],
    run: set,
  },
];
