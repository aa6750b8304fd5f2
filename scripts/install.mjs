/**
 * @module Dependencies: installed with `npm ci` when missing or when the lockfile changed, and never otherwise.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { run } from './child.mjs';
import { pinnedNodePath } from './node-runtime.mjs';
import { EXIT, progress, say, ScriptError, seconds } from './terminal.mjs';

const STAMP = join('node_modules', '.countersign-stamp');

function lockStamp(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function packagesOf(text) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text).packages;
  } catch {
    return undefined;
  }
}

function isSame(wanted, found) {
  if (wanted.link === true) return found.link === true;
  return wanted.version === found.version && (wanted.integrity ?? '') === (found.integrity ?? '');
}

/**
 * True where what npm says is installed (its own record, `node_modules/.package-lock.json`) is what the lockfile asks for.
 * Packages that npm may leave out on this platform (`optional`, other `os` or `cpu`) may be missing, never different.
 */
export function matchesLock(lockText, installedText) {
  const wanted = packagesOf(lockText);
  const found = packagesOf(installedText);
  if (wanted === undefined || found === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const present = found[path];
    if (present === undefined && entry.optional !== true && entry.devOptional !== true && entry.peer !== true) return false;
    if (present !== undefined && !isSame(entry, present)) return false;
  }
  return Object.keys(found).every((path) => wanted[path] !== undefined);
}

/** `current`: nothing to do; `unstamped`: right, but by somebody else's hand; `stale`: install. */
export function installState(root) {
  const stamp = readText(join(root, STAMP));
  if (stamp === lockStamp(root)) return 'current';
  const installed = readText(join(root, 'node_modules', '.package-lock.json'));
  const pinnedMissing = process.platform === 'linux' && process.arch === 'x64' && !existsSync(pinnedNodePath(root));
  return !pinnedMissing && matchesLock(readText(join(root, 'package-lock.json')), installed) ? 'unstamped' : 'stale';
}

const CAUSES = [
  [/ENOSPC/, 'the disk is full', 'free some space and run the command again'],
  [/EROFS|read-only file system/, 'the disk is read-only', 'run the command in a copy of the repository on a writable disk'],
  [/EACCES|EPERM/, 'npm may not write here', 'give your user write permission on the repository folder, and on the npm cache folder'],
  [
    /EINTEGRITY/,
    'a package is not the one the lockfile names',
    'do not go on: somebody changed a published package, or a proxy altered it',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/,
    'the package registry cannot be reached',
    'check the network or the proxy (`npm config get registry`) and run the command again',
  ],
  [
    /code E4\d\d|code E5\d\d|ETARGET|\b40[1345]\b/,
    'the package registry refused',
    'see the npm output above; a mirror must carry every version of package-lock.json',
  ],
  [
    /EUSAGE|can only install packages when your package\.json/,
    'package.json and package-lock.json do not match',
    'run `npm install` once, review the change of package-lock.json and commit it',
  ],
];

/** The sentence and the advice for a failed `npm ci`, read off what npm wrote. */
export function explainInstallFailure(output) {
  const cause = CAUSES.find(([pattern]) => pattern.test(output));
  if (cause === undefined) return { reason: 'npm ci failed', hint: 'see the npm output above' };
  return { reason: cause[1], hint: cause[2] };
}

/** How to start npm: the one that started us, else the one beside the running Node, else the one in PATH. */
export function npmCommand(env = process.env) {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const started = env.npm_execpath;
  if (started !== undefined && started.endsWith('npm-cli.js') && existsSync(started)) return [process.execPath, [started]];
  if (existsSync(beside)) return [process.execPath, [beside]];
  return ['npm', []];
}

function stampInstall(root) {
  try {
    writeFileSync(join(root, STAMP), lockStamp(root));
  } catch (error) {
    // A read-only checkout with everything installed still works; it only looks twice.
    if (error.code !== 'EROFS' && error.code !== 'EACCES') throw error;
  }
}

/**
 * Makes `node_modules` what the lockfile says.
 * @throws {ScriptError} exit 4 with the cause where npm fails.
 */
export async function ensureInstalled(root) {
  const state = installState(root);
  if (state === 'current') return;
  if (state === 'unstamped') {
    stampInstall(root);
    return;
  }
  const [command, first] = npmCommand();
  const line = progress('installing dependencies (npm ci, once)');
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000'];
  const result = await run(command, args, { cwd: root, capture: true }).catch((error) => ({
    code: 127,
    signal: null,
    stdout: '',
    stderr: String(error),
  }));
  const took = line.end();
  if (result.signal !== null)
    throw new ScriptError(`npm ci was stopped by ${result.signal}`, 'run the command again: it starts over', EXIT.runtime);
  if (result.code !== 0) {
    const output = `${result.stdout}${result.stderr}`;
    process.stderr.write(`${output.trimEnd().split('\n').slice(-12).join('\n')}\n`);
    const { reason, hint } = explainInstallFailure(output);
    throw new ScriptError(`dependencies could not be installed: ${reason}`, hint, EXIT.runtime);
  }
  stampInstall(root);
  say(`dependencies installed in ${seconds(took)}`);
}
