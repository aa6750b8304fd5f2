/** @module What is known while one action is matched. */
import type { Action, Facts, Span } from '@countersign/protocol';
import { type CompiledRules, speakingOn, type Speaking } from './compile-rules.ts';
import { RULE_LIMITS } from './limits.ts';
import type { Meter } from './pattern.ts';

/** One place where a leaf held. */
export interface Hit {
  /** Which pattern of a text test; -1 for a fact. */
  readonly position: number;
  readonly span: Span | undefined;
  readonly layers: readonly string[];
  readonly joined: boolean;
}

export interface MatchInput {
  readonly action: Action;
  readonly facts: Facts;
}

const HITS_KEPT = 64;

export class Matching {
  readonly compiled: CompiledRules;
  readonly action: Action;
  readonly facts: Facts;
  readonly speaking: Speaking;
  readonly meter: Meter = { steps: 0 };
  readonly hits: Map<number, Hit[]> = new Map();
  /** How often each leaf held, also beyond the hits that are kept. */
  readonly counts: Map<number, number> = new Map();
  readonly workMax: number;
  /** Where the work ran out, when it did. */
  spentAt: Span | undefined;
  spent = false;

  constructor(compiled: CompiledRules, input: MatchInput) {
    this.compiled = compiled;
    this.action = input.action;
    this.facts = input.facts;
    this.speaking = speakingOn(compiled, input.action.kind);
    let chars = 0;
    for (const text of input.facts.texts) chars += text.lower.length;
    for (const command of input.facts.commands) chars += command.line.length;
    this.workMax = RULE_LIMITS.workBase + chars * RULE_LIMITS.workPerChar;
  }

  hit(leaf: number, hit: Hit): void {
    this.counts.set(leaf, (this.counts.get(leaf) ?? 0) + 1);
    const list = this.hits.get(leaf);
    if (list === undefined) this.hits.set(leaf, [hit]);
    else if (list.length < HITS_KEPT) list.push(hit);
  }

  /** True once the work of this action is used up: what follows is not looked at, and the outcome says so. */
  isSpent(at: Span | undefined): boolean {
    if (this.meter.steps <= this.workMax) return false;
    if (!this.spent) this.spentAt = at;
    this.spent = true;
    return true;
  }
}
