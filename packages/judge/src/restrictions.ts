/**
 * @module What the operator set beside rules and guards: boundaries, protected entities, exemptions, Cedar. In this order, so that an exemption lifts
 * findings and never a denial, and Cedar has the last word. Everything here but an exemption can only make a verdict worse.
 */
import {
  type BoundaryAnswer,
  boundaryFor,
  type CompiledPolicy,
  exempt,
  type Exempted,
  judgeBoundary,
  judgeCedar,
  touchedEntities,
} from '@countersign/policy';
import type { Action, Facts, Finding, Reason, StateSlice } from '@countersign/protocol';
import { ownReason } from './reasons.ts';
import { secondsOf } from './unix-seconds.ts';

/** What the parts below are told. */
export interface Restricted {
  readonly now: string;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly policy: CompiledPolicy;
  readonly scope: string;
  /** A text: it asks for no scope. */
  readonly text: boolean;
}

/** Boundaries of the agent that the action is past, and what is counted for it; undefined where it has none. */
export function boundaryDenials(
  input: Restricted,
): { readonly denials: readonly Reason[]; readonly window: BoundaryAnswer['window'] } | undefined {
  const boundaries = input.policy.clampd?.boundaries ?? [];
  const found = boundaries.length === 0 ? undefined : boundaryFor(boundaries, input.action);
  if (found === undefined) return undefined;
  const { violations, window } = judgeBoundary(found, { ...input, atSeconds: secondsOf(input.now), signer: input.policy.clampd?.signer });
  return { denials: violations.map(({ id, text }) => ownReason(`boundary.${id}`, text, { severity: 'high' })), window };
}

/** Protected entities that the action touches: those that deny, and those that warn. */
export function entityReasons({ policy, facts }: Restricted): {
  readonly denials: readonly Reason[];
  readonly warnings: readonly Reason[];
} {
  const entities = policy.clampd?.entities ?? [];
  const touched = entities.length === 0 ? [] : touchedEntities(entities, facts);
  const reasonsOf = (action: 'block' | 'warn'): readonly Reason[] =>
    touched
      .filter((entity) => entity.action === action)
      .map(({ name }) =>
        ownReason(`policy.protected.${name}`, `touches what is protected as ${name}`, { severity: action === 'block' ? 'high' : 'medium' }),
      );
  return { denials: reasonsOf('block'), warnings: reasonsOf('warn') };
}

/** The findings that count, and a reason for each label that lifted some. */
export function exempted(
  { policy, scope, text }: Restricted,
  findings: readonly Finding[],
  block: number,
): Exempted & { readonly notes: readonly Reason[] } {
  const result = exempt(policy.clampd?.exemptions ?? [], { findings, scope, text, block });
  const notes = [...result.lifted].map(([label, rules]) =>
    ownReason(`scope_exemption:${label}`, `exempt by the policy: ${rules.join(', ')}`, { severity: 'info' }),
  );
  return { ...result, notes };
}

/** What Cedar has against the action. */
export function cedarDenials(
  { policy, action, state, scope, now }: Restricted,
  counted: { readonly findings: readonly Finding[]; readonly nonExemptableBlock: boolean; readonly risk: number },
): readonly Reason[] {
  if (policy.cedar === undefined) return [];
  const hot = (state.hotUntil ?? 0) > secondsOf(now);
  return judgeCedar(policy.cedar, { action, state, scope, hot, ...counted }).map(({ code, text }) =>
    ownReason(code, text, { severity: code === 'policy.cedar_error' ? 'critical' : 'high' }),
  );
}
