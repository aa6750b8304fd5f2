/**
 * @module `replay`: is the verdict what the engine says of these inputs? Facts and verdict are computed again and compared byte for
 * byte. Only engines of your own trust list are run: never code that came with a bundle.
 */
import type { JsonObject } from '@countersign/kernel';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { readBytes } from '../documents.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { printable } from '../render.ts';
import { replayAll } from '../replay-all.ts';
import { createTally, type Tally } from '../replay-tally.ts';
import { replayBundle, type Row } from '../replayed-bundle.ts';
import { createReplayer } from '../replayer.ts';

function rowText({ id, result }: Row, context: Context): string {
  const colour = result.status === 'equal' ? 'green' : result.status === 'unknown-engine' || result.status === 'erased' ? 'yellow' : 'red';
  return `${context.paint(colour, result.status.toUpperCase())} ${id} ${printable(result.sentence)}`;
}

function rowJson({ id, result }: Row): JsonObject {
  const { status, sentence, path } = result;
  return { id, status, sentence, ...(path === undefined ? {} : { path }) };
}

function summary(tally: Tally, complete: boolean, context: Context): Outcome {
  const { counts, receipts, shown, cut } = tally;
  const { equal, different, refused, erased } = counts;
  const unknown = counts['unknown-engine'];
  const total = `${receipts} receipts: ${equal} equal, ${different} different, ${refused} refused, ${unknown} of an unknown engine${erased === 0 ? '' : `, ${erased} erased`}`;
  const more = cut > 0 ? [`and ${cut} more that are not equal`] : [];
  const end = complete ? total : `${total}; stopped before the end`;
  const json = {
    receipts,
    equal,
    different,
    refused,
    unknown_engine: unknown,
    erased,
    complete,
    results: shown.map(rowJson),
    results_cut: cut,
  };
  const exitCode = complete && equal > 0 && equal + erased === receipts ? EXIT.ok : EXIT.deny;
  return { exitCode, json, text: [...shown.map((row) => rowText(row, context)), ...more, end].join('\n') };
}

async function replay(input: Input, context: Context): Promise<Outcome> {
  const all = flag(input, 'all');
  if (all === input.rest.length > 0) throw usageError('name the bundles, or say --all', 'countersign replay --help');
  const replayer = await context.progress('loading the engine', () => createReplayer(context));
  const tally = createTally();
  if (all) return summary(tally, await replayAll({ context, replayer, add: (row) => tally.add(row) }), context);
  for (const file of input.rest) {
    const row = await replayBundle(await readBytes(file, context), replayer);
    if (row !== undefined) tally.add(row);
  }
  return summary(tally, true, context);
}

export const replayCommand: Command = {
  path: 'replay',
  args: '[file...]',
  summary: 'compute verdicts again from what was recorded, and compare',
  options: [{ flags: '--all', summary: 'every receipt of the data directory or of the running gateway' }],
  examples: ['countersign replay receipt.countersign.json', 'countersign replay --all --json'],
  run: replay,
};
