/**
 * @module What operators do to rules of their own: look, check, put, remove. The operator door and the command line speak to this port;
 * packages/runtime implements it.
 */
import type { Fault, Result } from '@countersign/kernel';

/** Codes of refusals an operator can cause. */
export type RulesFaultCode = 'rules_rejected' | 'rule_pack_unknown';

/** Why nothing was changed. */
export interface RulesRefusal {
  readonly fault: Fault<RulesFaultCode>;
  /** Everything that is wrong with the documents. */
  readonly faults: readonly Fault[];
}

export type RulesResult<T> = Result<T, RulesRefusal>;

/** One document of the operator. */
export interface RulePackView {
  readonly pack: string;
  readonly description: string;
  readonly rules: number;
  /** Hex SHA-256 of the document as written: its text is kept under it. */
  readonly hash: string;
}

export interface RulesView {
  /** What receipts name: hex SHA-256 of the whole set, built-in rules and those of the operator. Empty where no set is in force. */
  readonly hash: string;
  /** The operator's packs, by name. */
  readonly packs: readonly RulePackView[];
  /** Ids that the policy in force names and no rule has. */
  readonly ignored: readonly string[];
  /** Why the operator's rules cannot be used; every action is denied then. */
  readonly problem: string | null;
}

/** @throws CodedError `rules_unwritable` where the directory of the rules cannot be written; nothing is changed then. */
export interface RulesDesk {
  view(): RulesView;
  /** A document as written. */
  source(pack: string): string | undefined;
  /** Everything that `put` checks, the examples too; changes nothing. */
  check(source: string): Promise<RulesResult<RulePackView>>;
  /** Puts a document in force beside the others, or in place of the one of its name: the whole of it, or nothing. Durable on return. */
  put(pack: string, source: string): Promise<RulesResult<RulePackView>>;
  remove(pack: string): Promise<RulesResult<RulesView>>;
  /** Reads the directory again, after its files were changed by hand. */
  reload(): Promise<RulesResult<RulesView>>;
}
