/**
 * @module `demo`: a real gateway, real agents, safe and hostile calls; then every receipt is exported, verified and replayed, and a
 * forged one is refused. Ends with 0 only where everything was as it should be.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { JsonObject } from '@countersign/kernel';
import { type Trust, verifyBundle } from '@countersign/receipts';
import { type Answer, CountersignClient, type ScanAnswer } from '@countersign/sdk';
import type { Command, Context, Input } from '../command.ts';
import { textOption } from '../command.ts';
import { DEMO_CALLS, type DemoCall } from '../demo-scenario.ts';
import { checkAddress } from '../gateway-http.ts';
import { findGateway } from '../operator-gateway.ts';
import type { Operator } from '../operator.ts';
import { CliError, EXIT, type Outcome } from '../outcome.ts';
import { type Column, renderTable } from '../render.ts';
import { openEngineTrust, ownEngines } from '../replay-trust.ts';
import { replayBundle } from '../replayed-bundle.ts';
import { createReplayer, type Replayer } from '../replayer.ts';
import { startGateway } from '../started-gateway.ts';

interface DemoRow {
  readonly title: string;
  readonly expected: DemoCall['expected'];
  readonly said: 'allowed' | 'blocked';
  readonly risk: number;
  readonly rules: readonly string[];
  readonly receipt: string | null;
  readonly verified: string;
  readonly replayed: string;
  readonly ok: boolean;
}

interface Stage {
  readonly operator: Operator;
  readonly client: CountersignClient;
  readonly replayer: Replayer;
  readonly trust: Trust;
}

async function proveReceipt(
  stage: Stage,
  receipt: string,
): Promise<{ readonly verified: string; readonly replayed: string; readonly bytes: Uint8Array }> {
  const bytes = await stage.operator.bundle(receipt, { inputs: true });
  const proof = await verifyBundle(bytes, stage.trust);
  const verified = proof.ok ? 'yes' : (proof.checks.find(({ status }) => status === 'fail')?.name ?? 'no');
  const replayed = (await replayBundle(bytes, stage.replayer))?.result.status ?? 'refused';
  return { verified, replayed, bytes };
}

function ask(client: CountersignClient, call: DemoCall['call']): Promise<Answer | ScanAnswer> {
  return 'prompt' in call ? client.scanInput(call.prompt) : client.proxy(call.tool, call.params);
}

async function runCall(stage: Stage, { title, expected, call }: DemoCall): Promise<DemoRow> {
  const answer = await ask(stage.client, call);
  const said = answer.allowed ? 'allowed' : 'blocked';
  const receipt = answer.receiptId;
  const proof = receipt === null ? { verified: 'no receipt', replayed: 'no receipt' } : await proveReceipt(stage, receipt);
  const ok = said === expected && answer.fault === undefined && proof.verified === 'yes' && proof.replayed === 'equal';
  const { verified, replayed } = proof;
  return { title, expected, said, risk: answer.risk, rules: answer.matchedRules, receipt, verified, replayed, ok };
}

/** One byte of a bundle changed: verification must name a failure. */
async function forge(stage: Stage, receipt: string): Promise<string | undefined> {
  const { bytes } = await proveReceipt(stage, receipt);
  const forged = Uint8Array.from(bytes);
  const at = Math.floor(forged.length / 2);
  forged[at] = (forged[at] ?? 0) ^ 1;
  const proof = await verifyBundle(forged, stage.trust);
  return proof.ok ? undefined : proof.checks.find(({ status }) => status === 'fail')?.name;
}

const COLUMNS: readonly Column<DemoRow>[] = [
  { title: '', value: ({ ok }) => (ok ? 'ok' : 'FAIL'), colour: ({ ok }) => (ok ? 'green' : 'red') },
  { title: 'the agent tries to', value: ({ title }) => title },
  { title: 'said', value: ({ said }) => said, colour: ({ said }) => (said === 'allowed' ? 'green' : 'red') },
  { title: 'risk', value: ({ risk }) => risk.toFixed(2) },
  { title: 'verified', value: ({ verified }) => verified },
  { title: 'replayed', value: ({ replayed }) => replayed },
  { title: 'rules', value: ({ rules }) => rules.join(' ') },
];

function rowJson(row: DemoRow): JsonObject {
  return { ...row, rules: [...row.rules] };
}

interface Demo {
  readonly rows: readonly DemoRow[];
  /** Refused after the kill. */
  readonly killed: boolean;
  /** Name of the check that caught the forgery. */
  readonly forgery: string | undefined;
}

async function play(stage: Stage, agent: string): Promise<Demo> {
  const rows: DemoRow[] = [];
  for (const call of DEMO_CALLS) rows.push(await runCall(stage, call));
  const receipt = rows.find((row) => row.receipt !== null)?.receipt;
  const forgery = typeof receipt === 'string' ? await forge(stage, receipt) : undefined;
  await stage.operator.setAgentState(agent, 'killed', 'demo');
  const after = await stage.client.proxy('database.query', { sql: 'SELECT 1' });
  return { rows, killed: !after.allowed && after.fault === 'gateway_refused', forgery };
}

function report({ rows, killed, forgery }: Demo, context: Context): Outcome {
  const ok = rows.every((row) => row.ok) && killed && forgery !== undefined;
  const mark = (good: boolean): string => (good ? context.paint('green', 'ok') : context.paint('red', 'FAIL'));
  const lines = [
    renderTable({ columns: COLUMNS, rows, empty: 'nothing was tried' }, context.paint, context.world.stdout.columns),
    '',
    `${mark(forgery !== undefined)}  a receipt with one byte changed is ${forgery === undefined ? 'taken for good' : `refused by the check ${forgery}`}`,
    `${mark(killed)}  the agent was killed, and its next call was ${killed ? 'refused' : 'not refused'}`,
    '',
    ok
      ? 'Everything was as it should be: each verdict has a receipt that verifies and, computed again, is the same byte for byte.'
      : 'Something was not as it should be.',
  ];
  const json = { ok, rows: rows.map(rowJson), forgery_refused_by: forgery ?? null, killed_agent_refused: killed };
  return { exitCode: ok ? EXIT.ok : EXIT.deny, json, text: lines.join('\n') };
}

/** Writes each bundle and the key of the log, so that somebody else can check them. */
async function exportEvidence(stage: Stage, rows: readonly DemoRow[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [i, { receipt }] of rows.entries()) {
    if (receipt === null) continue;
    const name = `${String(i + 1).padStart(2, '0')}.countersign.json`;
    await writeFile(join(folder, name), await stage.operator.bundle(receipt, { inputs: true }));
  }
  await writeFile(join(folder, 'keys.txt'), `${stage.trust.vkeys.join('\n')}\n`);
}

async function perform(url: string, input: Input, context: Context): Promise<Outcome> {
  const operator = await findGateway(context, url);
  if (operator === undefined)
    throw new CliError(EXIT.runtime, [{ code: 'gateway_unreachable', message: `no gateway answers at ${url}`, hint: 'countersign up' }]);
  const { agent, secret } = await operator.createAgent({ name: `demo-${context.world.clock.nowMs()}`, scopes: ['*'] });
  const { key } = await operator.createApiKey({ label: 'demo', kind: 'write', environment: 'test' });
  const client = new CountersignClient({ gatewayUrl: url, agentId: agent.id, apiKey: key, secret });
  try {
    const replayer = createReplayer({ find: await openEngineTrust(ownEngines(context.dataDir)) });
    const stage = { operator, client, replayer, trust: { vkeys: (await operator.logKeys()).active } };
    const played = await play(stage, agent.id);
    const out = textOption(input, 'out');
    if (out !== undefined) await exportEvidence(stage, played.rows, resolve(context.world.cwd, out));
    return report(played, context);
  } finally {
    await client.close();
    await operator.close();
  }
}

async function demo(input: Input, context: Context): Promise<Outcome> {
  const url = textOption(input, 'url');
  if (url !== undefined) return perform(checkAddress(url), input, context);
  const gateway = await context.progress('starting a gateway', () => startGateway(context));
  try {
    return await perform(gateway.url, input, { ...context, dataDir: gateway.dataDir });
  } finally {
    await gateway.stop();
  }
}

export const demoCommand: Command = {
  path: 'demo',
  summary: 'safe and hostile calls through a real gateway; every receipt verified and replayed',
  options: [
    { flags: '--out <dir>', summary: 'write the bundles and the key of the log there' },
    { flags: '--url <url>', summary: 'a running gateway, whose data directory is named by --data; else one is started and thrown away' },
  ],
  examples: ['countersign demo', 'countersign demo --out evidence', 'countersign demo --json'],
  run: demo,
};
