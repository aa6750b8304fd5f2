/**
 * @module Which Node runs the product: the one the lockfile pins, or the running one where the platform has no pin.
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { EXIT, ScriptError } from './terminal.mjs';

/** Oldest Node the product runs on. */
export const NODE_MIN = [22, 13];

/** True where `version` (`v22.13.1`) is at least `NODE_MIN`. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** Where the pinned Node of this platform is installed, whether or not it is there. */
export function pinnedNodePath(root, platform = process.platform, arch = process.arch) {
  return join(root, 'node_modules', `node-${platform}-${arch}`, 'bin', 'node');
}

/**
 * The Node to run under. `always` prefers the pinned one even where the running one would do (tests run on one version only).
 * @throws {ScriptError} where neither the pinned nor the running Node will do.
 */
export function chooseNode(root, { always = false } = {}) {
  if (!always && isNewEnough(process.version)) return process.execPath;
  const pinned = pinnedNodePath(root);
  if (existsSync(pinned)) return pinned;
  if (isNewEnough(process.version)) return process.execPath;
  throw new ScriptError(
    `Node ${process.version} is too old, and this platform (${process.platform} ${process.arch}) has no pinned one`,
    `install Node ${NODE_MIN.join('.')} or newer (24 is what we test with) and run the command again`,
    EXIT.config,
  );
}

/** The environment of a child that runs under `node`: tools that look `node` up in PATH find the same one. */
export function environmentFor(root, node, extra = {}) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}
