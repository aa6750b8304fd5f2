/** @module An example of a rule, as the action that it sketches. Used by the packs' tests and by whoever tests rules of their own. */
import { isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Action, Signal } from '@countersign/protocol';
import type { ExampleSketch } from './rule.ts';

type Shape = Pick<Action, 'kind' | 'tool' | 'params' | 'content'>;

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function fileShape(sketch: ExampleSketch): Shape {
  const path = text(sketch['path'] ?? sketch['file']);
  if (Object.hasOwn(sketch, 'file')) return { kind: 'file.write', tool: 'file.write', params: { path, content: text(sketch['content']) } };
  if (sketch['access'] === 'write') return { kind: 'file.write', tool: 'file.write', params: { path, content: '' } };
  return { kind: 'file.read', tool: 'file.read', params: { path } };
}

function shapeOf(sketch: ExampleSketch): Shape {
  if (Object.hasOwn(sketch, 'shell')) return { kind: 'shell.exec', tool: 'shell.exec', params: { command: text(sketch['shell']) } };
  if (Object.hasOwn(sketch, 'sql')) return { kind: 'db.query', tool: 'database.query', params: { query: text(sketch['sql']) } };
  if (Object.hasOwn(sketch, 'url')) return { kind: 'net.egress', tool: 'http.fetch', params: { url: text(sketch['url']) } };
  if (Object.hasOwn(sketch, 'path') || Object.hasOwn(sketch, 'file')) return fileShape(sketch);
  if (Object.hasOwn(sketch, 'prompt')) return { kind: 'prompt.input', content: text(sketch['prompt']) };
  if (Object.hasOwn(sketch, 'response')) return { kind: 'tool.response', content: text(sketch['response']) };
  if (Object.hasOwn(sketch, 'output')) return { kind: 'model.output', content: text(sketch['output']) };
  const tool = text(sketch['tool']);
  return { kind: 'tool.call', ...(tool === '' ? {} : { tool }), params: sketch['params'] ?? {} };
}

/** In an example `{+}` stands for nothing, so that no made-up secret has to stand whole in a file. */
function joined(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.replaceAll('{+}', '');
  if (Array.isArray(value)) return value.map((item: JsonValue) => joined(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, joined(item)]));
}

/** The action; `kind`, `context` and `descriptor` of the sketch win over what its form implies. */
export function exampleAction(written: ExampleSketch): Action {
  const sketch: ExampleSketch = Object.fromEntries(Object.entries(written).map(([key, value]) => [key, joined(value)]));
  const shape = shapeOf(sketch);
  const kind = text(sketch['kind']);
  const context = text(sketch['context']);
  const descriptor = text(sketch['descriptor']);
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    ...shape,
    ...(kind === '' ? {} : { kind }),
    ...(context === '' ? {} : { context }),
    ...(descriptor === '' ? {} : { descriptor: { hash: '0'.repeat(64), description: descriptor } }),
    source: { framework: 'unknown', door: 'embedded' },
    org: 'example',
    agent: 'example',
    session: 'example',
    delegation: [],
  };
}

/** What the world would answer: where `path` leads, when the sketch says that it is a link. */
export function exampleSignals(sketch: ExampleSketch): readonly Signal[] {
  const target = text(sketch['links_to']);
  return target === '' ? [] : [{ kind: 'symlink', subject: text(sketch['path']), value: target }];
}
