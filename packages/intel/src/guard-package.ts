/**
 * @module A guard package on disk: a folder with its manifest and the modules that it names. It is read once, as a whole, within bounds, and is
 * the package that a policy means only where its SHA-256 is the one that the policy names. Links that lead out of the folder are not followed.
 */
import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import { fenceModule } from './fenced-module.ts';
import { type GuardManifest, type ManifestGuard, readGuardManifest } from './guard-manifest.ts';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

export const MANIFEST_FILE = 'clawdstrike.plugin.toml';

export interface PackagedGuard extends ManifestGuard {
  /** With its maximums written in. */
  readonly module: Uint8Array;
}

export interface GuardPackage {
  readonly manifest: GuardManifest;
  /** Over the canonical JSON of `{manifest, modules}`: the SHA-256 of the manifest's bytes, and of each module's by its path. */
  readonly sha256: string;
  readonly guards: readonly PackagedGuard[];
  /** All of it as it stands on disk, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function failed(code: string, message: string, hint?: string): Result<never, Fault> {
  return err({ code, message, ...(hint !== undefined && { hint }) });
}

/** At most one byte more than allowed is read. */
function readBounded(path: string, bytesMax: number): Uint8Array | undefined {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(bytesMax + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      length += read;
      if (length > bytesMax) return undefined;
      if (read === 0) return new Uint8Array(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

function readInside(root: string, name: string, bytesMax: number): Result<Uint8Array, Fault> {
  try {
    const path = realpathSync(join(root, name));
    if (!path.startsWith(`${root}${sep}`)) return failed('guard_package', `\`${name}\` leads out of the package`);
    const bytes = readBounded(path, bytesMax);
    return bytes === undefined ? failed('guard_package', `\`${name}\` is larger than ${String(bytesMax)} bytes`) : ok(bytes);
  } catch (error) {
    return failed('guard_package', `\`${name}\` cannot be read (${codeOf(error)})`);
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

interface Modules {
  /** As they stand on disk. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly guards: readonly PackagedGuard[];
}

function readModules(root: string, { guards, memoryMb }: GuardManifest): Result<Modules, Fault> {
  const files = new Map<string, Uint8Array>();
  const packaged: PackagedGuard[] = [];
  for (const guard of guards) {
    const bytes = readInside(root, guard.entrypoint, LIMITS.moduleBytesMax);
    if (!bytes.ok) return bytes;
    const module = fenceModule(bytes.value, memoryMb);
    if (!module.ok) return module;
    files.set(guard.entrypoint, bytes.value);
    packaged.push({ ...guard, module: module.value });
  }
  return ok({ files, guards: packaged });
}

/** Reads the package in a folder. Nothing of it is compiled or run. */
export function readGuardPackage(folder: string): Result<GuardPackage, Fault> {
  let root: string;
  try {
    root = realpathSync(folder);
  } catch (error) {
    return failed('guard_package_missing', `the folder of the package cannot be read (${codeOf(error)})`);
  }
  const bytes = readInside(root, MANIFEST_FILE, LIMITS.manifestBytesMax);
  if (!bytes.ok) return bytes;
  const text = decoded(bytes.value);
  if (text === undefined) return failed('guard_manifest', 'the manifest is not UTF-8');
  const manifest = readGuardManifest(text);
  if (!manifest.ok) return manifest;
  const modules = readModules(root, manifest.value);
  if (!modules.ok) return modules;
  const { files, guards } = modules.value;
  const hashes = Object.fromEntries([...files].map(([name, module]) => [name, sha256Hex(module)]));
  const sha256 = sha256Hex(canonicalize({ manifest: sha256Hex(bytes.value), modules: hashes }));
  return ok({ manifest: manifest.value, sha256, guards, files: new Map([[MANIFEST_FILE, bytes.value], ...files]) });
}
