/**
 * @module The engine as a file: one module with its wasm and tables, named by the SHA-256 of its bytes. What is hashed is what runs:
 * the module is imported from the very bytes that were hashed, never from a path that may change between the two.
 */
import { readFile } from 'node:fs/promises';
import * as loader from 'node:module';
import { sha256Hex } from '@countersign/crypto';
import type { Engine } from '@countersign/judge';
import { CodedError } from '@countersign/kernel';
import { engineUrl } from './engine-url.ts';
import { RUNTIME_LIMITS } from './limits.ts';
import { keepWasmWrappers } from './wasm-wrappers.ts';

export interface EngineFile {
  /** Lower-case hex SHA-256 of `bytes`. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

interface EngineModule {
  readonly openEngine: () => Promise<Engine>;
}

/** Where the build puts the engine. */
export function builtEnginePath(): URL {
  return new URL('../../judge/dist/engine.mjs', import.meta.url);
}

/**
 * Reads and hashes an engine file.
 * @throws {CodedError} `engine_missing` when it cannot be read, `engine_too_large` beyond the limit.
 */
export async function readEngineFile(path: string | URL = builtEnginePath()): Promise<EngineFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CodedError(
      { code: 'engine_missing', message: 'the engine file cannot be read', hint: 'build it with `npm run build`' },
      { cause: error },
    );
  }
  if (bytes.length > RUNTIME_LIMITS.engineBytesMax)
    throw new CodedError({ code: 'engine_too_large', message: 'the engine file is too large' });
  return { hash: sha256Hex(bytes), bytes };
}

/** Starts like a data URL, so that whatever else looks at imports on the way leaves it alone; only the hook below gives it a text. */
const ENGINE_URL = 'data:text/javascript,//countersign-engine-';

/**
 * Imports exactly `bytes`. A hook hands them to the loader as they are: a URL that holds them costs a cold start a fifth of a second
 * and 40 MB. Named by the hash of what is imported, taken here, so that no two texts can share a name. The hook was added last, hence
 * is asked first, and asks nobody else. Before Node 22.15 there are no such hooks, and the URL it is.
 */
async function importBytes(file: EngineFile): Promise<EngineModule> {
  // Older platforms lack what the types promise.
  const { registerHooks } = loader as { readonly registerHooks?: typeof loader.registerHooks };
  if (registerHooks === undefined) return (await import(engineUrl(file.bytes))) as EngineModule;
  const name = `${ENGINE_URL}${sha256Hex(file.bytes)}`;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === name ? { url: name, format: 'module', shortCircuit: true } : next(specifier, context),
    load: (url, context, next) => (url === name ? { format: 'module', source: file.bytes, shortCircuit: true } : next(url, context)),
  });
  try {
    return (await import(name)) as EngineModule;
  } finally {
    hooks.deregister();
  }
}

/** Engines of this process by the hash of their bytes, newest last. An engine is pure: starting its parsers again would give the same one. */
const opened = new Map<string, Promise<Engine>>();

async function startEngine(file: EngineFile): Promise<Engine> {
  keepWasmWrappers();
  const module = await importBytes(file);
  return module.openEngine();
}

function engineOf(file: EngineFile): Promise<Engine> {
  const name = sha256Hex(file.bytes);
  const known = opened.get(name);
  if (known !== undefined) return known;
  const [oldest] = opened.keys();
  if (opened.size >= RUNTIME_LIMITS.enginesKept && oldest !== undefined) opened.delete(oldest);
  const started = startEngine(file);
  opened.set(name, started);
  return started;
}

/**
 * Runs an engine file. The caller has checked its hash against a list it trusts.
 * @throws {CodedError} `engine_invalid` when it is not an engine.
 */
export async function openEngineFile(file: EngineFile): Promise<Engine> {
  try {
    return await engineOf(file);
  } catch (error) {
    opened.delete(sha256Hex(file.bytes));
    throw new CodedError(
      { code: 'engine_invalid', message: `the file with hash ${file.hash.slice(0, 16)} is not a working engine` },
      { cause: error },
    );
  }
}
