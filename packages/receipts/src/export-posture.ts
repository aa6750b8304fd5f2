/**
 * @module `metadata.clawdstrike.posture` of an exported receipt, as far as the receipt itself says it: the changes of posture among its reasons. What
 * is spent of budgets was sealed, and an export holds nothing that was.
 */
import type { JsonObject } from '@countersign/kernel';
import type { ReceiptBody } from '@countersign/protocol';

const CHANGE = /^(\S{1,64}) -> (\S{1,64}) on ([a-z_]{1,32})$/;

/** `posture` of the metadata; empty where it did not change. */
export function postureMetadata({ verdict, time }: ReceiptBody): JsonObject {
  const changes = verdict.reasons.flatMap(({ code, text }) => (code === 'posture.transition' ? [CHANGE.exec(text) ?? []] : []));
  // Reasons stand in the order of their codes and, of one code, in the order in which they came about.
  const [before, last] = [changes.at(0)?.[1], changes.at(-1)];
  const [, from, to, trigger] = last ?? [];
  if (before === undefined || from === undefined || to === undefined || trigger === undefined) return {};
  return { posture: { state_before: before, state_after: to, transition: { from, to, trigger, at: time } } };
}
