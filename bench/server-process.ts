/** @module A real server in a process of its own, for the programs that load it, kill it and measure it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';

/** What `npm start -- --json` prints when it is ready. */
export interface Ready {
  readonly url: string;
  readonly apiKey: string;
  readonly agentId: string;
  readonly agentSecret: string;
  readonly dataDir: string;
}

export interface ServerProcess {
  readonly ready: Ready;
  readonly pid: number;
  /** Milliseconds from spawn to ready. */
  readonly startMs: number;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL('../apps/server/dist/main.js', import.meta.url));

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** Starts the built server on a free port and resolves with what it prints. */
export async function startServer(dataDir: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN, '--json'], {
    env: { ...process.env, COUNTERSIGN_DATA: dataDir, COUNTERSIGN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000);
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code ?? 'a signal'} before it was ready: ${complaint}`)));
  });
  return {
    ready: JSON.parse(line) as Ready,
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    kill(signal): Promise<number | null> {
      child.kill(signal);
      return exited(child);
    },
  };
}

/** Headers of a decision request, with a token that is good for an hour. */
export function headersFor(ready: Ready): Record<string, string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const token = mintAgentJwt({
    key: agentJwtKey(ready.agentSecret),
    claims: { sub: ready.agentId, iss: 'countersign-bench', iat: nowSeconds, exp: nowSeconds + 3600 },
  });
  return { 'content-type': 'application/json', 'x-ag-key': ready.apiKey, authorization: `Bearer ${token}` };
}
