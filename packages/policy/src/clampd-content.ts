/**
 * @module What the sections `boundaries`, `exemptions` and `protected_entities` hold, as written and with every default filled in.
 */

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** One record. What is absent sets no boundary, except where `BOUNDARY_DEFAULTS` says otherwise. */
export interface Boundary {
  readonly name: string;
  /** Globs over agent ids. */
  readonly agents: readonly string[];
  readonly orgs: readonly string[];
  /** Most records that one call asks for. */
  readonly max_records: number;
  readonly max_calls_per_minute: number;
  /** Bytes of what the agent's calls hold. */
  readonly max_bytes_per_hour: number;
  readonly days: readonly string[];
  /** Whole hours of the day, `from` included and `to` not; absent: all day. */
  readonly hours?: { readonly from: number; readonly to: number };
  /** Minutes that the clock of `days` and `hours` is ahead of UTC. */
  readonly utc_offset_minutes: number;
  /** Grants that cover every action; absent: any. */
  readonly allow_scopes?: readonly string[];
  /** Most calls of one session; absent: any. */
  readonly max_calls_per_session?: number;
  /** Host globs that no action reaches. */
  readonly block_domains: readonly string[];
  /** Most cents of one payment; absent: any. */
  readonly max_payment_per_tx_cents?: number;
  /** Most cents of all payments of an hour; absent: any. */
  readonly max_payment_per_hour_cents?: number;
  /** Who may be paid, without regard to case; absent: anybody. */
  readonly approved_vendors?: readonly string[];
  /** Host globs of all hosts an action may reach; absent: any. */
  readonly allow_domains?: readonly string[];
}

export type WrittenBoundary = Pick<Boundary, 'name'> & Partial<Boundary>;

/** What a record sets where it says nothing. */
export const BOUNDARY_DEFAULTS: Omit<Boundary, 'name'> = {
  agents: ['*'],
  orgs: ['*'],
  max_records: 1000,
  max_calls_per_minute: 60,
  max_bytes_per_hour: 104_857_600,
  days: DAYS,
  block_domains: [],
  utc_offset_minutes: 0,
};

export interface Exemption {
  /** Stands in the verdict. */
  readonly label: string;
  /** Ids of rules. */
  readonly rules: readonly string[];
  /** A grant: what it covers is exempt. */
  readonly scope: string;
  readonly description?: string;
}

export interface ProtectedEntity {
  readonly name: string;
  /** Globs; a table matches with or without its schema. */
  readonly tables: readonly string[];
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly action: 'block' | 'warn';
}

export type WrittenProtectedEntity = Pick<ProtectedEntity, 'name'> & Partial<ProtectedEntity>;

export interface WrittenClampd {
  readonly boundaries?: readonly WrittenBoundary[];
  readonly exemptions?: readonly Exemption[];
  readonly protected_entities?: readonly WrittenProtectedEntity[];
}

/** Each absent where no document says anything of it. */
export interface ClampdSections {
  readonly boundaries?: readonly Boundary[];
  readonly exemptions?: readonly Exemption[];
  readonly protected_entities?: readonly ProtectedEntity[];
}
