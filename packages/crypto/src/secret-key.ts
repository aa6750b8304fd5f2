/**
 * @module Key bytes as the platform wants them. Making a KeyObject costs more than using it, so each key array gets one, for as long as
 * the array lives. Key arrays are never written to after they are made.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';

const objects = new WeakMap<Uint8Array, KeyObject>();

/** The one KeyObject of these key bytes. */
export function secretKeyOf(key: Uint8Array): KeyObject {
  const known = objects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key);
  objects.set(key, made);
  return made;
}
