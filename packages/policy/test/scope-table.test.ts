import { describe, expect, it } from 'vitest';
import {
  KNOWN_SCOPES,
  parseScope,
  PERMISSION_LEVELS,
  SCOPE_CATEGORIES,
  scopeForTool,
  scopeMatches,
  scopesOfLevel,
} from '@countersign/policy';

/** Every prefix of the table, with the scopes that its tools can ask for. `*` where the table leaves a part to the tool. */
const ROWS: readonly (readonly [prefixes: string, scope: string])[] = [
  ['shell process', 'exec:shell:run'],
  ['filesystem', 'fs:file:{read,write,delete}'],
  ['database', 'db:{query,mutate,schema}:{read,write,delete,destructive}'],
  ['http api rest graphql grpc', 'net:http:{outbound,inbound}'],
  ['auth secret credential token oauth', 'auth:PREFIX:{read,write,delete,refresh}'],
  ['email slack messaging sms notification', 'comms:PREFIX:{send,read}'],
  ['code eval python interpret', 'exec:code:eval'],
  ['network dns socket connect', 'net:{tcp,dns,socket}:{resolve,connect,scan}'],
  ['cloud infra deploy kubernetes k8s', 'cloud:{infra,iam,storage}:{provision,modify,delete,write}'],
  ['git vcs', 'scm:git:{push,commit,read,merge,branch,delete}'],
  ['browser scrape navigate screenshot', 'browser:page:navigate'],
  ['agent delegate handoff spawn a2a config settings', 'agent:*:*'],
  ['llm', 'llm:{input,output}:{prompt,response}'],
  ['payment billing stripe checkout invoice refund', 'payment:PREFIX:*'],
  ['user account profile', 'agent:user:*'],
  ['webhook callback', 'net:webhook:*'],
  ['function invoke lambda', 'exec:function:*'],
];
const WORDS = [
  '',
  '.read',
  '.write',
  '.delete',
  '.run',
  '.send',
  '.outbound',
  '.inbound',
  '.scan',
  '.push',
  '.iam.modify',
  '.schema.drop',
  '.output',
  '.xyz',
];
const cases = ROWS.flatMap(([prefixes, scope]) => prefixes.split(' ').map((prefix) => [prefix, scope.replace('PREFIX', prefix)] as const));

function fits(part: string, pattern: string): boolean {
  if (pattern === '*') return part !== '';
  return pattern.startsWith('{') ? pattern.slice(1, -1).split(',').includes(part) : part === pattern;
}

describe('POL-266 the table of scopes', () => {
  it.each(cases)('%s asks for %s, whatever follows', (prefix, pattern) => {
    for (const word of WORDS) {
      const scope = scopeForTool(`${prefix}${word}`);
      const parts = scope.split(':');
      const patterns = pattern.split(':');
      expect([scope, parts.length, parts.every((part, i) => fits(part, patterns[i] ?? ''))]).toEqual([scope, 3, true]);
      if (!pattern.includes('*')) expect(KNOWN_SCOPES).toContain(scope);
    }
  });

  it('knows nothing else, and no scope twice', () => {
    expect(scopeForTool('oven.bake')).toBe('unknown:oven:bake');
    expect(new Set(KNOWN_SCOPES).size).toBe(KNOWN_SCOPES.length);
    for (const scope of KNOWN_SCOPES) expect(parseScope(scope)).toBeDefined();
    expect([...SCOPE_CATEGORIES].toSorted()).toEqual('agent auth browser cloud comms db exec fs llm net payment scm'.split(' '));
  });

  it('a level grants no more than the next, full grants all, and running programs has no halves', () => {
    for (const category of SCOPE_CATEGORIES) {
      const [reads = [], writes = [], full = []] = PERMISSION_LEVELS.map((level) => scopesOfLevel(category, level) ?? []);
      expect(full).toEqual([`${category}:*`]);
      for (const scope of reads) expect(writes).toContain(scope);
      for (const scope of writes) expect(full.some((grant) => scopeMatches(grant, scope))).toBe(true);
    }
    expect([scopesOfLevel('exec', 'read_only'), scopesOfLevel('exec', 'read_write'), scopesOfLevel('oven', 'full')]).toEqual([
      [],
      [],
      undefined,
    ]);
    expect(scopesOfLevel('db', 'read_only')).toEqual(['db:query:read', 'db:mutate:read', 'db:schema:read']);
    expect(scopesOfLevel('fs', 'read_write')).toEqual(['fs:file:read', 'fs:file:write']);
    expect(scopesOfLevel('db', 'read_write')).not.toContain('db:schema:destructive');
  });
});
