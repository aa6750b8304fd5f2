/** Rules of the house that no linter knows: each is one test, and names the file that breaks it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.build', 'coverage', '.countersign']);
const BYTES_MAX = 400_000;

function walk(folder: string, into: string[]): string[] {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(path, into);
    else if (entry.isFile()) into.push(relative(ROOT, path));
  }
  return into;
}

const files = walk(ROOT, []);
const sources = files.filter((file) => ['.ts', '.mjs'].includes(extname(file)));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Written in two parts, so that this file does not break its own rule. */
const REGISTRY_HOSTS = [
  ['registry.npm', 'js.org'],
  ['npm', 'js.com'],
  ['registry.yarn', 'pkg.com'],
  ['pypi', '.org'],
  ['python', 'hosted.org'],
  ['crates', '.io'],
  ['ruby', 'gems.org'],
  ['proxy.golang', '.org'],
  ['repo.maven', '.apache.org'],
].map((parts) => parts.join(''));

const MACHINE_PATHS = [
  ['/work', '/main'],
  ['/work', '/shared'],
].map((parts) => parts.join(''));

function filesThatContain(needles: readonly string[], among: readonly string[]): string[] {
  return among.flatMap((file) => {
    const text = read(file);
    return needles.filter((needle) => text.includes(needle)).map((needle) => `${file}: ${needle}`);
  });
}

describe('what may not be in a file', () => {
  it('no host name of a package registry: egress lists name the host set `package-registries`', () => {
    expect(filesThatContain(REGISTRY_HOSTS, files)).toEqual([]);
  });

  it('no absolute path of the machine it was written on', () => {
    expect(filesThatContain(MACHINE_PATHS, files)).toEqual([]);
  });

  it('nothing is left for later in the sources', () => {
    const later = [
      ['TO', 'DO'],
      ['FIX', 'ME'],
      ['X', 'XX:'],
      ['for', ' now'],
    ].map((parts) => parts.join(''));
    const code = sources.filter((file) => /^(packages|apps)\/[^/]+\/(src|bin|tools)\/|^scripts\//.test(file));
    expect(code.length).toBeGreaterThan(50);
    expect(filesThatContain(later, code)).toEqual([]);
  });

  it('no address in the lockfile but those of the workspaces', () => {
    const lock: { packages: Record<string, { resolved?: string }> } = JSON.parse(read('package-lock.json'));
    const addresses = Object.entries(lock.packages).filter(
      ([, entry]) => entry.resolved !== undefined && /^[a-z+]+:/i.test(entry.resolved),
    );
    expect(addresses.map(([path]) => path)).toEqual([]);
  });
});

describe('names and sizes', () => {
  it('no folder that could hold anything', () => {
    const banned = new Set(['utils', 'util', 'common', 'helpers', 'helper', 'misc', 'shared', 'lib']);
    const wrong = files.filter(
      (file) =>
        file
          .split('/')
          .slice(0, -1)
          .some((part) => banned.has(part)) || banned.has(basename(file, extname(file))),
    );
    expect(wrong).toEqual([]);
  });

  it('sources are named in kebab-case', () => {
    const wrong = sources.filter(
      (file) => !/^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.(?:ts|mjs)$/.test(basename(file)),
    );
    expect(wrong).toEqual([]);
  });

  it(`no file over ${BYTES_MAX} bytes`, () => {
    expect(files.filter((file) => statSync(join(ROOT, file)).size > BYTES_MAX)).toEqual([]);
  });

  it('AGENTS.md is at most 150 lines', () => {
    expect(read('AGENTS.md').split('\n').length).toBeLessThanOrEqual(151);
  });
});

describe('requirements', () => {
  // An id is defined where a line of a spec begins with it, whatever list, table or heading marks stand before it.
  const DEFINED = /^[\s#>|*-]*[`*]*([A-Z]{2,8}-\d{3})\b/gm;
  const specs = files.filter((file) => file.startsWith('spec/') && file.endsWith('.md'));
  const tests = files.filter((file) => /(^|\/)test\//.test(file) && file !== 'test/tidy.test.ts' && extname(file) === '.ts');
  const defined = new Map(specs.flatMap((file) => [...read(file).matchAll(DEFINED)].map((match) => [match[1] ?? '', file] as const)));
  const prefixes = [...new Set([...defined.keys()].map((id) => id.split('-')[0]))];
  const cited = new Map<string, string>();
  if (prefixes.length > 0) {
    const CITED = new RegExp(`\\b(?:${prefixes.join('|')})-\\d{3}\\b`, 'g');
    for (const file of tests) for (const match of read(file).matchAll(CITED)) cited.set(match[0], file);
  }

  it('every requirement of the specs is cited by a test', () => {
    expect(defined.size).toBeGreaterThan(0);
    expect([...defined].filter(([id]) => !cited.has(id)).map(([id, file]) => `${id} (${file})`)).toEqual([]);
  });

  it('every requirement a test cites is in a spec', () => {
    expect([...cited].filter(([id]) => !defined.has(id)).map(([id, file]) => `${id} (${file})`)).toEqual([]);
  });
});
