/** @module A gateway of one's own: a real process on a free port with a directory that is thrown away. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { getOwn, isJsonObject, type JsonObject, parseJson } from '@countersign/kernel';
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import { CliError, EXIT, runtimeError } from './outcome.ts';
import { serverMain } from './server-main.ts';

export interface StartedGateway {
  readonly url: string;
  readonly apiKey: string;
  readonly dataDir: string;
  /** Ends the process and removes the directory. Idempotent. */
  stop(): Promise<void>;
}

const READY = ['url', 'apiKey'] as const;

function readReady(line: string): JsonObject | undefined {
  const parsed = parseJson(line);
  if (!parsed.ok || !isJsonObject(parsed.value.value)) return undefined;
  const ready = parsed.value.value;
  return READY.every((name) => typeof getOwn(ready, name) === 'string') ? ready : undefined;
}

function word(ready: JsonObject, name: string): string {
  const value = getOwn(ready, name);
  return typeof value === 'string' ? value : '';
}

function failure(stderr: string): CliError {
  const message = `the gateway did not start: ${stderr.trim().split('\n').slice(-3).join(' ')}`;
  return new CliError(EXIT.runtime, [{ code: 'gateway_not_started', message, hint: 'countersign doctor' }]);
}

/** Starts a gateway and resolves when it answers. @throws {CliError} `gateway_not_started`. */
export async function startGateway(context: Context): Promise<StartedGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-'));
  const { main, args } = serverMain();
  const env = { ...process.env, ...context.world.env, COUNTERSIGN_PORT: '0', COUNTERSIGN_DATA: dataDir };
  const child = spawn(process.execPath, [...args, main, '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  const stopOnce = (): Promise<void> => (stopping ??= stop());
  context.world.stop.addEventListener('abort', () => void stopOnce());
  try {
    const ready = await new Promise<JsonObject>((resolve, reject) => {
      let [stdout, stderr] = ['', ''];
      const cancel = context.world.after(CLI_LIMITS.startMs, () =>
        reject(runtimeError({ code: 'gateway_not_started', message: 'the gateway is not ready yet; given up' })),
      );
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        stdout += chunk;
        const line = stdout
          .split('\n')
          .map(readReady)
          .find((found) => found !== undefined);
        if (line === undefined) return;
        cancel();
        resolve(line);
      });
      child.on('error', reject);
      child.on('close', () => {
        cancel();
        reject(failure(stderr));
      });
    });
    return { url: word(ready, 'url'), apiKey: word(ready, 'apiKey'), dataDir, stop: stopOnce };
  } catch (error) {
    await stopOnce();
    throw error;
  }
}
