/** @module What is said of a write whose content is not in the action, and whether that is all that is said. */
import type { Severity, Verdict } from '@countersign/protocol';

/** Codes of reasons that say no more than that nothing was to be seen. */
const UNSEEN_REASONS: ReadonlySet<string> = new Set([
  'action.unseen_content',
  'guard.secret_leak.missing_content_bytes',
  'guard.patch_integrity.missing_patch',
]);

/** What refuses nothing by itself. */
const MILD: ReadonlySet<Severity> = new Set(['info', 'low', 'medium']);

/** True where a denial has no other reason than that the content is not there. */
export function isOnlyUnseen({ reasons }: Verdict): boolean {
  return reasons.every(({ code, score, severity }) => UNSEEN_REASONS.has(code) || (score === 0 && MILD.has(severity)));
}
