/** @module `tool`: which tools agents of a locked org may call. */
import type { ToolView } from '@countersign/pipeline';
import { formatTime, type JsonObject } from '@countersign/kernel';
import { knownTool } from '@countersign/protocol';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, renderFields, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';

const DESCRIPTOR_HASH = /^[0-9a-f]{64}$/;

const COLUMNS: readonly Column<ToolView>[] = [
  { title: 'tool', value: ({ tool }) => tool },
  {
    title: 'status',
    value: ({ status }) => status,
    colour: ({ status }) => (status === 'approved' ? 'green' : 'yellow'),
  },
  { title: 'scope', value: ({ scope }) => scope ?? '-' },
  { title: 'first seen', value: ({ firstSeenMs }) => formatTime(firstSeenMs) },
  { title: 'descriptor', value: ({ hash }) => (hash === '' ? 'any' : hash) },
];

function toolJson({ org, tool, hash, status, scope, firstSeenMs }: ToolView): JsonObject {
  return { org, tool, hash: hash === '' ? null : hash, status, scope, first_seen: formatTime(firstSeenMs) };
}

function readStatus(text: string | undefined): ToolView['status'] | undefined {
  if (text === undefined || text === 'pending' || text === 'approved') return text;
  throw usageError(`a tool cannot be \`${text}\``, 'countersign tool list --status pending');
}

function readHash(text: string | undefined): string {
  const hash = (text ?? '').toLowerCase();
  if (text === undefined || DESCRIPTOR_HASH.test(hash)) return hash;
  throw usageError('a descriptor hash has 64 hex characters', 'countersign tool list --json');
}

async function list(input: Input, context: Context): Promise<Outcome> {
  const status = readStatus(textOption(input, 'status'));
  const tools = await withOperator(context, false, (operator) => operator.listTools(status));
  const empty = `no ${status === undefined ? '' : `${status} `}tools; to allow one: countersign tool approve NAME`;
  const text = renderTable({ columns: COLUMNS, rows: tools, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { tools: tools.map(toolJson) }, text };
}

async function approve(input: Input, context: Context): Promise<Outcome> {
  const [named = ''] = input.args;
  const hash = readHash(textOption(input, 'hash'));
  const scope = textOption(input, 'scope') ?? null;
  const { tool } = knownTool(named);
  if (tool === '') throw usageError('a tool has a name', 'countersign tool list --status pending');
  const approved = await withOperator(context, false, (operator) => operator.approveTool({ tool, hash, scope }));
  const fields: (readonly [string, string])[] = [
    ['tool', approved.tool],
    ...(named === approved.tool ? [] : [['named', `${named}, which is judged as ${approved.tool}`] as const]),
    ['status', approved.status],
    ['scope', approved.scope ?? 'none needed'],
    ['descriptor', approved.hash === '' ? 'any' : approved.hash],
  ];
  return { exitCode: EXIT.ok, json: { named, tool: toolJson(approved) }, text: renderFields(fields) };
}

export const toolCommands: readonly Command[] = [
  {
    path: 'tool list',
    summary: 'tools that were approved, and those that were called and wait for it',
    options: [{ flags: '--status <status>', summary: 'only pending, or only approved' }],
    examples: ['countersign tool list', 'countersign tool list --status pending --json'],
    run: list,
  },
  {
    path: 'tool approve',
    args: '<name>',
    summary: 'let agents call a tool, also in a locked org; its name is as agents say it',
    options: [
      { flags: '--hash <hex>', summary: 'only with this descriptor; any where it is not said' },
      { flags: '--scope <scope>', summary: 'what an agent must be granted to call it; nothing where it is not said' },
    ],
    examples: [
      'countersign tool approve database.query',
      'countersign tool approve mcp__shell__run --scope exec:shell:run',
      `countersign tool approve billing.refund --hash ${'0a'.repeat(32)}`,
    ],
    run: approve,
  },
];
