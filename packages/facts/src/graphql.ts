/** @module GraphQL operations in a parameter: what kind, whether the schema is asked for, how deep and how often it asks. One pass. */
import type { CodeReading, CodeText } from './code-reading.ts';
import { FACTS_LIMITS } from './limits.ts';

const OPERATION = /^[\s,]{0,64}(?:(query|mutation|subscription)\b[^{"]{0,512}\{|\{\s{0,64}[a-z_]\w{0,64}\s{0,8}[({\s:])/;
const NAME = /[A-Za-z_]\w{0,128}/y;
/** Case tells `deleteUser` from `deleted`. */
const DELETES = /^(?:delete|remove|destroy|drop|purge|truncate|erase)(?:_|[A-Z]|all|many|$)/;

interface Walk {
  readonly text: string;
  at: number;
  depth: number;
  deepest: number;
  arguments: number;
  aliases: number;
  /** Names of the operation's own fields. */
  readonly fields: string[];
}

function skipString(walk: Walk): void {
  const { text } = walk;
  walk.at += 1;
  while (walk.at < text.length && text[walk.at] !== '"') walk.at += text[walk.at] === '\\' ? 2 : 1;
  walk.at += 1;
}

function readName(walk: Walk): void {
  NAME.lastIndex = walk.at;
  const name = NAME.exec(walk.text)?.[0] ?? '';
  walk.at += Math.max(1, name.length);
  if (walk.arguments > 0) return;
  let next = walk.at;
  while (next < walk.at + 8 && /\s/.test(walk.text[next] ?? '')) next += 1;
  if (walk.text[next] === ':') walk.aliases += 1;
  else if (walk.depth === 1 && walk.fields.length < FACTS_LIMITS.graphqlFieldsMax) walk.fields.push(name);
}

function step(walk: Walk): void {
  const char = walk.text[walk.at] ?? '';
  if (char === '"') return skipString(walk);
  if (/[A-Za-z_]/.test(char)) return readName(walk);
  walk.at += 1;
  if (char === '(') walk.arguments += 1;
  else if (char === ')') walk.arguments = Math.max(0, walk.arguments - 1);
  else if (char === '{' && walk.arguments === 0) walk.deepest = Math.max(walk.deepest, (walk.depth += 1));
  else if (char === '}' && walk.arguments === 0) walk.depth -= 1;
  return undefined;
}

/** The operation a text is. */
export function readGraphql({ text, lower }: CodeText): CodeReading {
  const operation = text.includes('{') ? OPERATION.exec(lower) : null;
  if (operation === null) return { features: [], start: 0, end: 0, steps: 1 };
  const walk: Walk = { text, at: text.indexOf('{'), depth: 0, deepest: 0, arguments: 0, aliases: 0, fields: [] };
  while (walk.at < text.length) step(walk);
  const features: string[] = [];
  if (operation[1] !== undefined) features.push(operation[1]);
  if (walk.fields.some((name) => name === '__schema' || name === '__type')) features.push('introspection');
  if (operation[1] === 'mutation' && walk.fields.some((name) => DELETES.test(name))) features.push('deletes');
  if (walk.deepest > FACTS_LIMITS.graphqlDepthMax) features.push('deep');
  if (walk.aliases > FACTS_LIMITS.graphqlAliasesMax) features.push('aliases');
  return { features: features.sort(), start: 0, end: text.length, steps: text.length };
}
