/**
 * @module Leaves: every string of an action that somebody else wrote, with its JSON pointer and its role.
 * Object keys are leaves too: an operator in a key (`$where`) is as good a payload as one in a value.
 */
import { isJsonObject, type JsonObject, pointer, type JsonValue } from '@countersign/kernel';
import type { Action, TextRole } from '@countersign/protocol';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';

/** One string of the action. */
export interface Leaf {
  readonly path: string;
  readonly role: TextRole;
  readonly text: string;
  /** Lower-case name of the property that holds it (the nearest one, for items of an array); `` where there is none. */
  readonly key: string;
}

interface Walk {
  readonly meter: Meter;
  readonly leaves: Leaf[];
  readonly keys: Set<string>;
  charsLeft: number;
}

/** Integers of at least this many digits are read as text too: a card number or an address may come as a number. */
const NUMBER_DIGITS_MIN = 8;
/** Property names of a schema shorter than this are vocabulary, not prose. */
const SCHEMA_KEY_MIN = 25;
/** Keys of an object that are sorted by inserting one after another; more are left to the platform. */
const INSERTED_MAX = 32;

function step(path: string, key: string): string {
  return key.includes('~') || key.includes('/') ? pointer(path, key) : `${path}/${key}`;
}

/** Keys by UTF-16 code units. Few keys, which are nearly in order more often than not, are inserted: the platform's sort costs ten times as much. */
function sortedKeys(value: JsonObject): readonly string[] {
  const keys = Object.keys(value);
  if (keys.length > INSERTED_MAX) return keys.sort();
  for (let i = 1; i < keys.length; i += 1) {
    const key = keys[i] ?? '';
    let at = i;
    for (; at > 0 && (keys[at - 1] ?? '') > key; at -= 1) keys[at] = keys[at - 1] ?? '';
    keys[at] = key;
  }
  return keys;
}

function addLeaf(walk: Walk, leaf: Leaf): void {
  if (leaf.text === '') return;
  if (walk.leaves.length >= FACTS_LIMITS.textsMax) {
    walk.meter.cuts.add('texts');
    return;
  }
  if (leaf.text.length > walk.charsLeft) {
    walk.meter.cuts.add('bytes');
    if (walk.charsLeft === 0) return;
    walk.leaves.push({ ...leaf, text: leaf.text.slice(0, walk.charsLeft) });
    walk.charsLeft = 0;
    return;
  }
  walk.charsLeft -= leaf.text.length;
  walk.leaves.push(leaf);
}

function addKey(walk: Walk, path: string, key: string): void {
  if (walk.keys.has(key)) return;
  walk.keys.add(key);
  addLeaf(walk, { path, role: 'key', text: key, key: '' });
}

interface Place {
  readonly path: string;
  readonly key: string;
  readonly depth: number;
  readonly role: TextRole;
}

function walkObject(walk: Walk, value: JsonObject, { path: base, role, depth }: Place): void {
  // In canonical order, not as they came: a receipt commits to the canonical action, and a replay must read the same facts from it.
  for (const key of sortedKeys(value)) {
    const path = step(base, key);
    if (role === 'param') addKey(walk, path, key);
    else if (key.length >= SCHEMA_KEY_MIN) addLeaf(walk, { path, role, text: key, key: '' });
    walkValue(walk, value[key] ?? null, { path, key: key.toLowerCase(), depth: depth + 1, role });
  }
}

function walkValue(walk: Walk, value: JsonValue, place: Place): void {
  walk.meter.steps += 1;
  if (typeof value === 'string') {
    addLeaf(walk, { path: place.path, role: place.role, text: value, key: place.key });
    return;
  }
  if (typeof value === 'number') {
    const text = Number.isSafeInteger(value) ? String(Math.abs(value)) : '';
    if (text.length >= NUMBER_DIGITS_MIN) addLeaf(walk, { path: place.path, role: place.role, text, key: place.key });
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (place.depth >= FACTS_LIMITS.depthMax) {
    walk.meter.cuts.add('depth');
    return;
  }
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    for (let i = 0; i < items.length; i += 1) {
      walkValue(walk, items[i] ?? null, { path: `${place.path}/${i}`, key: place.key, depth: place.depth + 1, role: place.role });
    }
  } else if (isJsonObject(value)) walkObject(walk, value, place);
}

/**
 * All leaves in canonical order (keys by UTF-16 code units, as RFC 8785 sorts them): params (with keys), then the joined view, content, context and descriptor.
 * A bound that cuts something off is named in `meter.cuts`.
 */
export function leavesOf(action: Action, meter: Meter): Leaf[] {
  const walk: Walk = { meter, leaves: [], keys: new Set(), charsLeft: FACTS_LIMITS.leafCharsMax };
  const top = { key: '', depth: 0 } as const;
  if (action.params !== undefined) walkValue(walk, action.params, { ...top, path: '/params', role: 'param' });
  if (action.content !== undefined) addLeaf(walk, { path: '/content', role: 'content', text: action.content, key: '' });
  if (action.context !== undefined) addLeaf(walk, { path: '/context', role: 'context', text: action.context, key: '' });
  const descriptor = action.descriptor;
  if (descriptor?.description !== undefined) {
    addLeaf(walk, { path: '/descriptor/description', role: 'descriptor', text: descriptor.description, key: '' });
  }
  if (descriptor?.schema !== undefined) walkValue(walk, descriptor.schema, { ...top, path: '/descriptor/schema', role: 'descriptor' });
  return walk.leaves;
}

/** All params leaves joined by one space in canonical order, or undefined where there are fewer than two. */
export function joinedView(leaves: readonly Leaf[]): Leaf | undefined {
  const parts: string[] = [];
  for (const leaf of leaves) if (leaf.role === 'param') parts.push(leaf.text);
  if (parts.length < 2) return undefined;
  return { path: '/params', role: 'joined', text: parts.join(' '), key: '' };
}
