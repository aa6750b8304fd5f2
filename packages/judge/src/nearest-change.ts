/**
 * @module The nearest change that would be allowed: edits are tried one by one, least first; where none is enough, the one that helps most
 * is made and the search goes on. Every answer was judged, none is guessed. Bounded by counts (`EXPLAIN_LIMITS`).
 */
import type { Action, Verdict } from '@countersign/protocol';
import { applyEdit, type Edit, type EditHints, editsOf, type Judged, textAt } from './edits.ts';
import { EXPLAIN_LIMITS } from './limits.ts';

export interface NearestChange {
  /** In the order they were made; each speaks of the text as the ones before left it. */
  readonly edits: readonly Edit[];
  /** The leaves that changed, as they are afterwards. */
  readonly texts: readonly { readonly path: string; readonly text: string }[];
  readonly verdict: Verdict;
}

/** Understands and judges one action. */
export type Ask = (action: Action) => Judged;

interface Tried {
  readonly edit: Edit;
  readonly judged: Judged;
}

function passes({ judgement }: Judged): boolean {
  return judgement.verdict.decision === 'allow';
}

/** Lower is better: first the decision, then risk, then how many reasons are left. */
function badness({ judgement: { verdict } }: Judged): number {
  const refused = verdict.decision === 'allow' || verdict.decision === 'warn' ? 0 : 1;
  return refused * 1e9 + verdict.risk * 1e5 + verdict.reasons.length + verdict.reasonsCut;
}

class Search {
  trials = 0;
  readonly ask: Ask;
  readonly hints: EditHints;

  constructor(ask: Ask, hints: EditHints) {
    this.ask = ask;
    this.hints = hints;
  }

  /** The first edit that is enough, else the one that helps most. */
  step(judged: Judged): Tried | undefined {
    let best: Tried | undefined;
    for (const edit of editsOf(judged, this.hints)) {
      if (this.trials >= EXPLAIN_LIMITS.trialsMax) return best;
      this.trials += 1;
      const tried: Tried = { edit, judged: this.ask(applyEdit(judged.action, edit)) };
      if (passes(tried.judged)) return tried;
      if (badness(tried.judged) < badness(best?.judged ?? judged)) best = tried;
    }
    return best;
  }
}

/**
 * Finds the change. Where only the policy's guards are left to refuse (a host that is not on its list), the change that comes as far as that:
 * its `verdict` says so. Undefined where the action is allowed as it is, or no small change of its texts helps.
 */
export function nearestChange(judged: Judged, ask: Ask, hints: EditHints): NearestChange | undefined {
  if (passes(judged)) return undefined;
  const search = new Search(ask, hints);
  const edits: Edit[] = [];
  let here = judged;
  while (edits.length < EXPLAIN_LIMITS.editsInRowMax && !passes(here)) {
    const tried = search.step(here);
    if (tried === undefined) break;
    edits.push(tried.edit);
    here = tried.judged;
  }
  const { verdict } = here.judgement;
  const passed = verdict.decision === 'allow' || (verdict.decision === 'warn' && judged.judgement.verdict.decision !== 'warn');
  const policyOnly = verdict.reasonsCut === 0 && verdict.reasons.every(({ code }) => code.startsWith('guard.'));
  if (edits.length === 0 || (!passed && !policyOnly)) return undefined;
  const paths = [...new Set(edits.map(({ path }) => path))];
  return { edits, texts: paths.map((path) => ({ path, text: textAt(here.action, path) ?? '' })), verdict };
}
