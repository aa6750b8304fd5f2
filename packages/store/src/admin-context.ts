/** @module What the admin operations share. */
import { err, type Clock, type Fault, type Random, type Result } from '@countersign/kernel';
import type { AdminFaultCode, PageRequest } from '@countersign/pipeline';
import type { DeltaFold } from './delta-fold.ts';
import type { OrgLogs } from './org-logs.ts';
import { STORE_LIMITS } from './limits.ts';
import type { Sealer } from './sealer.ts';
import type { StateCache } from './state-cache.ts';
import type { Page, StateTables } from './state-tables.ts';

export interface AdminContext {
  readonly tables: StateTables;
  readonly cache: StateCache;
  readonly fold: DeltaFold;
  readonly orgLogs: OrgLogs;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
}

export function refused(fault: Fault<AdminFaultCode>): Result<never, Fault<AdminFaultCode>> {
  return err(fault);
}

export function notFound(what: string): Result<never, Fault<AdminFaultCode>> {
  return err({ code: 'not_found', message: `no such ${what}` });
}

export function pageOf(request: PageRequest): Page {
  const asked = Math.floor(request.limit ?? STORE_LIMITS.pageMax);
  return { org: request.org, after: request.after ?? '', limit: Math.min(Math.max(asked, 1), STORE_LIMITS.pageMax) };
}
