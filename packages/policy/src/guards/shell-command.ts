/**
 * @module shell_command: commands that are refused for what they do, for what the policy's own expressions say, and for the
 * forbidden paths they touch.
 */
import type { CommandFact, Facts, GuardResult, Span } from '@countersign/protocol';
import type { ShellCommandConfig } from '../content.ts';
import { firstMatch } from '../glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { isRelative, joinPath, workingDirectories } from '../path-reach.ts';
import type { RegexSet } from '../regex/regex-set.ts';
import { isForkBomb, shellForms } from '../shell-forms.ts';
import { isForbidden, pathIsForbidden, touchedPaths, type ForbiddenPaths } from './forbidden-path.ts';
import { allow, blind, block, quote, warn, type GuardContext } from './result.ts';

export interface ShellRules {
  readonly config: ShellCommandConfig;
  readonly forbidden: RegexSet;
  /** The policy's own list, whether or not its guard is on. */
  readonly paths: ForbiddenPaths;
}

/** A command with its redirections, as expressions see it. */
function rendered(command: CommandFact): string {
  return [command.line, ...command.redirects.map((one) => `${one.operator} ${one.target}`)].join(' ');
}

/** Whole pipelines, each once: ends of pipes with all that feeds them. */
export function pipelines(commands: readonly CommandFact[]): readonly { readonly text: string; readonly spans: readonly Span[] }[] {
  const feeds = new Set(commands.map((command) => command.pipedFrom));
  const texts = new Map<number, { readonly text: string; readonly spans: readonly Span[] }>();
  const out: { readonly text: string; readonly spans: readonly Span[] }[] = [];
  for (const [index, command] of commands.entries()) {
    const before = command.pipedFrom >= 0 && command.pipedFrom < index ? texts.get(command.pipedFrom) : undefined;
    const whole = {
      text: before === undefined ? rendered(command) : `${before.text} | ${rendered(command)}`,
      spans: [...(before?.spans ?? []), command.span].slice(0, POLICY_LIMITS.evidenceMax),
    };
    if (feeds.has(index)) texts.set(index, whole);
    if (!feeds.has(index)) out.push(whole);
    // Each prefix is taken over by the one command that reads it, so the texts add up to the input once.
    if (before !== undefined) texts.delete(command.pipedFrom);
  }
  return out;
}

function matchForbidden(rules: ShellRules, context: GuardContext): GuardResult | undefined {
  const message = 'Shell command matches forbidden pattern';
  const report = (pattern: string, evidence: readonly Span[]): GuardResult =>
    block('shell_command', 'critical', {
      code: 'matches_forbidden_pattern',
      message,
      details: { reason: 'matches_forbidden_pattern', pattern },
      evidence,
    });
  const { commands } = context.facts;
  const [form] = shellForms(commands);
  if (form !== undefined)
    return report(
      form.form,
      commands.slice(form.command, form.command + 1).map((command) => command.span),
    );
  for (const line of pipelines(commands)) {
    const [hit] = rules.forbidden.search(line.text, context.meter);
    if (hit !== undefined) return report(rules.forbidden.patterns[hit.index] ?? '', line.spans);
  }
  if (!commands.some((command) => command.pipedFrom >= 0 && commands[command.pipedFrom]?.name === command.name)) return undefined;
  const bomb = context.facts.texts.find((text) => (text.role === 'param' || text.role === 'content') && isForkBomb(text.text));
  return bomb === undefined ? undefined : report('fork_bomb', [bomb.span]);
}

const NAMES_NOTHING: ReadonlySet<string> = new Set([
  'echo',
  'printf',
  'cd',
  'pushd',
  'chdir',
  'grep',
  'egrep',
  'fgrep',
  'rg',
  'ag',
  'sed',
  'awk',
  'export',
  'test',
  '[',
]);

/** Bare words of commands that run after a `cd`: `cd /etc && cat shadow`. */
function movedWords(context: GuardContext): readonly { readonly word: string; readonly path: string; readonly span: Span }[] {
  const { commands } = context.facts;
  const directories = workingDirectories(commands);
  return commands.flatMap((command, i) => {
    const directory = directories[i];
    if (directory === undefined || NAMES_NOTHING.has(command.name)) return [];
    const words = [...command.args.filter((arg) => !arg.startsWith('-')), ...command.redirects.map((one) => one.target)];
    return words
      .filter((word) => word !== '' && isRelative(word))
      .map((word) => ({ word, path: joinPath(directory, word), span: command.span }));
  });
}

function touchesForbidden(rules: ShellRules, context: GuardContext): GuardResult | undefined {
  const { counter } = context;
  const directories = workingDirectories(context.facts.commands);
  const report = (path: string, evidence: readonly Span[]): GuardResult =>
    block('shell_command', 'critical', {
      code: 'touches_forbidden_path',
      message: `Shell command touches forbidden path: ${quote(path)}`,
      details: { reason: 'touches_forbidden_path', path: quote(path) },
      evidence,
    });
  const fact = touchedPaths(context).find((path) => path.command >= 0 && pathIsForbidden(rules.paths, path, { directories, counter }));
  if (fact !== undefined) return report(fact.raw, [fact.span]);
  const moved = movedWords(context).find(
    ({ path }) => isForbidden(rules.paths, path, counter) && firstMatch(rules.paths.exceptions, path, counter) === undefined,
  );
  return moved === undefined ? undefined : report(moved.word, [moved.span]);
}

/** The value is plain or in single quotes; variables that hold commands a shell runs by itself are no mere values. */
const BARE_ASSIGNMENT =
  /^\s*(?!(?:PROMPT_COMMAND|BASH_ENV|ENV|PS[0-4]|LD_PRELOAD|[A-Z]*PAGER|EDITOR|VISUAL|GIT_[A-Z_]*)=)[A-Za-z_][A-Za-z0-9_]*=(?:'[^'\n]*'|[^\n;&|<>()`$]*)\s*$/;

/** One static assignment and nothing that could run: there are no commands to see in it. */
function isBareAssignment(facts: Facts): boolean {
  const texts = facts.texts.filter((text) => text.role === 'param' && text.layers.length === 0);
  return texts.length > 0 && texts.every((text) => BARE_ASSIGNMENT.test(text.text));
}

function judgeUnread(rules: ShellRules, { action, facts, meter }: GuardContext): GuardResult {
  if (meter.cut) return blind('shell_command', 'More text than can be searched', 'facts_cut');
  const read = action.kind !== 'shell.exec' || facts.commands.length > 0 || isBareAssignment(facts);
  if (read && !facts.cuts.includes('commands') && !facts.cuts.includes('shell-unknown')) return allow('shell_command');
  const finding = {
    code: 'shell_not_understood',
    message: 'Shell command could not be read as commands',
    details: { reason: 'shell_not_understood' },
  };
  return rules.config.unparsed === 'block' ? block('shell_command', 'error', finding) : warn('shell_command', finding);
}

export function judgeShellCommand(rules: ShellRules, context: GuardContext): GuardResult | undefined {
  const { facts, action } = context;
  if (facts.commands.length === 0 && action.kind !== 'shell.exec' && !facts.cuts.includes('shell-unknown')) return undefined;
  const touched = (): GuardResult | undefined => (rules.config.enforce_forbidden_paths ? touchesForbidden(rules, context) : undefined);
  return matchForbidden(rules, context) ?? touched() ?? judgeUnread(rules, context);
}
