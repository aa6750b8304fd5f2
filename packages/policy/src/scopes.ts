/**
 * @module Scopes `category:subcategory:action`: what an agent was granted, what a tool asks for. Grammar and table are those
 * of the Clampd door; a grant covers a request when each part of the request is covered, so a longer grant covers a shorter
 * request and never the reverse.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';

export interface Scope {
  readonly category: string;
  readonly subcategory: string;
  readonly action: string;
}

/** Characters of a scope or grant; longer ones are no scopes. */
const SCOPE_CHARS_MAX = 256;

/** Exactly three parts, none empty; anything else is undefined. */
export function parseScope(text: string): Scope | undefined {
  if (text.length > SCOPE_CHARS_MAX) return undefined;
  const [category = '', subcategory = '', action = '', ...rest] = text.split(':');
  return category === '' || subcategory === '' || action === '' || rest.length > 0 ? undefined : { category, subcategory, action };
}

/**
 * Does a grant cover a request? `*` alone is everything and a part `*` is everything below; a grant may say more than is
 * asked (`db:query:read:pii` covers `db:query:read`), never less (`db:query` does not cover it).
 */
export function scopeMatches(grant: string, requested: string): boolean {
  if (grant.length > SCOPE_CHARS_MAX || requested.length > SCOPE_CHARS_MAX || requested === '') return false;
  if (grant === '*') return true;
  const granted = grant.split(':');
  for (const [i, part] of requested.split(':').entries()) {
    if (granted[i] === '*') return true;
    if (part === '' || granted[i] !== part) return false;
  }
  return true;
}

interface Words {
  readonly prefix: string;
  /** Words of the name after the prefix. */
  readonly rest: readonly string[];
  readonly params: JsonValue | undefined;
}

type Derive = (words: Words) => string;

const VERBS: readonly (readonly [verb: string, words: readonly string[]])[] = [
  ['delete', ['delete', 'remove', 'rm', 'unlink', 'destroy', 'drop', 'purge', 'terminate', 'revoke', 'trash']],
  [
    'write',
    [
      'write',
      'create',
      'update',
      'insert',
      'put',
      'post',
      'save',
      'append',
      'edit',
      'patch',
      'modify',
      'set',
      'upload',
      'move',
      'rename',
      'copy',
      'mkdir',
      'add',
    ],
  ],
  ['refresh', ['refresh', 'rotate', 'renew']],
  [
    'read',
    ['read', 'get', 'list', 'search', 'find', 'query', 'select', 'fetch', 'view', 'show', 'describe', 'stat', 'download', 'open', 'check'],
  ],
];

function verbOf(words: Words, offered: readonly string[], fallback: string): string {
  for (const [verb, spellings] of VERBS) {
    if (offered.includes(verb) && words.rest.some((word) => spellings.includes(word))) return verb;
  }
  return fallback;
}

function wordIn(words: Words, offered: readonly string[], fallback: string): string {
  return words.rest.find((word) => offered.includes(word)) ?? fallback;
}

function safeWord(word: string | undefined, fallback: string): string {
  return word !== undefined && /^[a-z0-9][a-z0-9-]{0,63}$/.test(word) ? word : fallback;
}

const SQL_PARAMS = ['query', 'sql', 'statement'] as const;
const MUTATIONS: ReadonlySet<string> = new Set(['insert', 'update', 'merge', 'replace', 'upsert', 'copy', 'call', 'exec', 'execute']);
const SCHEMA_CHANGES: ReadonlySet<string> = new Set(['drop', 'truncate', 'alter', 'create', 'grant', 'revoke']);

/** First word of the statement in the parameters, where there is one. */
function statementWord(params: JsonValue | undefined): string | undefined {
  if (!isJsonObject(params)) return undefined;
  for (const key of SQL_PARAMS) {
    const text = getOwn(params, key);
    if (typeof text === 'string') return /^[\s(]{0,64}([A-Za-z]{1,16})/.exec(text)?.[1]?.toLowerCase();
  }
  return undefined;
}

function databaseScope(words: Words): string {
  const statement = statementWord(words.params);
  if (statement !== undefined && SCHEMA_CHANGES.has(statement))
    return `db:schema:${statement === 'drop' || statement === 'truncate' ? 'destructive' : 'write'}`;
  if (statement === 'delete') return 'db:mutate:delete';
  if (statement !== undefined && MUTATIONS.has(statement)) return 'db:mutate:write';
  const area = wordIn(words, ['query', 'mutate', 'schema'], 'query');
  const verb = verbOf(words, ['delete', 'write', 'read'], area === 'query' ? 'read' : 'write');
  return area === 'query' && verb !== 'read' ? `db:mutate:${verb}` : `db:${area}:${verb}`;
}

const TABLE: readonly (readonly [prefixes: readonly string[], derive: Derive])[] = [
  [['shell', 'process'], () => 'exec:shell:run'],
  [['filesystem', 'file', 'fs'], (words) => `fs:file:${verbOf(words, ['delete', 'write', 'read'], 'read')}`],
  [['database', 'db', 'sql'], databaseScope],
  [['http', 'api', 'rest', 'graphql', 'grpc'], (words) => `net:http:${wordIn(words, ['inbound'], 'outbound')}`],
  [
    ['auth', 'secret', 'credential', 'token', 'oauth'],
    ({ prefix, ...words }) => `auth:${prefix}:${verbOf({ prefix, ...words }, ['delete', 'write', 'refresh', 'read'], 'read')}`,
  ],
  [['email', 'slack', 'messaging', 'sms', 'notification'], (words) => `comms:${words.prefix}:${verbOf(words, ['read'], 'send')}`],
  [['code', 'eval', 'python', 'interpret'], () => 'exec:code:eval'],
  [
    ['network', 'dns', 'socket', 'connect'],
    (words) => {
      const layer = words.prefix === 'dns' || words.prefix === 'socket' ? words.prefix : wordIn(words, ['dns', 'socket'], 'tcp');
      return `net:${layer}:${wordIn(words, ['resolve', 'scan'], layer === 'dns' ? 'resolve' : 'connect')}`;
    },
  ],
  [
    ['cloud', 'infra', 'deploy', 'kubernetes', 'k8s'],
    (words) =>
      `cloud:${wordIn(words, ['iam', 'storage'], 'infra')}:${wordIn(words, ['provision', 'modify', 'delete'], verbOf(words, ['delete'], 'write'))}`,
  ],
  [['git', 'vcs'], (words) => `scm:git:${wordIn(words, ['push', 'commit', 'merge', 'branch', 'delete'], 'read')}`],
  [['browser', 'scrape', 'navigate', 'screenshot'], () => 'browser:page:navigate'],
  [
    ['agent', 'delegate', 'handoff', 'spawn', 'a2a', 'config', 'settings'],
    ({ prefix, rest }) =>
      `agent:${prefix === 'agent' ? safeWord(rest[0], 'delegate') : prefix}:${prefix === 'agent' ? safeWord(rest[1], 'run') : safeWord(rest[0], 'run')}`,
  ],
  [['llm'], (words) => (words.rest.some((word) => word === 'output' || word === 'response') ? 'llm:output:response' : 'llm:input:prompt')],
  [
    ['payment', 'billing', 'stripe', 'checkout', 'invoice', 'refund'],
    ({ prefix, rest }) => `payment:${prefix}:${safeWord(rest[0], 'write')}`,
  ],
  [['user', 'account', 'profile'], (words) => `agent:user:${verbOf(words, ['delete', 'write', 'read'], 'read')}`],
  [['webhook', 'callback'], (words) => `net:webhook:${safeWord(words.rest[0], 'send')}`],
  [['function', 'invoke', 'lambda'], (words) => `exec:function:${safeWord(words.rest[0], 'invoke')}`],
];

const BY_PREFIX: ReadonlyMap<string, Derive> = new Map(
  TABLE.flatMap(([prefixes, derive]) => prefixes.map((prefix) => [prefix, derive] as const)),
);

/**
 * The scope a tool asks for, by its canonical name (`database.query`) and, for databases, by what its statement does.
 * A name nobody knows gets `unknown:<prefix>:<action>`, which only a grant of that or of `*` covers.
 */
export function scopeForTool(tool: string, params?: JsonValue): string {
  const name = tool.slice(0, SCOPE_CHARS_MAX).toLowerCase();
  const [prefix = '', ...rest] = name.split(/[._\-/:]+/).filter((word) => word !== '');
  const derive = BY_PREFIX.get(prefix);
  if (derive !== undefined) return derive({ prefix, rest, params });
  return `unknown:${safeWord(prefix, 'tool')}:${safeWord(rest[0], 'call')}`;
}
