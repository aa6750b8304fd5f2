/** @module Scopes of agents and tools: `*`, or at least three parts `category:subcategory:operation`. */
import { err, ok, type Fault, type Result } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';

const SCOPE = /^(?:\*|(?:[a-z0-9_.-]+|\*)(?::(?:[a-z0-9_.-]+|\*))+)$/;

type ScopeFault = Fault<'invalid_scope'>;

function refused(message: string, path: string): Result<never, ScopeFault> {
  return err({ code: 'invalid_scope', message, path, hint: 'write scopes like `db:query:read`, `fs:*` or `*`' });
}

/** Checks the scope a tool asks for: exactly what an agent may be granted, without wildcards. */
export function checkToolScope(scope: string): Result<string, ScopeFault> {
  if (scope.length > STORE_LIMITS.scopeCharsMax) return refused(`a scope has at most ${STORE_LIMITS.scopeCharsMax} characters`, '/scope');
  if (!SCOPE.test(scope) || scope.includes('*') || scope.split(':').length < 3) {
    return refused('a tool scope has at least three parts and no `*`', '/scope');
  }
  return ok(scope);
}

/** Checks the scopes granted to an agent; gives them back without repetitions. */
export function checkScopes(scopes: readonly string[]): Result<readonly string[], ScopeFault> {
  const distinct = [...new Set(scopes)];
  if (distinct.length > STORE_LIMITS.scopesMax) return refused(`an agent has at most ${STORE_LIMITS.scopesMax} scopes`, '/scopes');
  for (const [i, scope] of distinct.entries()) {
    if (scope.length > STORE_LIMITS.scopeCharsMax || !SCOPE.test(scope)) return refused('not a scope', `/scopes/${i}`);
  }
  if (distinct.join(' ').length > STORE_LIMITS.scopesCharsMax) {
    return refused(`the scopes of an agent have at most ${STORE_LIMITS.scopesCharsMax} characters together`, '/scopes');
  }
  return ok(distinct);
}
