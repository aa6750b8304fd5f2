/**
 * @module Names of properties that no rule looks at, with the steps that it took to see that. The same few names come with every call;
 * what is remembered here is only ever the answer that would be found again, so the outcome and its steps do not depend on it.
 */
import { RULE_LIMITS } from './limits.ts';

export class QuietNames {
  readonly #steps = new Map<string, number>();

  /** Steps that looking at this name takes, where it is known to lead nowhere. */
  stepsOf(name: string): number | undefined {
    return name.length > RULE_LIMITS.quietNameCharsMax ? undefined : this.#steps.get(name);
  }

  /** Names that strangers make up come and go: where they fill the place, all are forgotten. */
  keep(name: string, steps: number): void {
    if (name.length > RULE_LIMITS.quietNameCharsMax) return;
    if (this.#steps.size >= RULE_LIMITS.quietNamesMax) this.#steps.clear();
    this.#steps.set(name, steps);
  }
}
