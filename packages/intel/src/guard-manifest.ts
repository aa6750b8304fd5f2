/**
 * @module The manifest of a guard package (`clawdstrike.plugin.toml`): what its guards are called, which modules they are, what they wish for
 * and how much they may use. Closed: a table or key that nobody knows is refused.
 */
import { err, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { INTEL_LIMITS as LIMITS } from './limits.ts';
import { readToml } from './read-toml.ts';

/** In the order of their numbers in the ABI. */
export const CAPABILITIES = ['network', 'subprocess', 'filesystem.read', 'filesystem.write', 'secrets.access'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** Names of actions as guards know them. */
export const GUARD_ACTIONS = ['file_access', 'file_write', 'network_egress', 'shell_command', 'mcp_tool', 'patch', 'custom'] as const;

export interface ManifestGuard {
  readonly name: string;
  /** A file of the package, relative to it. */
  readonly entrypoint: string;
  /** Empty: all. */
  readonly handles: readonly string[];
}

export interface GuardManifest {
  readonly name: string;
  readonly version: string;
  readonly guards: readonly ManifestGuard[];
  /** What it wishes for; what it gets is for the operator to say. */
  readonly capabilities: readonly Capability[];
  readonly memoryMb: number;
  readonly cpuMs: number;
  readonly timeoutMs: number;
}

class ManifestStop extends Error {}

function stop(place: string, message: string): never {
  throw new ManifestStop(`\`${place}\` ${message}`);
}

/** One table, of which every key must be known. */
class Reader {
  readonly #table: JsonObject;
  readonly #place: string;

  constructor(table: JsonObject, place: string, known: readonly string[]) {
    this.#table = table;
    this.#place = place;
    const strange = Object.keys(table).find((key) => !known.includes(key));
    if (strange !== undefined) stop(this.#at(strange.slice(0, 64)), `is not known; there are ${known.join(', ')}`);
  }

  #at(key: string): string {
    return this.#place === '' ? key : `${this.#place}.${key}`;
  }

  #get(key: string): JsonValue | undefined {
    return getOwn(this.#table, key);
  }

  table(key: string, known: readonly string[]): Reader {
    const value = this.#get(key) ?? {};
    return isJsonObject(value) ? new Reader(value, this.#at(key), known) : stop(this.#at(key), 'must be a table');
  }

  tables(key: string, known: readonly string[]): readonly Reader[] {
    const value = this.#get(key);
    if (!Array.isArray(value) || value.length === 0) return stop(this.#at(key), 'must hold at least one entry');
    if (value.length > LIMITS.guardsMax) return stop(this.#at(key), `holds more than ${String(LIMITS.guardsMax)} entries`);
    return (value as readonly JsonValue[]).map((item, i) => {
      const place = `${this.#at(key)}[${String(i)}]`;
      return isJsonObject(item) ? new Reader(item, place, known) : stop(place, 'must be a table');
    });
  }

  text(key: string, form: RegExp, what: string): string {
    const value = this.#get(key);
    return typeof value === 'string' && form.test(value) ? value : stop(this.#at(key), `must be ${what}`);
  }

  word<Word extends string>(key: string, words: readonly Word[], fallback: Word): Word {
    const value = this.#get(key);
    if (value === undefined) return fallback;
    return words.find((word) => word === value) ?? stop(this.#at(key), `must be one of ${words.join(', ')}`);
  }

  texts(key: string): readonly string[] {
    const value = this.#get(key) ?? [];
    if (!Array.isArray(value)) return stop(this.#at(key), 'must be a list of strings');
    return (value as readonly JsonValue[]).map((item) =>
      typeof item === 'string' ? item : stop(this.#at(key), 'must be a list of strings'),
    );
  }

  flag(key: string): boolean {
    const value = this.#get(key) ?? false;
    return typeof value === 'boolean' ? value : stop(this.#at(key), 'must be true or false');
  }

  whole(key: string, fallback: number, max: number): number {
    const value = this.#get(key) ?? fallback;
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
    return fits ? value : stop(this.#at(key), `must be a whole number from 1 to ${String(max)}`);
  }

  /** Read for their form, and said nowhere. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) {
      const value = this.#get(key);
      if (value !== undefined && typeof value !== 'string') stop(this.#at(key), 'must be a string');
    }
  }
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
const VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:[-+][0-9A-Za-z.+-]{1,64})?$/;
/** A path below the package, without a step that leads out of it. */
const ENTRYPOINT = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const NAME_WORDS = 'a name of lower-case letters, digits, `.`, `_` and `-`';

function readGuard(entry: Reader): ManifestGuard {
  entry.ignore('display_name');
  const handles = entry.texts('handles');
  const strange = handles.find((action) => !GUARD_ACTIONS.some((known) => known === action));
  if (strange !== undefined) stop('guards.handles', `names an action that nobody knows; there are ${GUARD_ACTIONS.join(', ')}`);
  return {
    name: entry.text('name', NAME, NAME_WORDS),
    entrypoint: entry.text('entrypoint', ENTRYPOINT, 'a path below the package'),
    handles,
  };
}

function readCapabilities(table: Reader): readonly Capability[] {
  const files = table.table('filesystem', ['read', 'write']);
  const wished: Readonly<Record<Capability, boolean>> = {
    network: table.flag('network'),
    subprocess: table.flag('subprocess'),
    'filesystem.read': files.texts('read').length > 0,
    'filesystem.write': files.flag('write'),
    'secrets.access': table.table('secrets', ['access']).flag('access'),
  };
  return CAPABILITIES.filter((name) => wished[name]);
}

function withDefaultEntrypoint(value: JsonObject): JsonObject {
  const guards = getOwn(value, 'guards');
  if (!Array.isArray(guards)) return value;
  const filled = (guards as readonly JsonValue[]).map((guard) =>
    isJsonObject(guard) ? Object.assign({ entrypoint: 'guard.wasm' }, guard) : guard,
  );
  return { ...value, guards: filled };
}

function readTables(value: JsonObject): GuardManifest {
  const root = new Reader(withDefaultEntrypoint(value), '', ['plugin', 'clawdstrike', 'guards', 'capabilities', 'resources', 'trust']);
  const plugin = root.table('plugin', ['version', 'name', 'display_name', 'description', 'author', 'license']);
  plugin.ignore('display_name', 'description', 'author', 'license');
  root.table('clawdstrike', ['min_version', 'max_version']).ignore('min_version', 'max_version');
  const trust = root.table('trust', ['level', 'sandbox']);
  trust.word('level', ['trusted', 'untrusted'], 'untrusted');
  if (trust.word('sandbox', ['native', 'wasm'], 'wasm') === 'native')
    stop('trust.sandbox', 'is `native`, and code that is not WebAssembly is never loaded');
  const guards = root.tables('guards', ['name', 'display_name', 'entrypoint', 'handles']).map(readGuard);
  if (new Set(guards.map(({ name }) => name)).size !== guards.length) stop('guards', 'has two guards of one name');
  const resources = root.table('resources', ['max_memory_mb', 'max_cpu_ms', 'max_timeout_ms']);
  return {
    name: plugin.text('name', NAME, NAME_WORDS),
    version: plugin.text('version', VERSION, 'a version such as `1.0.0`'),
    guards,
    capabilities: readCapabilities(root.table('capabilities', ['network', 'subprocess', 'filesystem', 'secrets'])),
    memoryMb: resources.whole('max_memory_mb', 64, LIMITS.memoryMbMax),
    cpuMs: resources.whole('max_cpu_ms', 100, LIMITS.timeMsMax),
    timeoutMs: resources.whole('max_timeout_ms', 5000, LIMITS.timeMsMax),
  };
}

/** Reads a manifest. A package that says nothing of its sandbox is WebAssembly, and trusts nobody. */
export function readGuardManifest(text: string): Result<GuardManifest, Fault> {
  const toml = readToml(text);
  if (!toml.ok) return toml;
  try {
    return ok(readTables(toml.value));
  } catch (thrown) {
    if (!(thrown instanceof ManifestStop)) throw thrown;
    return err({ code: 'guard_manifest', message: thrown.message });
  }
}
