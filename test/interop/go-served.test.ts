/** A gateway that is deciding, and `countersign log serve` beside it, read over HTTP by the public Go tools. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, openGateway, operatorToken } from '../e2e/gateway-world.ts';
import { buildGoTools, missingGo, runTool, TOOLS, type Verdict } from './go-tools.ts';

const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
/** Enough for two full tiles and an edge. */
const CALLS = 600;
const CALLS_AT_ONCE = 50;

const reason = missingGo();
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`;

let folder = '';
let program = '';
let vkey = '';
let gateway: Gateway;

async function decide(count: number): Promise<void> {
  for (let done = 0; done < count; done += CALLS_AT_ONCE) {
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, n) => gateway.call('db.query', { sql: `select ${done + n}` })));
  }
}

async function checkpoint(): Promise<string> {
  return (await fetch(`${gateway.ready.url}/log/checkpoint`)).text();
}

const sizeOf = (note: string): number => Number(note.split('\n')[1]);

/** The checkpoint once it covers what was acknowledged; publication is never far behind. */
async function published(): Promise<string> {
  let note = await checkpoint();
  while (sizeOf(note) < gateway.acknowledged.size) note = await checkpoint();
  return note;
}

beforeAll(async () => {
  if (reason !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'countersign-go-served-'));
  program = join(folder, 'go-tiles');
  buildGoTools(program);
  gateway = await openGateway();
  vkey = (await readFile(join(gateway.ready.dataDir, 'log.vkey'), 'utf8')).trim();
}, 120_000);
afterAll(async () => {
  if (reason !== undefined) return;
  await gateway.close();
  await rm(folder, { recursive: true, force: true });
});

function readAll(log: string, authorization: string, ...older: readonly string[]): Promise<readonly Verdict[]> {
  return Promise.all(TOOLS.map((tool) => runTool({ program, authorization }, tool, [log, vkey, ...older])));
}

interface LogServe {
  readonly url: string;
  readonly child: ChildProcess;
}

async function startLogServe(dataDir: string): Promise<LogServe> {
  const args = [CLI, 'log', 'serve', '--listen', '127.0.0.1:0', '--json', '--data', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { url: string }).url };
}

describe.skipIf(reason !== undefined)(`LOG-090 HTTP-046 a log that is being written, read by the public Go tools${skipped}`, () => {
  it('is accepted over HTTP by all, growing, by whoever may see its entries', { timeout: 60_000 }, async () => {
    const authorization = `Bearer ${await operatorToken(gateway.ready.dataDir)}`;
    const log = `${gateway.ready.url}/log/`;
    await decide(CALLS / 2);
    const older = join(folder, 'older');
    await writeFile(older, await published());
    // The tools read while decisions go on: partial tiles come and go under them.
    const [verdicts] = await Promise.all([readAll(log, authorization, older), decide(CALLS / 2)]);
    expect(verdicts.map(({ refusal }) => refusal)).toEqual(['', '', '', '']);
    for (const { report } of verdicts) expect(report?.size).toBeGreaterThanOrEqual(CALLS / 2);

    const size = sizeOf(await published());
    const settled = await readAll(log, authorization, older);
    for (const { report } of settled) expect(report).toMatchObject({ size, older: 1 });
    expect(new Set(settled.flatMap(({ report }) => report?.entries ?? [])).size).toBe(1);

    const strangers = await readAll(log, '');
    for (const { refusal } of strangers) expect(refusal).toMatch(/tile\/entries\/.*401/);

    const served = await startLogServe(gateway.ready.dataDir);
    try {
      const beside = await readAll(served.url, '', older);
      expect(beside).toEqual(settled);
    } finally {
      served.child.kill('SIGTERM');
    }
    expect(await once(served.child, 'close')).toEqual([143, null]);
  });
});
