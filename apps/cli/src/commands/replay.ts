/**
 * @module `replay`: is the verdict what the engine says of these inputs? Facts and verdict are computed again and compared byte for
 * byte. Only engines of your own trust list are run: never code that came with a bundle.
 */
import type { JsonObject } from '@countersign/kernel';
import { readBundle, verifyBundle, type VerifyReport } from '@countersign/receipts';
import { RECEIPT_TYPE } from '@countersign/protocol';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { readBytes } from '../documents.ts';
import { CLI_LIMITS } from '../limits.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { eachBundle } from '../recorded-bundles.ts';
import { printable } from '../render.ts';
import { createReplayer, type Replayed, type Replayer } from '../replayer.ts';

interface Row {
  readonly id: string;
  readonly result: Replayed;
}

/** Nobody is believed: the proof of inclusion is `verify`'s business, what counts here is that the inputs are the committed ones. */
const NO_TRUST = { vkeys: [] };
const NEEDED: ReadonlySet<string> = new Set(['bundle-form', 'entry-form', 'commitments', 'inputs']);

function unfit(report: VerifyReport): string | undefined {
  return report.checks.find((check) => NEEDED.has(check.name) && check.status !== 'pass')?.sentence;
}

/** Replays one bundle; undefined where it holds no receipt. */
async function replayBundle(bytes: Uint8Array, replayer: Replayer): Promise<Row | undefined> {
  const report = await verifyBundle(bytes, NO_TRUST);
  const bundle = readBundle(bytes);
  if (!bundle.ok) return { id: '', result: { status: 'refused', sentence: bundle.error.message } };
  const { body } = bundle.value.entry;
  if (body.type !== RECEIPT_TYPE) return undefined;
  const why = unfit(report);
  if (why !== undefined) return { id: body.id, result: { status: 'refused', sentence: why } };
  return { id: body.id, result: await replayer.replay(bundle.value) };
}

function rowText({ id, result }: Row, context: Context): string {
  const colour = result.status === 'equal' ? 'green' : result.status === 'unknown-engine' ? 'yellow' : 'red';
  return `${context.paint(colour, result.status.toUpperCase())} ${id} ${printable(result.sentence)}`;
}

function rowJson({ id, result }: Row): JsonObject {
  const { status, sentence, path } = result;
  return { id, status, sentence, ...(path === undefined ? {} : { path }) };
}

function summary(rows: readonly Row[], context: Context): Outcome {
  const count = (status: Replayed['status']): number => rows.filter(({ result }) => result.status === status).length;
  const [equal, different, refused, unknown] = [count('equal'), count('different'), count('refused'), count('unknown-engine')];
  const total = `${rows.length} receipts: ${equal} equal, ${different} different, ${refused} refused, ${unknown} of an unknown engine`;
  // Of many, only those that are not equal are worth a line.
  const shown = rows.length > 20 ? rows.filter(({ result }) => result.status !== 'equal') : rows;
  const json = { receipts: rows.length, equal, different, refused, unknown_engine: unknown, results: shown.map(rowJson) };
  const exitCode = rows.length > 0 && equal === rows.length ? EXIT.ok : EXIT.deny;
  return { exitCode, json, text: [...shown.map((row) => rowText(row, context)), total].join('\n') };
}

async function replay(input: Input, context: Context): Promise<Outcome> {
  const all = flag(input, 'all');
  if (all === input.rest.length > 0) throw usageError('name the bundles, or say --all', 'countersign replay --help');
  const replayer = await context.progress('loading the engine', () => createReplayer(context));
  const rows: Row[] = [];
  const add = async (bytes: Uint8Array): Promise<void> => {
    const row = await replayBundle(bytes, replayer);
    if (row !== undefined) rows.push(row);
  };
  if (all) {
    await context.progress('replaying', async () => {
      for await (const bytes of eachBundle(context, CLI_LIMITS.replayMax)) {
        if (context.world.stop.aborted) break;
        await add(bytes);
      }
    });
  } else {
    for (const file of input.rest) await add(await readBytes(file, context));
  }
  return summary(rows, context);
}

export const replayCommand: Command = {
  path: 'replay',
  args: '[file...]',
  summary: 'compute verdicts again from what was recorded, and compare',
  options: [{ flags: '--all', summary: 'every receipt of the data directory or of the running gateway' }],
  examples: ['countersign replay receipt.countersign.json', 'countersign replay --all --json'],
  run: replay,
};
