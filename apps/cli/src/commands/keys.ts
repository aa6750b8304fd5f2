/** @module `key`: API keys, by which applications reach the gateway. */
import type { ApiKeyView } from '@countersign/pipeline';
import { formatTime, type JsonObject } from '@countersign/kernel';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, renderFields, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';

const COLUMNS: readonly Column<ApiKeyView>[] = [
  { title: 'id', value: ({ id }) => id },
  { title: 'label', value: ({ label }) => label },
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'env', value: ({ environment }) => environment },
  { title: 'created', value: ({ createdMs }) => formatTime(createdMs) },
  {
    title: 'state',
    value: ({ revokedMs }) => (revokedMs === null ? 'active' : `revoked ${formatTime(revokedMs)}`),
    colour: ({ revokedMs }) => (revokedMs === null ? 'green' : 'red'),
  },
];

function keyJson(key: ApiKeyView): JsonObject {
  const { id, org, label, kind, environment, permissions, createdMs, revokedMs } = key;
  const revoked = revokedMs === null ? null : formatTime(revokedMs);
  return {
    id,
    org,
    label,
    kind,
    environment,
    ...(permissions !== undefined && { permissions: [...permissions] }),
    created: formatTime(createdMs),
    revoked,
  };
}

function readKind(text: string | undefined): ApiKeyView['kind'] {
  if (text === undefined || text === 'write') return 'write';
  if (text === 'read' || text === 'kill') return text;
  throw usageError(`a key cannot be of kind \`${text}\``, 'use write, read or kill');
}

async function create(input: Input, context: Context): Promise<Outcome> {
  const [label = ''] = input.args;
  const draft = {
    label,
    kind: readKind(textOption(input, 'kind')),
    environment: flag(input, 'test') ? ('test' as const) : ('live' as const),
    ...(flag(input, 'mayMoveSessions') && { permissions: ['posture:transition' as const] }),
  };
  const { apiKey, key } = await withOperator(context, true, (operator) => operator.createApiKey(draft));
  const fields = [
    ['id', apiKey.id],
    ['label', apiKey.label],
    ['kind', apiKey.kind],
    ['key', key],
  ] as const;
  return { exitCode: EXIT.ok, json: { api_key: keyJson(apiKey), key }, text: `${renderFields(fields)}\n\nThe key is shown this once.` };
}

async function list(_input: Input, context: Context): Promise<Outcome> {
  const keys = await withOperator(context, false, (operator) => operator.listApiKeys());
  const empty = 'no keys; try: countersign key create LABEL';
  const text = renderTable({ columns: COLUMNS, rows: keys, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { api_keys: keys.map(keyJson) }, text };
}

async function revoke(input: Input, context: Context): Promise<Outcome> {
  const [id = ''] = input.args;
  const key = await withOperator(context, false, (operator) => operator.revokeApiKey(id));
  return { exitCode: EXIT.ok, json: { api_key: keyJson(key) }, text: `key ${key.label} (${key.id}) is revoked` };
}

export const keyCommands: readonly Command[] = [
  {
    path: 'key create',
    args: '<label>',
    summary: 'a new key, shown once',
    options: [
      { flags: '--kind <kind>', summary: 'write (decisions), read, or kill' },
      { flags: '--test', summary: 'a key that begins with ag_test_' },
      { flags: '--may-move-sessions', summary: 'the permission posture:transition, for a person; never with --kind write' },
    ],
    examples: [
      'countersign key create my-app',
      'countersign key create ci --test',
      'countersign key create oncall --kind read --may-move-sessions',
    ],
    run: create,
  },
  { path: 'key list', summary: 'all keys, without the keys themselves', examples: ['countersign key list'], run: list },
  {
    path: 'key revoke',
    args: '<id>',
    summary: 'end a key',
    examples: ['countersign key revoke 0193a0b0-0000-7000-8000-000000000001'],
    run: revoke,
  },
];
