import { describe, expect, it } from 'vitest';
import { readGrants } from '../src/grants.ts';

describe('POL-266 grants by level', () => {
  it('stand for the scopes of their category, and scopes for themselves, each once', () => {
    expect(readGrants(['fs=read_write', 'fs:file:read', 'git:any:thing'])).toEqual(['fs:file:read', 'fs:file:write', 'git:any:thing']);
    expect(readGrants(['exec=full', '*'])).toEqual(['exec:*', '*']);
    expect(readGrants([])).toEqual([]);
  });

  it.each([
    ['fs=most', 'is no level'],
    ['oven=full', 'is no level'],
    ['=full', 'is no level'],
    ['exec=read_only', 'grants nothing'],
  ])('%s %s', (given, said) => {
    expect(() => readGrants([given])).toThrow(said);
  });
});
