/**
 * @module The shape of the section `posture`.
 */
import { COUNT_MAX, type Field, list, shape, type Shape, whole, wordsOf } from './field-shapes.ts';
import { POLICY_LIMITS } from './limits.ts';
import { BUDGETS, CAPABILITIES, TRIGGERS } from './posture.ts';

export const STATE_NAME: Field = { is: 'text', max: POLICY_LIMITS.postureNameCharsMax, pattern: 'posture-name' };
export const POSTURE_STATE: Shape = shape(
  {
    description: { is: 'text', max: POLICY_LIMITS.textCharsMax, blank: true },
    capabilities: list(wordsOf(CAPABILITIES)),
    budgets: { is: 'map', keys: wordsOf(BUDGETS), item: whole(0, COUNT_MAX) },
  },
  { nullable: new Set(['description', 'capabilities', 'budgets']) },
);
export const POSTURE_TRANSITION: Shape = shape(
  {
    from: { is: 'text', max: POLICY_LIMITS.postureNameCharsMax, pattern: 'posture-from' },
    to: STATE_NAME,
    on: wordsOf(TRIGGERS),
    after: { is: 'text', max: 16, pattern: 'duration' },
    patterns: list({ is: 'text', max: POLICY_LIMITS.ruleIdCharsMax, pattern: 'rule-id' }),
    requires: list(shape({ no_violations_in: { is: 'text', max: 16, pattern: 'duration' } }, { required: ['no_violations_in'] })),
  },
  { required: ['from', 'to', 'on'], nullable: new Set(['after', 'patterns', 'requires']) },
);
const POSTURE_STATES: Field = { is: 'map', keys: STATE_NAME, item: POSTURE_STATE };
export const POSTURE: Shape = shape(
  {
    initial: { ...STATE_NAME, blank: true },
    states: POSTURE_STATES,
    transitions: list(POSTURE_TRANSITION),
  },
  { nullable: new Set(['initial', 'states', 'transitions']) },
);
