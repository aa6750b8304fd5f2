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
  /** Orgs that left `log` and were not settled. */
  leaving(log: string): readonly string[];
}

const FIRST: OrgLog = { log: MAIN_LOG, leaving: null };

export function createOrgLogs(tables: Pick<StateTables, 'orgLogs' | 'org' | 'putOrg'>): OrgLogs {
  const places = new Map<string, OrgLog>(tables.orgLogs().map(({ id, log, leaving }) => [id, { log, leaving }]));
  return {
    of: (org) => places.get(org) ?? FIRST,
    count: (log) => [...places.values()].filter((place) => place.log === log).length,
    add: (org) => void places.set(org, FIRST),
    put(org, place) {
      const row = tables.org(org);
      if (row === undefined) return false;
      tables.putOrg({ ...row, ...place });
      places.set(org, place);
      return true;
    },
    leaving: (log) => [...places].filter(([, place]) => place.leaving === log).map(([org]) => org),
  };
}
