/**
 * @module Which log each org writes to, in memory: the choice is made while an entry is staged, where nothing may fail or wait.
 */
import { MAIN_LOG } from '@countersign/pipeline';
import type { StateTables } from './state-tables.ts';

/** Where an org writes, and what it left and may not have settled. */
export interface OrgLog {
  readonly log: string;
  readonly leaving: string | null;
}

export interface OrgLogs {
  /** Also of an org that does not exist: its refusals stand in the main log. */
  of(org: string): OrgLog;
  /** How many orgs write to a log. */
  count(log: string): number;
  /** An org that was just made. */
  add(org: string): void;
  /** Durable on return. False where there is no such org. */
  put(org: string, place: OrgLog): boolean;
  /** Logs that an org writes to or left. */
  names(): readonly string[];
  /** Orgs that left `log` and were not settled. */
  leaving(log: string): readonly string[];
}

const FIRST: OrgLog = { log: MAIN_LOG, leaving: null };

export function createOrgLogs(tables: Pick<StateTables, 'orgLogs' | 'org' | 'putOrg'>): OrgLogs {
  const places = new Map<string, OrgLog>();
  const counts = new Map<string, number>();
  const count = (log: string, by: number): void => void counts.set(log, (counts.get(log) ?? 0) + by);
  const take = (org: string, place: OrgLog): void => {
    const before = places.get(org);
    if (before !== undefined) count(before.log, -1);
    count(place.log, 1);
    places.set(org, place);
  };
  for (const { id, log, leaving } of tables.orgLogs()) take(id, { log, leaving });
  return {
    of: (org) => places.get(org) ?? FIRST,
    count: (log) => counts.get(log) ?? 0,
    add: (org) => take(org, FIRST),
    put(org, place) {
      const row = tables.org(org);
      if (row === undefined) return false;
      tables.putOrg({ ...row, ...place });
      take(org, place);
      return true;
    },
    names: () => [...new Set([...places.values()].flatMap(({ log, leaving }) => (leaving === null ? [log] : [log, leaving])))],
    leaving: (log) => [...places].filter(([, place]) => place.leaving === log).map(([org]) => org),
  };
}
