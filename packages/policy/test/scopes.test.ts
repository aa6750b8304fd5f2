import { parseScope, scopeForTool, scopeMatches } from '@countersign/policy';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('POL-070 POL-071 POL-072 scopes', () => {
  it.each([
    ['*', 'db:query:read', true],
    ['db:query:read', 'db:query:read', true],
    ['db:query:read:pii', 'db:query:read', true],
    ['db:query:read', 'db:query:read:pii', false],
    ['db:query', 'db:query:read', false],
    ['db:*', 'db:query:read', true],
    ['db:*:read', 'db:query:write', true],
    ['fs:file:read', 'fs:file:write', false],
    ['', 'db:query:read', false],
    ['db:query:read', '', false],
    ['db::read', 'db::read', false],
  ])('grant %s, request %s', (grant, requested, expected) => {
    expect(scopeMatches(grant, requested)).toBe(expected);
  });
  it('a grant covers itself, and never more than `*` does', () => {
    const word = fc.stringMatching(/^[a-z]{1,6}$/);
    const scope = fc.tuple(word, word, word).map((parts) => parts.join(':'));
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        expect(scopeMatches(a, a)).toBe(true);
        expect(scopeMatches('*', a)).toBe(true);
        expect(scopeMatches(a, b)).toBe(a === b);
      }),
    );
  });
  it.each(['a:b:c', 'db:query:read'])('%s is a scope', (text) => expect(parseScope(text)).toBeDefined());
  it.each(['', 'a:b', 'a:b:c:d', ':b:c', 'a::c', 'a:b:', 'x'.repeat(300)])('%j is none', (text) =>
    expect(parseScope(text)).toBeUndefined(),
  );
  it.each([
    ['shell.exec', 'exec:shell:run'],
    ['process_list', 'exec:shell:run'],
    ['filesystem.read', 'fs:file:read'],
    ['filesystem.write', 'fs:file:write'],
    ['filesystem.delete', 'fs:file:delete'],
    ['filesystem', 'fs:file:read'],
    ['database.query', 'db:query:read'],
    ['database.mutate', 'db:mutate:write'],
    ['database.schema', 'db:schema:write'],
    ['http.fetch', 'net:http:outbound'],
    ['http.inbound', 'net:http:inbound'],
    ['secret.read', 'auth:secret:read'],
    ['credential.rotate', 'auth:credential:refresh'],
    ['email.send', 'comms:email:send'],
    ['email.search', 'comms:email:read'],
    ['code.run', 'exec:code:eval'],
    ['network.scan', 'net:tcp:scan'],
    ['dns.lookup', 'net:dns:resolve'],
    ['kubernetes.apply', 'cloud:infra:write'],
    ['cloud.storage.delete', 'cloud:storage:delete'],
    ['git.push', 'scm:git:push'],
    ['browser.open', 'browser:page:navigate'],
    ['agent.delegate', 'agent:delegate:run'],
    ['llm.prompt', 'llm:input:prompt'],
    ['llm.output', 'llm:output:response'],
    ['payment.refund', 'payment:payment:refund'],
    ['user.delete', 'agent:user:delete'],
    ['webhook.send', 'net:webhook:send'],
    ['lambda.invoke', 'exec:function:invoke'],
    ['frobnicate.now', 'unknown:frobnicate:now'],
    ['', 'unknown:tool:call'],
    ['__proto__', 'unknown:proto:call'],
  ])('%s asks for %s', (tool, expected) => {
    expect(scopeForTool(tool)).toBe(expected);
    expect(parseScope(scopeForTool(tool))).toBeDefined();
  });
  it.each([
    ['SELECT 1', 'db:query:read'],
    ['  drop table x', 'db:schema:destructive'],
    ['DELETE FROM x', 'db:mutate:delete'],
    ['update x set a=1', 'db:mutate:write'],
    ['alter table x', 'db:schema:write'],
  ])('a database call with %s asks for %s', (query, expected) => {
    expect(scopeForTool('database.query', { query })).toBe(expected);
    expect(scopeForTool('database.query', { sql: query })).toBe(expected);
  });
  it('every name gives a scope', () => {
    fc.assert(
      fc.property(fc.string(), (tool) => {
        expect(parseScope(scopeForTool(tool))).toBeDefined();
      }),
    );
  });
});
