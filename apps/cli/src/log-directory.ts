/** @module Where a log of the data directory is, by its name: `--log-name`. */
import { MAIN_LOG } from '@countersign/pipeline';
import { isLogName, isLogThere, type LogPlace, logPlace } from '@countersign/runtime';
import { type CommandOption, type Context, type Input, textOption } from './command.ts';
import { configError } from './outcome.ts';

export const LOG_NAME_OPTION: CommandOption = {
  flags: '--log-name <name>',
  summary: 'which log, `main` where it is not said; `countersign log list` names them',
};

/** The log that was named, or undefined. @throws {CliError} exit 3 where the data directory has no such log. */
export function namedLog(input: Input, context: Context): string | undefined {
  const name = textOption(input, 'logName');
  if (name === undefined) return undefined;
  if (name === MAIN_LOG || (isLogName(name) && isLogThere(logPlace(context.dataDir, name)))) return name;
  throw configError([
    { code: 'log_unknown', message: 'there is no log of this name here', path: '--log-name', hint: 'countersign log list' },
  ]);
}

/** `name` is one that `namedLog` gave. */
export function placeOfLog(context: Context, name: string | undefined): LogPlace {
  return logPlace(context.dataDir, name ?? MAIN_LOG);
}

/** Where the keys and witnesses of a log are. */
export function logHome(context: Context, name: string | undefined): string {
  return placeOfLog(context, name).home;
}
