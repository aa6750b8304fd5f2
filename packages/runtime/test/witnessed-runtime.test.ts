import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyBundle } from '@countersign/receipts/verify';
import { openWitnessStore } from '@countersign/store';
import { afterEach, describe, expect, it } from 'vitest';
import {
  addWitness,
  checkCosignatures,
  createSystemRandom,
  type OpenedWitness,
  openWitness,
  readWitnessConfig,
  type Runtime,
  serveWitness,
  systemClock,
  type WitnessServer,
} from '../src/index.ts';
import { act, freshDirectory, openIn, QUERY, register, unwrap } from './directory.ts';

const running: { readonly server: WitnessServer; readonly witness: OpenedWitness }[] = [];
afterEach(async () => {
  for (const { server, witness } of running.splice(0)) {
    await server.close();
    witness.close();
  }
});

/** A witness in a directory of its own that knows this log. */
async function witnessOf(logKey: string, name: string): Promise<{ readonly key: string; readonly url: string; stop(): Promise<void> }> {
  const directory = await freshDirectory();
  const store = openWitnessStore(directory);
  store.addKey(logKey.slice(0, logKey.indexOf('+')), logKey);
  store.close();
  const witness = openWitness({ directory, name, clock: systemClock, random: createSystemRandom() });
  const server = await serveWitness({ witness, host: '127.0.0.1', port: 0 });
  running.push({ server, witness });
  return { key: witness.key, url: server.url, stop: () => server.close() };
}

async function receiptOf(runtime: Runtime): Promise<string> {
  const answer = await act(runtime, register(runtime, `agent-${runtime.log.size}`), QUERY('SELECT 1'));
  await runtime.log.whenPublished(runtime.log.size - 1);
  return answer.receipt?.id ?? '';
}

describe('LOG-052 a data directory with witnesses', () => {
  it('publishes cosigned checkpoints, and a bundle proves them offline', async () => {
    const dataDir = await freshDirectory();
    const first = await openIn(dataDir);
    const { logKey } = first;
    await receiptOf(first);
    await first.close();
    const witnesses = [await witnessOf(logKey, 'w1.example'), await witnessOf(logKey, 'w2.example')];
    for (const { key, url } of witnesses) addWitness(dataDir, key, url);
    const second = await openIn(dataDir);
    const id = await receiptOf(second);
    const { note, size } = second.log.checkpoint;
    expect(checkCosignatures(note, readWitnessConfig(dataDir)).witnesses.every(({ seconds }) => seconds !== undefined)).toBe(true);
    expect(second.witnesses.status()).toMatchObject({ reached: true, newest: { size, cosignatures: 2 } });
    const bundle = unwrap(await second.bundle(id, { inputs: true }));
    const trust = { vkeys: [logKey], witnessKeys: witnesses.map(({ key }) => key) };
    const report = await verifyBundle(bundle, trust);
    expect(report.checks.find(({ name }) => name === 'cosignatures')).toMatchObject({ status: 'pass' });
    expect(report.ok).toBe(true);
    // And it goes on where it was: from its own cosigned checkpoint.
    await second.close();
    const third = await openIn(dataDir);
    await receiptOf(third);
    expect(third.witnesses.status().newest?.cosignatures).toBe(2);
  });

  it('publishes without those that are gone', async () => {
    const dataDir = await freshDirectory();
    const first = await openIn(dataDir);
    const { logKey } = first;
    await first.close();
    const [up, down] = [await witnessOf(logKey, 'w1.example'), await witnessOf(logKey, 'w2.example')];
    for (const { key, url } of [up, down]) addWitness(dataDir, key, url);
    await down.stop();
    const runtime = await openIn(dataDir);
    await receiptOf(runtime);
    expect(runtime.witnesses.status()).toMatchObject({
      newest: { cosignatures: 1 },
      witnesses: [{ error: undefined }, { error: { code: 'witness_unreachable' } }],
    });
    expect(runtime.log.failure).toBeUndefined();
  });

  it('is not opened over a file that says something unclear', async () => {
    const dataDir = await freshDirectory();
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'witnesses.json'), '{"quorum": 1}');
    await expect(openIn(dataDir)).rejects.toMatchObject({ code: 'witnesses_invalid' });
    await writeFile(join(dataDir, 'witnesses.json'), '{"quorum": 0, "witnesses": []}');
    await (await openIn(dataDir)).close();
  });
});
