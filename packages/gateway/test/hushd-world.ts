/** @module A hushd door over the ports of `world.ts`, with keys, a policy, a log and receipts that a test can look into. */
import { sha256Hex } from '@countersign/crypto';
import { err, type JsonValue, ok } from '@countersign/kernel';
import type { PolicyDocument } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { createHushdGateway, type HushdKey, type HushdOptions } from '../src/index.ts';
import { AGENT, createWorld, NOW_MS, ORG, OTHER, type World, type WorldOptions } from './world.ts';

export const CHECK_KEY = ['hsk', 'check', 'c'.repeat(20)].join('_');
export const CHECK_KEY_2 = ['hsk', 'check2', 'd'.repeat(20)].join('_');
export const READ_KEY = ['hsk', 'read', 'r'.repeat(20)].join('_');
export const ADMIN_KEY = ['hsk', 'admin', 'a'.repeat(20)].join('_');
export const EXPIRED_KEY = ['hsk', 'old', 'o'.repeat(20)].join('_');
export const OTHER_ORG_KEY = ['hsk', 'other', 'x'.repeat(20)].join('_');

const key = (id: string, scopes: HushdKey['scopes'], more: Partial<HushdKey> = {}): HushdKey => ({
  id,
  name: id,
  scopes,
  org: ORG,
  agent: AGENT,
  ...more,
});

const KEYS = new Map<string, HushdKey>(
  (
    [
      [CHECK_KEY, key('check', ['check'])],
      [CHECK_KEY_2, key('check-2', ['check'], { agent: OTHER })],
      [READ_KEY, key('read', ['read'])],
      [ADMIN_KEY, key('admin', ['check', 'read', 'admin'])],
      [EXPIRED_KEY, key('old', ['check', 'read', 'admin'], { expiresMs: NOW_MS })],
      [OTHER_ORG_KEY, key('other', ['read'], { org: 'org-2' })],
    ] as const
  ).map(([text, record]) => [sha256Hex(text), record]),
);

export interface HushdWorld extends World {
  readonly hushd: FastifyInstance;
  /** Sources that were put in force. */
  readonly policies: string[];
  /** Entries of the log `main`. */
  readonly entries: JsonValue[];
  /** Sessions ended in the log. */
  readonly ended: string[];
  readonly send: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, sent?: Sent) => Promise<Reply>;
}

export interface Sent {
  /** A key; null sends none. The check key when absent. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
  /** Code of the error envelope. */
  readonly code: string | undefined;
}

export interface HushdWorldOptions extends WorldOptions {
  readonly hushd?: Partial<HushdOptions>;
}

function documentOf(source: string, version: number): PolicyDocument {
  const resolved = JSON.stringify({ version: '1.2.0', description: 'of the test' });
  return { name: 'test', version, hash: sha256Hex(source), active: true, createdMs: NOW_MS, source, resolved };
}

function replyOf(answer: Awaited<ReturnType<FastifyInstance['inject']>>): Reply {
  const text = answer.body;
  const isJson = String(answer.headers['content-type']).startsWith('application/json');
  const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  const code = (body['error'] as { code?: string } | undefined)?.code;
  return { status: answer.statusCode, text, headers: answer.headers, body, code };
}

/** A door that is ready for `inject`. A source that contains `bad` does not compile. */
export async function createHushdWorld(options: HushdWorldOptions = {}): Promise<HushdWorld> {
  const world = await createWorld(options);
  const policies = ['version: 1.2.0'];
  const entries: JsonValue[] = [];
  const ended: string[] = [];
  const active = (): PolicyDocument => documentOf(policies.at(-1) ?? '', policies.length);
  const hushd = await createHushdGateway({
    ports: world.ports,
    keyring: { find: (hash) => KEYS.get(hash) },
    admin: {
      activePolicy: active,
      setPolicy: ({ source }) => {
        policies.push(source);
        return ok(active());
      },
      listOrgs: () => [{ id: ORG, name: 'o', mode: 'learning', log: 'main' }],
    },
    policies: {
      compile: (source) =>
        source.includes('bad')
          ? err({ code: 'policy_type', message: 'must be text', path: 'name' })
          : ok({ name: 'test', source, resolved: documentOf(source, 1).resolved, hash: sha256Hex(source) }),
      reload: () => Promise.resolve(),
    },
    policyVersions: ['1.1.0', '1.2.0'],
    sessionDesk: {
      end: ({ session, reason: _reason }) => {
        ended.push(session);
        return Promise.resolve(ok({ id: 'e', index: 1, time: '', session, entries: 1 }));
      },
      posture: () => Promise.resolve(err({ code: 'session_unknown', message: 'no entries' })),
      transition: () => Promise.resolve(err({ code: 'session_unknown', message: 'no entries' })),
    },
    audit: { size: (log) => (log === 'main' ? entries.length : undefined), entry: (_, index) => Promise.resolve(entries[index] ?? null) },
    receipts: {
      signed: () => Promise.resolve(new TextEncoder().encode('{"receipt":{}}')),
      orgOf: (id) => Promise.resolve(id === 'mine' ? ORG : id === 'theirs' ? 'org-2' : undefined),
      verify: (file) => {
        const isGood = new TextDecoder().decode(file) === '{"receipt":{}}';
        const check = { name: 'signature', status: isGood ? 'pass' : 'fail', code: 'VFY_SIGNATURE_INVALID', sentence: 'By no key.' };
        return Promise.resolve({ ok: isGood, checks: [check] });
      },
    },
    problem: () => world.ports.engines.problem,
    version: '0.0.0',
    rateLimit: { perSecond: 1000, burst: 1000 },
    trustedProxies: [],
    ...options.hushd,
  });
  return Object.assign(world, {
    hushd,
    policies,
    entries,
    ended,
    async send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, sent: Sent = {}): Promise<Reply> {
      const { key: used = CHECK_KEY, body, headers = {} } = sent;
      const authorization: Record<string, string> = used === null ? {} : { authorization: `Bearer ${used}` };
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
      const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) };
      return replyOf(await hushd.inject({ method, url, headers: { ...authorization, ...type, ...headers }, ...payload }));
    },
  });
}
