/** Language-neutral vectors of this package, read once. */
import { readFileSync } from 'node:fs';

interface NumberVectors {
  readonly valid: readonly { readonly ieee: string; readonly canonical: string }[];
  readonly invalid: readonly { readonly ieee: string; readonly why: string }[];
}

interface ValidVector {
  readonly name: string;
  readonly text: string;
  readonly canonical: string;
  readonly exactNumbers: readonly string[];
}

interface InvalidVector {
  readonly name: string;
  readonly code: string;
  readonly path: string;
  readonly span: readonly [number, number];
  readonly text?: string;
  readonly hex?: string;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../vectors/canonical-json/${name}`, import.meta.url), 'utf8'));
}

export const NUMBERS: NumberVectors = read('numbers.json') as NumberVectors;
export const VALID: readonly ValidVector[] = (read('valid.json') as { cases: ValidVector[] }).cases;
export const INVALID: readonly InvalidVector[] = (read('invalid.json') as { cases: InvalidVector[] }).cases;
