/**
 * @module Dependencies: installed with `npm ci` when missing or when the lockfile changed, and never otherwise.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { run } from './child.mjs';
import { chooseNode, isNewEnough, pinnedNodePath } from './node-runtime.mjs';
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
 * Which binaries run here: what a lockfile entry's `os`, `cpu` and `libc` are compared with.
 * @returns {{ os: string, cpu: string, libc: string }}
 */
export function thisPlatform() {
  const glibc = process.platform === 'linux' ? process.report.getReport().header.glibcVersionRuntime : undefined;
  return { os: process.platform, cpu: process.arch, libc: glibc === undefined ? 'musl' : 'glibc' };
}

/**
 * npm leaves out an optional package that is for another platform, and, silently, one whose `engines` do not like the Node
 * that npm runs under: the second kind is missing in earnest.
 */
function mayBeMissing(entry, platform) {
  if (entry.optional !== true && entry.devOptional !== true) return entry.peer === true;
  if (entry.os === undefined && entry.cpu === undefined) return true;
  const fits = (allowed, value) => allowed === undefined || allowed.includes(value);
  return !(fits(entry.os, platform.os) && fits(entry.cpu, platform.cpu) && fits(entry.libc, platform.libc));
}

/**
 * True where what npm says is installed (its own record, `node_modules/.package-lock.json`) is what the lockfile asks for.
 */
export function matchesLock(lockText, installedText, platform = thisPlatform()) {
  const wanted = packagesOf(lockText);
  const found = packagesOf(installedText);
  if (wanted === undefined || found === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const present = found[path];
    if (present === undefined && !mayBeMissing(entry, platform)) return false;
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

/** npm's own program: the one that started us, else the one beside the running Node, else the one that `npm` in PATH leads to. */
export function npmProgram(env = process.env) {
  const inPath = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const candidates = [env.npm_execpath ?? '', beside, ...inPath]
    .filter((path) => path !== '' && existsSync(path))
    .map((path) => realpathSync(path));
  const program = candidates.find((path) => basename(path) === 'npm-cli.js');
  if (program !== undefined) return program;
  throw new ScriptError('npm was not found', 'install npm 10 or newer beside Node', EXIT.config);
}

const CI = ['ci', '--no-audit', '--no-fund', '--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000'];

async function npmCi(folder, { node, text }) {
  const line = progress(text);
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) };
  const result = await run(node, [npmProgram(), ...CI], { cwd: folder, capture: true, env });
  const took = line.end();
  if (result.signal !== null) throw new ScriptError(`npm ci was stopped by ${result.signal}`, 'run the command again: it starts over');
  if (result.code !== 0) {
    const output = `${result.stdout}${result.stderr}`;
    process.stderr.write(`${output.trimEnd().split('\n').slice(-12).join('\n')}\n`);
    const { reason, hint } = explainInstallFailure(output);
    throw new ScriptError(`dependencies could not be installed: ${reason}`, hint);
  }
  return took;
}

/** The lockfile cut down to the pinned Node of this platform, or undefined where there is none. */
export function runtimeLock(lockText, platform = thisPlatform()) {
  const name = `node-${platform.os}-${platform.cpu}`;
  const entry = packagesOf(lockText)?.[`node_modules/${name}`];
  if (entry === undefined) return undefined;
  const dependencies = { [name]: entry.version };
  const { optional: _optional, ...pin } = entry;
  return {
    manifest: { name: 'countersign-runtime', version: '1.0.0', private: true, dependencies },
    lock: {
      name: 'countersign-runtime',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': { name: 'countersign-runtime', version: '1.0.0', dependencies }, [`node_modules/${name}`]: pin },
    },
  };
}

/**
 * The Node that npm is to run under. An older one would leave out native packages without a word (see `mayBeMissing`), so
 * the pinned Node comes first, by the same lockfile entry and integrity, into a folder of its own.
 */
async function installer(root) {
  if (isNewEnough(process.version)) return process.execPath;
  const runtime = runtimeLock(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  if (runtime === undefined) return chooseNode(root);
  const folder = join(root, '.build', 'runtime');
  const node = pinnedNodePath(folder);
  const lockText = `${JSON.stringify(runtime.lock, null, 2)}\n`;
  if (existsSync(node) && readText(join(folder, 'package-lock.json')) === lockText) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(runtime.manifest));
  writeFileSync(join(folder, 'package-lock.json'), lockText);
  await npmCi(folder, {
    node: process.execPath,
    text: `installing Node ${runtime.manifest.dependencies[`node-${process.platform}-${process.arch}`]} (this one is ${process.version})`,
  });
  return node;
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
  const took = await writing(async () => npmCi(root, { node: await installer(root), text: 'installing dependencies (npm ci, once)' }));
  stampInstall(root);
  say(`dependencies installed in ${seconds(took)}`);
}

/** Turns a failed write of our own into the same sentences as a failed write of npm's. */
async function writing(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    const { reason, hint } = explainInstallFailure(`${error.code ?? ''} ${error.message}`);
    throw new ScriptError(`dependencies could not be installed: ${reason}`, hint);
  }
}
