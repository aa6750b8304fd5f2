/** @module What became of attempts to change the policy in force: counted, told to one listener, the last refusal kept until one succeeds. */
import type { Fault } from '@countersign/kernel';

/** Who asked for a change: an operator, or a file that is watched. */
export type PolicySource = 'operator' | 'file';

/** What happened to the policy in force. */
export interface PolicyChange {
  readonly event: 'changed' | 'refused';
  readonly by: PolicySource;
  /** Hashes of the policies in force before and after; `after` is absent where nothing changed. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** Why it was refused. What the fault says may quote the document, and is for whoever wrote it. */
  readonly code?: string;
}

export class PolicyChanges {
  readonly counts = { changed: 0, refused: 0 };
  refused: string | undefined;
  listener: (change: PolicyChange) => Promise<void> = () => Promise.resolve();

  /** Resolves when the listener is done. The same policy again is no change. */
  async changed(by: PolicySource, before: string | undefined, after: string | undefined): Promise<void> {
    this.refused = undefined;
    if (before === after) return;
    this.counts.changed += 1;
    await this.listener({ event: 'changed', by, before, after });
  }

  async refuse(fault: Fault, by: PolicySource, before: string | undefined): Promise<void> {
    this.refused = `the last change was refused (${fault.code}): the policy before it is in force`;
    this.counts.refused += 1;
    await this.listener({ event: 'refused', by, before, code: fault.code });
  }
}
