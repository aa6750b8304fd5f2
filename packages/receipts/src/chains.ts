/** @module Where each session's chain stands: next counter and hash of the last body. Numbers are given in call order. */

export interface Link {
  readonly seq: number;
  readonly prev: string | null;
}

/** The newest entry of a chain. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
  /** Place in the log. */
  readonly index: number;
  /** True: a session end is in the chain, and nothing may follow. */
  readonly closed: boolean;
}

export interface Chains {
  /** What the next entry of this chain gets. */
  next(org: string, session: string): Link;
  /** Place in the log of the newest entry of this chain, or null. */
  back(org: string, session: string): number | null;
  /** True once a session end is in this chain. */
  isClosed(org: string, session: string): boolean;
  /** The chain of this name stands here: `org`, a newline, `session`. What was closed stays closed. */
  restore(name: string, head: Head): void;
}

/** What a chain is kept under. */
export function chainName(org: string, session: string): string {
  return `${org}\n${session}`;
}

/** One entry a session, kept for the life of the process and rebuilt from the journal at open. */
export function createChains(): Chains {
  const heads = new Map<string, Head>();
  return {
    next: (org, session) => {
      const head = heads.get(chainName(org, session));
      return head === undefined ? { seq: 0, prev: null } : { seq: head.seq + 1, prev: head.hash };
    },
    isClosed: (org, session) => heads.get(chainName(org, session))?.closed === true,
    restore: (name, head) => {
      heads.set(name, heads.get(name)?.closed === true ? { ...head, closed: true } : head);
    },
    back: (org, session) => heads.get(chainName(org, session))?.index ?? null,
  };
}
