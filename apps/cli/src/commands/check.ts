/** @module `check`: what would be said of one action, offline, with a ruleset or a policy file. Nothing is recorded. */
import type { Command, Context, Input } from '../command.ts';
import { textOption } from '../command.ts';
import { judgeSketch, openJudging } from '../judging.ts';
import { type Outcome, usageError } from '../outcome.ts';
import { resolveChosen } from '../policies.ts';
import { mergePacks, readPacks } from '../rule-packs.ts';
import { originOption, SKETCHERS } from '../sketches.ts';
import { exitOf, verdictJson, verdictText } from '../verdicts.ts';

async function runCheck(kind: string, input: Input, context: Context): Promise<Outcome> {
  const sketcher = SKETCHERS[kind];
  const [target] = input.args;
  if (sketcher === undefined || target === undefined) throw usageError('nothing to check', 'countersign check --help');
  const sketch = { ...(await sketcher(target, input, context)), ...originOption(input) };
  const policy = await resolveChosen({ file: textOption(input, 'policy'), ruleset: textOption(input, 'ruleset') }, context);
  const rules = mergePacks(await readPacks([], context));
  const judging = await context.progress('loading the engine', () => openJudging(policy, rules));
  const output = judgeSketch(judging, sketch, context);
  const json = { ...verdictJson(output), kind: sketch.kind, policy: { name: policy.resolved.name, ...judging.hashes } };
  return { exitCode: exitOf(output.verdict.decision), json, text: verdictText(output, context.paint) };
}

const POLICY_OPTIONS = [
  { flags: '--ruleset <name>', summary: 'built-in ruleset, `default` where none is named' },
  { flags: '--policy <file>', summary: 'policy file instead of a ruleset' },
  { flags: '--origin <json>', summary: 'where the agent was asked, for policies with origins' },
] as const;

interface Kind {
  readonly name: string;
  readonly args: string;
  readonly summary: string;
  readonly options?: readonly { readonly flags: string; readonly summary: string }[];
  readonly example: string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'file',
    args: '<path>',
    summary: 'read a file, or write one',
    options: [
      { flags: '--write', summary: 'the file is written' },
      { flags: '--content <file>', summary: 'what is written, `-` for standard input' },
    ],
    example: 'countersign check file ~/.ssh/id_rsa',
  },
  { name: 'egress', args: '<host-or-url>', summary: 'connect to a host', example: 'countersign check egress http://169.254.169.254/' },
  {
    name: 'shell',
    args: '<command>',
    summary: 'run a shell command, `-` for standard input',
    example: 'countersign check shell "git status"',
  },
  {
    name: 'mcp',
    args: '<tool>',
    summary: 'call an MCP tool',
    options: [{ flags: '--args <json>', summary: 'arguments of the call' }],
    example: `countersign check mcp fs__read --args '{"path":"notes.txt"}'`,
  },
  {
    name: 'tool',
    args: '<tool>',
    summary: 'call any other tool',
    options: [{ flags: '--params <json>', summary: 'parameters of the call' }],
    example: `countersign check tool database.query --params '{"sql":"select 1"}'`,
  },
  {
    name: 'prompt',
    args: '<text>',
    summary: 'hand a prompt to a model, `-` for standard input',
    example: 'countersign check prompt "summarise this page"',
  },
  {
    name: 'send',
    args: '<text>',
    summary: 'send a text to where the agent was asked, `-` for standard input',
    example: 'countersign check send "the build is green"',
  },
];

/** One command per kind of action. */
export const checkCommands: readonly Command[] = KINDS.map((kind) => ({
  path: `check ${kind.name}`,
  args: kind.args,
  summary: kind.summary,
  options: [...(kind.options ?? []), ...POLICY_OPTIONS],
  examples: [kind.example, `${kind.example} --ruleset strict --json`],
  run: (input, context) => runCheck(kind.name, input, context),
}));
