/** @module Which rules a list is about: by category, pack, tag, kind of action and paranoia level. */
import { isActionKind, type Tags } from '@countersign/protocol';
import { KIND_GROUPS, type Rule } from '@countersign/rules';
import { type CommandOption, type Input, textOption } from './command.ts';
import { usageError } from './outcome.ts';

/** A rule and the pack that it is of. */
export interface ListedRule {
  readonly rule: Rule;
  readonly pack: string;
}

export const FILTER_OPTIONS: readonly CommandOption[] = [
  { flags: '--category <name>', summary: 'only of this category' },
  { flags: '--pack <name>', summary: 'only of this pack' },
  { flags: '--owasp <tag>', summary: 'only with this OWASP tag, e.g. LLM01 or ASI02' },
  { flags: '--regulation <tag>', summary: 'only with this tag of a regulation' },
  { flags: '--level <number>', summary: 'only those that speak at this paranoia level, 1 to 4' },
  { flags: '--kind <kind>', summary: 'only those that speak on this kind of action, e.g. shell.exec' },
];

/** Tags of one kind; a rule without any has none. */
export function tagsOf(tags: Tags, name: string): readonly string[] {
  const found = Object.entries(tags).find(([key]) => key === name)?.[1];
  return Array.isArray(found) ? (found as readonly string[]) : [];
}

function speaksOn({ kinds }: Rule, kind: string): boolean {
  return kinds.some((pattern) => (pattern.endsWith('*') ? kind.startsWith(pattern.slice(0, -1)) : pattern === kind));
}

/** Names that hold for some rule, so that a wrong one can be said with the right ones. */
type Names = (listed: ListedRule) => readonly string[];

const NAMED: readonly (readonly [option: string, names: Names])[] = [
  ['category', ({ rule }) => [rule.category]],
  ['pack', ({ pack }) => [pack]],
  ['owasp', ({ rule }) => rule.tags.owasp],
  ['regulation', ({ rule }) => tagsOf(rule.tags, 'regulation')],
];

function byName(
  rows: readonly ListedRule[],
  all: readonly ListedRule[],
  filter: { option: string; wanted: string; names: Names },
): readonly ListedRule[] {
  const { option, wanted, names } = filter;
  const same = (name: string): boolean => name.toLowerCase() === wanted.toLowerCase();
  const known = [...new Set(all.flatMap(names))].toSorted();
  if (!known.some(same)) {
    const hint = known.length === 0 ? 'no rule has one' : `known: ${known.join(', ')}`;
    throw usageError(`no rule has the ${option} \`${wanted}\``, hint);
  }
  return rows.filter((row) => names(row).some(same));
}

function levelOf(text: string): number {
  if (/^[1-4]$/.test(text)) return Number(text);
  throw usageError('a paranoia level is 1, 2, 3 or 4', 'countersign rules list --level 2');
}

/** The rules that the options leave. @throws {CliError} exit 5 where an option names what no rule has. */
export function filterRules(all: readonly ListedRule[], input: Input): readonly ListedRule[] {
  let rows = all;
  for (const [option, names] of NAMED) {
    const wanted = textOption(input, option);
    if (wanted !== undefined) rows = byName(rows, all, { option, wanted, names });
  }
  const level = textOption(input, 'level');
  if (level !== undefined) {
    const wanted = levelOf(level);
    rows = rows.filter(({ rule }) => rule.level <= wanted);
  }
  const kind = textOption(input, 'kind');
  if (kind === undefined) return rows;
  const group = Object.hasOwn(KIND_GROUPS, kind) ? KIND_GROUPS[kind] : undefined;
  const kinds = group?.map((one) => one.replace('*', 'any')) ?? [kind];
  if (group === undefined && !isActionKind(kind))
    throw usageError(
      `there is no kind of action \`${kind}\``,
      `use a kind such as shell.exec, or one of ${Object.keys(KIND_GROUPS).join(', ')}`,
    );
  return rows.filter(({ rule }) => kinds.some((one) => speaksOn(rule, one)));
}
