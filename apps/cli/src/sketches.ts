/** @module An action from what somebody types: `check` and `explain` read their targets with these. */
import { isJsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { knownCall } from '@countersign/protocol';
import { type Context, type Input, textOption } from './command.ts';
import { readText } from './documents.ts';
import type { ActionSketch } from './judging.ts';
import { usageError } from './outcome.ts';

export type Sketcher = (target: string, input: Input, context: Context) => Promise<ActionSketch>;

/** JSON of an option, `{}` where it is absent. */
function readParams(input: Input, name: string): JsonValue {
  const text = textOption(input, name);
  if (text === undefined) return {};
  const parsed = parseJson(text);
  if (!parsed.ok) throw usageError(`--${name} is not JSON: ${parsed.error.message}`, `write it like --${name} '{"key":"value"}'`);
  if (!isJsonObject(parsed.value.value)) throw usageError(`--${name} must be a JSON object`, `write it like --${name} '{"key":"value"}'`);
  return parsed.value.value;
}

/** Where the agent was asked, as the option says; nothing where it says nothing. */
export function originOption(input: Input): Pick<ActionSketch, 'origin'> {
  return textOption(input, 'origin') === undefined ? {} : { origin: { origin: readParams(input, 'origin') } };
}

/** The target itself, or standard input where it is `-`. */
async function textOf(target: string, context: Context): Promise<string> {
  return target === '-' ? readText('-', context) : target;
}

async function sketchFile(target: string, input: Input, context: Context): Promise<ActionSketch> {
  const file = textOption(input, 'content');
  const write = input.options['write'] === true || file !== undefined;
  if (!write) return { kind: 'file.read', tool: 'filesystem.read', params: { path: target } };
  // Whoever names no content asks about the place: an empty file there.
  const content = file === undefined ? '' : await readText(file, context);
  return { kind: 'file.write', tool: 'filesystem.write', params: { path: target }, content };
}

/** How the target of each kind of action is written. */
export const SKETCHERS: Readonly<Record<string, Sketcher>> = {
  file: sketchFile,
  egress: (target) =>
    Promise.resolve({ kind: 'net.egress', tool: 'http.request', params: { [target.includes('://') ? 'url' : 'host']: target } }),
  shell: async (target, _input, context) => {
    return { kind: 'shell.exec', tool: 'shell.exec', params: { command: await textOf(target, context) } };
  },
  mcp: (target, input) => Promise.resolve({ kind: 'mcp.call', tool: target, params: readParams(input, 'args') }),
  tool: (target, input) => Promise.resolve(knownCall(target, readParams(input, 'params'))),
  prompt: async (target, _input, context) => ({ kind: 'prompt.input', content: await textOf(target, context) }),
  send: async (target, _input, context) => ({ kind: 'agent.message', content: await textOf(target, context) }),
  output: async (target, input, context) => ({
    kind: 'tool.response',
    tool: textOption(input, 'tool') ?? 'http.request',
    content: await textOf(target, context),
  }),
  sql: async (target, _input, context) => ({
    kind: 'db.query',
    tool: 'database.query',
    params: { sql: await textOf(target, context) },
  }),
};
