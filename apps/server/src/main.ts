/**
 * @module `npm start`: reads the settings, starts the gateway, has one action judged, and says what to paste next. Environment, console,
 * signals and exit codes live here.
 */
import { createServer } from 'node:net';
import process from 'node:process';
import { sha256Hex } from '@countersign/crypto';
import { codeOf, CodedError } from '@countersign/kernel';
import { countersignAction } from '@countersign/pipeline';
import { banner, type BannerFacts, readyLine } from './banner.ts';
import { startCredentials, type StartCredentials } from './first-start.ts';
import { serve, type Server } from './serve.ts';
import { readSettings, type Settings } from './settings.ts';

const EXIT = { config: 3, failed: 4 } as const;

async function firstAction(server: Server, credentials: StartCredentials): Promise<BannerFacts['first']> {
  const answer = await countersignAction(
    {
      caller: { org: credentials.org, agent: credentials.agentId },
      draft: {
        kind: 'tool.call',
        tool: 'countersign.hello',
        params: {},
        source: { framework: 'countersign', door: 'start' },
        delegation: [],
      },
      session: 'start',
      fingerprint: 'start',
      mode: 'evaluate',
    },
    server.runtime.ports,
  );
  return { decision: answer.verdict.decision, receipt: answer.receipt?.id ?? null };
}

function announce(settings: Settings, facts: BannerFacts): void {
  process.stdout.write(settings.json ? `${readyLine(facts)}\n` : banner(facts));
}

/** The next free port after one that is taken, so that the message can offer it. */
async function nextFreePort(host: string, from: number): Promise<number | undefined> {
  for (let port = from + 1; port < Math.min(from + 50, 65_536); port += 1) {
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, host, () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
  return undefined;
}

/** What is wrong, and with which file where it does not say so itself. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof CodedError)) return `could not start (${codeOf(error)})`;
  const { message, path = '' } = error.fault;
  return message.includes(path) ? message : `${message} (${path})`;
}

async function complain(error: unknown, settings: Settings | undefined): Promise<void> {
  process.stderr.write(`countersign: ${sentenceOf(error)}\n`);
  if (codeOf(error) === 'port_taken' && settings !== undefined) {
    const port = await nextFreePort(settings.host, settings.port);
    if (port !== undefined) process.stderr.write(`port ${port} is free: COUNTERSIGN_PORT=${port} npm start\n`);
  } else if (codeOf(error) === 'EROFS' || codeOf(error) === 'EACCES') {
    process.stderr.write(`the data directory cannot be written; choose another: COUNTERSIGN_DATA=DIR npm start\n`);
  } else if (error instanceof CodedError && error.fault.hint !== undefined) process.stderr.write(`${error.fault.hint}\n`);
  process.exitCode = codeOf(error) === 'settings_invalid' ? EXIT.config : EXIT.failed;
}

function stopOnSignals(server: Server): void {
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(EXIT.failed); // Asked twice: go now. What was acknowledged is on disk.
    asked = true;
    void server.close().then(
      () => process.exit(0),
      (error: unknown) => complain(error, undefined).then(() => process.exit(EXIT.failed)),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function main(): Promise<void> {
  let settings: Settings | undefined;
  try {
    settings = readSettings(process.env, process.argv.slice(2));
    const server = await serve(settings, (message) => process.stderr.write(`countersign: ${message}\n`));
    stopOnSignals(server);
    const { runtime, url, hushdUrl } = server;
    const keyIsActive = async (key: string): Promise<boolean> => (await runtime.ports.state.apiKey(sha256Hex(key)))?.active === true;
    const credentials = await startCredentials(settings.dataDir, runtime.store, keyIsActive);
    const first = await firstAction(server, credentials);
    const policy = runtime.policy.engineFor(credentials.org)?.policyName ?? 'none: every action is denied';
    const nowSeconds = Math.floor(runtime.ports.clock.nowMs() / 1000);
    const doors = { url, ...(hushdUrl === undefined ? {} : { hushdUrl }) };
    announce(settings, { ...doors, dataDir: settings.dataDir, logKey: runtime.logKey, policy, credentials, first, nowSeconds });
  } catch (error) {
    await complain(error, settings);
  }
}

await main();
