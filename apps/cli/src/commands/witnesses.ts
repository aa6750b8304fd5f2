/**
 * @module `witness`: run a witness for the logs of others. It remembers the newest tree of each and cosigns only what grows out of it.
 */
import { formatTime, type JsonObject } from '@countersign/kernel';
import { cosignerKeyText, EMPTY_TREE } from '@countersign/log';
import { base64, parseNoteVerifierKey } from '@countersign/crypto';
import { createSystemRandom, openWitness, serveWitness, type WitnessEvent } from '@countersign/runtime';
import { openWitnessStore, type WitnessedLogView, type WitnessStore } from '@countersign/store';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { type Column, printable, renderFields, renderTable } from '../render.ts';

const DIRECTORY = '.countersign-witness';

const COLUMNS: readonly Column<WitnessedLogView>[] = [
  { title: 'origin', value: ({ origin }) => origin },
  { title: 'size', value: ({ tree }) => String(tree.size) },
  { title: 'root', value: ({ tree }) => (tree.size === EMPTY_TREE.size ? '(nothing seen)' : base64(tree.root)) },
  { title: 'keys', value: ({ keys }) => String(keys.length) },
];

function directoryOf(input: Input, context: Context): string {
  return resolve(context.world.cwd, textOption(input, 'dir') ?? DIRECTORY);
}

/** Runs `work` on what a witness remembers; the witness may be running. */
function withStore<T>(directory: string, create: boolean, work: (store: WitnessStore) => T): T {
  if (!create && !existsSync(join(directory, 'witness.db'))) {
    const hint = 'start one with `countersign witness serve --name NAME`, or name another directory with --dir DIR';
    throw configError([{ code: 'no_witness', message: 'there is no witness here', path: directory, hint }]);
  }
  const store = openWitnessStore(directory);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function readAddress(text: string): Address {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw usageError('--listen must be HOST:PORT, the port from 0 to 65535', 'countersign witness serve --listen 127.0.0.1:7380');
}

/** What the operator of a witness should hear of: refusals that no honest log gets, and failures of our own. */
const LOUD: ReadonlySet<WitnessEvent['verdict']> = new Set(['witness_fork', 'witness_proof_bad', 'witness_failed']);

function tell(context: Context, event: WitnessEvent): void {
  const { status, verdict, origin = '', failure } = event;
  const time = formatTime(context.world.clock.nowMs());
  const more = { ...(origin === '' ? {} : { origin }), ...(failure === undefined ? {} : { failure }) };
  if (context.json) context.world.stderr.write(`${JSON.stringify({ time, status, verdict, ...more })}\n`);
  else if (LOUD.has(verdict)) {
    const words = [time, verdict, origin, ...(failure === undefined ? [] : [failure])];
    context.world.stderr.write(`warning: ${printable(words.join(' '))}\n`);
  }
}

function untilStopped({ world }: Context): Promise<void> {
  return new Promise((done) => {
    if (world.stop.aborted) done();
    world.stop.addEventListener('abort', () => done(), { once: true });
  });
}

async function serve(input: Input, context: Context): Promise<Outcome> {
  const address = readAddress(textOption(input, 'listen') ?? '127.0.0.1:7380');
  const directory = directoryOf(input, context);
  const { clock } = context.world;
  const witness = openWitness({ directory, name: textOption(input, 'name'), clock, random: createSystemRandom() });
  try {
    const server = await serveWitness({ witness, ...address, told: (event) => tell(context, event) });
    const { name, key } = witness;
    if (context.json) context.line(JSON.stringify({ url: server.url, name, key, directory }));
    else {
      const fields = [
        ['witness', name],
        ['url', server.url],
        ['key', key],
        ['directory', directory],
      ] as const;
      context.line(`${renderFields(fields)}\n\nGive the key and the address to the logs you know; stop with Ctrl-C.`);
    }
    await untilStopped(context);
    await server.close();
  } finally {
    witness.close();
  }
  return { exitCode: EXIT.ok, json: {}, text: '' };
}

/** The origin a key belongs to: its name, where nothing else was said. */
function originOf(input: Input, key: string): string {
  const parsed = parseNoteVerifierKey(key);
  if (!parsed.ok) {
    const hint = 'give the verifier key of the log: `countersign log key` shows it';
    throw configError([{ ...parsed.error, code: 'witness_key_invalid', hint }]);
  }
  return textOption(input, 'origin') ?? parsed.value.name;
}

function addLog(input: Input, context: Context): Outcome {
  const [key = ''] = input.args;
  const origin = originOf(input, key);
  withStore(directoryOf(input, context), true, (store) => store.addKey(origin, key));
  return { exitCode: EXIT.ok, json: { origin, key }, text: printable(`checkpoints of ${origin} that this key has signed are cosigned`) };
}

function removeKey(input: Input, context: Context): Outcome {
  const [key = ''] = input.args;
  const origin = originOf(input, key);
  const removed = withStore(directoryOf(input, context), false, (store) => store.removeKey(origin, key));
  if (!removed) throw usageError('this witness does not trust that key', 'countersign witness logs --json');
  return { exitCode: EXIT.ok, json: { origin, key }, text: printable(`the key is no longer trusted; what is known of ${origin} stays`) };
}

function logJson({ origin, keys, tree }: WitnessedLogView): JsonObject {
  return { origin, keys: [...keys], size: tree.size, root: base64(tree.root) };
}

function logs(input: Input, context: Context): Outcome {
  const rows = withStore(directoryOf(input, context), false, (store) => store.logs());
  const empty = 'this witness knows no logs; try: countersign witness add-log VKEY';
  const text = renderTable({ columns: COLUMNS, rows, empty }, context.paint, context.world.stdout.columns);
  return { exitCode: EXIT.ok, json: { logs: rows.map(logJson) }, text };
}

function showKey(input: Input, context: Context): Outcome {
  const identity = withStore(directoryOf(input, context), false, (store) => store.identity());
  if (identity === undefined) throw usageError('this witness has no key yet', 'countersign witness serve --name NAME');
  const text = cosignerKeyText(identity.name, identity.publicKey);
  return { exitCode: EXIT.ok, json: { key: text, name: identity.name }, text };
}

const DIR = { flags: '--dir <dir>', summary: `directory of the witness, ${DIRECTORY} where it is not said` } as const;
const ORIGIN = { flags: '--origin <origin>', summary: 'first line of its checkpoints, where the key has another name' } as const;

export const witnessCommands: readonly Command[] = [
  {
    path: 'witness serve',
    summary: 'answer `add-checkpoint` until Ctrl-C; makes the key at the first start',
    options: [
      DIR,
      { flags: '--listen <address>', summary: 'HOST:PORT, 127.0.0.1:7380 where it is not said, port 0 for any' },
      { flags: '--name <name>', summary: 'name of the witness; needed at the first start' },
    ],
    examples: [
      'countersign witness serve --name witness.example.org/w1',
      'countersign witness serve --dir /var/lib/witness --listen 0.0.0.0:7380',
    ],
    run: serve,
  },
  {
    path: 'witness add-log',
    args: '<vkey>',
    summary: 'cosign a log from now on, or trust one more key of it',
    options: [DIR, ORIGIN],
    examples: ['countersign witness add-log "$(cat log.vkey)"'],
    run: addLog,
  },
  {
    path: 'witness remove-key',
    args: '<vkey>',
    summary: 'no longer trust a key of a log; what was seen of the log stays known',
    options: [DIR, ORIGIN],
    examples: ['countersign witness remove-key "$(cat old-log.vkey)"'],
    run: removeKey,
  },
  {
    path: 'witness logs',
    summary: 'the logs it knows, and the newest tree of each',
    options: [DIR],
    examples: ['countersign witness logs', 'countersign witness logs --json'],
    run: logs,
  },
  {
    path: 'witness key',
    summary: 'the key that logs and verifiers must know',
    options: [DIR],
    examples: ['countersign witness key > witness.vkey'],
    run: showKey,
  },
];
