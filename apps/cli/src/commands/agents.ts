/** @module `agent`: who may ask, and stopping them. */
import type { AgentView } from '@countersign/pipeline';
import { formatTime, type JsonObject } from '@countersign/kernel';
import { type Command, type Context, type Input, listOption, textOption } from '../command.ts';
import { openOperator } from '../open-operator.ts';
import type { Operator } from '../operator.ts';
import { readGrants } from '../grants.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Colour, type Column, renderFields, renderTable } from '../render.ts';

const COLOURS: Readonly<Record<AgentView['state'], Colour>> = { active: 'green', suspended: 'yellow', killed: 'red' };

const COLUMNS: readonly Column<AgentView>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'name', value: ({ name }) => name },
  { title: 'state', value: ({ state }) => state, colour: ({ state }) => COLOURS[state] },
  { title: 'created', value: ({ createdMs }) => formatTime(createdMs) },
  { title: 'scopes', value: ({ scopes }) => scopes.join(' ') },
];

function agentJson(agent: AgentView): JsonObject {
  const { id, org, name, state, scopes, createdMs, changedMs, reason } = agent;
  return { id, org, name, state, scopes, created: formatTime(createdMs), changed: formatTime(changedMs), reason };
}

/** Runs `work` with an operator and closes it whatever happens. */
export async function withOperator<T>(context: Context, mayCreate: boolean, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await context.progress('opening', () => openOperator(context, { create: mayCreate }));
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
}

async function create(input: Input, context: Context): Promise<Outcome> {
  const [name = ''] = input.args;
  const given = readGrants(listOption(input, 'scope'));
  const scopes = given.length === 0 ? ['*'] : given;
  const { agent, secret } = await withOperator(context, true, (operator) => operator.createAgent({ name, scopes }));
  const fields = [
    ['agent', agent.id],
    ['name', agent.name],
    ['scopes', agent.scopes.join(' ')],
    ['secret', secret],
  ] as const;
  const text = `${renderFields(fields)}\n\nThe secret is shown this once. Next: countersign key create LABEL`;
  return { exitCode: EXIT.ok, json: { agent: agentJson(agent), secret }, text };
}

async function list(_input: Input, context: Context): Promise<Outcome> {
  const agents = await withOperator(context, false, (operator) => operator.listAgents());
  const empty = 'no agents; try: countersign agent create NAME';
  const text = renderTable({ columns: COLUMNS, rows: agents, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { agents: agents.map(agentJson) }, text };
}

/** People type names; the store knows ids. */
async function idOf(operator: Operator, named: string): Promise<string> {
  const found = (await operator.listAgents()).filter(({ id, name }) => id === named.toLowerCase() || name === named);
  const [only] = found;
  if (only === undefined) throw usageError(`there is no agent \`${named}\``, 'countersign agent list');
  if (found.length > 1) throw usageError(`more than one agent is called \`${named}\``, 'name it by its id');
  return only.id;
}

function setState(state: AgentView['state'], done: string): Command['run'] {
  return async (input, context) => {
    const [named = ''] = input.args;
    const reason = textOption(input, 'reason') ?? 'operator';
    const agent = await withOperator(context, false, async (operator) =>
      operator.setAgentState(await idOf(operator, named), state, reason),
    );
    return { exitCode: EXIT.ok, json: { agent: agentJson(agent) }, text: `agent ${agent.name} (${agent.id}) is ${done}` };
  };
}

const REASON = [{ flags: '--reason <code>', summary: 'why, kept with the agent' }] as const;

export const agentCommands: readonly Command[] = [
  {
    path: 'agent create',
    args: '<name>',
    summary: 'a new agent; its secret is shown once',
    options: [
      {
        flags: '--scope <scope...>',
        summary: 'what it may ask for: scopes, or CATEGORY=read_only, read_write or full; `*` where none is given',
      },
    ],
    examples: ['countersign agent create billing-bot', 'countersign agent create reader --scope db:query:read fs=read_only'],
    run: create,
  },
  { path: 'agent list', summary: 'all agents', examples: ['countersign agent list', 'countersign agent list --json'], run: list },
  {
    path: 'agent suspend',
    args: '<agent>',
    summary: 'refuse all calls until it is resumed',
    options: REASON,
    examples: ['countersign agent suspend billing-bot --reason incident-42'],
    run: setState('suspended', 'suspended'),
  },
  {
    path: 'agent resume',
    args: '<agent>',
    summary: 'let a suspended agent go on',
    options: REASON,
    examples: ['countersign agent resume billing-bot'],
    run: setState('active', 'active again'),
  },
  {
    path: 'agent kill',
    args: '<agent>',
    summary: 'refuse all calls for good',
    options: REASON,
    examples: ['countersign agent kill billing-bot --reason compromised'],
    run: setState('killed', 'killed'),
  },
];
