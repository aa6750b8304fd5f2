/** @module `explain`: what an action was understood as, what was found where, and the nearest change that would be allowed. Offline. */
import { explain, type Judged } from '@countersign/judge';
import type { Action } from '@countersign/protocol';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { explanationJson, explanationText } from '../explanation.ts';
import { actionOfSketch, judgedAction, openJudging } from '../judging.ts';
import { type Outcome, usageError } from '../outcome.ts';
import { resolveChosen } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { originOption, SKETCHERS } from '../sketches.ts';
import { exitOf } from '../verdicts.ts';

async function run(input: Input, context: Context): Promise<Outcome> {
  const kind = textOption(input, 'as') ?? 'shell';
  const sketcher = Object.hasOwn(SKETCHERS, kind) ? SKETCHERS[kind] : undefined;
  const [target] = input.args;
  if (sketcher === undefined) throw usageError(`\`${kind}\` is no kind of action`, `--as ${Object.keys(SKETCHERS).join(', --as ')}`);
  if (target === undefined) throw usageError('nothing to explain', 'countersign explain --help');
  const action = actionOfSketch({ ...(await sketcher(target, input, context)), ...originOption(input) }, context);
  const policy = await resolveChosen({ file: textOption(input, 'policy'), ruleset: textOption(input, 'ruleset') }, context);
  const rules = mergePacks(await readPacks([], context));
  const judging = await context.progress('loading the engine', () => openJudging(policy, rules));
  const ask = (asked: Action): Judged => judgedAction(judging, { action: asked, signals: [] }, context);
  const explanation = explain(ask(action), { ask, rules });
  return {
    exitCode: exitOf(explanation.judged.judgement.verdict.decision),
    json: explanationJson(explanation),
    text: explanationText(explanation, context.paint),
  };
}

export const explainCommand: Command = {
  path: 'explain',
  args: '<command>',
  summary: 'what is understood, found and allowed of a command, or another action',
  options: [
    { flags: '--as <kind>', summary: `${Object.keys(SKETCHERS).join(', ')}; shell where none is named` },
    { flags: '--tool <name>', summary: 'the tool that answered (--as output)' },
    { flags: '--args <json>', summary: 'arguments of the call (--as mcp)' },
    { flags: '--params <json>', summary: 'parameters of the call (--as tool)' },
    { flags: '--write', summary: 'the file is written (--as file)' },
    { flags: '--content <file>', summary: 'what is written, `-` for standard input (--as file)' },
    { flags: '--ruleset <name>', summary: 'built-in ruleset, `default` where none is named' },
    { flags: '--policy <file>', summary: 'policy file instead of a ruleset' },
    { flags: '--origin <json>', summary: 'where the agent was asked, for policies with origins' },
  ],
  examples: [
    'countersign explain "echo cm0gLXJmIC8= | base64 -d | sh"',
    'countersign explain --as sql "DELETE FROM users" --json',
    'countersign explain --as prompt - < mail.txt',
  ],
  run,
};
