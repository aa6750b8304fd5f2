/**
 * @module The section `cedar` of a policy: policies in the Cedar language that restrict what everything else allows. Its entries have the
 * form in which Clampd keeps them.
 */

/** One entry: the text of one or more Cedar policies, and what a `forbid` of it does. */
export interface CedarEntry {
  readonly id: string;
  /** `dsl`: it was written in another form, and `compiled` is what became of it. Both are read alike. */
  readonly mode: 'cedar' | 'dsl';
  readonly compiled: string;
  readonly cedar_action: 'deny' | 'remove_scope';
  readonly cedar_reason?: string;
  /** What `remove_scope` takes away. */
  readonly cedar_scope?: string;
}

export interface CedarConfig {
  /** What happens to an action that no policy permits. */
  readonly default: 'deny' | 'allow';
  /** Policies without an entry of their own; a `forbid` among them denies. */
  readonly text: string;
  readonly policies: readonly CedarEntry[];
  /** Scopes that registered tools ask for beside those of the table. */
  readonly scopes: readonly string[];
  /** A Cedar schema instead of the built-in one. */
  readonly schema?: string;
}

export type WrittenCedarEntry = Pick<CedarEntry, 'id' | 'compiled'> & Partial<CedarEntry>;
export type WrittenCedar = Partial<Omit<CedarConfig, 'policies'>> & { readonly policies?: readonly WrittenCedarEntry[] };

const EMPTY: CedarConfig = { default: 'deny', text: '', policies: [], scopes: [] };

function fullEntry(entry: WrittenCedarEntry): CedarEntry {
  return { ...entry, mode: entry.mode ?? 'cedar', cedar_action: entry.cedar_action ?? 'deny' };
}

/** Single fields replace, entries are united by id, scopes are added. */
export function layCedar(written: WrittenCedar | undefined, base: CedarConfig | undefined): CedarConfig | undefined {
  if (written === undefined) return base;
  const under = base ?? EMPTY;
  const entries = new Map([...under.policies, ...(written.policies ?? []).map(fullEntry)].map((entry) => [entry.id, entry]));
  return {
    ...under,
    ...written,
    policies: [...entries.values()],
    scopes: [...new Set([...under.scopes, ...(written.scopes ?? [])])].toSorted(),
  };
}
