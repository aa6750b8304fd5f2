/** @module What a tool's rows say of one call. A descriptor that is not the known one is a mismatch, never a new tool. */
import type { ToolRegistration } from '@countersign/protocol';
import type { ToolRow } from './state-tables.ts';

export interface Registration {
  readonly registration?: ToolRegistration;
  readonly scope?: string;
}

function approved(row: ToolRow): Registration {
  return { registration: 'registered', ...(row.scope === null ? {} : { scope: row.scope }) };
}

/**
 * `descriptorHash` is what the call says of the tool, if it says anything.
 * An approved row without a hash pins nothing and holds for every descriptor. Otherwise rows with a hash pin the tool: another hash is a
 * mismatch, whether they are approved yet or not.
 */
export function registrationOf(rows: readonly ToolRow[], descriptorHash: string | undefined): Registration {
  if (rows.length === 0) return {};
  const hash = descriptorHash ?? '';
  const exact = rows.find((row) => row.hash === hash);
  if (exact?.status === 'approved') return approved(exact);
  const granted = rows.filter((row) => row.status === 'approved');
  const chosen = granted.find((row) => row.hash === '') ?? (hash === '' ? granted[0] : undefined);
  if (chosen !== undefined) return approved(chosen);
  if (hash === '') return { registration: 'pending' };
  const pinned = granted.length > 0 || (exact === undefined && rows.some((row) => row.hash !== ''));
  return { registration: pinned ? 'mismatch' : 'pending' };
}
