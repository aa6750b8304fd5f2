import { readFileSync } from 'node:fs';

/** The cases of one file in `vectors/facts`; their shape is the caller's to say. */
export function vectorsOf(name: string): readonly unknown[] {
  const text = readFileSync(new URL(`../../../vectors/facts/${name}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly cases: readonly unknown[] }).cases;
}
