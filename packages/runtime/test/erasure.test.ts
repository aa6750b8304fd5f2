/** Erasing a subject on a data directory: nothing of it is left, everything is still proven, and a crash finds nothing half done. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hmacSha256, openAesGcm } from '@countersign/crypto';
import { leafHash, rootOf } from '@countersign/log';
import type { ErasureRequest } from '@countersign/pipeline';
import { verifyBundle } from '@countersign/receipts/verify';
import { vaultAad } from '@countersign/receipts';
import { createSealer, loadMasterKey, type Sealer, STORE_LIMITS } from '@countersign/store';
import { describe, expect, it } from 'vitest';
import { createSystemRandom, rotateMasterKey, type Runtime } from '../src/index.ts';
import { act, type Actor, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

const MARK = 'marker-of-the-erased-7d1f';

/** The system's randomness, remembered: what became a key can be looked for. */
function watched(): { readonly random: ReturnType<typeof createSystemRandom>; readonly drawn: Uint8Array[] } {
  const random = createSystemRandom();
  const drawn: Uint8Array[] = [];
  const bytes = (length: number): Uint8Array => {
    const made = random.bytes(length);
    if (length === 32) drawn.push(made.slice());
    return made;
  };
  return { random: { bytes }, drawn };
}

function erasure(actor: Actor, change: Partial<ErasureRequest> = {}): ErasureRequest {
  return { org: actor.org, subject: actor.agent, by: 'operator', reason: 'asked for', ...change };
}

async function receiptOf(runtime: Runtime, actor: Actor, text = 'SELECT 1'): Promise<string> {
  const { receipt } = await act(runtime, actor, QUERY(text));
  if (receipt === null) throw new Error('not recorded');
  return receipt.id;
}

/** Every file but engines, which are kept under the hash of their bytes and so hold nothing of what happened here. */
function filesOf(folder: string): readonly Buffer[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name));
  return files.filter((file) => !file.startsWith(join(folder, 'engines'))).map((file) => readFileSync(file));
}

/** A directory as a crash at this moment would leave it. */
async function crashed(directory: string): Promise<string> {
  const copy = await freshDirectory();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

async function expectDerived({ log }: Runtime): Promise<void> {
  const leaves: Uint8Array[] = [];
  for await (const { entry } of log.scan(0)) leaves.push(leafHash(entry));
  const { size, root } = await log.whenPublished(leaves.length - 1);
  expect(Buffer.from(rootOf(leaves.slice(0, size)))).toEqual(Buffer.from(root));
}

async function typesOf({ log }: Runtime): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { entry } of log.scan(0))
    types.push((JSON.parse(Buffer.from(entry).toString()) as { body: { type: string } }).body.type);
  return types;
}

describe('an erasure', () => {
  it('RCPT-031 RCPT-053 makes content unreadable and leaves every proof good, also after a restart', async () => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const [ann, bob] = [register(first, 'ann'), register(first, 'bob')];
    const gone = await receiptOf(first, ann, `SELECT '${MARK}'`);
    const kept = await receiptOf(first, bob);
    const before = unwrap(await first.bundle(gone, { inputs: false }));
    const erased = unwrap(await first.vault.erase(erasure(ann)));
    expect(erased).toMatchObject({ keys: 1, index: 2, time: expect.stringMatching(/Z$/) });
    const after = await receiptOf(first, ann);
    for (const again of [() => Promise.resolve(first), async () => (await first.close(), openIn(directory))]) {
      const runtime = await again();
      const trust = { vkeys: [runtime.logKey] };
      expect(await runtime.bundle(gone, { inputs: true })).toMatchObject({
        ok: false,
        error: {
          code: 'vault_erased',
          message: `the content was erased on ${erased.time}`,
          hint: expect.stringContaining('without inputs'),
        },
      });
      for (const id of [gone, kept, after, erased.id])
        expect((await verifyBundle(unwrap(await runtime.bundle(id, { inputs: false })), trust)).ok).toBe(true);
      for (const id of [kept, after, erased.id])
        expect((await verifyBundle(unwrap(await runtime.bundle(id, { inputs: true })), trust)).ok).toBe(true);
      expect((await verifyBundle(before, trust)).ok).toBe(true);
      await expectDerived(runtime);
      expect(runtime.vault.view()).toMatchObject({ erased: 1 });
    }
  });

  it('RCPT-053 leaves neither a key nor a plaintext in any file, and nothing in the files opens what was sealed', async () => {
    const directory = await freshDirectory();
    const { random, drawn } = watched();
    const runtime = await openIn(directory, { random });
    const ann = register(runtime, 'ann');
    const id = await receiptOf(runtime, ann, `SELECT '${MARK}'`);
    const record = await runtime.recorder.find(id);
    const sealed = record?.attachments[0] ?? new Uint8Array(0);
    const aad = vaultAad(runtime.log.origin, id);
    expect(drawn.filter((key) => opensWith(key, sealed, aad))).toHaveLength(1); // The key is among what was drawn.
    expect(foundKeys(directory, sealed, aad)).toBe(1); // And what follows would find it.
    unwrap(await runtime.vault.erase(erasure(ann)));
    const files = filesOf(directory);
    for (const key of drawn) {
      const forms = [Buffer.from(key), ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(key).toString(form))];
      // The master key lies in its own file; the operator keeps it, and it is not of a subject.
      const found = files.filter((file) => forms.some((form) => file.includes(form)) && !file.includes('countersign-master-key-v1'));
      expect(found).toEqual([]);
    }
    for (const file of files) expect(file.includes(MARK)).toBe(false);
    expect(foundKeys(directory, sealed, aad)).toBe(0);
    await runtime.close();
    expect(foundKeys(directory, sealed, aad)).toBe(0);
  });

  it('RCPT-043 keeps every change of state: a crash right after it spends nothing twice', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const ann = register(runtime, 'ann');
    const young = await crashed(directory);
    for (let n = 0; n < 3; n += 1) await receiptOf(runtime, ann);
    const before = await crashed(directory);
    unwrap(await runtime.vault.erase(erasure(ann)));
    const after = await crashed(directory);
    const warnings: string[] = [];
    const callsIn = async (copy: string): Promise<number> => {
      const opened = await openIn(copy, { warn: (message) => void warnings.push(message) });
      const calls = await opened.store.sessionCalls(ann.org, 's');
      await opened.close();
      return calls;
    };
    expect([await callsIn(before), await callsIn(after), warnings]).toEqual([3, 3, []]);
    // A state from before beside a vault from after: what was erased cannot be counted any more, and that is said.
    for (const name of ['state.db', 'state.db-wal']) {
      rmSync(join(after, name), { force: true });
      if (existsSync(join(young, name))) cpSync(join(young, name), join(after, name));
    }
    expect(await callsIn(after)).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('3 changes of state were erased')]);
  });

  it('RCPT-032 under load: what is under way is recorded, and either wholly erased or wholly there', async () => {
    const runtime = await openIn(await freshDirectory());
    const ann = register(runtime, 'ann');
    const under = Array.from({ length: 40 }, (_, n) => receiptOf(runtime, ann, `SELECT ${n}`));
    await under[0];
    const erasing = runtime.vault.erase(erasure(ann));
    const later = Array.from({ length: 40 }, (_, n) => receiptOf(runtime, ann, `SELECT ${n}`));
    unwrap(await erasing);
    const ids = await Promise.all([...under, ...later]);
    const bundles = await Promise.all(ids.map((id) => runtime.bundle(id, { inputs: true })));
    for (const bundle of bundles) if (!bundle.ok) expect(bundle.error.code).toBe('vault_erased');
    expect(bundles[0]?.ok).toBe(false);
    expect(await runtime.store.sessionCalls(ann.org, 's')).toBe(80);
    expect((await typesOf(runtime)).filter((type) => type === 'countersign.erasure.v1')).toHaveLength(1);
  });

  it('of two at once one destroys, the other finds nothing', async () => {
    const runtime = await openIn(await freshDirectory());
    const ann = register(runtime, 'ann');
    await receiptOf(runtime, ann);
    const both = await Promise.all([runtime.vault.erase(erasure(ann)), runtime.vault.erase(erasure(ann))]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'subject_unknown' } });
  });

  it('of somebody nobody knows is refused by name, and so is what cannot be one', async () => {
    const runtime = await openIn(await freshDirectory());
    const ann = register(runtime, 'ann');
    await receiptOf(runtime, ann);
    const size = runtime.log.durableSize;
    const longest = 'x'.repeat(STORE_LIMITS.subjectCharsMax);
    const refused = async (change: Partial<ErasureRequest>): Promise<unknown> => {
      const erased = await runtime.vault.erase(erasure(ann, change));
      return erased.ok ? 'erased' : erased.error.code;
    };
    expect(await refused({ subject: 'nobody' })).toBe('subject_unknown');
    expect(await refused({ org: 'another' })).toBe('subject_unknown');
    expect(await refused({ subject: longest })).toBe('subject_unknown');
    for (const subject of ['', `${longest}x`, '\ud800']) expect(await refused({ subject })).toBe('invalid_subject');
    for (const reason of ['', 'x'.repeat(161), 'línea', 'a"b', 'a\\b', 'a\nb']) expect(await refused({ reason })).toBe('invalid_reason');
    expect(runtime.log.durableSize).toBe(size);
    expect(await refused({ reason: 'x'.repeat(160) })).toBe('erased');
    expect(await refused({})).toBe('subject_unknown');
  });
});

describe('keys', () => {
  it('RCPT-052 rotate: for one subject, for all, and the master key while nobody has the directory', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const ann = register(runtime, 'ann');
    const ids = [await receiptOf(runtime, ann)];
    expect(unwrap(runtime.vault.rotate({ org: ann.org, subject: ann.agent }))).toEqual({ subjects: 1, keys: 1, erased: 0 });
    ids.push(await receiptOf(runtime, ann));
    expect(unwrap(runtime.vault.rotate()).keys).toBe(2);
    ids.push(await receiptOf(runtime, ann));
    expect(runtime.vault.rotate({ org: ann.org, subject: 'nobody' })).toMatchObject({ ok: false, error: { code: 'subject_unknown' } });
    await expect(rotateMasterKey({ dataDir: directory })).rejects.toMatchObject({ code: 'log_locked' });
    await runtime.close();
    const old = readFileSync(join(directory, 'keys', 'master.key'), 'utf8');
    expect(await rotateMasterKey({ dataDir: directory })).toEqual({ keys: 3, agents: 1, files: 3 });
    expect(readFileSync(join(directory, 'keys', 'master.key'), 'utf8')).not.toBe(old);
    const again = await openIn(directory);
    for (const id of ids) unwrap(await again.bundle(id, { inputs: true }));
    expect(again.logKey).toBe(runtime.logKey);
    expect(await again.ports.state.agentJwtKey(ann.agent)).toHaveLength(64);
    expect(unwrap(await again.vault.erase(erasure(ann))).keys).toBe(3);
  });

  it('RCPT-052 a rotation that was killed is finished at the next start', async () => {
    for (const where of ['staged', 'switched', 'file', 'agents'] as const) {
      const directory = await freshDirectory();
      const runtime = await openIn(directory);
      const id = await receiptOf(runtime, register(runtime));
      await runtime.close();
      const step = (name: string): void => {
        if (name === where) throw new Error('killed');
      };
      await expect(rotateMasterKey({ dataDir: directory, step })).rejects.toThrow('killed');
      const again = await openIn(directory);
      unwrap(await again.bundle(id, { inputs: true }));
      expect(existsSync(join(directory, 'keys', 'master.key.next'))).toBe(false);
      await again.close();
    }
  });

  it('a vault that is gone is named, and no new one hides it', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    await receiptOf(runtime, register(runtime));
    await runtime.close();
    rmSync(join(directory, 'vault.db'));
    await expect(openIn(directory)).rejects.toMatchObject({ code: 'vault_missing' });
    expect(existsSync(join(directory, 'vault.db'))).toBe(false);
    writeFileSync(join(directory, 'vault.db'), ''); // Cut to nothing: as good as gone.
    for (let again = 0; again < 2; again += 1) await expect(openIn(directory)).rejects.toMatchObject({ code: 'vault_missing' });
    rmSync(join(directory, 'vault.db'));
    await expect(rotateMasterKey({ dataDir: directory })).rejects.toMatchObject({ code: 'vault_missing' });
  });

  it('RCPT-051 a vault older than the journal: what it lacks is named, the rest goes on', async () => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const [ann, bob] = [register(first, 'ann'), register(first, 'bob')];
    const known = await receiptOf(first, ann);
    await first.close();
    cpSync(join(directory, 'vault.db'), join(directory, 'older'));
    // Nothing is written back before the crash.
    const second = await openIn(directory, { timer: { after: () => () => undefined } });
    const lost = await receiptOf(second, bob);
    const dirty = await crashed(directory);
    await second.close();
    for (const name of readdirSync(dirty).filter((file) => file.startsWith('vault.db'))) rmSync(join(dirty, name));
    cpSync(join(directory, 'older'), join(dirty, 'vault.db'));
    // Its change of state is not in the tables yet, and cannot be read: going on would forget it.
    await expect(openIn(dirty)).rejects.toMatchObject({ code: 'vault_key_missing' });
    cpSync(join(directory, 'older'), join(directory, 'vault.db'));
    const third = await openIn(directory);
    expect(await third.bundle(lost, { inputs: true })).toMatchObject({ ok: false, error: { code: 'vault_key_missing' } });
    unwrap(await third.bundle(known, { inputs: true }));
  });
});

function opensWith(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): boolean {
  const header = sealed.slice(0, 25);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(aad.length);
  const derived = hmacSha256(key, Buffer.concat([Buffer.from('countersign-seal-v2\n'), header.subarray(9)]));
  const request = { key: derived, nonce: sealed.slice(25, 37), ciphertext: sealed.slice(37), aad: Buffer.concat([header, length, aad]) };
  return openAesGcm(request) !== undefined;
}

/** Every 32 bytes of a file that are not text, as they stand. */
function* windowsOf(file: Buffer): Generator<Uint8Array> {
  let text = 0;
  const isText = (at: number): number => {
    const byte = file[at] ?? 0;
    return byte === 0 || byte === 10 || (byte >= 32 && byte < 127) ? 1 : 0;
  };
  for (let at = 0; at < file.length; at += 1) {
    text += isText(at) - (at >= 32 ? isText(at - 32) : 0);
    if (at >= 31 && text < 32) yield Uint8Array.from(file.subarray(at - 31, at + 1));
  }
}

const WRAPPED_BYTES = 1 + 8 + 16 + 12 + 32 + 16;

/** Everything in a file that the master key may have wrapped. */
function* wrapsIn(file: Buffer, master: Sealer): Generator<Uint8Array> {
  for (let at = file.indexOf(1); at !== -1; at = file.indexOf(1, at + 1)) {
    const wrapped = file.subarray(at, at + WRAPPED_BYTES);
    if (wrapped.length === WRAPPED_BYTES && master.isOwn(wrapped)) yield wrapped;
  }
}

/** A subject key out of its wrap, or undefined: it is of something else. */
function unwrapped(wrapped: Uint8Array, id: Uint8Array, master: Sealer): Uint8Array | undefined {
  try {
    return master.open('vault-key', wrapped, id);
  } catch (error) {
    expect(error).toMatchObject({ code: 'seal_broken' });
    return undefined;
  }
}

/** How many keys there are in the files that open these bytes: in clear, or wrapped under the master key that lies beside them. */
function foundKeys(directory: string, sealed: Uint8Array, aad: Uint8Array): number {
  const random = createSystemRandom();
  const master = createSealer(loadMasterKey({ path: join(directory, 'keys', 'master.key'), random, create: false }), random);
  const keys = new Map<string, Uint8Array>();
  for (const file of filesOf(directory)) {
    for (const window of windowsOf(file)) keys.set(Buffer.from(window).toString('latin1'), window);
    for (const wrapped of wrapsIn(file, master)) {
      const key = unwrapped(wrapped, sealed.slice(1, 9), master);
      if (key !== undefined) keys.set(Buffer.from(key).toString('latin1'), key);
    }
  }
  return [...keys.values()].filter((key) => opensWith(key, sealed, aad)).length;
}
