/**
 * @module `settings.verification`: that what a policy extends is not weakened is proven when it is loaded. In Clawdstrike a solver looked for
 * weakened prohibitions; here it is the proof of `attenuate_only` (spec/policy.md POL-320).
 */
import { shape, type Shape } from './field-shapes.ts';

export interface Verification {
  readonly enabled: boolean;
  /** Read, and no different: a weakened prohibition is an error with it and without. */
  readonly strict: boolean;
  /** Read, and no different: the proof is made each time. */
  readonly cache: boolean;
}

export const VERIFICATION_DEFAULTS: Verification = { enabled: false, strict: false, cache: true };

export const VERIFICATION: Shape = shape(
  { enabled: { is: 'flag' }, strict: { is: 'flag' }, cache: { is: 'flag' } },
  { nullable: new Set(['enabled', 'strict', 'cache']) },
);

/** An heir can switch it on and never off, whatever its merge strategy. Undefined where nothing but the defaults is said. */
export function layVerification(written: Partial<Verification> | undefined, base: Verification | undefined): Verification | undefined {
  const under = base ?? VERIFICATION_DEFAULTS;
  const enabled = under.enabled || written?.enabled === true;
  const strict = under.strict || written?.strict === true;
  const cache = under.cache && written?.cache !== false;
  return !enabled && !strict && cache ? undefined : { enabled, strict, cache };
}
