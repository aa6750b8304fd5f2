/**
 * @module The browser that the page is tested in: the system's Chromium. Root gets it installed by the system's package manager; anybody
 * else is told what to install. On continuous integration a missing browser is a failure, because a suite that was left out says nothing.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { run } from './child.mjs';
import { EXIT, progress, say, ScriptError, seconds } from './terminal.mjs';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Package managers, and what each is asked, in order. */
const MANAGERS = [
  { name: 'apt-get', steps: [['update'], ['install', '-y', '--no-install-recommends', 'chromium']] },
  { name: 'dnf', steps: [['install', '-y', 'chromium']] },
  { name: 'apk', steps: [['add', 'chromium']] },
];

function inPath(name, env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The path of a Chromium on this machine, or undefined. `COUNTERSIGN_CHROMIUM` names another one. */
export function findBrowser(env = process.env) {
  const named = env.COUNTERSIGN_CHROMIUM;
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined;
  return PROGRAMS.map((name) => inPath(name, env)).find((path) => path !== undefined);
}

/** How to get one here: the commands as root on a system we know, or the sentence that names what is missing. */
export function installPlan({ env = process.env, isRoot = process.getuid?.() === 0 } = {}) {
  const manager = MANAGERS.find(({ name }) => inPath(name, env) !== undefined);
  if (isRoot && manager !== undefined) return { commands: manager.steps.map((args) => [manager.name, ...args]) };
  const command = manager === undefined ? '' : [manager.name, ...manager.steps.at(-1)].join(' ');
  const how = command === '' ? 'install Chromium' : `run \`sudo ${command}\``;
  return { commands: [], hint: `${how}, or name one: COUNTERSIGN_CHROMIUM=PATH npm test` };
}

async function install(commands, runner) {
  const line = progress('installing Chromium (once, for the tests of the page)');
  for (const [command, ...args] of commands) {
    const result = await runner(command, args, { capture: true, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    if (result.code === 0) continue;
    line.end();
    process.stderr.write(`${`${result.stdout}${result.stderr}`.trimEnd().split('\n').slice(-12).join('\n')}\n`);
    return `\`${[command, ...args].join(' ')}\` failed`;
  }
  say(`Chromium installed in ${seconds(line.end())}`);
  return undefined;
}

/**
 * Sees to it that there is a browser for the tests.
 * @throws {ScriptError} on continuous integration, where there is none in the end. Elsewhere the tests that need it skip and say so.
 */
export async function ensureBrowser({ env = process.env, isRoot = process.getuid?.() === 0, runner = run } = {}) {
  if (findBrowser(env) !== undefined) return;
  const { commands, hint = 'see the output above' } = installPlan({ env, isRoot });
  const failure = commands.length === 0 ? 'there is no Chromium' : await install(commands, runner);
  if (failure === undefined && findBrowser(env) !== undefined) return;
  const reason = failure ?? 'Chromium was installed, but is not found';
  if ((env.CI ?? '') !== '') throw new ScriptError(`${reason}, and the page is tested in one`, hint, EXIT.config);
  say(`${reason}: the tests of the page are left out; ${hint}`);
}
