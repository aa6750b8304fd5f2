/**
 * @module The way back from `parseJson`: JSON text in which the numbers that were kept as literals are numbers again.
 */
import type { JsonValue } from './json.ts';
import { isNumberLiteral } from './json-number.ts';

/** Pointers as a tree, so that only branches which hold an exact number are walked by us. */
interface Branch {
  exact: boolean;
  readonly children: Map<string, Branch>;
}

function branchesOf(pointers: readonly string[]): Branch {
  const root: Branch = { exact: false, children: new Map() };
  for (const text of pointers) {
    let branch = root;
    for (const step of text.split('/').slice(1)) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      const next: Branch = branch.children.get(key) ?? { exact: false, children: new Map() };
      branch.children.set(key, next);
      branch = next;
    }
    branch.exact = true;
  }
  return root;
}

function write(value: JsonValue, branch: Branch | undefined): string {
  if (branch === undefined || value === null) return JSON.stringify(value);
  // SECURITY: only the text of a number is ever written raw; whatever else a modification put there is a string.
  if (typeof value === 'string') return branch.exact && isNumberLiteral(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue, i) => write(item, branch.children.get(String(i)))).join(',')}]`;
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${write(item, branch.children.get(key))}`);
  return `{${members.join(',')}}`;
}

/**
 * JSON text of a value from `parseJson`, with the literals at `exactNumbers` as numbers. A string at such a pointer that is not
 * a number literal (a redaction, say) stays a string; a pointer to nothing is ignored. Linear.
 */
export function stringifyExact(value: JsonValue, exactNumbers: readonly string[]): string {
  return exactNumbers.length === 0 ? JSON.stringify(value) : write(value, branchesOf(exactNumbers));
}
