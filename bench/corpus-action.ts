/**
 * @module A corpus row as the action it would have been: the kind of the row says what an agent would have done with it. Tools of whole
 * calls go through the table of the gateway's door, as they would over the wire.
 */
import { sha256Hex } from '@countersign/crypto';
import { getOwn, type JsonValue } from '@countersign/kernel';
import { type Action, knownTool, type StateSlice } from '@countersign/protocol';
import type { CorpusRow } from './corpora.ts';

/** What varies between actions of different kinds. */
type Shape = Pick<Action, 'kind' | 'tool' | 'params' | 'content' | 'descriptor'>;

/** An active agent that may do everything with tools everybody knows: what is left is what rules and guards say. */
export const KNOWN_STATE: StateSlice = { agentState: 'active', scopes: ['*'], orgMode: 'locked', tool: 'registered', sessionCalls: 0 };

function call(tool: string, params: JsonValue, kind = 'tool.call'): Shape {
  return { kind, tool, params };
}

const VALUES: Readonly<Record<string, (text: string) => Shape>> = {
  // A tool that hands a value to a command line; `shell.exec` itself is on the block list of the rulesets.
  shell: (value) => call('host.lookup', { value }),
  sql: (value) => call('database.query', { value }),
};

const WHOLE: Readonly<Record<string, (text: string) => Shape>> = {
  shell: (command) => call('shell.exec', { command }, 'shell.exec'),
  sql: (query) => call('database.query', { query }, 'db.query'),
  path: (path) => call('filesystem.read', { path }, 'file.read'),
  url: (url) => call('http.fetch', { url }, 'net.egress'),
  html: (input) => call('web.render', { input }),
  tool_arg: (input) => call('web.render', { input }),
  prompt: (content) => ({ kind: 'prompt.input', content }),
  tool_response: (content) => ({ kind: 'tool.response', content }),
  text_secret: (content) => ({ kind: 'model.output', content }),
  text_pii: (content) => ({ kind: 'model.output', content }),
  tool_def: (description) => ({ ...call('described.tool', {}), descriptor: { hash: sha256Hex(description), description } }),
};

function shapeOf(row: CorpusRow): Shape | undefined {
  if (row.kind === 'tool_call') {
    if (row.tool === undefined) return undefined;
    const { tool, kind } = knownTool(row.tool);
    return call(tool, row.params ?? {}, kind);
  }
  const shapes = getOwn(row.meta, 'context') === 'param_value' ? { ...WHOLE, ...VALUES } : WHOLE;
  return row.text === undefined ? undefined : shapes[row.kind]?.(row.text);
}

/** The action of a row; undefined for a kind that nobody has told us about. Equal rows give equal actions. */
export function actionOfRow(row: CorpusRow): Action | undefined {
  const shape = shapeOf(row);
  if (shape === undefined) return undefined;
  const id = sha256Hex(`${row.family}\n${row.id}`);
  return {
    v: 1,
    id: `${id.slice(0, 8)}-${id.slice(8, 12)}-7${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`,
    ...shape,
    source: { framework: 'unknown', door: 'bench' },
    org: 'bench',
    agent: 'bench',
    session: 'bench',
    delegation: [],
  };
}
