/** @module The tables of the vault without a disk: same rules, nothing survives. */
import { CodedError } from '@countersign/kernel';
import type { IntentRow, KeyRow, NewKey, VaultTables, Wrap } from './vault-tables.ts';

interface Held extends Omit<NewKey, 'wrapped' | 'handle'> {
  wrapped: Uint8Array | null;
  handle: string | null;
  current: boolean;
  erasedMs: number | null;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface Memory {
  readonly secrets: Map<string, Uint8Array>;
  /** By hex id, oldest first. */
  readonly keys: Map<string, Held>;
  readonly intents: Map<string, Uint8Array>;
  readonly staged: Map<string, Wrap>;
}

function rowOf(held: Held | undefined): KeyRow | undefined {
  return held === undefined ? undefined : { id: held.id, wrapped: held.wrapped, erasedMs: held.erasedMs };
}

function heldBy({ keys }: Memory, handle: Uint8Array): readonly Held[] {
  const name = hex(handle);
  return [...keys.values()].filter((held) => held.handle === name);
}

function insertKeys({ keys }: Memory, fresh: readonly NewKey[]): void {
  if (fresh.some(({ id }) => keys.has(hex(id))))
    throw new CodedError({ code: 'vault_unavailable', message: 'a key with this id is there already' });
  for (const key of fresh) keys.set(hex(key.id), { ...key, handle: hex(key.handle), current: true, erasedMs: null });
}

function destroy(memory: Memory, handle: Uint8Array, erasure: Parameters<VaultTables['destroy']>[1]): number {
  const held = heldBy(memory, handle).filter(({ current }) => !current);
  if (held.length === 0) return 0;
  const { id, wrapped } = erasure.intent(held.length);
  memory.intents.set(id, wrapped);
  for (const key of held) Object.assign(key, { wrapped: null, handle: null, current: false, erasedMs: erasure.erasedMs });
  return held.length;
}

function* wrapsOf({ secrets, intents, keys }: Memory): Generator<Wrap> {
  for (const [name, wrapped] of secrets) yield { place: 'secret', name, wrapped };
  for (const [name, wrapped] of intents) yield { place: 'intent', name, wrapped };
  for (const [name, { wrapped }] of keys) if (wrapped !== null) yield { place: 'key', name, wrapped };
}

function applyStaged({ staged, secrets, intents, keys }: Memory): void {
  for (const { place, name, wrapped } of staged.values()) {
    if (place === 'secret') secrets.set(name, wrapped);
    if (place === 'intent' && intents.has(name)) intents.set(name, wrapped);
    const held = place === 'key' ? keys.get(name) : undefined;
    if (held !== undefined && held.erasedMs === null) held.wrapped = wrapped;
  }
  staged.clear();
}

/** An empty vault. */
export function createMemoryVault(): VaultTables {
  const memory: Memory = { secrets: new Map(), keys: new Map(), intents: new Map(), staged: new Map() };
  const { secrets, keys, intents, staged } = memory;
  return {
    secret: (name) => secrets.get(name),
    putSecret: (name, wrapped) => void secrets.set(name, wrapped),
    key: (id) => rowOf(keys.get(hex(id))),
    currentKey: (handle) => rowOf(heldBy(memory, handle).findLast(({ current }) => current)),
    insertKeys: (fresh) => insertKeys(memory, fresh),
    retire(handle) {
      const held = handle === undefined ? [...keys.values()].filter((key) => key.handle !== null) : heldBy(memory, handle);
      for (const key of held) key.current = false;
      return held.length;
    },
    destroy: (handle, erasure) => destroy(memory, handle, erasure),
    intents: () => [...intents].map(([id, wrapped]): IntentRow => ({ id, wrapped })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    settle: (id) => void intents.delete(id),
    numbers() {
      const held = [...keys.values()];
      const live = held.filter(({ handle }) => handle !== null);
      return { subjects: new Set(live.map(({ handle }) => handle)).size, keys: live.length, erased: held.length - live.length };
    },
    emptyLog: () => undefined,
    wraps: () => wrapsOf(memory),
    stage(wraps) {
      for (const wrap of wraps) staged.set(`${wrap.place}\n${wrap.name}`, wrap);
    },
    staged: (place) => [...staged.values()].filter((wrap) => wrap.place === place),
    anyStaged: () => [...staged.values()][0],
    applyStaged: () => applyStaged(memory),
    dropStaged: () => staged.clear(),
    close: () => undefined,
  };
}
