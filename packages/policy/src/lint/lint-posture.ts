/** @module Posture states that nothing leads to or out of (POS001, POS002), where the resolved policy has the section. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { dotted, itemsOf, member } from '../document-path.ts';

export interface PostureDoubt {
  readonly code: 'POS001' | 'POS002';
  readonly message: string;
  readonly path: string;
}

/** Exists in every policy; only a person leads out of it. */
const LOCKED = 'locked';
const ANY = '*';

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `*` is every state but `locked` and the one it leads to. */
function leads(transition: JsonValue, state: string): boolean {
  const from = text(member(transition, 'from'));
  return from === state || (from === ANY && state !== LOCKED && state !== text(member(transition, 'to')));
}

/** What a section `posture` says without meaning to, perhaps. Reads whatever it is given. */
export function postureDoubts(posture: JsonValue | undefined): readonly PostureDoubt[] {
  if (!isJsonObject(posture)) return [];
  const section: JsonObject = posture;
  const states = getOwn(section, 'states');
  const transitions = itemsOf(getOwn(section, 'transitions'));
  const names = isJsonObject(states) ? Object.keys(states).filter((name) => name !== LOCKED) : [];
  const seen = new Set<string>([text(getOwn(section, 'initial'))]);
  for (const state of seen) for (const one of transitions) if (leads(one, state)) seen.add(text(member(one, 'to')));
  return names.flatMap((name): readonly PostureDoubt[] => {
    const path = dotted('posture.states', name);
    if (!seen.has(name)) return [{ code: 'POS001', message: 'no transition leads here from the initial state', path }];
    if (transitions.some((one) => leads(one, name))) return [];
    return [{ code: 'POS002', message: 'no transition leads out of here', path }];
  });
}
