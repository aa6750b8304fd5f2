/**
 * @module Another master key for everything that is wrapped: subject keys, sealed key files, keys of agent tokens. All new wraps are
 * kept beside the old ones in the vault, then one rename puts the new master key in force, then they go where they belong. A crash
 * before the rename leaves a directory that the old key opens, a crash after it one that the new key opens (`finishRotation`).
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { base64url, fromBase64url } from '@countersign/crypto';
import { CodedError, type Random } from '@countersign/kernel';
import { STORE_LIMITS } from './limits.ts';
import { seedPurpose } from './log-key.ts';
import { freshMasterKey, loadMasterKey, writeMasterKey } from './master-key.ts';
import { readSecretFile, replaceSecretFile, syncDirectory } from './secret-file.ts';
import { createSealer, type Sealer } from './sealer.ts';
import { openSqliteTables } from './sqlite-tables.ts';
import { resealJwtKey } from './state-cache.ts';
import type { AgentRow, StateTables } from './state-tables.ts';
import { WRAPPED_KEY } from './sealed-form.ts';
import { WRAPPED_INTENT, WRAPPED_SECRET } from './vault.ts';
import type { VaultTables, Wrap } from './vault-tables.ts';

/** Where an installation keeps what is wrapped. The caller holds the lock of its log. */
export interface WrappedPlaces {
  /** Folder of `master.key` and the sealed key files. */
  readonly keys: string;
  /** Path of the state. */
  readonly state: string;
  readonly vault: VaultTables;
  readonly random: Random;
}

/** What was done when `step` is told: what it throws stops the rotation there, as a crash would. */
export type RotationStep = 'new-key' | 'staged' | 'switched' | 'file' | 'agents' | 'done';

export interface Rotated {
  /** Subject keys that are wrapped anew. */
  readonly keys: number;
  readonly agents: number;
  readonly files: number;
}

const MASTER = 'master.key';
const NEXT = 'master.key.next';
const encoder = new TextEncoder();

interface SeedFile {
  readonly heading: string;
  readonly purpose: string;
  readonly sealed: Uint8Array;
}

function readSeedFile(path: string): SeedFile {
  const [heading = '', body = ''] = (readSecretFile(path) ?? '').split('\n');
  const purpose = seedPurpose(heading);
  const sealed = fromBase64url(body);
  if (purpose !== undefined && sealed !== undefined) return { heading, purpose, sealed };
  throw new CodedError({
    code: 'key_file_malformed',
    message: 'not a sealed key file: it could not be opened under another master key',
    path,
    hint: 'move it out of the folder, or restore it from a backup',
  });
}

function seedFiles(keys: string): readonly string[] {
  return readdirSync(keys).filter((name) => name.endsWith('.key') && name !== MASTER);
}

function* agentsOf(tables: StateTables): Generator<AgentRow> {
  for (const { id: org } of tables.orgs()) {
    for (let after = ''; ;) {
      const rows = tables.agents({ org, after, limit: STORE_LIMITS.pageMax });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
  }
}

function withState<T>({ state }: WrappedPlaces, work: (tables: StateTables) => T): T {
  if (!existsSync(state)) {
    // Opening would make an empty one, and so hide that it is gone.
    throw new CodedError({ code: 'state_missing', message: 'the state is gone', path: state, hint: 'restore `state.db` from a backup' });
  }
  const tables = openSqliteTables(state);
  try {
    return work(tables);
  } finally {
    tables.close();
  }
}

/** A wrap of the vault as its AES-GCM binds it. */
function boundAs({ place, name }: Wrap): { readonly purpose: string; readonly aad: Uint8Array } {
  if (place === 'key') return { purpose: WRAPPED_KEY, aad: Buffer.from(name, 'hex') };
  return { purpose: place === 'secret' ? WRAPPED_SECRET : WRAPPED_INTENT, aad: encoder.encode(name) };
}

interface Change {
  readonly from: Sealer;
  readonly to: Sealer;
  readonly count: { keys: number; agents: number; files: number };
}

/** Everything there is, wrapped anew. */
function* rewrapped(places: WrappedPlaces, agents: Iterable<AgentRow>, { from, to, count }: Change): Generator<Wrap> {
  for (const wrap of places.vault.wraps()) {
    const { purpose, aad } = boundAs(wrap);
    if (wrap.place === 'key') count.keys += 1;
    yield { ...wrap, wrapped: to.seal(purpose, from.open(purpose, wrap.wrapped, aad), aad) };
  }
  for (const name of seedFiles(places.keys)) {
    const { heading, purpose, sealed } = readSeedFile(join(places.keys, name));
    const aad = encoder.encode(heading);
    count.files += 1;
    yield { place: 'file', name, wrapped: to.seal(purpose, from.open(purpose, sealed, aad), aad) };
  }
  for (const { id, sealedKey } of agents) {
    if (sealedKey === null) continue;
    count.agents += 1;
    yield { place: 'agent', name: id, wrapped: resealJwtKey(from, to, { agent: id, sealedKey }) };
  }
}

/** Puts staged wraps where they belong. Every step can be done again. */
function apply(places: WrappedPlaces, step: (name: RotationStep) => void): void {
  const { vault, keys } = places;
  for (const { name, wrapped } of vault.staged('file')) {
    const path = join(keys, name);
    replaceSecretFile(path, `${readSeedFile(path).heading}\n${base64url(wrapped)}\n`);
    step('file');
  }
  withState(places, (tables) =>
    tables.replaceSealedKeys(vault.staged('agent').map(({ name, wrapped }) => ({ agent: name, sealedKey: wrapped }))),
  );
  step('agents');
  vault.applyStaged();
  step('done');
}

/**
 * Ends a rotation that was cut short: goes on where the new master key is in force, forgets it where it is not. Does nothing where
 * there was none. To be called before anything is opened.
 * @throws CodedError what the files, the state or the vault say.
 */
export function finishRotation(places: WrappedPlaces, step: (name: RotationStep) => void = () => undefined): void {
  const { keys, vault, random } = places;
  const next = join(keys, NEXT);
  const staged = vault.anyStaged();
  if (staged !== undefined) {
    const master = createSealer(loadMasterKey({ path: join(keys, MASTER), random, create: false }), random);
    if (master.isOwn(staged.wrapped)) apply(places, step);
    else vault.dropStaged();
  }
  if (existsSync(next)) rmSync(next);
}

/**
 * Puts a fresh master key in the place of the old one, which opens nothing any more.
 * @throws CodedError what the files, the state or the vault say; the directory opens as before, or under the new key.
 */
export function rotateMaster(places: WrappedPlaces, step: (name: RotationStep) => void = () => undefined): Rotated {
  finishRotation(places);
  const { keys, vault, random } = places;
  const [path, next] = [join(keys, MASTER), join(keys, NEXT)];
  const from = createSealer(loadMasterKey({ path, random, create: false }), random);
  const fresh = freshMasterKey(random);
  writeMasterKey(next, fresh);
  step('new-key');
  const count = { keys: 0, agents: 0, files: 0 };
  withState(places, (tables) => vault.stage(rewrapped(places, agentsOf(tables), { from, to: createSealer(fresh, random), count })));
  step('staged');
  renameSync(next, path);
  syncDirectory(path);
  step('switched');
  apply(places, step);
  return count;
}
