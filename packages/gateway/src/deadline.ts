/** @module A bound around something that is waited for. */
import { CodedError } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';

/**
 * What `work` resolves with, if it does within `ms`.
 * @throws CodedError `door_timeout` when it does not; what it resolves with later is dropped.
 */
export async function within<T>(timer: Ports['timer'], ms: number, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = timer.after(ms, () => reject(new CodedError({ code: 'door_timeout', message: 'no answer in time' })));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
