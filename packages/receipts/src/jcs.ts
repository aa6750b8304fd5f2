/** @module RFC 8785 text of our own nouns, which are JSON values whose types are narrower than `JsonValue`. */
import { canonicalize, type JsonValue } from '@countersign/kernel';

const encoder = new TextEncoder();

/** Canonical text. */
export function jcs(noun: object): string {
  // The nouns are interfaces of JSON members only, which TypeScript does not see as an index signature.
  return canonicalize(noun as unknown as JsonValue);
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of well-formed UTF-8, or undefined. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
