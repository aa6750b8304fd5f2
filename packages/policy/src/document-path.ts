/**
 * @module Paths of a document as people write them, and safe steps into plain JSON.
 */
import { getOwn, isJsonObject, type JsonArray, type JsonValue } from '@countersign/kernel';

/** `guards.egress.allow[3]`: how people write a path. */
export function dotted(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${String(key)}]`;
  const plain = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? plain : `${path}.${plain}`;
}

/** Own value at a key of something that may be an object. */
export function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) ? getOwn(value, key) : undefined;
}

/** A list, or an empty one. */
export function itemsOf(value: JsonValue | undefined): JsonArray {
  return Array.isArray(value) ? (value as JsonArray) : [];
}
