/** @module `log witnesses` and its kin: whom this log asks for cosignatures, and who has cosigned the newest checkpoint. */
import { formatTime, type JsonObject } from '@countersign/kernel';
import {
  addWitness,
  checkCosignatures,
  type CosignedBy,
  readWitnessConfig,
  removeWitness,
  setWitnessQuorum,
  type WitnessConfig,
} from '@countersign/runtime';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Context, Input } from '../command.ts';
import { LOG_NAME_OPTION, logHome, namedLog } from '../log-directory.ts';
import { checkpointSize } from '../log-reader.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, printable, renderTable } from '../render.ts';
import { withOperator } from './agents.ts';

/** The last moment that a Date can hold: a witness may write any second. */
const SECONDS_MAX = 8_640_000_000_000;

function timeOf(seconds: number): string {
  return seconds <= SECONDS_MAX ? formatTime(seconds * 1000) : `second ${seconds}`;
}

const COLUMNS: readonly Column<CosignedBy>[] = [
  { title: 'witness', value: ({ witness }) => witness.cosigner.name },
  { title: 'url', value: ({ witness }) => witness.url },
  {
    title: 'cosigned',
    value: ({ seconds }) => (seconds === undefined ? 'no' : timeOf(seconds)),
    colour: ({ seconds }) => (seconds === undefined ? 'red' : 'green'),
  },
];

function cosignedJson({ witness, seconds }: CosignedBy): JsonObject {
  const { cosigner, key, url } = witness;
  return { name: cosigner.name, key, url, cosigned: seconds === undefined ? null : timeOf(seconds) };
}

async function show(input: Input, context: Context): Promise<Outcome> {
  const log = namedLog(input, context);
  const config = readWitnessConfig(logHome(context, log));
  const note = await withOperator(context, false, (operator) => operator.checkpoint(log));
  const { quorum, reached, witnesses } = checkCosignatures(note, config);
  const cosignatures = witnesses.filter(({ seconds }) => seconds !== undefined).length;
  const size = checkpointSize(note);
  const empty = 'this log has no witnesses; try: countersign log witness-add VKEY URL';
  const table = renderTable({ columns: COLUMNS, rows: witnesses, empty }, context.paint, context.world.stdout.columns);
  const said = `checkpoint of size ${size}: ${cosignatures} of ${witnesses.length} cosigned, ${quorum} wanted: `;
  const word = reached ? context.paint('green', 'reached') : context.paint('red', 'not reached');
  return {
    // A quorum that is not reached is something to look into, and nothing that stopped.
    exitCode: reached ? EXIT.ok : EXIT.warn,
    json: { size, quorum, cosignatures, reached, witnesses: witnesses.map(cosignedJson) },
    text: witnesses.length === 0 ? table : `${table}\n\n${said}${word}`,
  };
}

function directoryOf(input: Input, context: Context): string {
  const { dataDir } = context;
  if (existsSync(join(dataDir, 'state.db'))) return logHome(context, namedLog(input, context));
  const hint = 'start a gateway with `countersign up`, or name another directory with --data DIR';
  throw configError([{ code: 'no_data_directory', message: 'there is no Countersign data directory here', path: dataDir, hint }]);
}

function changed({ quorum, witnesses }: WitnessConfig, said: string): Outcome {
  const names = witnesses.map(({ cosigner }) => cosigner.name);
  return {
    exitCode: EXIT.ok,
    json: { quorum, witnesses: witnesses.map(({ cosigner, key, url }) => ({ name: cosigner.name, key, url })) },
    text: printable(`${said}; ${quorum} of ${names.length} wanted. A running gateway asks them from its next start on`),
  };
}

function add(input: Input, context: Context): Outcome {
  const [key = '', url = ''] = input.args;
  const config = addWitness(directoryOf(input, context), key, url);
  return changed(config, `witness ${config.witnesses.at(-1)?.cosigner.name ?? ''} is asked`);
}

function remove(input: Input, context: Context): Outcome {
  const [name = ''] = input.args;
  return changed(removeWitness(directoryOf(input, context), name), `witness ${name} is no longer asked`);
}

function setQuorum(input: Input, context: Context): Outcome {
  const [count = ''] = input.args;
  if (!/^[0-9]{1,3}$/.test(count)) throw usageError('a quorum is a whole number', 'countersign log witness-quorum 2');
  return changed(setWitnessQuorum(directoryOf(input, context), Number(count)), 'the quorum is set');
}

export const logWitnessCommands: readonly Command[] = [
  {
    path: 'log witnesses',
    summary: 'who cosigned the newest checkpoint; exit 1 where fewer than wanted',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log witnesses', 'countersign log witnesses --json'],
    run: show,
  },
  {
    path: 'log witness-add',
    args: '<vkey> <url>',
    summary: 'ask one more witness for cosignatures',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log witness-add "$(cat witness.vkey)" https://witness.example.org'],
    run: add,
  },
  {
    path: 'log witness-remove',
    args: '<name>',
    summary: 'no longer ask a witness',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log witness-remove witness.example.org/w1'],
    run: remove,
  },
  {
    path: 'log witness-quorum',
    args: '<count>',
    summary: 'how many cosignatures a checkpoint should have',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log witness-quorum 2'],
    run: setQuorum,
  },
];
