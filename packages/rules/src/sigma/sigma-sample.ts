/** @module A text that an expression matches, for examples: the first alternative, the fewest repetitions. */
import type { PatternNode } from '../pattern-syntax.ts';

const LIKED = 'abcdefghijklmnopqrstuvwxyz0123456789';

function unitOf(set: Uint8Array): string | undefined {
  for (const letter of LIKED) if ((set[letter.charCodeAt(0)] ?? 0) > 0) return letter;
  for (let code = 32; code < 127; code += 1) if ((set[code] ?? 0) > 0) return String.fromCharCode(code);
  return undefined;
}

/** Undefined where a look-around or a rare character stands in the way; what is given should still be tried. */
export function sampleOf(node: PatternNode): string | undefined {
  switch (node.kind) {
    case 'unit':
      return node.text ?? unitOf(node.set);
    case 'edge':
      return '';
    case 'look':
      return undefined;
    case 'repeat':
      return sampleOf(node.item)?.repeat(node.min);
    case 'choice':
      for (const item of node.items) {
        const sample = sampleOf(item);
        if (sample !== undefined) return sample;
      }
      return undefined;
    case 'sequence':
      break;
  }
  const parts = node.items.map(sampleOf);
  return parts.includes(undefined) ? undefined : parts.join('');
}
