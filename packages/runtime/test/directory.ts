/** @module A data directory of its own for each test, and a runtime in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActionRequest, type Answer, countersignAction } from '@countersign/pipeline';
import { afterEach } from 'vitest';
import { openRuntime, type Runtime, type RuntimeOptions } from '../src/index.ts';

const directories: string[] = [];
const runtimes: Runtime[] = [];

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-runtime-'));
  directories.push(directory);
  return directory;
}

export async function openIn(dataDir: string, options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await openRuntime({ dataDir, hostSets: () => ({}), policySigners: () => [], ...options });
  runtimes.push(runtime);
  return runtime;
}

export interface Actor {
  readonly org: string;
  readonly agent: string;
}

/** An org in learning mode with one agent that holds every scope. */
export function register(runtime: Runtime, name = 'agent'): Actor {
  const org = runtime.store.listOrgs()[0] ?? unwrap(runtime.store.createOrg({ name: 'local', mode: 'learning' }));
  const { agent } = unwrap(runtime.store.createAgent({ org: org.id, name, scopes: ['*'] }));
  return { org: org.id, agent: agent.id };
}

export function unwrap<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export interface Sketch {
  readonly kind: string;
  readonly tool?: string;
  readonly params?: ActionRequest['draft']['params'];
  readonly content?: string;
}

export function act(runtime: Runtime, caller: Actor, sketch: Sketch): Promise<Answer> {
  const draft = { source: { framework: 'test', door: 'test' }, delegation: [], ...sketch } as ActionRequest['draft'];
  return countersignAction({ caller, draft, session: 's', fingerprint: '', mode: 'evaluate' }, runtime.ports);
}

export const QUERY = (sql: string): Sketch => ({ kind: 'db.query', tool: 'database.query', params: { sql } });
