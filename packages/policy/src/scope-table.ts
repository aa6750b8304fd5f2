/**
 * @module The scopes that `scopeForTool` can give where the table names every part, and what a permission level stands for.
 */

function each(prefix: string, parts: readonly string[]): readonly string[] {
  return parts.map((part) => `${prefix}:${part}`);
}

/** Closed rows of the table; `payment`, `agent`, `unknown`, `exec:function` and `net:webhook` are open and hold more than stands here. */
export const KNOWN_SCOPES: readonly string[] = [
  'exec:shell:run',
  ...each('fs:file', ['read', 'write', 'delete']),
  ...each('db:query', ['read']),
  ...each('db:mutate', ['read', 'write', 'delete']),
  ...each('db:schema', ['read', 'write', 'delete', 'destructive']),
  ...each('net:http', ['outbound', 'inbound']),
  ...['auth', 'secret', 'credential', 'token', 'oauth'].flatMap((what) => each(`auth:${what}`, ['read', 'write', 'delete', 'refresh'])),
  ...['email', 'slack', 'messaging', 'sms', 'notification'].flatMap((what) => each(`comms:${what}`, ['send', 'read'])),
  'exec:code:eval',
  ...['tcp', 'dns', 'socket'].flatMap((layer) => each(`net:${layer}`, ['resolve', 'connect', 'scan'])),
  ...['infra', 'iam', 'storage'].flatMap((area) => each(`cloud:${area}`, ['provision', 'modify', 'delete', 'write'])),
  ...each('scm:git', ['push', 'commit', 'read', 'merge', 'branch', 'delete']),
  'browser:page:navigate',
  'llm:input:prompt',
  'llm:output:response',
  ...['payment', 'billing', 'stripe', 'checkout', 'invoice', 'refund'].flatMap((what) => each(`payment:${what}`, ['read', 'write'])),
  ...each('agent:user', ['read', 'write', 'delete']),
  ...['delegate', 'handoff', 'spawn', 'a2a', 'config', 'settings'].map((what) => `agent:${what}:run`),
  'net:webhook:send',
  'exec:function:invoke',
];

/** What an operator can give an agent in one category without naming scopes. */
export const PERMISSION_LEVELS = ['read_only', 'read_write', 'full'] as const;
export type PermissionLevel = (typeof PERMISSION_LEVELS)[number];

const READS: ReadonlySet<string> = new Set(['read', 'resolve', 'response', 'prompt', 'navigate', 'inbound']);
const GRAVE: ReadonlySet<string> = new Set(['delete', 'destructive', 'scan']);

/** Categories of the table. */
export const SCOPE_CATEGORIES: readonly string[] = [...new Set(KNOWN_SCOPES.map((scope) => scope.split(':')[0] ?? ''))];

/**
 * The grants of a level in one category: `full` is everything below it; `read_only` what only looks; `read_write` what looks and changes,
 * without what destroys. What runs programs has no halves: below `full`, `exec` grants nothing.
 * @returns Undefined for a category that the table does not know.
 */
export function scopesOfLevel(category: string, level: PermissionLevel): readonly string[] | undefined {
  if (!SCOPE_CATEGORIES.includes(category)) return undefined;
  if (level === 'full') return [`${category}:*`];
  if (category === 'exec') return [];
  return KNOWN_SCOPES.filter((scope) => {
    const [area, , action = ''] = scope.split(':');
    return area === category && (READS.has(action) || (level === 'read_write' && !GRAVE.has(action)));
  });
}
