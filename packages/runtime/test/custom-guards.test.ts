import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readGuardPackage } from '@countersign/intel';
import type { Answer } from '@countersign/pipeline';
import { afterEach, describe, expect, it } from 'vitest';
import { capability, FOREVER, type GuardParts, guardModule, sayingModule, TRAP } from '../../intel/test/wasm-module.ts';
import type { Runtime } from '../src/index.ts';
import { type Actor, act, freshDirectory, openIn, register, type Sketch, unwrap } from './directory.ts';
import { replayed } from './replayed.ts';

const KEY = ['vt', 'key', '0123456789'].join('-');
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Source {
  readonly url: string;
  readonly asked: string[];
  close(): Promise<void>;
}

/** Answers every question with this status and body. */
async function source(status: number, body: unknown): Promise<Source> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked, close };
}

const policyWith = (...entries: readonly string[]): string =>
  `version: "1.5.0"\nname: guarded\nextends: permissive\nsettings: {unregistered_tools: warn}\nguards:\n  custom:\n${entries.map((entry) => `    - ${entry}\n`).join('')}`;
const safeBrowsing = (url: string, more = ''): string =>
  `{package: clawdstrike-safe-browsing, config: {api_key: "\${GSB_KEY}", client_id: acme, base_url: "${url}/v4"}${more}}`;
const FETCH: Sketch = { kind: 'net.egress', tool: 'http.fetch', params: { url: 'https://files.example.com/a' } };
const LISTED = { matches: [{ threatType: 'MALWARE', threat: { url: 'https://files.example.com/a' } }] };
const guardsOf = ({ verdict }: Answer): readonly string[] =>
  verdict.reasons.map(({ code }) => code).filter((code) => code.startsWith('guard.c'));

interface Bed {
  readonly runtime: Runtime;
  readonly actor: Actor;
  readonly directory: string;
}

async function bed(): Promise<Bed> {
  const directory = await freshDirectory();
  const runtime = await openIn(directory, { environment: { GSB_KEY: KEY } });
  return { runtime, actor: register(runtime), directory };
}

describe('POL-198 a source of threat intelligence, from the policy to the receipt', () => {
  it('is asked once, what it said decides, and the receipt replays without it', async () => {
    const { runtime, actor, directory } = await bed();
    const at = await source(200, LISTED);
    unwrap(await runtime.policy.set(policyWith(safeBrowsing(at.url))));
    const answer = await act(runtime, actor, FETCH);
    expect(answer.verdict).toMatchObject({ decision: 'deny', severity: 'critical' });
    expect(guardsOf(answer)).toEqual(['guard.clawdstrike-safe-browsing.listed']);
    await act(runtime, actor, FETCH);
    expect(at.asked).toEqual([`POST /v4/threatMatches:find?key=${KEY}`]);
    await at.close();
    expect(await replayed(runtime, answer)).toMatchObject({ equal: true });
    const whole = JSON.stringify([answer, await runtime.bundle(answer.receipt?.id ?? '', { inputs: true }), runtime.store.activePolicy()]);
    expect(whole).not.toContain(KEY);
    const files = await readdir(directory, { recursive: true, withFileTypes: true });
    const holding = files.filter((file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(KEY));
    expect([files.length > 5, holding]).toEqual([true, []]);
  });

  it('that finds nothing lets the action pass, and one that fails denies or, where the policy says so, warns', async () => {
    const { runtime, actor } = await bed();
    const fine = await source(200, {});
    unwrap(await runtime.policy.set(policyWith(safeBrowsing(fine.url))));
    expect(guardsOf(await act(runtime, actor, FETCH))).toEqual([]);
    const down = await source(401, {});
    unwrap(await runtime.policy.set(policyWith(safeBrowsing(down.url))));
    const answer = await act(runtime, actor, FETCH);
    expect(answer.verdict.decision).toBe('deny');
    expect(guardsOf(answer)).toEqual(['guard.clawdstrike-safe-browsing.unavailable']);
    expect(await replayed(runtime, answer)).toMatchObject({ equal: true });
    unwrap(await runtime.policy.set(policyWith(safeBrowsing(down.url, ', async: {on_timeout: warn}'))));
    expect((await act(runtime, actor, FETCH)).verdict.decision).toBe('warn');
  });

  it('POL-189 is not put in force without its key, or at an address that is none', async () => {
    const { runtime } = await bed();
    const before = runtime.store.activePolicy()?.hash;
    const refused = async (policy: string): Promise<unknown> => {
      const set = await runtime.policy.set(policy);
      return set.ok ? 'in force' : set.error.code;
    };
    expect(await refused(policyWith(safeBrowsing('https://x.example').replace('GSB_KEY', 'GSB_NO_KEY')))).toBe('policy_secret_missing');
    expect(await refused(policyWith(safeBrowsing('https://x.example').replace('GSB_KEY', 'HOME')))).toBe('policy_secret_missing');
    expect(await refused(policyWith(safeBrowsing('http://x.example')))).toBe('policy_endpoint');
    expect(runtime.store.activePolicy()?.hash).toBe(before);
  });
});

const MANIFEST =
  '[plugin]\nname = "acme-deny"\nversion = "1.0.0"\n[[guards]]\nname = "acme.deny"\n[resources]\nmax_cpu_ms = 60000\nmax_timeout_ms = 1000\n';

async function install(directory: string, module: Uint8Array, manifest = MANIFEST): Promise<string> {
  const folder = join(directory, 'guards', 'acme-deny');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'clawdstrike.plugin.toml'), manifest);
  await writeFile(join(folder, 'guard.wasm'), module);
  const found = readGuardPackage(folder);
  return found.ok ? found.value.sha256 : found.error.code;
}

const wasm = (sha256: string, more = ''): string => `{package: acme-deny, sha256: "${sha256}"${more}}`;

describe('POL-199 a guard package, from the disk to the receipt', () => {
  it('says no, and the receipt replays where the package is gone', async () => {
    const { runtime, actor, directory } = await bed();
    const sha256 = await install(directory, sayingModule('{"allowed":false,"severity":"critical","message":"not files.example.com"}'));
    unwrap(await runtime.policy.set(policyWith(wasm(sha256))));
    const answer = await act(runtime, actor, FETCH);
    expect(answer.verdict).toMatchObject({ decision: 'deny', severity: 'critical' });
    expect(guardsOf(answer)).toEqual(['guard.custom.acme-deny.refused']);
    // What it says goes to the caller; the receipt quotes none of it.
    expect(JSON.stringify(answer.receipt)).not.toContain('files.example.com');
    unwrap(await runtime.policy.set('version: "1.5.0"\nname: bare\nextends: permissive\n'));
    expect(await replayed(runtime, answer)).toMatchObject({ equal: true });
  });

  it('is asked of large actions too, and of those that began before another policy came', async () => {
    const { runtime, actor, directory } = await bed();
    const sha256 = await install(directory, sayingModule('{"allowed":false}'));
    const guarded = policyWith(wasm(sha256));
    unwrap(await runtime.policy.set(guarded));
    const large: Sketch = {
      kind: 'file.write',
      tool: 'filesystem.write',
      params: { path: '/srv/a.txt' },
      content: 'plain words. '.repeat(8000),
    };
    const answer = await act(runtime, actor, large);
    expect(guardsOf(answer)).toEqual(['guard.custom.acme-deny.refused']);
    expect(await replayed(runtime, answer)).toMatchObject({ equal: true });
    const under: Promise<Answer>[] = [];
    for (let i = 0; i < 5; i += 1) {
      under.push(act(runtime, actor, FETCH), act(runtime, actor, FETCH));
      unwrap(await runtime.policy.set(guarded.replace('name: guarded', `name: guarded-${String(i)}`)));
    }
    for (const one of await Promise.all(under)) expect(guardsOf(one)).toEqual(['guard.custom.acme-deny.refused']);
  });

  it('lets pass what it allows', async () => {
    const { runtime, actor, directory } = await bed();
    const sha256 = await install(directory, sayingModule('{"allowed":true}'));
    unwrap(await runtime.policy.set(policyWith(wasm(sha256))));
    const answer = await act(runtime, actor, FETCH);
    expect([answer.verdict.decision, guardsOf(answer)]).toEqual(['warn', []]); // The tool is pending.
  });

  const failing: readonly (readonly [string, GuardParts])[] = [
    ['traps', { check: TRAP }],
    ['says nothing', {}],
    ['never ends', { check: FOREVER }],
    ['asks for what it was not given', { check: capability(0) }],
  ];
  it.each(failing)('denies where the package %s', async (_name, parts) => {
    const { runtime, actor, directory } = await bed();
    const sha256 = await install(directory, guardModule(parts));
    unwrap(await runtime.policy.set(policyWith(wasm(sha256, ', capabilities: [network]'))));
    const answer = await act(runtime, actor, FETCH);
    expect(answer.verdict.decision).toBe('deny');
    expect(guardsOf(answer)).toEqual(['guard.custom.acme-deny.unavailable']);
    expect(await replayed(runtime, answer)).toMatchObject({ equal: true });
  });

  it('POL-189 is put in force only as the package that the policy names', async () => {
    const { runtime, actor, directory } = await bed();
    const code = async (policy: string): Promise<unknown> => {
      const set = await runtime.policy.set(policy);
      return set.ok ? 'in force' : set.error.code;
    };
    expect(await code(policyWith(wasm('ab'.repeat(32))))).toBe('guard_package_missing');
    const sha256 = await install(directory, sayingModule('{"allowed":true}'));
    expect(await code(policyWith(wasm('ab'.repeat(32))))).toBe('guard_package_hash');
    expect(await code(policyWith(wasm(sha256)))).toBe('in force');
    await install(directory, sayingModule('{"allowed":true} '));
    expect(await code(policyWith(wasm(sha256)))).toBe('guard_package_hash');
    // The one in force is as it was when it was read.
    expect((await act(runtime, actor, FETCH)).verdict.decision).toBe('warn');
    const noGuard = await install(directory, guardModule({ without: ['clawdstrike_guard_check'] }));
    expect(await code(policyWith(wasm(noGuard)))).toBe('guard_module');
    const other = await install(directory, sayingModule('{"allowed":true}'), MANIFEST.replace('"acme-deny"', '"acme-other"'));
    expect(await code(policyWith(wasm(other)))).toBe('guard_package');
  });

  it('POL-189 denies everything at a start where the package has changed', async () => {
    const first = await bed();
    const sha256 = await install(first.directory, sayingModule('{"allowed":true}'));
    unwrap(await first.runtime.policy.set(policyWith(wasm(sha256))));
    await first.runtime.close();
    await install(first.directory, sayingModule('{"allowed":true} '));
    const second = await openIn(first.directory);
    const answer = await act(second, first.actor, FETCH);
    expect(answer.refusal).toMatchObject({ code: 'policy_unavailable' });
  });
});
