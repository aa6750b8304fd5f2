/**
 * @module Children: started without a shell, their exit code or signal passed on, Ctrl-C safe.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** What a shell reports for a process that ended by a signal. */
const SIGNAL_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Signals that end a program; each is passed to the child, so that nothing outlives this process. */
const FORWARDED = Object.keys(SIGNAL_CODES);

/**
 * A terminal sends Ctrl-C to the whole foreground group, so the child has it already; forwarding it again would look like
 * an impatient second press.
 */
function mustForward(signal) {
  return !(signal === 'SIGINT' && process.stdin.isTTY);
}

const PARENT_POLL_MS = 500;

/**
 * npm ends on SIGTERM without telling the script that it started. A script of npm's whose parent is gone has been told to stop.
 */
function watchParent(stop) {
  if (process.env.npm_lifecycle_event === undefined) return () => undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_POLL_MS);
  return () => clearInterval(timer);
}

/**
 * Runs a program and resolves when it has ended. `capture` collects stdout and stderr instead of passing them through.
 * Resolves `{code, signal, stdout, stderr}`; rejects only where the program could not be started.
 */
export function run(command, args, options = {}) {
  const { capture = false, cwd, env, onOutput } = options;
  return new Promise((resolve, reject) => {
    const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio, windowsHide: true });
    const texts = { stdout: '', stderr: '' };
    for (const name of capture ? ['stdout', 'stderr'] : []) {
      child[name].setEncoding('utf8');
      child[name].on('data', (chunk) => {
        texts[name] += chunk;
        onOutput?.(chunk);
      });
    }
    const handlers = FORWARDED.map((signal) => {
      const forward = () => {
        if (mustForward(signal)) child.kill(signal);
      };
      process.on(signal, forward);
      return [signal, forward];
    });
    const stopWatching = watchParent(() => child.kill('SIGTERM'));
    const release = () => {
      stopWatching();
      for (const [signal, forward] of handlers) process.removeListener(signal, forward);
    };
    child.on('error', (error) => {
      release();
      reject(error);
    });
    child.on('close', (code, signal) => {
      release();
      resolve({ code, signal, ...texts });
    });
  });
}

/** Ends this process the way its child ended: the same code, or the code a shell gives for the same signal. */
export function endLike({ code, signal }) {
  process.exitCode = signal === null ? (code ?? 1) : (SIGNAL_CODES[signal] ?? 1);
}
