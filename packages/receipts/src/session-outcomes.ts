/**
 * @module Attempted is not done: each receipt that asked for an outcome must have exactly one, behind it in the chain and in time
 * (spec/bundle.md, BNDL-023). Over a chain that was found whole.
 */
import { OUTCOME_TYPE, RECEIPT_TYPE, type OutcomeBody } from '@countersign/protocol';
import type { Bundle } from './read-bundle.ts';
import { failed, notChecked, passed, type Check } from './report.ts';

/** A receipt that asked for an outcome, and whether it came. */
interface Awaited {
  /** Null: it asked for none, and may have one all the same. */
  readonly by: string | null;
  readonly seq: number;
  came: boolean;
}

export function outcomesNotReached(): Check {
  return notChecked('outcomes', 'not_reached', 'Outcomes were not checked, because the chain is not whole.');
}

/** A fault of one outcome, or undefined. */
function take(awaited: Map<string, Awaited>, outcome: OutcomeBody): Check | undefined {
  const { receipt, seq, time } = outcome;
  const asked = awaited.get(receipt);
  if (asked === undefined)
    return failed('outcomes', 'outcome_unbound', `The outcome at number ${seq} belongs to no receipt before it in the chain.`);
  if (asked.came) return failed('outcomes', 'outcome_twice', `The receipt at number ${asked.seq} has a second outcome at number ${seq}.`);
  asked.came = true;
  // Times have one form and length, so that their order is that of their texts.
  if (asked.by !== null && time > asked.by)
    return failed('outcomes', 'outcome_late', `The outcome at number ${seq} came at ${time}, and was due by ${asked.by}.`);
  return undefined;
}

function checkMissing(receipts: readonly Awaited[], known: { readonly end: 'closed' | 'open'; readonly now: string | undefined }): Check {
  const asked = receipts.filter(({ by }) => by !== null);
  const missing = asked.filter(({ came }) => !came);
  const due = missing.find(({ by }) => known.end === 'closed' || (known.now !== undefined && by !== null && by < known.now));
  if (due !== undefined) {
    const sentence = `The receipt at number ${due.seq} has no outcome, which was due by ${due.by}: attempted is not done.`;
    return failed('outcomes', 'outcome_missing', sentence);
  }
  if (missing.length > 0) {
    const sentence = `${missing.length} of ${asked.length} outcomes have not come yet; when they are due was not compared with a clock, or lies ahead.`;
    return notChecked('outcomes', 'outcome_pending', sentence);
  }
  return passed('outcomes', 'outcomes_ok', `Each of ${asked.length} receipts that asked for an outcome has one, in time.`);
}

/** Checks the outcomes of a whole chain, given in order. */
export function checkOutcomes(
  chain: readonly Bundle[],
  known: { readonly end: 'closed' | 'open'; readonly now: string | undefined },
): Check {
  const receipts: Awaited[] = [];
  const awaited = new Map<string, Awaited>();
  for (const { entry } of chain) {
    const { body } = entry;
    if (body.type === RECEIPT_TYPE) {
      const receipt = { by: body.outcomeBy, seq: body.seq, came: false };
      receipts.push(receipt);
      // Of two receipts with one id the first is meant.
      if (!awaited.has(body.id)) awaited.set(body.id, receipt);
    }
    if (body.type !== OUTCOME_TYPE) continue;
    const fault = take(awaited, body);
    if (fault !== undefined) return fault;
  }
  return checkMissing(receipts, known);
}
