/** Exports on the command line: written from the directory and through a gateway, and verified elsewhere with keys alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countersignAction } from '@countersign/pipeline';
import { openRuntime } from '@countersign/runtime';
import { type FakeWorld, fakeWorld } from '../../apps/cli/test/fake-world.ts';
import { readSettings, serve } from '../../apps/server/src/index.ts';

const FORMATS = ['dsse', 'signed-receipt', 'spine', 'tlog-proof'] as const;
const SUFFIXES = { dsse: '.dsse.json', 'signed-receipt': '.signed-receipt.json', spine: '.spine.jsonl', 'tlog-proof': '.tlog-proof' };

let world: FakeWorld;
let dataDir = '';
let receipt = '';
let outcome = '';
let receiptKey = '';
let logKey = '';

/** Judges two actions of one session, the second of them a denial, and records an outcome of the first. */
async function judge(agent: { readonly id: string; readonly org: string }): Promise<void> {
  const runtime = await openRuntime({ dataDir, ruleset: 'default', hostSets: () => ({}) });
  const source = { framework: 'test', door: 'test' };
  for (const command of ['git status', 'rm -rf /']) {
    const draft = { kind: 'shell.exec', tool: 'shell.exec', params: { command }, source, delegation: [] };
    const request = { caller: { org: agent.org, agent: agent.id }, draft, session: 's', fingerprint: 'f', mode: 'evaluate' as const };
    receipt = (await countersignAction(request, runtime.ports)).receipt?.id ?? '';
  }
  const record = await runtime.recorder.find(receipt);
  const { body } = JSON.parse(Buffer.from(record?.entry ?? []).toString()) as { body: never };
  outcome = '01930000-0000-7000-8000-000000000001';
  const draft = {
    id: outcome,
    time: '2026-01-02T03:04:05.678Z',
    receipt: body,
    status: 'ok' as const,
    durationMs: 1,
    response: null,
    findings: [],
    redactions: 0,
  };
  await runtime.recorder.stageOutcome(draft).durable;
  await runtime.close();
}

async function exported(format: string, out: string, id = receipt): Promise<string> {
  expect(await world.run(['receipt', 'export', id, '--format', format, '--out', out])).toMatchObject({ exitCode: 0 });
  return readFileSync(join(world.root, out), 'utf8');
}

/** Whoever has the file and keys, and nothing else. */
function elsewhere(...args: readonly string[]): ReturnType<FakeWorld['ask']> {
  return world.ask(['verify', ...args, '--data', 'nowhere']);
}

beforeAll(async () => {
  world = fakeWorld();
  dataDir = join(world.root, '.countersign');
  const { answer } = await world.ask(['agent', 'create', 'first']);
  await judge(answer['agent'] as { id: string; org: string });
  receiptKey = (await world.run(['receipt', 'key'])).stdout.trim();
  logKey = (await world.run(['log', 'key'])).stdout.trim();
});
afterAll(() => world.remove());

describe('from the directory', () => {
  it.each(FORMATS)('EXP-061 %s is written, and verified by keys alone', async (format) => {
    const { exitCode, answer } = await world.ask(['receipt', 'export', receipt, '--format', format]);
    expect([exitCode, answer['file']]).toEqual([0, `${receipt}${SUFFIXES[format]}`]);
    const key = format === 'tlog-proof' ? ['--key', logKey] : ['--receipt-key', receiptKey];
    expect(await elsewhere(String(answer['file']), ...key)).toMatchObject({
      exitCode: 0,
      answer: { ok: true, trust: 'the command line', receipts: [{ format, ok: true }] },
    });
    const said = await world.run(['verify', String(answer['file'])]);
    expect([said.exitCode, said.stdout]).toEqual([
      0,
      expect.stringMatching(/^VERIFIED [^]*\n {2}ok {3}form [^]*believing the keys of .*\.(?:pub|vkey)/),
    ]);
  });

  it('EXP-061 the key is printed in base64url and in hex, and either is taken', async () => {
    expect(Buffer.from(receiptKey, 'base64url')).toHaveLength(32);
    const hex = (await world.run(['receipt', 'key', '--hex'])).stdout.trim();
    expect(Buffer.from(hex, 'hex').toString('base64url')).toBe(receiptKey);
    expect(readFileSync(join(dataDir, 'receipt.pub'), 'utf8')).toBe(`${receiptKey}\n`);
    await exported('dsse', 'hex.json');
    expect(await elsewhere('hex.json', '--receipt-key', `0x${hex}`)).toMatchObject({ exitCode: 0 });
  });

  it('a bundle is a format too, and standard output a file', async () => {
    const bundle = await exported('bundle', 'same.countersign.json');
    expect(await world.run(['receipt', 'bundle', receipt, '--out', '-'])).toMatchObject({ stdout: `${bundle}\n` });
    const { stdout } = await world.run(['receipt', 'export', receipt, '--format', 'tlog-proof', '--out', '-']);
    expect(stdout).toBe(await exported('tlog-proof', 'same.tlog-proof'));
  });

  it('several files at once, and which of them is wrong', async () => {
    await exported('dsse', 'several.json');
    const proof = await exported('tlog-proof', 'several.tlog-proof');
    writeFileSync(join(world.root, 'wrong.tlog-proof'), proof.replace(/\nindex [0-9]+\n/, '\nindex 77\n'));
    const keys = ['--key', logKey, '--receipt-key', receiptKey];
    expect(await elsewhere('several.json', 'several.tlog-proof', ...keys)).toMatchObject({ exitCode: 0 });
    expect(await elsewhere('several.json', 'wrong.tlog-proof', ...keys)).toMatchObject({
      exitCode: 2,
      answer: { ok: false, receipts: [{ ok: true }, { ok: false, file: 'wrong.tlog-proof' }] },
    });
  });
});

describe('what is refused', () => {
  it.each([
    ['another key', 'A'.repeat(43), 2],
    ['a key that is none', 'nonsense', 3],
  ])('%s', async (_name, key, exitCode) => {
    await exported('signed-receipt', `${exitCode}.json`);
    expect(await elsewhere(`${exitCode}.json`, '--receipt-key', key)).toMatchObject({ exitCode });
  });

  it('no key at all, and says which', async () => {
    await exported('dsse', 'keyless.json');
    const { exitCode, answer } = await elsewhere('keyless.json');
    expect([exitCode, JSON.stringify(answer)]).toEqual([5, expect.stringContaining('countersign receipt key')]);
  });

  it('a cosigner that has not signed', async () => {
    await exported('signed-receipt', 'uncosigned.json');
    expect(await elsewhere('uncosigned.json', '--receipt-key', receiptKey, '--cosigner-key', receiptKey)).toMatchObject({ exitCode: 2 });
  });

  it('bundles beside other receipts', async () => {
    await exported('dsse', 'mixed.json');
    await exported('bundle', 'mixed.countersign.json');
    expect(await elsewhere('mixed.json', 'mixed.countersign.json', '--key', logKey)).toMatchObject({ exitCode: 5 });
  });

  it('an unknown format, an unknown id, an outcome as SignedReceipt, a file that is there', async () => {
    const ask = (...args: readonly string[]): ReturnType<FakeWorld['ask']> => world.ask(['receipt', 'export', ...args]);
    expect(await ask(receipt, '--format', 'xml')).toMatchObject({ exitCode: 5 });
    expect(await ask('x', '--format', 'dsse')).toMatchObject({ exitCode: 5 });
    const unknown = '01930000-0000-7000-8000-00000000dead';
    expect(await ask(unknown, '--format', 'dsse')).toMatchObject({ exitCode: 3, answer: { error: { kind: 'receipt_not_found' } } });
    expect(await ask(outcome, '--format', 'signed-receipt')).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'export_not_receipt' } },
    });
    await exported('dsse', 'there.json', outcome);
    expect(await ask(outcome, '--format', 'dsse', '--out', 'there.json')).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'file_exists' } },
    });
  });
});

it('EXP-002 EXP-060 through a gateway the bytes are the same, and refusals have a code', async () => {
  const direct = new Map<string, string>();
  for (const format of FORMATS) direct.set(format, await exported(format, `direct-${format}`));
  const gateway = await serve({ ...readSettings({}, []), port: 0, dataDir }, () => undefined);
  try {
    for (const format of FORMATS) expect([format, await exported(format, `gateway-${format}`)]).toEqual([format, direct.get(format)]);
    expect((await world.run(['receipt', 'key'])).stdout.trim()).toBe(receiptKey);
    const refused = await world.ask(['receipt', 'export', outcome, '--format', 'signed-receipt']);
    expect(refused).toMatchObject({
      exitCode: 3,
      answer: { error: { kind: 'export_refused', message: expect.stringContaining('export_not_receipt') } },
    });
    const unknown = await world.ask(['receipt', 'export', '01930000-0000-7000-8000-00000000dead', '--format', 'dsse']);
    expect(unknown).toMatchObject({ exitCode: 3, answer: { error: { kind: 'not_found' } } });
  } finally {
    await gateway.close();
  }
});
