/** @module `log key`, `log key-rotate`, `log key-retire`: the keys that sign checkpoints. */
import type { LogKeysView } from '@countersign/pipeline';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { LOG_NAME_OPTION, namedLog } from '../log-directory.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { withOperator } from './agents.ts';

function keysJson({ origin, active, former }: LogKeysView): Outcome['json'] {
  return { origin, key: active.at(-1) ?? '', active, former };
}

/** One a line: what `--keys` of `verify` reads. */
async function show(input: Input, context: Context): Promise<Outcome> {
  const keys = await withOperator(context, false, (operator) => operator.logKeys(namedLog(input, context)));
  return { exitCode: EXIT.ok, json: keysJson(keys), text: keys.active.join('\n') };
}

async function rotate(input: Input, context: Context): Promise<Outcome> {
  if (!flag(input, 'yes')) {
    const advice =
      'whoever verifies must get to know the new key before the old one is retired; say it with --yes: countersign log key-rotate --yes';
    throw usageError('a further key signs every checkpoint from now on', advice);
  }
  const keys = await withOperator(context, false, (operator) => operator.rotateLogKey(namedLog(input, context)));
  const text = [
    `${keys.active.length} keys sign from now on; the log says so`,
    ...keys.active,
    'Give the last one to whoever verifies and to your witnesses, then: countersign log key-retire --yes',
  ];
  return { exitCode: EXIT.ok, json: keysJson(keys), text: text.join('\n') };
}

async function retire(input: Input, context: Context): Promise<Outcome> {
  if (!flag(input, 'yes')) {
    const advice =
      'its seed is destroyed, and whoever knows only this key believes no later checkpoint; say it with --yes: countersign log key-retire --yes';
    throw usageError('the oldest key of the log signs no more', advice);
  }
  const keys = await withOperator(context, false, (operator) => operator.retireLogKey(namedLog(input, context)));
  const text = [`the key ${keys.former.at(-1) ?? ''} signs no more; the log says so. What signs now:`, ...keys.active];
  return { exitCode: EXIT.ok, json: keysJson(keys), text: text.join('\n') };
}

export const logKeyCommands: readonly Command[] = [
  {
    path: 'log key',
    summary: 'the keys that whoever verifies must know, one a line',
    options: [LOG_NAME_OPTION],
    examples: ['countersign log key > keys.txt', 'countersign log key --log-name team-a'],
    run: show,
  },
  {
    path: 'log key-rotate',
    summary: 'a further key signs checkpoints, beside the older ones',
    options: [{ flags: '--yes', summary: 'it stands in the log for good, and that is understood' }, LOG_NAME_OPTION],
    examples: ['countersign log key-rotate --yes'],
    run: rotate,
  },
  {
    path: 'log key-retire',
    summary: 'the oldest key signs no more; its seed is destroyed',
    options: [{ flags: '--yes', summary: 'it cannot be undone, and that is understood' }, LOG_NAME_OPTION],
    examples: ['countersign log key-retire --yes'],
    run: retire,
  },
];
