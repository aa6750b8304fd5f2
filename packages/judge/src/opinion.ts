/**
 * @module What the parts of the judge have said of one action so far, before it is decided.
 */
import { codeOf } from '@countersign/kernel';
import type { BoundaryAnswer } from '@countersign/policy';
import type { Finding, GuardResult, PostureState, Reason } from '@countersign/protocol';
import type { ScoreView } from './dimensions.ts';
import type { BrokerView, OriginView } from './origin.ts';
import type { PostureView } from './posture.ts';
import { ownReason } from './reasons.ts';

export interface Opinion {
  /** Each of these alone denies. */
  readonly denials: Reason[];
  /** Each of these alone warns. */
  readonly warnings: Reason[];
  /** These add risk; thresholds decide. */
  readonly risks: Reason[];
  findings: readonly Finding[];
  /** Those that no exemption lifted: they add risk too. */
  kept: readonly Finding[];
  /** Said, and no reason to deny or to warn. */
  readonly notes: Reason[];
  /** What no exemption can lift is enough to refuse. */
  nonExemptableBlock: boolean;
  /** What a boundary counts for the agent. */
  window: BoundaryAnswer['window'] | undefined;
  guards: readonly GuardResult[];
  /** The tool is not registered, and the org is still learning. */
  pending: boolean;
  view: ScoreView | undefined;
  /** Undefined where nothing is said of the session's posture. */
  posture: PostureView | undefined;
  /** As denials; kept apart because they are no violations. */
  readonly postureDenials: Reason[];
  /** Only where it changed. */
  postureDelta: PostureState | undefined;
  /** Undefined where the policy has no origins. */
  origin: OriginView | undefined;
  /** Undefined where no brokered host is reached. */
  broker: BrokerView | undefined;
  /** What the action asks a scope for; `` until it is known. */
  scope: string;
}

export function emptyOpinion(): Opinion {
  return {
    denials: [],
    warnings: [],
    risks: [],
    findings: [],
    kept: [],
    notes: [],
    nonExemptableBlock: false,
    window: undefined,
    guards: [],
    pending: false,
    view: undefined,
    posture: undefined,
    postureDenials: [],
    postureDelta: undefined,
    origin: undefined,
    broker: undefined,
    scope: '',
  };
}

/** Runs one part; a part that fails denies, and is listed. */
export function part(opinion: Opinion, name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    opinion.denials.push(
      ownReason(`judge.${name}_failed`, `the ${name} part of the judge failed (${codeOf(error)})`, { severity: 'critical', score: 1000 }),
    );
  }
}
