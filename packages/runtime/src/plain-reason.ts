/** @module A reason that an operator gives and the log shows to everybody. */
import type { Fault } from '@countersign/kernel';
import { PROTOCOL_LIMITS } from '@countersign/protocol';

/** What a log shows as it is. */
const PLAIN = /^[\u0020\u0021\u0023-\u005b\u005d-\u007e]+$/;

/** What is wrong with a reason, or undefined. */
export function reasonFault(reason: string): Fault<'invalid_reason'> | undefined {
  if (reason.length <= PROTOCOL_LIMITS.reasonTextMax && PLAIN.test(reason)) return undefined;
  return {
    code: 'invalid_reason',
    message: `a reason has 1 to ${PROTOCOL_LIMITS.reasonTextMax} characters of printable ASCII without \`"\` and \`\\\``,
    path: '/reason',
    hint: 'it stands in the log for everybody to read: name no person',
  };
}
