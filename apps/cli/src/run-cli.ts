/**
 * @module From arguments to an exit code: parses, runs the one command, prints its outcome once, in the form that was asked for.
 */
import { resolve } from 'node:path';
import type { JsonObject } from '@countersign/kernel';
import { Command as Parser, CommanderError } from 'commander';
import type { Command, Context, Input } from './command.ts';
import { COMMANDS, GROUPS } from './commands.ts';
import { describeError, EXIT, faultJson, type Outcome } from './outcome.ts';
import { painter, renderFault } from './render.ts';
import type { World } from './world.ts';

const PROGRESS_AFTER_MS = 1000;

interface Ending {
  exitCode: number;
}

interface Globals {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly data?: string;
}

function contextOf(world: World, globals: Globals): Context {
  const json = globals.json === true;
  const configured = globals.data ?? world.env['COUNTERSIGN_DATA'] ?? '';
  return {
    world,
    json,
    paint: painter(world, globals.color !== false && !json),
    dataDir: resolve(world.cwd, configured === '' ? '.countersign' : configured),
    line: (text) => world.stdout.write(`${text}\n`),
    async progress<T>(text: string, work: () => Promise<T>): Promise<T> {
      const cancel = world.after(PROGRESS_AFTER_MS, () => world.stderr.write(`${text} ...\n`));
      try {
        return await work();
      } finally {
        cancel();
      }
    },
  };
}

function envelope(command: string, exitCode: number, body: JsonObject): string {
  return `${JSON.stringify({ version: 1, command, exit_code: exitCode, ...body }, null, 2)}\n`;
}

function printOutcome(command: Command, context: Context, outcome: Outcome): void {
  const { stdout } = context.world;
  if (context.json) stdout.write(envelope(command.path, outcome.exitCode, outcome.json));
  else if (outcome.text !== '') stdout.write(`${outcome.text}\n`);
}

function printError(path: string, context: Context, thrown: unknown): number {
  const { exitCode, faults } = describeError(thrown);
  const [first] = faults;
  if (context.json) {
    const error = first === undefined ? { kind: 'unexpected', message: 'failed' } : faultJson(first);
    context.world.stdout.write(envelope(path, exitCode, { error, errors: faults.map(faultJson) }));
    return exitCode;
  }
  for (const fault of faults) context.world.stderr.write(`${renderFault(fault, context.paint)}\n`);
  return exitCode;
}

/** commander hands over positional arguments, then options, then itself. */
function readInput(parser: Parser): Input {
  const values: readonly unknown[] = parser.processedArgs;
  const rest = values.find((value): value is readonly string[] => Array.isArray(value)) ?? [];
  const args = values.filter((value): value is string => typeof value === 'string');
  return { args, rest, options: parser.opts() };
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`;
}

function addCommand(parent: Parser, command: Command, act: (child: Parser) => Promise<void>): void {
  const name = command.path.split(' ').at(-1) ?? command.path;
  const child = parent.command(command.args === undefined ? name : `${name} ${command.args}`);
  child.summary(command.summary).description(command.summary).allowExcessArguments(false);
  for (const option of command.options ?? []) child.option(option.flags, option.summary);
  child.option('--json', 'answer in JSON').option('--data <dir>', 'data directory').option('--no-color', 'no colour');
  child.addHelpText('after', examplesText(command.examples));
  child.action(() => act(child));
}

async function runCommand(command: Command, input: Input, context: Context): Promise<number> {
  try {
    const outcome = await command.run(input, context);
    printOutcome(command, context, outcome);
    return outcome.exitCode;
  } catch (error) {
    return printError(command.path, context, error);
  }
}

function buildParser(world: World, ending: Ending): Parser {
  const root = new Parser('countersign');
  root.description('Every action an AI agent takes is countersigned, or it does not happen.');
  root.addHelpText(
    'after',
    examplesText(['countersign up', 'countersign check shell "rm -rf /"', 'countersign verify receipt.countersign.json --key VKEY']),
  );
  const groups = new Map<string, Parser>();
  for (const [path, summary] of GROUPS) {
    const words = path.split(' ');
    const parent = groups.get(words.slice(0, -1).join(' ')) ?? root;
    groups.set(
      path,
      parent
        .command(words.at(-1) ?? path)
        .summary(summary)
        .description(summary),
    );
  }
  for (const command of COMMANDS) {
    const parent = groups.get(command.path.split(' ').slice(0, -1).join(' ')) ?? root;
    addCommand(parent, command, async (child) => {
      const context = contextOf(world, child.opts());
      ending.exitCode = await runCommand(command, readInput(child), context);
    });
  }
  configure(root, world);
  return root;
}

/** commander writes and exits by itself unless every command is told not to. */
function configure(parser: Parser, world: World): void {
  parser.exitOverride().showSuggestionAfterError(true);
  parser.configureOutput({
    writeOut: (text) => world.stdout.write(text),
    writeErr: (text) => world.stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => world.stdout.columns,
  });
  for (const child of parser.commands) configure(child, world);
}

const SHOWN: ReadonlySet<string> = new Set(['commander.helpDisplayed', 'commander.version', 'commander.help']);

/** The words of a command or group that the arguments begin with. */
function knownPath(args: readonly string[]): readonly string[] {
  const words = args.filter((word) => !word.startsWith('-'));
  const paths = new Set([...COMMANDS.map(({ path }) => path), ...GROUPS.map(([name]) => name)]);
  return [words.slice(0, 3), words.slice(0, 2), words.slice(0, 1)].find((prefix) => paths.has(prefix.join(' '))) ?? [];
}

function printParseError(error: CommanderError, args: readonly string[], world: World): number {
  // Help that was asked for is an answer; a group without a command shows its help as an error.
  if (SHOWN.has(error.code)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const context = contextOf(world, { json: args.includes('--json') });
  const known = knownPath(args);
  const message = error.message
    .replace(/^error: /, '')
    .replaceAll("'", '`')
    .replace(/\n/g, ' ');
  const hint = `${['countersign', ...known].join(' ')} --help`;
  const fault = { code: 'invalid_arguments', message, hint };
  if (context.json) world.stdout.write(envelope(known.join(' '), EXIT.usage, { error: faultJson(fault), errors: [faultJson(fault)] }));
  else world.stderr.write(`${renderFault(fault, context.paint)}\n`);
  return EXIT.usage;
}

/** Runs one command line (without the program's name); gives the exit code. Never throws. */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  const ending: Ending = { exitCode: EXIT.ok };
  try {
    await buildParser(world, ending).parseAsync([...args], { from: 'user' });
    return ending.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return printParseError(error, args, world);
    return printError('', contextOf(world, { json: args.includes('--json') }), error);
  }
}
