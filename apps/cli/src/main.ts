/** @module Composition root: arguments, environment, streams, signals and the exit code come in and go out here. */
import { userInfo } from 'node:os';
import { buffer } from 'node:stream/consumers';
import process from 'node:process';
import { runCli } from './run-cli.ts';
import type { Sink, World } from './world.ts';

function sink(stream: NodeJS.WriteStream): Sink {
  return { write: (text) => void stream.write(text), isTerminal: stream.isTTY, columns: stream.columns ?? 100 };
}

const stop = new AbortController();
const world: World = {
  env: process.env,
  cwd: process.cwd(),
  home: userInfo().homedir,
  stdout: sink(process.stdout),
  stderr: sink(process.stderr),
  stdin: async () => new Uint8Array(await buffer(process.stdin)),
  stdinChunks: () => process.stdin,
  clock: { nowMs: () => Date.now() },
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  stop: stop.signal,
};

/** The first signal asks; a second one, from somebody who does not want to wait, ends at once. */
function onSignal(signal: NodeJS.Signals, code: number): void {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(code);
    stop.abort(signal);
    process.exitCode = code;
  });
}

onSignal('SIGINT', 130);
onSignal('SIGTERM', 143);
// A reader that has seen enough (`| head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 4));

const exitCode = await runCli(process.argv.slice(2), world);
process.exitCode = stop.signal.aborted ? (process.exitCode ?? 130) : exitCode;
