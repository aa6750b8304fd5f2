/** @module `up`: the gateway in the foreground, until Ctrl-C. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { CliError, EXIT, type ExitCode, type Outcome, usageError } from '../outcome.ts';
import { serverMain } from '../server-main.ts';

function readPort(text: string | undefined): string {
  if (text === undefined) return '';
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw usageError('--port must be a number from 0 to 65535', 'countersign up --port 8080');
}

function environment(input: Input, context: Context): Record<string, string | undefined> {
  const port = readPort(textOption(input, 'port'));
  const ruleset = textOption(input, 'ruleset');
  const policy = textOption(input, 'policy');
  return {
    ...context.world.env,
    COUNTERSIGN_DATA: context.dataDir,
    ...(port === '' ? {} : { COUNTERSIGN_PORT: port }),
    ...(ruleset === undefined ? {} : { COUNTERSIGN_RULESET: ruleset }),
    ...(policy === undefined ? {} : { COUNTERSIGN_POLICY: resolve(context.world.cwd, policy) }),
  };
}

/** Codes of the server that mean something here too. */
const CODES: ReadonlySet<number> = new Set(Object.values(EXIT));

function isExitCode(code: number): code is ExitCode {
  return CODES.has(code);
}

async function up(input: Input, context: Context): Promise<Outcome> {
  const { main, args } = serverMain();
  const env = environment(input, context);
  const child = spawn(process.execPath, [...args, main, ...(context.json ? ['--json'] : [])], { stdio: 'inherit', env });
  const stop = (): void => {
    // A terminal sends Ctrl-C to the server too; a second signal would make it leave without tidying up.
    if (context.world.stop.reason !== 'SIGINT' || !process.stdin.isTTY) child.kill('SIGTERM');
  };
  context.world.stop.addEventListener('abort', stop);
  const code = await new Promise<number>((done, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => done(status ?? (signal === null ? EXIT.runtime : EXIT.ok)));
  });
  context.world.stop.removeEventListener('abort', stop);
  if (code !== 0 && !context.world.stop.aborted) {
    throw new CliError(isExitCode(code) ? code : EXIT.runtime, [
      { code: 'gateway_ended', message: `the gateway ended with ${code}`, hint: 'countersign doctor' },
    ]);
  }
  return { exitCode: EXIT.ok, json: {}, text: '' };
}

export const upCommand: Command = {
  path: 'up',
  summary: 'start the gateway here, until Ctrl-C',
  options: [
    { flags: '--port <number>', summary: '8080 where it is not said, 0 for any' },
    { flags: '--ruleset <name>', summary: 'ruleset that a new data directory starts with' },
    { flags: '--policy <file>', summary: 'policy file to hold and to watch: a change is in force within a second' },
  ],
  examples: ['countersign up', 'countersign up --port 0 --data /var/lib/countersign', 'countersign up --policy policy.yaml'],
  run: up,
};
