/**
 * @module The only verdict that the pipeline can make: deny. Outside the judge there is no way to make any other.
 */
import type { Fault } from '@countersign/kernel';
import { PROTOCOL_LIMITS, type Verdict } from '@countersign/protocol';

/** A deny with one reason. Whatever the fault quotes stays out: the text is the fault's own message, capped. */
export function deny(fault: Fault): Verdict {
  return {
    decision: 'deny',
    risk: 1000,
    severity: 'high',
    reasons: [
      {
        code: `pipeline.${fault.code}`,
        text: fault.message.slice(0, PROTOCOL_LIMITS.reasonTextMax),
        severity: 'high',
        score: 1000,
        evidence: [],
      },
    ],
    reasonsCut: 0,
    obligations: [],
    by: 'pipeline',
  };
}
