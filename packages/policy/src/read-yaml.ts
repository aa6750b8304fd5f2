/**
 * @module YAML text to plain JSON with the place of every node. Aliases are followed and counted, so a bomb of aliases
 * costs no more than the node limit; duplicate keys, tags, merge keys and more than one document are refused.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type ParsedNode } from 'yaml';
import { dotted } from './document-path.ts';
import { faultAt, type PolicyFault, type Position } from './faults.ts';
import { POLICY_LIMITS } from './limits.ts';

export interface YamlReading {
  readonly value: JsonValue;
  readonly positions: ReadonlyMap<string, Position>;
}

interface Walk {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly source: string;
  readonly positions: Map<string, Position>;
  readonly faults: PolicyFault[];
  nodes: number;
}

function positionOf(lines: LineCounter, start: number, end: number): Position {
  const place = lines.linePos(start);
  return { line: Math.max(1, place.line), column: Math.max(1, place.col), start, end };
}

function complain(walk: Walk, code: PolicyFault['code'], what: { message: string; path: string; hint?: string }): null {
  walk.faults.push(
    faultAt(code, what.message, { path: what.path, source: walk.source, position: walk.positions.get(what.path), hint: what.hint }),
  );
  return null;
}

/** Past a limit; said once for the nodes, each time for the depth. */
function isBeyond(walk: Walk, { path, depth }: { path: string; depth: number }): boolean {
  if (walk.nodes > POLICY_LIMITS.nodesMax) {
    if (walk.nodes === POLICY_LIMITS.nodesMax + 1)
      complain(walk, 'policy_too_many_nodes', { message: `more than ${String(POLICY_LIMITS.nodesMax)} values`, path });
    return true;
  }
  if (depth > POLICY_LIMITS.depthMax)
    complain(walk, 'policy_too_deep', { message: `nested more than ${String(POLICY_LIMITS.depthMax)} deep`, path });
  return depth > POLICY_LIMITS.depthMax;
}

function readNode(walk: Walk, node: ParsedNode | null, place: { path: string; depth: number }): JsonValue {
  const { path, depth } = place;
  walk.nodes += 1;
  if (node !== null && !walk.positions.has(path)) walk.positions.set(path, positionOf(walk.lines, node.range[0], node.range[1]));
  if (node === null || isBeyond(walk, place)) return null;
  // `resolve` gives a node of the same document, which the reader made.
  if (isAlias(node)) return readNode(walk, (node.resolve(walk.document) as ParsedNode | undefined) ?? null, { path, depth: depth + 1 });
  if (node.tag?.startsWith('tag:yaml.org,2002:') === false)
    return complain(walk, 'policy_yaml', { message: 'tags are not used in policies', path });
  if (isMap(node)) return readMap(walk, node.items, { path, depth });
  if (isSeq(node)) return node.items.map((item, i): JsonValue => readNode(walk, item, { path: dotted(path, i), depth: depth + 1 }));
  return readScalar(walk, isScalar(node) ? node.value : undefined, path);
}

function readScalar(walk: Walk, value: unknown, path: string): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') {
    if (value.isWellFormed() && !value.includes('\0')) return value;
    return complain(walk, 'policy_yaml', { message: 'text with a lone surrogate or a NUL', path });
  }
  return complain(walk, 'policy_yaml', { message: 'a value that JSON cannot hold', path, hint: 'quote it to make it text' });
}

function readMap(
  walk: Walk,
  items: readonly { key: ParsedNode; value: ParsedNode | null }[],
  place: { path: string; depth: number },
): JsonObject {
  const entries: [string, JsonValue][] = [];
  for (const { key, value } of items) {
    const name = isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number') ? String(key.value) : undefined;
    if (name === undefined) {
      complain(walk, 'policy_yaml', { message: 'a key that is not text', path: place.path });
      continue;
    }
    const path = dotted(place.path, name);
    if (!walk.positions.has(path)) walk.positions.set(path, positionOf(walk.lines, key.range[0], key.range[1]));
    entries.push([name, readNode(walk, value, { path, depth: place.depth + 1 })]);
  }
  // fromEntries defines own properties, so a `__proto__` key stays data and is refused as an unknown field.
  return Object.fromEntries(entries);
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < text.length) {
      bytes += 4;
      i += 1;
    } else bytes += 3;
  }
  return bytes;
}

/** Brackets of flow style that are open at once, whatever they stand in: an upper bound that keeps the reader shallow. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1;
    else if ((char === ']' || char === '}') && depth > 0) depth -= 1;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

const FLOW_DEPTH_MAX = 256;
const COMPACT_NEST = /(?:[-?][ \t]+){33}/;

function parseText(text: string, source: string): { document: Document.Parsed; lines: LineCounter } | PolicyFault {
  if (utf8Length(text) > POLICY_LIMITS.documentBytesMax) {
    return faultAt('policy_too_large', `larger than ${String(POLICY_LIMITS.documentBytesMax)} bytes`, { source });
  }
  const deep = faultAt('policy_too_deep', `nested more than ${String(POLICY_LIMITS.depthMax)} deep`, { source });
  if (flowDepth(text) > FLOW_DEPTH_MAX || COMPACT_NEST.test(text)) return deep;
  const lines = new LineCounter();
  try {
    return {
      document: parseDocument(text, {
        lineCounter: lines,
        uniqueKeys: true,
        strict: true,
        merge: false,
        prettyErrors: false,
        version: '1.2',
        logLevel: 'error',
      }),
      lines,
    };
  } catch (thrown) {
    // The reader is recursive over block indentation; a document that exhausts it is too deep, nothing worse.
    if (thrown instanceof RangeError) return deep;
    throw thrown;
  }
}

/** Reads one document. Every fault of the text is reported; none of its fields are judged here. */
export function readYaml(text: string, source: string): { readonly reading: YamlReading; readonly faults: readonly PolicyFault[] } {
  const parsed = parseText(text, source);
  const nothing: YamlReading = { value: null, positions: new Map() };
  if (!('document' in parsed)) return { reading: nothing, faults: [parsed] };
  const { document, lines } = parsed;
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    const faults = problems.slice(0, POLICY_LIMITS.faultsMax).map((problem) => {
      const message = problem.message.split('\n')[0] ?? 'not YAML';
      return faultAt('policy_yaml', message.charAt(0).toLowerCase() + message.slice(1), {
        source,
        position: positionOf(lines, problem.pos[0], problem.pos[1]),
      });
    });
    return { reading: nothing, faults };
  }
  const walk: Walk = { document, lines, source, positions: new Map(), faults: [], nodes: 0 };
  const value = readNode(walk, document.contents, { path: '', depth: 0 });
  return { reading: { value, positions: walk.positions }, faults: walk.faults };
}
