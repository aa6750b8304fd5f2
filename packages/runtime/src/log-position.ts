/**
 * @module Where the log stands, for whoever must not run ahead of it.
 */
import type { Log } from '@countersign/log';
import type { ReceiptRecorder, StagedEntry } from '@countersign/receipts';
import type { LogPosition } from '@countersign/store';

/** The same recorder, and a position that follows what it stages: batches become durable in order, so the newest promise covers the rest. */
export function followDurability(
  recorder: ReceiptRecorder,
  log: Log,
): { readonly recorder: ReceiptRecorder; readonly position: LogPosition } {
  let newest: Promise<void> = Promise.resolve();
  const noted = <Staged extends StagedEntry<unknown>>(staged: Staged): Staged => {
    newest = staged.durable;
    return staged;
  };
  return {
    recorder: {
      stageReceipt: (draft) => noted(recorder.stageReceipt(draft)),
      stageOutcome: (draft) => noted(recorder.stageOutcome(draft)),
      stageSessionEnd: (draft) => noted(recorder.stageSessionEnd(draft)),
      stageErasure: (draft) => noted(recorder.stageErasure(draft)),
      stageLogKey: (draft) => noted(recorder.stageLogKey(draft)),
      isEnded: (org, session) => recorder.isEnded(org, session),
      isAwaiting: (org, session) => recorder.isAwaiting(org, session),
      newest: (org, session) => recorder.newest(org, session),
      chain: (org, session) => recorder.chain(org, session),
      placeOf: (id) => recorder.placeOf(id),
      find: (id) => recorder.find(id),
    },
    position: { staged: () => log.size, durable: (count) => (log.durableSize >= count ? Promise.resolve() : newest) },
  };
}
