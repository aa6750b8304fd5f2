/** @module A whole decision in this process: what it takes, what it leaves on disk, and what checking it offline takes. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, type Fault, type Result } from '@countersign/kernel';
import { type ActionRequest, countersignAction } from '@countersign/pipeline';
import { verifyBundle } from '@countersign/receipts';
import { openRuntime, type Runtime } from '@countersign/runtime';
import { type BenchRow, median, percentile, round } from './bench-rows.ts';
import { simpleParams } from './sample-actions.ts';

const DECISIONS = 15_000;
const WARM_UP = 3000;
const AT_ONCE = 50;
const BUNDLES = 20;
const VERIFICATIONS = 200;
const TOOL = 'crm.update_appointment';

function take<T>(result: Result<T, Fault>, what: string): T {
  if (result.ok) return result.value;
  throw new Error(`${what}: ${result.error.code} ${result.error.message}`);
}

/** Bytes of one file; none where it has just gone: the log puts files in place by renaming them. */
async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => fileBytes(join(entry.parentPath, entry.name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

interface Setting {
  readonly runtime: Runtime;
  readonly org: string;
  readonly agent: string;
}

async function openSetting(dataDir: string): Promise<Setting> {
  const runtime = await openRuntime({ dataDir, ruleset: 'default', hostSets: () => ({}) });
  const org = take(runtime.store.createOrg({ name: 'bench', mode: 'locked' }), 'org').id;
  const agent = take(runtime.store.createAgent({ org, name: 'bench-agent', scopes: ['*'] }), 'agent').agent.id;
  take(runtime.store.approveTool({ org, tool: TOOL, hash: '', scope: null }), 'tool');
  return { runtime, org, agent };
}

function requestOf(setting: Setting, n: number): ActionRequest {
  return {
    caller: { org: setting.org, agent: setting.agent },
    draft: { kind: 'tool.call', tool: TOOL, params: simpleParams(n), source: { framework: 'bench', door: 'bench' }, delegation: [] },
    session: `bench-${n % AT_ONCE}`,
    fingerprint: 'bench',
    mode: 'evaluate',
  };
}

interface Decided {
  readonly ids: readonly string[];
  readonly perSecond: number;
  readonly paramsBytes: number;
}

async function decideAll(setting: Setting, count: number): Promise<Decided> {
  const ids: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      const answer = await countersignAction(requestOf(setting, n), setting.runtime.ports);
      if (answer.verdict.decision !== 'allow' || answer.receipt === null) {
        throw new Error(`decision ${n} is ${answer.verdict.decision}: ${answer.verdict.reasons[0]?.code ?? answer.refusal?.code ?? ''}`);
      }
      ids.push(answer.receipt.id);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  let paramsBytes = 0;
  for (let n = 0; n < count; n += 1) paramsBytes += JSON.stringify(simpleParams(n)).length;
  return { ids, perSecond: count / seconds, paramsBytes };
}

async function entryBytes(runtime: Runtime): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { entry } of runtime.log.scan(0)) sizes.push(entry.length);
  return sizes;
}

async function measureVerification(runtime: Runtime, ids: readonly string[]): Promise<BenchRow> {
  const bundles: Uint8Array[] = [];
  for (const id of ids.slice(-BUNDLES)) bundles.push(take(await runtime.bundle(id, { inputs: true }), 'bundle'));
  const samples: number[] = [];
  for (let n = 0; n < VERIFICATIONS; n += 1) {
    const bundle = bundles[n % bundles.length] ?? new Uint8Array(0);
    const startedAt = performance.now();
    const report = await verifyBundle(bundle, { vkeys: [runtime.logKey] });
    samples.push(performance.now() - startedAt);
    if (!report.ok) throw new Error(`a bundle does not verify: ${report.checks.find(({ status }) => status === 'fail')?.sentence ?? ''}`);
  }
  const [p50, p99, bytes] = [round(median(samples)), round(percentile(samples, 0.99)), bundles[0]?.length ?? 0];
  return {
    area: 'evidence',
    name: `offline verification of one bundle with its inputs (${Math.round(bytes / 1024)} KB)`,
    target: '<= 5 ms',
    measured: `p50 ${p50} ms, p99 ${p99} ms`,
    met: p50 <= 5,
    figures: { p50Ms: p50, p99Ms: p99, bundleBytes: bytes },
  };
}

function diskRow(bytes: { readonly entry: number; readonly all: number; readonly paramsBytes: number }): BenchRow {
  const entry = Math.round(bytes.entry);
  const rest = Math.round(bytes.all - bytes.paramsBytes);
  return {
    area: 'evidence',
    name: 'disk for one decision: log entry; everything without parameters',
    target: 'median <= 1.2 KB; <= 3.5 KB',
    measured: `${(entry / 1024).toFixed(2)} KB; ${(rest / 1024).toFixed(2)} KB`,
    met: entry <= 1.2 * 1024 && rest <= 3.5 * 1024,
    figures: { entryBytes: entry, everythingBytes: rest, paramsBytes: Math.round(bytes.paramsBytes) },
  };
}

/** Rows of whole decisions without HTTP, in a fresh directory. */
export async function measureEvidence(): Promise<BenchRow[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-bench-data-'));
  try {
    const setting = await openSetting(dataDir);
    await decideAll(setting, WARM_UP);
    const before = await folderBytes(dataDir);
    const decided = await decideAll(setting, DECISIONS);
    const verification = await measureVerification(setting.runtime, decided.ids);
    const entries = await entryBytes(setting.runtime);
    await setting.runtime.close();
    const after = await folderBytes(dataDir);
    const perSecond = Math.round(decided.perSecond);
    return [
      {
        area: 'evidence',
        name: `whole decisions in this process, durable, ${AT_ONCE} at a time`,
        target: 'for comparison: no HTTP',
        measured: `${perSecond} /s`,
        met: null,
        figures: { perSecond, decisions: DECISIONS },
      },
      verification,
      diskRow({ entry: median(entries), all: (after - before) / DECISIONS, paramsBytes: decided.paramsBytes / DECISIONS }),
    ];
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
