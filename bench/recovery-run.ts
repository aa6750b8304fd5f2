/**
 * @module How long a killed gateway takes to stand again over a log that is there: started, killed -9 under load, started again, several
 * times over one data directory.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFollower } from './log-follower.ts';
import { loadServer, seeded } from './crash-run.ts';
import { startServer } from './server-process.ts';

export interface RecoveryReport {
  readonly seed: number;
  /** Entries of the log at the last start. */
  readonly entries: number;
  /** Milliseconds from the start of the process to its first answer, one for each start after a kill. */
  readonly startMs: readonly number[];
}

const CLIENTS = 8;
const LONGEST_LOAD_MS = 500;

/** Kills and starts the gateway of `dataDir` `times` times. */
export async function runRecovery(options: {
  readonly dataDir: string;
  readonly times: number;
  readonly seed: number;
}): Promise<RecoveryReport> {
  const random = seeded(options.seed);
  const startMs: number[] = [];
  let server = await startServer(options.dataDir);
  try {
    const { token } = JSON.parse(await readFile(join(options.dataDir, 'operator.json'), 'utf8')) as { token: string };
    const follower = createFollower((await readFile(join(options.dataDir, 'log.vkey'), 'utf8')).trim(), token);
    for (let run = 0; run < options.times; run += 1) {
      const load = loadServer(server.ready, CLIENTS);
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * LONGEST_LOAD_MS));
      await server.kill('SIGKILL');
      await load.stop();
      server = await startServer(options.dataDir);
      startMs.push(Math.round(server.startMs));
    }
    const { size } = await follower.head(server.ready.url);
    return { seed: options.seed, entries: size, startMs };
  } finally {
    await server.kill('SIGTERM');
  }
}
