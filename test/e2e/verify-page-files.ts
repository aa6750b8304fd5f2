/** @module What the tests of the page give it: the vectors of bundles, and receipts that say something else. */
import { readFileSync } from 'node:fs';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { Trust } from '@countersign/receipts/verify';
import type { Given } from './verify-page-world.ts';

export interface Vector {
  readonly name: string;
  readonly bundles: readonly string[];
  readonly trust: Trust;
  readonly ok: boolean;
  /** For sessions: when what is due is judged. */
  readonly now?: string;
}

export interface ConsistencyVector {
  readonly name: string;
  readonly file: string;
  readonly trust: Trust;
  readonly expect: { readonly ok: boolean };
  /** A checkpoint that the verifier kept. */
  readonly seen?: string;
}

export interface SessionVector {
  readonly name: string;
  readonly files: readonly string[];
  readonly trust: Trust;
  readonly now?: string;
  readonly expect: { readonly ok: boolean };
}

interface ExtendedVector {
  readonly name: string;
  readonly file: string;
  readonly trust: Trust;
  readonly expect: { readonly ok: boolean };
}

function vectorsOf(name: 'valid' | 'invalid' | 'extended' | 'consistency' | 'consistency-seeded' | 'sessions'): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/bundle/${name}.json`, import.meta.url), 'utf8')) as unknown;
}

export const VECTORS = [...(vectorsOf('valid') as Vector[]), ...(vectorsOf('invalid') as Vector[])];
export const CONSISTENCY = (['consistency', 'consistency-seeded'] as const).flatMap(
  (name) => (vectorsOf(name) as { cases: ConsistencyVector[] }).cases,
);
export const SESSION_FILES = (vectorsOf('sessions') as { cases: SessionVector[] }).cases;
/** The page reads a line that is given twice once, so it cannot be asked about a key that is trusted twice. */
const EXTENDED = (vectorsOf('extended') as { cases: ExtendedVector[] }).cases
  .filter(({ trust }) => new Set(trust.vkeys).size === trust.vkeys.length)
  .map(({ name, file, trust, expect }): Vector => ({ name, bundles: [file], trust, ok: expect.ok }));
export const SINGLE = [...VECTORS.filter(({ bundles }) => bundles.length === 1), ...EXTENDED];
export const SESSIONS = VECTORS.filter(({ bundles }) => bundles.length > 1);

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function vector(name: string): Vector {
  const found = VECTORS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no vector is named ${name}`);
  return found;
}

export const RECEIPT = vector('receipt with everything disclosed');
export const RECEIPT_TEXT = RECEIPT.bundles[0] ?? '';
export const RECEIPT_FILE: Given = { name: 'receipt.countersign.json', bytes: utf8(RECEIPT_TEXT) };
export const WHOLE = vector('session, whole and ended');

export function filesOf({ bundles, name }: Vector): readonly Given[] {
  return bundles.map((text, i) => ({ name: `${name} ${i}`, bytes: utf8(text) }));
}

/** A receipt that says other things, canonical again; its proof is of what it said before. */
export function saying(change: (body: Record<string, JsonValue>) => void): Uint8Array {
  const bundle = JSON.parse(RECEIPT_TEXT) as { entry: { body: Record<string, JsonValue> } };
  change(bundle.entry.body);
  return utf8(canonicalize(bundle));
}
