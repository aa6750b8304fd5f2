/**
 * @module Effects: paths, hosts and commands as what they bring about. A path that is written where things start is persistence, whichever
 * of forty commands wrote it; a rule says so once.
 */
import type { CommandFact, EffectFact, EffectKind, HostFact, PathAccess, PathFact } from '@countersign/protocol';
import { commandEffects } from './command-effects.ts';
import { ESCALATES, HIDES, PERSISTS, placeOf } from './effect-places.ts';
import type { Meter } from './meter.ts';
import type { ReadText } from './read-text.ts';
import { findExpansion } from './shell-expansion.ts';
import { toolEffects } from './tool-effects.ts';
import { wordSet } from './word-set.ts';

/** What effects are derived from. */
export interface Understood {
  readonly texts: readonly ReadText[];
  readonly commands: readonly CommandFact[];
  readonly paths: readonly PathFact[];
  readonly hosts: readonly HostFact[];
}

const BY_ACCESS: Readonly<Record<PathAccess, EffectKind | undefined>> = {
  read: 'reads',
  write: 'writes',
  delete: 'deletes',
  execute: 'executes',
  mention: undefined,
};

const INTO = wordSet('cp mv install ln rsync scp copy-item move-item');

/** Effects that a change of a place has besides the change. */
function changeEffects(kind: 'writes' | 'deletes', place: string, by: string): readonly EffectKind[] {
  const kinds: EffectKind[] = [];
  if (kind === 'writes' && PERSISTS.has(place)) kinds.push('persists');
  if (kind === 'writes' && ESCALATES.has(place)) kinds.push('escalates');
  // A program writes to logs all day; taking them away is another thing.
  const hides = place !== 'log' || kind === 'deletes' || by === 'truncate';
  if (hides && HIDES.has(place)) kinds.push('hides');
  return kinds;
}

/** What is copied into a directory lies below it, under a name that only the other end knows. */
function placeWritten(target: string, maybeInto: boolean): string {
  const place = placeOf(target);
  return place === '' && maybeInto ? placeOf(`${target}/-`) : place;
}

function pathEffects(path: PathFact, commands: readonly CommandFact[], effects: EffectFact[]): void {
  const kind = BY_ACCESS[path.access];
  if (kind === undefined) return;
  const { span, command } = path;
  const target = path.resolved ?? path.normalized;
  const by = commands[command]?.name ?? '';
  const place = placeWritten(target, kind === 'writes' && INTO.has(by));
  effects.push({ span, kind, target, place, command });
  if (kind !== 'writes' && kind !== 'deletes') return;
  for (const more of changeEffects(kind, place, by)) effects.push({ span, kind: more, target, place, command });
}

/** A value that a shell would rewrite before it uses it. One effect says it all. */
function expansionEffect(texts: readonly ReadText[], meter: Meter): EffectFact | undefined {
  for (const { fact } of texts) {
    if ((fact.role !== 'param' && fact.role !== 'key') || fact.layers.length > 0) continue;
    meter.steps += 1;
    const found = findExpansion(fact.text);
    if (found === undefined) continue;
    meter.steps += fact.text.length;
    const span = { path: fact.span.path, start: fact.span.start + found.start, end: fact.span.start + found.end };
    return { span, kind: 'executes', target: fact.text.slice(found.start, found.end), place: 'expansion', command: -1 };
  }
  return undefined;
}

/** Every effect, in order of paths, hosts, commands. Bounded by them: at most three for a path, one for a host, three for a command. */
export function effectFacts(understood: Understood, meter: Meter): EffectFact[] {
  const effects: EffectFact[] = [];
  for (const path of understood.paths) {
    meter.steps += path.normalized.length;
    pathEffects(path, understood.commands, effects);
  }
  for (const host of understood.hosts) {
    if (host.access === 'connect')
      effects.push({ span: host.span, kind: 'connects', target: host.host, place: host.address ?? '', command: host.command });
  }
  for (const [index, command] of understood.commands.entries()) {
    meter.steps += 1;
    for (const effect of commandEffects(command)) effects.push({ span: command.span, ...effect, command: index });
    for (const effect of toolEffects(command)) effects.push({ span: command.span, ...effect, command: index });
    if (command.program !== '' && command.name !== '') {
      effects.push({ span: command.span, kind: 'executes', target: command.program, place: placeOf(command.program), command: index });
    }
  }
  const expansion = expansionEffect(understood.texts, meter);
  if (expansion !== undefined) effects.push(expansion);
  return effects;
}
