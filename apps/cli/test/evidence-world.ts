/** An installation whose log has several small segments, and the same commands on it: on the directory itself, or through a gateway. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime, type Runtime } from '@countersign/runtime';
import { readSettings, serve } from '@countersign/server';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

export type Mode = 'directory' | 'gateway';

export interface Evidence {
  readonly world: FakeWorld;
  readonly dataDir: string;
  readonly org: string;
  readonly agent: string;
  /** Judges commands in a session. Gives the codes of refusals, or `ok`. */
  act(session: string, commands: readonly string[]): Promise<readonly string[]>;
  /** Runs on the open runtime of the gateway, or opens the directory for it. */
  within<T>(work: (runtime: Runtime) => Promise<T>): Promise<T>;
  read(file: string): string;
  write(file: string, text: string): void;
  close(): Promise<void>;
}

const SMALL = { segmentBytesMax: 40_000 };

interface Said {
  readonly caller: { readonly org: string; readonly agent: string };
  readonly session: string;
  readonly command: string;
}

async function judge(runtime: Runtime, { caller, session, command }: Said): Promise<string> {
  const source = { framework: 'test', door: 'test' };
  const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command }, source, delegation: [] };
  const answer = await countersignAction({ caller, draft, session, fingerprint: 'f', mode: 'evaluate' }, runtime.ports);
  return answer.refusal?.code ?? 'ok';
}

/** `entries` receipts are in the log to begin with, in three sessions. */
export async function openEvidence(mode: Mode, entries = 12): Promise<Evidence> {
  const world = fakeWorld();
  const dataDir = join(world.root, '.countersign');
  const { answer } = await world.ask(['agent', 'create', 'ann']);
  const { id: agent, org } = answer['agent'] as { id: string; org: string };
  // Segments stay as small as they were made.
  const first = await openRuntime({ dataDir, ruleset: 'default', hostSets: () => ({}), logLimits: SMALL });
  for (let n = 0; n < entries; n += 1) await judge(first, { caller: { org, agent }, session: `old-${n % 3}`, command: `git status ${n}` });
  await first.close();
  const gateway = mode === 'gateway' ? await serve({ ...readSettings({}, []), port: 0, dataDir }, () => undefined) : undefined;
  const within = async <T>(work: (runtime: Runtime) => Promise<T>): Promise<T> => {
    if (gateway !== undefined) return work(gateway.runtime);
    const runtime = await openRuntime({ dataDir, hostSets: () => ({}) });
    try {
      return await work(runtime);
    } finally {
      await runtime.close();
    }
  };
  return {
    world,
    dataDir,
    org,
    agent,
    within,
    act: (session, commands) =>
      within(async (runtime) => {
        const codes: string[] = [];
        for (const command of commands) codes.push(await judge(runtime, { caller: { org, agent }, session, command }));
        // Readers see what is published.
        if (runtime.log.durableSize > 0) await runtime.log.whenPublished(runtime.log.durableSize - 1);
        return codes;
      }),
    read: (file) => readFileSync(join(world.root, file), 'utf8'),
    write: (file, text) => writeFileSync(join(world.root, file), text),
    close: async () => {
      await gateway?.close();
      world.remove();
    },
  };
}
