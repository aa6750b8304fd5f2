/** @module `completions`: a script for the shell, made from the same table as the parser. */
import type { Command, Input } from '../command.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';

/** Words that may follow each prefix of words. */
export function completionTree(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const tree = new Map<string, Set<string>>();
  for (const path of paths) {
    const words = path.split(' ');
    for (let i = 0; i < words.length; i += 1) {
      const prefix = words.slice(0, i).join(' ');
      const next = tree.get(prefix) ?? new Set<string>();
      next.add(words[i] ?? '');
      tree.set(prefix, next);
    }
  }
  return new Map([...tree].map(([prefix, words]) => [prefix, [...words].toSorted()]));
}

function bash(tree: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...tree].map(
    ([prefix, words]) => `    ${JSON.stringify(prefix)}) COMPREPLY=($(compgen -W ${JSON.stringify(words.join(' '))} -- "$word")) ;;`,
  );
  return [
    '_countersign() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" line="${COMP_WORDS[*]:1:COMP_CWORD-1}"',
    '  case "$line" in',
    ...cases,
    '    *) COMPREPLY=($(compgen -f -- "$word")) ;;',
    '  esac',
    '}',
    'complete -F _countersign countersign',
  ].join('\n');
}

function zsh(tree: ReadonlyMap<string, readonly string[]>): string {
  return ['autoload -U +X bashcompinit && bashcompinit', bash(tree)].join('\n');
}

function fish(tree: ReadonlyMap<string, readonly string[]>): string {
  return [...tree]
    .map(([prefix, words]) => {
      const condition =
        prefix === ''
          ? '__fish_use_subcommand'
          : `__fish_seen_subcommand_from ${prefix}; and not __fish_seen_subcommand_from ${words.join(' ')}`;
      return `complete -c countersign -f -n ${JSON.stringify(condition)} -a ${JSON.stringify(words.join(' '))}`;
    })
    .join('\n');
}

const SHELLS: Readonly<Record<string, (tree: ReadonlyMap<string, readonly string[]>) => string>> = { bash, zsh, fish };

/** The command over the paths of all commands. */
export function completionsCommand(paths: () => readonly string[]): Command {
  return {
    path: 'completions',
    args: '<shell>',
    summary: 'a completion script for bash, zsh or fish',
    examples: ['countersign completions bash > ~/.local/share/bash-completion/completions/countersign'],
    run(input: Input): Promise<Outcome> {
      const [shell = ''] = input.args;
      const make = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (make === undefined) throw usageError(`no completions for \`${shell}\``, `use one of ${Object.keys(SHELLS).join(', ')}`);
      const script = make(completionTree(paths()));
      return Promise.resolve({ exitCode: EXIT.ok, json: { shell, script }, text: script });
    },
  };
}
