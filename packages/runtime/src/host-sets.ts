/**
 * @module Host sets: named lists of hosts that egress lists of a policy refer to as `@name`. They come from the operator's user-level
 * configuration alone, never from a project file or the environment, and are frozen into the resolved policy.
 */
import { CodedError, isJsonObject } from '@countersign/kernel';
import { RUNTIME_LIMITS } from './limits.ts';
import { readUserConfig, replaceUserConfig, type UserConfig, userConfigPath } from './user-config.ts';

export type HostSets = Readonly<Record<string, readonly string[]>>;

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The file of the user-level configuration. `home` is the user's home directory; no variable of the environment moves it. */
export function hostSetsPath(home?: string): string {
  return userConfigPath('host-sets.json', home);
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

const CONFIG: UserConfig = {
  bytesMax: RUNTIME_LIMITS.hostSetsBytesMax,
  unreadable: { code: 'host_sets_unreadable', message: 'the host sets of the user-level configuration cannot be read' },
  invalid,
};

/**
 * Reads the host sets; none where there is no file.
 * @throws {CodedError} `host_sets_invalid` when the file is not a map of names to hosts.
 */
export function readHostSets(path: string = hostSetsPath()): HostSets {
  const found = readUserConfig(path, CONFIG);
  if (found === undefined) return {};
  if (!isJsonObject(found)) throw invalid('host sets are a map of names to lists of hosts');
  return Object.fromEntries(Object.entries(found).map(([name, hosts]) => [name, checkHosts(name, hosts)]));
}

/** Replaces one host set, atomically. @throws {CodedError} `host_sets_invalid`. */
export function writeHostSet(name: string, hosts: readonly string[], path: string = hostSetsPath()): HostSets {
  const sets = { ...readHostSets(path), [name]: checkHosts(name, hosts) };
  replaceUserConfig(path, sets);
  return sets;
}
