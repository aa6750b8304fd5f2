/**
 * @module What the scripts print: steps with their time on stderr, results on stdout. Runs on any Node from 18 on.
 */
import process from 'node:process';

export const EXIT = { ok: 0, failed: 1, config: 3, runtime: 4, usage: 5 };

const colour = process.stdout.isTTY && !process.env.NO_COLOR;

/** Text in green, red or yellow on a terminal, plain elsewhere. */
export function paint(name, text) {
  const codes = { green: 32, red: 31, yellow: 33, dim: 2 };
  return colour ? `\u001b[${codes[name]}m${text}\u001b[0m` : text;
}

/** Seconds with one decimal. */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** One line on stderr: progress is never part of a program's output. */
export function say(text) {
  process.stderr.write(`countersign: ${text}\n`);
}

/** A line that counts the seconds while something slow runs; on anything but a terminal it is written once. */
export function progress(text) {
  const started = Date.now();
  if (!process.stderr.isTTY) {
    say(`${text} ...`);
    return { end: () => Date.now() - started };
  }
  const draw = () => process.stderr.write(`\r\u001b[Kcountersign: ${text} ... ${Math.floor((Date.now() - started) / 1000)} s`);
  draw();
  const timer = setInterval(draw, 1000);
  return {
    end: () => {
      clearInterval(timer);
      process.stderr.write('\r\u001b[K');
      return Date.now() - started;
    },
  };
}

/** An error a person can act on: what failed, why, what to do; carries the exit code. */
export class ScriptError extends Error {
  constructor(message, hint, exitCode = EXIT.runtime) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
