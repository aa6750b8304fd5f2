import { compileHostGlob, compilePathGlob, matchGlob, POLICY_LIMITS } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandFact } from '@countersign/protocol';
import { componentsMeet, normalizePath, patternParts, wildcardReaches, workingDirectories } from '../src/path-reach.ts';

function holds(pattern: string, path: string, intent: 'forbid' | 'permit' = 'permit'): boolean {
  const glob = compilePathGlob(pattern, intent);
  if (!glob.ok) throw new Error(glob.error);
  return matchGlob(glob.value, path, { steps: 0 });
}

function hostHolds(pattern: string, host: string): boolean {
  const glob = compileHostGlob(pattern);
  if (!glob.ok) throw new Error(glob.error);
  return matchGlob(glob.value, host, { steps: 0 });
}

/** Tries everything: slow, obviously right. */
function dull(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern === '/**') return text === '' || text.startsWith('/');
  if (pattern.startsWith('**/')) {
    if (dull(pattern.slice(3), text)) return true;
    return Array.from(text).some((char, i) => char === '/' && dull(pattern.slice(3), text.slice(i + 1)));
  }
  const [head = ''] = pattern;
  if (pattern.startsWith('**')) return true;
  if (head === '*') return Array.from({ length: text.length + 1 }, (_, i) => i).some((i) => dull(pattern.slice(1), text.slice(i)));
  return text !== '' && (head === '?' || head === text[0]) && dull(pattern.slice(1), text.slice(1));
}

const part = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 4 }).filter((text) => !text.includes('**'));
const component = fc.oneof({ weight: 3, arbitrary: part }, { weight: 1, arbitrary: fc.constant('**') });
const pattern = fc
  .array(component, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((text) => text !== '');
const path = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 4 }), { maxLength: 4 }).map((parts) => parts.join('/'));

describe('POL-050 POL-051 POL-052 globs', () => {
  it('agree with a dull reference', () => {
    fc.assert(
      fc.property(pattern, path, (glob, text) => {
        // Alone, `/**` is everything below the root, not a tail.
        fc.pre(glob !== '/**');
        expect(holds(glob, text)).toBe(dull(glob, text));
      }),
      { numRuns: 5000 },
    );
  });
  it.each([
    ['**/.ssh/**', '/home/u/.ssh/id', true],
    ['**/.ssh/**', '/home/u/.ssh', true],
    ['**/.ssh/**', '.ssh', true],
    ['**/.ssh/**', '/home/u/x.ssh/id', false],
    ['/etc/*', '/etc/a/b', true],
    ['**/id_rsa*', 'id_rsa.pub', true],
    ['[!a-c]x', 'dx', true],
    ['[!a-c]x', 'bx', false],
    ['a{b,c}', 'a{b,c}', true],
    ['a{b,c}', 'ab', false],
  ])('%s on %s', (glob, text, expected) => {
    expect(holds(glob, text)).toBe(expected);
  });
  it('forbidding ignores case and knows homes, permitting does not', () => {
    expect(holds('~/.Cfg', '/home/u/.cfg', 'forbid')).toBe(true);
    expect(holds('/root/.cfg', '~/.cfg', 'forbid')).toBe(true);
    expect(holds('~/.cfg', '/home/u/.cfg')).toBe(false);
    expect(holds('$HOME/.cfg', '~/.cfg')).toBe(true);
    expect(holds('/A', '/a')).toBe(false);
  });
  it.each([
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.EXAMPLE.com.', 'a.example.com', true],
    ['{a,b}.example', 'b.example', true],
    ['n[0-9].example', 'n5.example', true],
    ['n[0-9].example', 'nx.example', false],
    ['::1', '::1', true],
    ['*', 'anything', true],
  ])('host %s on %s', (glob, host, expected) => {
    expect(hostHolds(glob, host)).toBe(expected);
  });
  it('braces stop at their limit', () => {
    const braces = (count: number): string => `{${Array.from({ length: count }, (_, i) => `h${String(i)}`).join(',')}}.example`;
    expect(compileHostGlob(braces(POLICY_LIMITS.globBranchesMax)).ok).toBe(true);
    expect(compileHostGlob(braces(POLICY_LIMITS.globBranchesMax + 1)).ok).toBe(false);
  });
  it('never take more than pattern times text steps', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('**/a*a*a*a*b', '*a*a*a*a*a*c', '**/a/**/a/**/b', '*?*?*?*?x'),
        fc.constantFrom('a', 'a/', 'aab'),
        fc.nat(200),
        (glob, unit, times) => {
          const compiledGlob = compilePathGlob(glob, 'permit');
          const text = `${unit.repeat(times)}b`.slice(0, -1) + 'cbx'.slice(0, 1);
          const counter = { steps: 0 };
          if (compiledGlob.ok) matchGlob(compiledGlob.value, text, counter);
          expect(counter.steps).toBeLessThanOrEqual(4 * (glob.length + 1) * (text.length + 2));
        },
      ),
    );
  });
});

describe('POL-053 paths', () => {
  it('normalizing twice is normalizing once', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '/', '\\') }), (text) => {
        expect(normalizePath(normalizePath(text))).toBe(normalizePath(text));
      }),
    );
  });
  it('a working directory is followed up to its limit, and known again after an absolute `cd`', () => {
    const cd = (target: string): CommandFact => ({
      span: { path: '/params/command', start: 0, end: 1 },
      name: 'cd',
      args: [target],
      line: `cd ${target}`,
      wrappers: [],
      redirects: [],
      pipedFrom: -1,
      via: 'top',
      dynamic: false,
      program: '',
      subshell: false,
    });
    const max = POLICY_LIMITS.directoryCharsMax;
    const at = `/${'a'.repeat(max - 1)}`;
    const relative = Array.from({ length: 2000 }, () => cd('abcdefg'));
    expect(workingDirectories([cd(at), cd('/x')])[1]).toBe(at);
    expect(workingDirectories([cd(`${at}a`), cd('/x')])[1]).toBeUndefined();
    expect(workingDirectories([cd('/'), ...relative]).every((directory) => (directory?.length ?? 0) <= max)).toBe(true);
    expect(workingDirectories([cd('/'), ...relative, cd('/etc'), cd('x')]).at(-1)).toBe('/etc');
  });
  it('components meet exactly when some text matches both', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 4 });
    const texts = ['', 'a', 'b', ...['a', 'b'].flatMap((x) => ['a', 'b'].flatMap((y) => [x + y, `${x}${y}a`, `${x}${y}b`]))];
    const long = texts.flatMap((x) => texts.flatMap((y) => [x + y]));
    fc.assert(
      fc.property(piece, piece, (a, b) => {
        const one = (glob: string, text: string): boolean => dull(glob.replaceAll(/\*+/g, '*'), text);
        expect(componentsMeet(a, b, { steps: 0 })).toBe(long.some((text) => one(a, text) && one(b, text)));
      }),
      { numRuns: 500 },
    );
  });
  it.each([
    ['/etc/sh?dow', '/etc/shadow', true],
    ['/etc/s*', '/etc/shadow', true],
    ['/etc/*', '/etc/shadow', false],
    ['*', '**/id_rsa*', false],
    ['*.ts', '**/id_rsa*', false],
    ['~/.ss*/x', '**/.ssh/**', true],
    ['id_*', '**/id_rsa*', true],
    ['*env', '**/.env', false],
    ['*.json', '**/application_default_credentials.json', false],
  ])('the wildcard %s and the pattern %s', (text, forbidden, expected) => {
    const parts = patternParts(forbidden);
    expect(parts !== undefined && wildcardReaches(text, parts, { steps: 0 })).toBe(expected);
  });
});
