/**
 * @module Host sets: named lists of hosts that egress lists of a policy refer to as `@name`. They come from the operator's user-level
 * configuration alone, never from a project file or the environment, and are frozen into the resolved policy.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, CodedError, isJsonObject, parseJson } from '@countersign/kernel';
import { RUNTIME_LIMITS } from './limits.ts';

export type HostSets = Readonly<Record<string, readonly string[]>>;

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The file of the user-level configuration. `home` is the user's home directory; no variable of the environment moves it. */
export function hostSetsPath(home: string = userInfo().homedir): string {
  return join(home, '.config', 'countersign', 'host-sets.json');
}

function invalid(message: string): CodedError {
  return new CodedError({ code: 'host_sets_invalid', message, hint: 'write them with `countersign hosts set NAME HOST...`' });
}

function checkHosts(name: string, hosts: unknown): readonly string[] {
  if (!NAME.test(name)) throw invalid('a host set is named by lower-case letters, digits and `-`');
  if (!Array.isArray(hosts) || hosts.length > RUNTIME_LIMITS.hostSetHostsMax)
    throw invalid(`host set \`${name}\` must be a list of at most ${RUNTIME_LIMITS.hostSetHostsMax} hosts`);
  for (const host of hosts) {
    if (typeof host !== 'string' || !HOST.test(host))
      throw invalid(`host set \`${name}\` holds something that is not a lower-case host name`);
  }
  return hosts as readonly string[];
}

/**
 * Reads the host sets; none where there is no file.
 * @throws {CodedError} `host_sets_invalid` when the file is not a map of names to hosts.
 */
export function readHostSets(path: string = hostSetsPath()): HostSets {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw new CodedError(
      { code: 'host_sets_unreadable', message: 'the host sets of the user-level configuration cannot be read' },
      { cause: error },
    );
  }
  const parsed = parseJson(bytes, { bytesMax: RUNTIME_LIMITS.hostSetsBytesMax });
  if (!parsed.ok) throw invalid(parsed.error.message);
  if (!isJsonObject(parsed.value.value)) throw invalid('host sets are a map of names to lists of hosts');
  return Object.fromEntries(Object.entries(parsed.value.value).map(([name, hosts]) => [name, checkHosts(name, hosts)]));
}

/** Replaces one host set, atomically. @throws {CodedError} `host_sets_invalid`. */
export function writeHostSet(name: string, hosts: readonly string[], path: string = hostSetsPath()): HostSets {
  const sets = { ...readHostSets(path), [name]: checkHosts(name, hosts) };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, `${JSON.stringify(sets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return sets;
}
