/** An erasure that is stopped at each of its steps: afterwards it has not happened, or it has and is entered once. */
import { createSigner } from '@countersign/crypto';
import { CodedError } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, type Log, openLog } from '@countersign/log';
import { createRecorder, disclose, type ReceiptRecorder } from '@countersign/receipts';
import { createMemoryStateStore, createMemoryVault, createSealer, createVault, type Vault, type VaultTables } from '@countersign/store';
import { createBench } from '@countersign/testkit';
import { describe, expect, it } from 'vitest';
import { openVaultDesk } from '../src/erasure.ts';
import { followDurability } from '../src/log-position.ts';

const ORIGIN = 'example.org/countersign/erasure';
const { clock, random } = createBench();
const signer = createSigner(new Uint8Array(32).fill(1));
const master = createSealer(new Uint8Array(32).fill(2), random);
const REQUEST = { org: 'org-1', subject: 'ann', by: 'operator', reason: 'asked for' };

/** What survives a crash. */
function makeDisk() {
  return { log: createMemoryDisk(), vault: createMemoryVault() };
}
type Disk = ReturnType<typeof makeDisk>;

interface Process {
  readonly log: Log;
  readonly vault: Vault;
  readonly recorder: ReceiptRecorder;
  readonly parts: Parameters<typeof openVaultDesk>[0];
}

async function start(disk: Disk, tables: VaultTables = disk.vault): Promise<Process> {
  const vault = createVault({ tables, master, clock, random, create: true });
  const log = await openLog({
    storage: createMemoryStorage(disk.log),
    origin: ORIGIN,
    noteSigner: { name: ORIGIN, signer },
    beforeCommit: () => vault.flush(),
  });
  const plain = await createRecorder({ log, random, sealer: vault, signing: 'batch', durability: 'synced', coverage: 'L1' });
  const { recorder, position } = followDurability(plain, log);
  const store = createMemoryStateStore({ sealer: master, clock, random });
  return {
    log,
    vault,
    recorder,
    parts: { vault, logs: { settleOrg: () => store.settle(position), allOpen: () => true }, recorder, clock, random },
  };
}

let id = 0;
const nextId = (): string => `01930000-0000-7000-8000-${String((id += 1)).padStart(12, '0')}`;

function stageFor({ recorder }: Process, subject: string): { readonly id: string; readonly durable: Promise<void> } {
  const { body, durable } = recorder.stageReceipt({
    id: nextId(),
    time: '2026-01-02T03:04:05.678Z',
    action: {
      v: 1,
      id: nextId(),
      kind: 'shell.exec',
      params: { command: 'x' },
      source: { framework: 'test', door: 'test' },
      org: 'org-1',
      agent: 'agent-1',
      session: 's',
      subject,
      delegation: [],
    },
    state: {},
    signals: [],
    inputs: { policy: 'a'.repeat(64), rules: 'b'.repeat(64), engine: 'c'.repeat(64) },
    verdict: { decision: 'allow', risk: 0, severity: 'info', reasons: [], reasonsCut: 0, obligations: [], by: 'judge' },
    delta: { sessionCalls: 1 },
    outcomeBy: null,
  });
  return { id: body.id, durable };
}

async function reading({ recorder, vault }: Process, receipt: string): Promise<string> {
  const record = await recorder.find(receipt);
  if (record === undefined) return 'not found';
  const inputs = disclose(record, { log: ORIGIN, id: receipt, opener: vault });
  return inputs.ok ? 'open' : inputs.error.code;
}

async function erasuresIn({ log }: Process): Promise<number> {
  let count = 0;
  for await (const { entry } of log.scan(0)) if (Buffer.from(entry).includes('countersign.erasure.v1')) count += 1;
  return count;
}

/** One method of a part stops before or after it has done its work. */
function stopping<Part extends object>(part: Part, method: keyof Part, when: 'before' | 'after'): Part {
  return new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== method || typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (when === 'before') throw new Error('killed');
        const result: unknown = Reflect.apply(value, target, args);
        const durable = typeof result === 'object' && result !== null && 'durable' in result ? result.durable : result;
        const stop = async (): Promise<never> => {
          await durable;
          throw new Error('killed');
        };
        if (name === 'stageErasure') return { ...(result as object), durable: stop() };
        if (result instanceof Promise) return stop();
        throw new Error('killed');
      };
    },
  });
}

const STEPS = [
  { part: 'vault', method: 'retire', when: 'before', happened: false },
  { part: 'vault', method: 'retire', when: 'after', happened: false },
  { part: 'logs', method: 'settleOrg', when: 'before', happened: false },
  { part: 'logs', method: 'settleOrg', when: 'after', happened: false },
  { part: 'vault', method: 'destroy', when: 'before', happened: false },
  { part: 'vault', method: 'destroy', when: 'after', happened: true },
  { part: 'recorder', method: 'find', when: 'before', happened: true },
  { part: 'recorder', method: 'stageErasure', when: 'before', happened: true },
  { part: 'recorder', method: 'stageErasure', when: 'after', happened: true },
  { part: 'vault', method: 'settle', when: 'before', happened: true },
  { part: 'vault', method: 'settle', when: 'after', happened: true },
] as const;

describe('an erasure', () => {
  it.each(STEPS)('RCPT-032 that is killed $when $part.$method has happened: $happened', async ({ part, method, when, happened }) => {
    const disk = makeDisk();
    const first = await start(disk);
    const gone = stageFor(first, 'ann');
    const kept = stageFor(first, 'bob');
    await Promise.all([gone.durable, kept.durable]);
    const parts = { ...first.parts, [part]: stopping(first.parts[part], method as never, when) };
    const desk = await openVaultDesk(parts);
    await expect(desk.erase(REQUEST)).rejects.toThrow();
    await first.log.close();
    for (let times = 0; times < 2; times += 1) {
      const again = await start(disk);
      await openVaultDesk(again.parts);
      expect([await reading(again, gone.id), await reading(again, kept.id)]).toEqual([happened ? 'vault_erased' : 'open', 'open']);
      expect([await erasuresIn(again), again.vault.intents()]).toEqual([happened ? 1 : 0, []]);
      await again.log.close();
    }
    const last = await start(disk);
    const erased = await (await openVaultDesk(last.parts)).erase(REQUEST);
    expect(erased).toMatchObject(happened ? { ok: false, error: { code: 'subject_unknown' } } : { ok: true, value: { keys: 1 } });
    expect([await reading(last, gone.id), await erasuresIn(last)]).toEqual(['vault_erased', 1]);
    await last.log.close();
  });

  it('whose entry the log does not take says that the keys are gone, and is entered at the next start', async () => {
    const disk = makeDisk();
    const first = await start(disk);
    const gone = stageFor(first, 'ann');
    await gone.durable;
    const desk = await openVaultDesk({ ...first.parts, recorder: stopping(first.parts.recorder, 'stageErasure', 'before') });
    await expect(desk.erase(REQUEST)).rejects.toMatchObject({
      code: 'erasure_not_entered',
      fault: { hint: expect.stringContaining('start again') },
    });
    expect(await reading(first, gone.id)).toBe('vault_erased');
    await first.log.close();
    const again = await start(disk);
    await openVaultDesk(again.parts);
    expect(await erasuresIn(again)).toBe(1);
    await again.log.close();
  });

  it('waits for what is staged: a log that fails first leaves everything as it was', async () => {
    const disk = makeDisk();
    const first = await start(disk);
    const known = stageFor(first, 'ann');
    await known.durable;
    await first.log.close();
    const fault = { now: false };
    const second = await start(disk, failing(disk.vault, fault));
    const desk = await openVaultDesk(second.parts);
    fault.now = true;
    const pending = stageFor(second, 'somebody new');
    await expect(desk.erase(REQUEST)).rejects.toMatchObject({ code: 'vault_unavailable' });
    await expect(pending.durable).rejects.toMatchObject({ code: 'log_failed' });
    expect(await reading(second, known.id)).toBe('open');
    await second.log.close();
  });
});

/** Tables that take no more keys. */
function failing(tables: VaultTables, fault: { now: boolean }): VaultTables {
  return {
    ...tables,
    insertKeys(keys) {
      if (fault.now) throw new CodedError({ code: 'vault_unavailable', message: 'the vault database failed (SQLITE_FULL)' });
      tables.insertKeys(keys);
    },
  };
}

describe('a vault that takes no more keys', () => {
  it('RCPT-051 ends in a log that has failed: nothing is acknowledged whose key is not on disk', async () => {
    const disk = makeDisk();
    const fault = { now: false };
    const first = await start(disk, failing(disk.vault, fault));
    const known = stageFor(first, 'ann');
    await known.durable;
    fault.now = true;
    const more = stageFor(first, 'ann'); // Its key is there: nothing is missing.
    await more.durable;
    const lost = stageFor(first, 'somebody new');
    await expect(lost.durable).rejects.toMatchObject({ code: 'log_failed' });
    expect(() => stageFor(first, 'ann')).toThrow(expect.objectContaining({ code: 'log_failed' }));
    await first.log.close();
    const again = await start(disk);
    expect(await Promise.all([known, more, lost].map((one) => reading(again, one.id)))).toEqual(['open', 'open', 'not found']);
    await again.log.close();
  });
});
