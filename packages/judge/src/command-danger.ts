/**
 * @module D3, the danger of commands: what they bring about, through whatever wrapper, quoting or encoding. A command that a rule blocks
 * is as bad as it gets; one that nobody knows is taken for one that changes things.
 */
import type { Action, CommandFact, Facts, Finding } from '@countersign/protocol';
import type { Dimension } from './scores.ts';
import { SCORE_WEIGHTS } from './limits.ts';

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** They look and tell, and change nothing. */
const LOOKERS = words(
  'ls ll dir cat tac bat echo printf pwd cd whoami date printenv hostname uname id groups wc sort uniq diff cmp comm head tail less more file which whereis type stat du df tree find fd grep egrep fgrep rg ag awk cut tr nl od xxd strings jq yq column fold rev seq sleep true false test [ : basename dirname realpath readlink ps top uptime free lscpu lsblk man help history sha256sum sha1sum md5sum cksum b2sum get-content get-childitem select-string get-location write-output',
);
const WRITERS = words('cp mv mkdir touch ln rename tee rmdir');
const GIT_LOOKS = words('status log diff show branch blame grep ls-files rev-parse describe remote fetch config tag shortlog');
const GIT_WRITES = words('add commit stash switch checkout merge mv restore worktree init');

function gitDanger({ args }: CommandFact): number {
  const verb = args.find((arg) => !arg.startsWith('-')) ?? '';
  if (GIT_LOOKS.has(verb)) return 0;
  return GIT_WRITES.has(verb) ? 1 : 2;
}

function nameDanger(command: CommandFact): number {
  if (command.dynamic && command.name === '') return 2;
  if (command.name === 'git') return gitDanger(command);
  if (LOOKERS.has(command.name)) return 0;
  return WRITERS.has(command.name) ? 1 : 2;
}

const GRAVE_EFFECTS: ReadonlySet<string> = new Set(['deletes', 'escalates', 'persists', 'hides']);
const RIGHTS = words('sudo su doas pkexec runas');
const SINKS = /^\/dev\/(?:null|zero|full|tty|std(?:in|out|err)|fd\/)/;

function effectDanger({ effects }: Facts): number {
  let danger = 0;
  for (const { kind, target, command } of effects) {
    if (command < 0 || SINKS.test(target)) continue;
    if (GRAVE_EFFECTS.has(kind)) return 2;
    if (kind === 'writes') danger = 1;
  }
  return danger;
}

/** Facts on which a rule about a command stands. */
const COMMAND_FACTS: ReadonlySet<string> = new Set(['command', 'effect', 'path', 'host', 'statement', 'code']);

function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some(({ fact, score }) => score >= SCORE_WEIGHTS.blocks && COMMAND_FACTS.has(fact));
}

/** Whether the action runs commands, by whatever tool. */
export function isShell({ kind }: Action, { commands }: Facts): boolean {
  return kind === 'shell.exec' || ((kind === 'tool.call' || kind === 'mcp.call') && commands.length > 0);
}

/** D3. */
export function commandDanger(action: Action, facts: Facts, findings: readonly Finding[]): Dimension {
  if (!isShell(action, facts)) return { value: 0, missing: false };
  if (isBlocked(findings) || facts.cuts.includes('shell-unknown')) return { value: 3, missing: false };
  if (facts.commands.length === 0) return { value: 2, missing: true };
  let value = effectDanger(facts);
  for (const command of facts.commands) {
    if (command.wrappers.some((wrapper) => RIGHTS.has(wrapper))) value = 2;
    value = Math.max(value, nameDanger(command));
  }
  return { value, missing: false };
}
