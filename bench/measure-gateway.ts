/** @module What a decision costs over HTTP: real servers, a load from another process, the kinds of load taking turns. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { knownTool } from '@countersign/protocol';
import { type BenchRow, median, round } from './bench-rows.ts';
import { corporaFolder, type CorpusRow, readFamily } from './corpora.ts';
import type { LoadFigures, LoadPlan } from './load.ts';
import { residentBytes, usedCpuMs } from './machine.ts';
import { commandOf, simpleParams, statementOf } from './sample-actions.ts';
import { headersFor, type ServerProcess, startServer } from './server-process.ts';

const PATH = '/v1/proxy';
const SIMPLE_TOOL = 'crm.update_appointment';
const ROUNDS = 3;
const SECONDS = 4;
const CONNECTIONS = 50;
const COLD_STARTS = 3;
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));

function body(tool: string, params: unknown): string {
  return JSON.stringify({ tool, params, target_url: '' });
}

function simpleBodies(): string[] {
  return Array.from({ length: 200 }, (_, n) => body(SIMPLE_TOOL, simpleParams(n)));
}

/** Benign rows of one family, spread over the file. */
function benignRows(folder: string, family: string, count: number): readonly CorpusRow[] {
  const rows = readFamily(join(folder, `${family}.jsonl.gz`)).filter(({ label }) => label === 'benign');
  const step = Math.max(1, Math.floor(rows.length / count));
  return rows.filter((_, i) => i % step === 0).slice(0, count);
}

interface MixedTraffic {
  readonly bodies: readonly string[];
  readonly tools: readonly string[];
  readonly source: string;
}

const PARSED_TOOLS = ['shell.exec', 'database.query'] as const;

/** Two thirds tool calls, one third shell and SQL: from the benign corpora where they are, else our own. */
function mixedBodies(): MixedTraffic {
  const folder = corporaFolder(undefined);
  if (folder === undefined) {
    const bodies = Array.from({ length: 300 }, (_, n) => {
      if (n % 6 === 0) return body('shell.exec', { command: commandOf(n) });
      return n % 6 === 3 ? body('database.query', { query: statementOf(n) }) : body(SIMPLE_TOOL, simpleParams(n));
    });
    return { bodies, tools: PARSED_TOOLS, source: 'our own samples: the corpora are not here' };
  }
  const rows = benignRows(folder, 'toolcall_benign', 200);
  const calls = rows.map(({ tool, params }) => body(tool ?? 'unknown', params ?? {}));
  const commands = benignRows(folder, 'shell_benign', 50).map((row) => body('shell.exec', { command: row.text ?? '' }));
  const statements = benignRows(folder, 'sql_statement', 50).map((row) => body('database.query', { query: row.text ?? '' }));
  const parsed = commands.flatMap((command, i) => [command, statements[i] ?? command]);
  const tools = rows.map(({ tool }) => knownTool(tool ?? 'unknown').tool);
  return {
    bodies: calls.flatMap((call, i) => (i % 2 === 0 ? [call, parsed[i / 2] ?? call] : [call])),
    tools: [...tools, ...PARSED_TOOLS],
    source: 'benign corpora',
  };
}

async function load(plan: LoadPlan): Promise<LoadFigures> {
  const child = spawn(process.execPath, ['--conditions=@countersign/source', LOAD], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(plan));
  return JSON.parse(await text(child.stdout)) as LoadFigures;
}

/** Registers tools as an operator would: unknown ones are refused by the ruleset. */
async function approveTools(server: ServerProcess, tools: readonly string[]): Promise<void> {
  const { token } = JSON.parse(await readFile(join(server.ready.dataDir, 'operator.json'), 'utf8')) as { token: string };
  for (const tool of new Set(tools)) {
    const response = await fetch(`${server.ready.url}/api/v1/tools/approve`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ tool }),
    });
    if (response.status !== 200)
      throw new Error(`the gateway answers ${response.status} to the approval of a tool: ${(await response.text()).slice(0, 200)}`);
    await response.arrayBuffer();
  }
}

/** Starts a server with the default ruleset, and stops it whatever happens. */
async function withServer<T>(folder: string, env: Record<string, string>, work: (server: ServerProcess) => Promise<T>): Promise<T> {
  const server = await startServer(folder, { COUNTERSIGN_RULESET: 'default', ...env });
  try {
    return await work(server);
  } finally {
    await server.kill('SIGTERM');
  }
}

interface Answered {
  readonly allowed: boolean;
  readonly scope_token?: string;
  readonly receipt_id?: string | null;
}

/** One decision; throws where it is not a recorded allow with a token, since then something else would be measured. */
async function decideOnce(server: ServerProcess, requestBody: string): Promise<void> {
  const response = await fetch(`${server.ready.url}${PATH}`, { method: 'POST', headers: headersFor(server.ready), body: requestBody });
  const answer = (await response.json()) as Answered;
  if (response.status !== 200 || !answer.allowed || answer.scope_token === undefined || typeof answer.receipt_id !== 'string') {
    throw new Error(`the gateway answers ${response.status} ${JSON.stringify(answer).slice(0, 400)} to a simple tool call`);
  }
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-gateway-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureColdStart(): Promise<BenchRow> {
  const samples: number[] = [];
  for (let n = 0; n < COLD_STARTS; n += 1) {
    await inFolder(async (folder) => {
      const startedAt = performance.now();
      // The ruleset of a fresh `npm start`, in which a tool nobody has registered is let through with a warning.
      await withServer(folder, { COUNTERSIGN_RULESET: 'learning' }, async (server) => {
        await decideOnce(server, simpleBodies()[n] ?? '');
        samples.push(performance.now() - startedAt);
      });
    });
  }
  const ms = Math.round(median(samples));
  return {
    area: 'gateway',
    name: 'cold start, empty directory, to the first decision',
    target: '<= 1.5 s',
    measured: `${ms} ms`,
    met: ms <= 1500,
    figures: { ms },
  };
}

interface Run extends LoadFigures {
  /** CPU microseconds of the server for one decision; NaN where it cannot be known. */
  readonly serverCpuUs: number;
}

async function loadServer(server: ServerProcess, plan: LoadPlan): Promise<Run> {
  const before = usedCpuMs(server.pid) ?? Number.NaN;
  const figures = await load(plan);
  return { ...figures, serverCpuUs: (((usedCpuMs(server.pid) ?? Number.NaN) - before) * 1000) / figures.requests };
}

interface Kind {
  readonly name: string;
  readonly server: ServerProcess;
  readonly plan: LoadPlan;
  readonly target: string;
  readonly holds: (figures: { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number }) => boolean | null;
  readonly runs: Run[];
}

function kindsOf(batch: ServerProcess, each: ServerProcess, mixed: MixedTraffic): Kind[] {
  const plan = (server: ServerProcess, bodies: readonly string[], connections: number): LoadPlan => ({
    url: server.ready.url,
    path: PATH,
    headers: headersFor(server.ready),
    bodies,
    connections,
    seconds: SECONDS,
  });
  return [
    {
      name: `gateway, simple tool calls, ${CONNECTIONS} connections, durable, batch-signed, scope token`,
      server: batch,
      plan: plan(batch, simpleBodies(), CONNECTIONS),
      target: '>= 12,000 /s, p99 <= 10 ms',
      holds: ({ perSecond, p99Ms }) => perSecond >= 12_000 && p99Ms <= 10,
      runs: [],
    },
    {
      name: 'the same, every receipt signed by itself',
      server: each,
      plan: plan(each, simpleBodies(), CONNECTIONS),
      target: 'beside it',
      holds: () => null,
      runs: [],
    },
    {
      name: `gateway, mixed traffic (${mixed.source}), ${CONNECTIONS} connections`,
      server: batch,
      plan: plan(batch, mixed.bodies, CONNECTIONS),
      target: '>= 10,000 /s, p99 <= 15 ms',
      holds: ({ perSecond, p99Ms }) => perSecond >= 10_000 && p99Ms <= 15,
      runs: [],
    },
    {
      name: 'gateway, simple tool calls, one connection',
      server: batch,
      plan: plan(batch, simpleBodies(), 1),
      target: 'p50 <= 1.5 ms',
      holds: ({ p50Ms }) => p50Ms <= 1.5,
      runs: [],
    },
  ];
}

function rowOf({ name, target, holds, runs }: Kind): BenchRow {
  const figures = {
    perSecond: Math.round(median(runs.map(({ perSecond }) => perSecond))),
    p50Ms: round(median(runs.map(({ p50Ms }) => p50Ms))),
    p99Ms: round(median(runs.map(({ p99Ms }) => p99Ms))),
    serverCpuUs: Math.round(median(runs.map(({ serverCpuUs }) => serverCpuUs))),
    failures: runs.reduce((sum, { failures }) => sum + failures, 0),
  };
  const failed = figures.failures > 0 ? `, ${figures.failures} FAILED` : '';
  const met = figures.failures > 0 ? false : holds(figures);
  return {
    area: 'gateway',
    name,
    target,
    measured: `${figures.perSecond} /s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, ${figures.serverCpuUs} us CPU each${failed}`,
    met,
    figures,
  };
}

function memoryRow(idle: number | undefined, loaded: number | undefined, decisions: number): BenchRow[] {
  if (idle === undefined || loaded === undefined) return [];
  const [idleMiB, loadedMiB] = [Math.round(idle / 2 ** 20), Math.round(loaded / 2 ** 20)];
  return [
    {
      area: 'gateway',
      name: `memory of the gateway, idle / after ${decisions} decisions (budget is for 1 M)`,
      target: '<= 150 MB / <= 300 MB',
      measured: `${idleMiB} MB / ${loadedMiB} MB`,
      met: idleMiB <= 150 && loadedMiB <= 300,
      figures: { idleMiB, loadedMiB, decisions },
    },
  ];
}

async function measureLoads(batch: ServerProcess, each: ServerProcess): Promise<BenchRow[]> {
  const idle = residentBytes(batch.pid);
  const mixed = mixedBodies();
  for (const server of [batch, each]) {
    await approveTools(server, [SIMPLE_TOOL, ...mixed.tools]);
    await decideOnce(server, simpleBodies()[0] ?? '');
  }
  const kinds = kindsOf(batch, each, mixed);
  for (const { server, plan } of kinds) await loadServer(server, { ...plan, seconds: 2 });
  for (let round_ = 0; round_ < ROUNDS; round_ += 1) {
    for (const kind of kinds) kind.runs.push(await loadServer(kind.server, kind.plan));
    process.stderr.write(`  gateway, round ${round_ + 1} of ${ROUNDS}\n`);
  }
  const decisions = kinds
    .filter(({ server }) => server === batch)
    .reduce((sum, { runs }) => sum + runs.reduce((all, run) => all + run.requests, 0), 0);
  return [...kinds.map(rowOf), ...memoryRow(idle, residentBytes(batch.pid), decisions)];
}

/** Rows of the gateway. */
export async function measureGateway(): Promise<BenchRow[]> {
  const cold = await measureColdStart();
  const loads = await inFolder((folder) =>
    withServer(join(folder, 'batch'), {}, (batch) =>
      withServer(join(folder, 'each'), { COUNTERSIGN_SIGNING: 'each' }, (each) => measureLoads(batch, each)),
    ),
  );
  return [cold, ...loads];
}
