/** Language-neutral vectors of this package, read once. */
import { readFileSync } from 'node:fs';

export interface NumberVectors {
  readonly valid: readonly { readonly ieee: string; readonly canonical: string }[];
  readonly invalid: readonly { readonly ieee: string; readonly why: string }[];
}

export interface ValidVector {
  readonly name: string;
  readonly text: string;
  readonly canonical: string;
  readonly exactNumbers: readonly string[];
}

export interface InvalidVector {
  readonly name: string;
  readonly code: string;
  readonly path: string;
  readonly span: readonly [number, number];
  readonly text?: string;
  readonly hex?: string;
}

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../vectors/canonical-json/${name}`, import.meta.url), 'utf8')) as T;
}
