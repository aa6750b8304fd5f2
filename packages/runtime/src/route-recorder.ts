/**
 * @module One recorder for all logs of an installation: what an org does stands in the log that the org writes to, the outcome of a receipt
 * where the receipt stands (spec/log.md LOG-081). The choice is made while an entry is staged, and nothing waits in between.
 */
import { CodedError } from '@countersign/kernel';
import type { LogRecord } from '@countersign/log';
import type { ReceiptRecorder } from '@countersign/receipts';

/** Where entries go. */
export interface RecorderRoutes {
  /** The log that an org writes to. @throws CodedError `log_failed` where it is not open. */
  ofOrg(org: string): ReceiptRecorder;
  /** The open log of this origin. */
  ofOrigin(origin: string): ReceiptRecorder | undefined;
  /** Changes of keys that say no log are those of the main one. */
  main(): ReceiptRecorder;
  /** Every open log, the main one first. */
  all(): readonly ReceiptRecorder[];
}

function ofReceipt(routes: RecorderRoutes, origin: string): ReceiptRecorder {
  const recorder = routes.ofOrigin(origin);
  if (recorder === undefined) throw new CodedError({ code: 'log_failed', message: 'the log of the receipt is not open' });
  return recorder;
}

async function first<T>(routes: RecorderRoutes, ask: (recorder: ReceiptRecorder) => Promise<T | undefined>): Promise<T | undefined> {
  for (const recorder of routes.all()) {
    const found = await ask(recorder);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A recorder over `routes`. Places that it gives are those in the log of the entry. */
export function routeRecorder(routes: RecorderRoutes): ReceiptRecorder {
  return {
    stageReceipt: (draft) => routes.ofOrg(draft.action.org).stageReceipt(draft),
    stageOutcome: (draft) => ofReceipt(routes, draft.receipt.log).stageOutcome(draft),
    stageSessionEnd: (draft) => routes.ofOrg(draft.org).stageSessionEnd(draft),
    stageErasure: (draft) => routes.ofOrg(draft.org).stageErasure(draft),
    stageLogKey: (draft) => routes.main().stageLogKey(draft),
    // An org that has changed its log does not take up again what was ended in the former one.
    isEnded: (org, session) => routes.all().some((recorder) => recorder.isEnded(org, session)),
    isAwaiting: (org, session) => routes.all().some((recorder) => recorder.isAwaiting(org, session)),
    newest: (org, session) => routes.ofOrg(org).newest(org, session),
    chain: (org, session) => routes.ofOrg(org).chain(org, session),
    placeOf: (id) => first(routes, (recorder) => recorder.placeOf(id)),
    find: (id) => first<LogRecord>(routes, (recorder) => recorder.find(id)),
  };
}
