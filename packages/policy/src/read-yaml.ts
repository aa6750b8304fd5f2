/**
 * @module YAML text to plain JSON with the place of every node. Aliases are followed and counted, so a bomb of aliases
 * costs no more than the node limit; duplicate keys, tags, merge keys and more than one document are refused.
 */
import { invariant, type JsonObject, type JsonValue } from '@countersign/kernel';
import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  YAMLParseError,
  type Document,
  type ParsedNode,
} from 'yaml';
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
  const seen = new Set<string>();
  for (const { key, value } of items) {
    const name = isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number') ? String(key.value) : undefined;
    if (name === undefined) {
      complain(walk, 'policy_yaml', { message: 'a key that is not text', path: place.path });
      continue;
    }
    const path = dotted(place.path, name);
    if (seen.has(name)) {
      const { range } = key;
      const position = positionOf(walk.lines, range[0], range[1]);
      walk.faults.push(faultAt('policy_yaml', 'map keys must be unique', { path, source: walk.source, position }));
      continue;
    }
    seen.add(name);
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

/** Bounds that are known before the reader makes anything of a text. */
interface Extent {
  /** Brackets of flow style that are open at once, whatever they stand in: an upper bound that keeps the reader shallow. */
  readonly depth: number;
  /** Characters that can begin a value: a document has no more values than these, but for what is nested within one line. */
  readonly marks: number;
}

function extentOf(text: string): Extent {
  let depth = 0;
  let deepest = 0;
  let marks = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      marks += 1;
    } else if ((unit === 0x5d || unit === 0x7d) && depth > 0) depth -= 1;
    else if (beginsValue(text, i, unit)) marks += 1;
  }
  return { depth: deepest, marks };
}

/** Line ends and commas; `- ` and `? ` within a line, where a plain dash is none. */
function beginsValue(text: string, i: number, unit: number): boolean {
  if (unit === 0x0a || unit === 0x0d || unit === 0x2c) return true;
  if (unit !== 0x2d && unit !== 0x3f) return false;
  const next = text.charCodeAt(i + 1);
  return next === 0x20 || next === 0x09;
}

const FLOW_DEPTH_MAX = 256;
const READING = {
  // Its own check compares every key with every other; `readMap` looks them up.
  uniqueKeys: false,
  strict: true,
  merge: false,
  prettyErrors: false,
  version: '1.2',
  logLevel: 'error',
} as const;

const COMPACT_NEST = /(?:[-?][ \t]+){33}/;

function parseText(text: string, source: string): { document: Document.Parsed; lines: LineCounter } | PolicyFault {
  if (utf8Length(text) > POLICY_LIMITS.documentBytesMax) {
    return faultAt('policy_too_large', `larger than ${String(POLICY_LIMITS.documentBytesMax)} bytes`, { source });
  }
  const deep = faultAt('policy_too_deep', `nested more than ${String(POLICY_LIMITS.depthMax)} deep`, { source });
  const extent = extentOf(text);
  if (extent.depth > FLOW_DEPTH_MAX || COMPACT_NEST.test(text)) return deep;
  if (extent.marks > POLICY_LIMITS.marksMax)
    return faultAt('policy_too_many_nodes', `more than ${String(POLICY_LIMITS.marksMax)} lines, commas and brackets`, { source });
  const lines = new LineCounter();
  try {
    return { document: compose(text, lines), lines };
  } catch (thrown) {
    // The reader is recursive over block indentation; a document that exhausts it is too deep, nothing worse.
    if (thrown instanceof RangeError) return deep;
    throw thrown;
  }
}

/** The tokens up to as many broken ones as are reported: each of them costs the reader a stack trace. */
function* untilBroken(tokens: Iterable<CST.Token>): Generator<CST.Token, void> {
  let broken = 0;
  for (const token of tokens) {
    yield token;
    if (token.type === 'error') broken += 1;
    if (broken >= POLICY_LIMITS.faultsMax) return;
  }
}

/** The first document of a text; a second one is an error of the first. */
function compose(text: string, lines: LineCounter): Document.Parsed {
  const tokens = untilBroken(new Parser(lines.addNewLine).parse(text));
  let first: Document.Parsed | undefined;
  for (const document of new Composer(READING).compose(tokens, true, text.length)) {
    if (first === undefined) first = document;
    else first.errors.push(new YAMLParseError([document.range[0], document.range[1]], 'MULTIPLE_DOCS', 'more than one document'));
    if (first.errors.length > POLICY_LIMITS.faultsMax) break;
  }
  invariant(first !== undefined, 'a text is at least one empty document');
  return first;
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
