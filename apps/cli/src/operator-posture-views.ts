/** @module The answers of the operator door about the posture of sessions, read strictly. */
import { getOwn, type JsonObject } from '@countersign/kernel';
import type { PostureMove, SessionPosture, SessionTransition } from '@countersign/pipeline';
import { count, list, part, word, words } from './operator-views.ts';

function wordOrNull(body: JsonObject, name: string): string | null {
  return getOwn(body, name) === null ? null : word(body, name);
}

function readMove(body: JsonObject): PostureMove {
  return { from: word(body, 'from'), to: word(body, 'to'), on: word(body, 'on') };
}

export function readSessionTransition(body: JsonObject): SessionTransition {
  return { ...readMove(body), session: word(body, 'session'), receipt: word(body, 'receipt'), time: word(body, 'time') };
}

export function readSessionPosture(body: JsonObject): SessionPosture {
  const budgets = part(body, 'budgets');
  const readBudget = (name: string): { readonly used: number; readonly limit: number } => {
    const budget = part(budgets, name);
    return { used: count(budget, 'used'), limit: count(budget, 'limit') };
  };
  return {
    session: word(body, 'session'),
    state: word(body, 'state'),
    entered: wordOrNull(body, 'entered'),
    capabilities: words(body, 'capabilities'),
    budgets: Object.fromEntries(Object.keys(budgets).map((name) => [name, readBudget(name)])),
    history: list(body, 'history').map((item) => Object.assign(readMove(item), { at: word(item, 'at') })),
    violated: wordOrNull(body, 'violated'),
    open: list(body, 'open').map(readMove),
  };
}
