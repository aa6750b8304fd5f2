/**
 * @module When one pattern matches nothing that another does not: a proof by form, never a guess. What it cannot prove it denies.
 */
import { compileHostGlob, compilePathGlob, firstMatch } from './glob.ts';

const WILD = /[*?[\]{}!]/;

/** `*.example.com` to `.example.com`; undefined for any other use of wildcards. */
function suffixOf(pattern: string): string | undefined {
  const rest = pattern.slice(1);
  return pattern.startsWith('*.') && !WILD.test(rest) ? rest : undefined;
}

function hostCovers(wide: string, narrow: string): boolean {
  const [outer, inner] = [wide.toLowerCase(), narrow.toLowerCase()];
  if (outer === inner || outer === '*') return true;
  if (!WILD.test(inner)) {
    const glob = compileHostGlob(outer);
    return glob.ok && firstMatch([glob.value], inner.replace(/\.$/, ''), { steps: 0 }) !== undefined;
  }
  const [suffix, innerSuffix] = [suffixOf(outer), suffixOf(inner)];
  return suffix !== undefined && innerSuffix !== undefined && innerSuffix.endsWith(suffix);
}

/** A plain absolute path: no wildcard, no home, no variable, nothing to be folded away. */
function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !WILD.test(path) && !/[~$\\]|\/\.{0,2}(?:\/|$)/.test(path);
}

function pathCovers(wide: string, narrow: string): boolean {
  if (wide === narrow) return true;
  if (isPlainPath(narrow)) {
    const glob = compilePathGlob(wide, 'permit');
    return glob.ok && firstMatch([glob.value], narrow, { steps: 0 }) !== undefined;
  }
  const directory = wide.endsWith('/**') ? wide.slice(0, -3) : '';
  return isPlainPath(directory) && narrow.startsWith(`${directory}/`) && !/\/\.{0,2}\//.test(narrow);
}

/** Every host that an entry of `narrow` names is named by an entry of `wide`. */
export function coversHosts(wide: readonly string[], narrow: readonly string[]): boolean {
  return narrow.every((entry) => wide.some((other) => hostCovers(other, entry)));
}

/** Every path that an entry of `narrow` matches is matched by an entry of `wide`. */
export function coversPaths(wide: readonly string[], narrow: readonly string[]): boolean {
  return narrow.every((entry) => wide.some((other) => pathCovers(other, entry)));
}

/** A grant covers another where it is the same, or says `*` where that one goes on. */
function scopeCovers(wide: string, narrow: string): boolean {
  return wide === narrow || wide === '*' || (wide.endsWith(':*') && narrow.startsWith(wide.slice(0, -1)));
}

/** Every scope that a grant of `narrow` covers is covered by a grant of `wide`. */
export function coversScopes(wide: readonly string[], narrow: readonly string[]): boolean {
  return narrow.every((entry) => wide.some((other) => scopeCovers(other, entry)));
}
