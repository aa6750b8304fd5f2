/**
 * @module `attenuate_only` for Cedar, boundaries, exemptions and protected entities: each refuses, but for permits in Cedar and exemptions, so a child may
 * add to them what it likes, and takes nothing away.
 */
import { anything, compare, hasAll, noHigher, partJson, type Row, type Table, type Widening } from './attenuation-rows.ts';
import type { CedarConfig, CedarEntry } from './cedar/cedar-section.ts';
import { isForbid, splitPolicies } from './cedar/split-policies.ts';
import { type Boundary, type ClampdSections, DAYS, type Exemption, type ProtectedEntity } from './clampd-content.ts';
import { POLICY_LIMITS } from './limits.ts';
import { coversHosts, coversScopes } from './pattern-cover.ts';

/** Undefined where the text cannot be read as policies. */
function piecesOf(text: string): readonly string[] | undefined {
  const pieces = splitPolicies(text);
  return pieces.ok ? pieces.value.map((piece) => piece.text) : undefined;
}

/** Each policy of the parent stays, because its failing would deny too; a new one only forbids, unless the parent needs no permit. */
function keepsText(parent: CedarConfig, child: CedarConfig): boolean {
  const [before, after] = [piecesOf(parent.text), piecesOf(child.text)];
  if (before === undefined || after === undefined) return false;
  const known = new Set(before);
  return hasAll(after, before) && after.every((piece) => known.has(piece) || parent.default === 'allow' || isForbid(piece));
}

function meaningOf({ compiled, cedar_action: action, cedar_scope: scope }: CedarEntry): string {
  return JSON.stringify([compiled, action, scope ?? null]);
}

function onlyForbids({ compiled }: CedarEntry): boolean {
  return piecesOf(compiled)?.every(isForbid) === true;
}

function keepsEntries(parent: CedarConfig, child: CedarConfig): boolean {
  const known = new Set(parent.policies.map(meaningOf));
  const kept = hasAll(child.policies.map(meaningOf), [...known]);
  return kept && child.policies.every((entry) => known.has(meaningOf(entry)) || parent.default === 'allow' || onlyForbids(entry));
}

const CEDAR: Table<CedarConfig> = {
  default: (parent, child) => parent.default === 'allow' || child.default === 'deny',
  text: keepsText,
  policies: keepsEntries,
  // Both only say what a policy may speak of when it is loaded.
  scopes: anything,
  schema: anything,
};

/** Where the parent has none, any section is tighter. */
export function cedarWidenings(parent: CedarConfig | undefined, child: CedarConfig | undefined): readonly Widening[] {
  if (parent === undefined) return [];
  if (child === undefined) return [{ path: 'cedar', parent: partJson(parent), child }];
  return compare('cedar', CEDAR, { parent, child });
}

type Hours = NonNullable<Boundary['hours']>;

function isOpen({ from, to }: Hours, hour: number): boolean {
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
}

function hoursWithin(outer: Hours | undefined, inner: Hours | undefined): boolean {
  if (outer === undefined) return true;
  return inner !== undefined && Array.from({ length: 24 }, (_, hour) => hour).every((hour) => isOpen(outer, hour) || !isOpen(inner, hour));
}

/** The same moment is another hour on another clock. */
function sameClock(parent: Boundary, child: Boundary): boolean {
  return parent.utc_offset_minutes === child.utc_offset_minutes || (parent.hours === undefined && hasAll(parent.days, DAYS));
}

function lower(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.toLowerCase());
}

/** A list of all that is allowed: where the parent has one, the child has one within it. */
function listed(
  of: (one: Boundary) => readonly string[] | undefined,
  covers: (wide: readonly string[], narrow: readonly string[]) => boolean,
): Row<Boundary> {
  return (parent, child) => {
    const [wide, narrow] = [of(parent), of(child)];
    return wide === undefined || (narrow !== undefined && covers(wide, narrow));
  };
}

function limited(of: (one: Boundary) => number | undefined): Row<Boundary> {
  return (parent, child) => noHigher(of(parent), of(child));
}

const BOUNDARY: Table<Boundary> = {
  name: anything,
  // Which record holds for whom is looked at where records are paired.
  agents: anything,
  orgs: anything,
  max_records: limited((one) => one.max_records),
  max_calls_per_minute: limited((one) => one.max_calls_per_minute),
  max_bytes_per_hour: limited((one) => one.max_bytes_per_hour),
  max_calls_per_session: limited((one) => one.max_calls_per_session),
  max_payment_per_tx_cents: limited((one) => one.max_payment_per_tx_cents),
  max_payment_per_hour_cents: limited((one) => one.max_payment_per_hour_cents),
  days: (parent, child) => hasAll(parent.days, child.days) && sameClock(parent, child),
  hours: (parent, child) => hoursWithin(parent.hours, child.hours) && sameClock(parent, child),
  utc_offset_minutes: sameClock,
  allow_scopes: listed((one) => one.allow_scopes, coversScopes),
  allow_domains: listed((one) => one.allow_domains, coversHosts),
  block_domains: (parent, child) => coversHosts(child.block_domains, parent.block_domains),
  approved_vendors: listed(
    (one) => one.approved_vendors,
    (wide, narrow) => hasAll(lower(wide), lower(narrow)),
  ),
};

function whoOf({ agents, orgs }: Boundary): string {
  return JSON.stringify([agents, orgs]);
}

/** Where each text stands first. */
function firstPlaces(texts: readonly string[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [i, text] of texts.entries()) if (!places.has(text)) places.set(text, i);
  return places;
}

/** What a record limits, apart from whom. */
function limitsOf(one: Boundary): string {
  return JSON.stringify({ ...one, name: '', agents: [], orgs: [] });
}

/** More than there can be records in two policies. */
const KINDS_MAX = 2 ** 24;

/** Holds records against each other, equal ones once. What is too much to look at is not shown to be tight. */
class BoundaryPairs {
  /** A number for all records of the same limits. */
  readonly #kinds = new Map<string, number>();
  readonly #kindOf = new Map<Boundary, number>();
  readonly #seen = new Set<number>();
  readonly found = new Map<string, Widening>();

  #kind(one: Boundary): number {
    const known = this.#kindOf.get(one);
    if (known !== undefined) return known;
    const limits = limitsOf(one);
    const kind = this.#kinds.get(limits) ?? this.#kinds.size;
    this.#kinds.set(limits, kind);
    this.#kindOf.set(one, kind);
    return kind;
  }

  add(was: Boundary, is: Boundary, j: number): void {
    const pair = this.#kind(was) * KINDS_MAX + this.#kind(is);
    if (this.#seen.has(pair)) return;
    if (this.#seen.size >= POLICY_LIMITS.attenuationPairsMax) {
      this.missing(was);
      return;
    }
    const wider = compare(`boundaries[${String(j)}]`, BOUNDARY, { parent: was, child: is });
    if (wider.length === 0) this.#seen.add(pair);
    for (const one of wider) if (this.found.size < POLICY_LIMITS.faultsMax) this.found.set(one.path, one);
  }

  missing(was: Boundary): void {
    this.found.set('boundaries', { path: 'boundaries', parent: partJson(was), child: undefined });
  }
}

/**
 * The first record that matches an agent holds. So each of the parent's needs one in the child for the same agents, and all that stand up to
 * there are as tight; but for those whose agents an earlier record of the parent takes anyway.
 */
function boundaryWidenings(parent: readonly Boundary[], child: readonly Boundary[]): readonly Widening[] {
  const [before, after] = [firstPlaces(parent.map(whoOf)), firstPlaces(child.map(whoOf))];
  const takers = child.map((one) => before.get(whoOf(one)) ?? Infinity);
  const pairs = new BoundaryPairs();
  for (const [i, was] of parent.entries()) {
    const until = after.get(whoOf(was));
    if (until === undefined) pairs.missing(was);
    for (let j = 0; j <= (until ?? -1); j += 1) {
      const is = child[j];
      if (is !== undefined && (takers[j] ?? Infinity) >= i) pairs.add(was, is, j);
      if (pairs.found.size >= POLICY_LIMITS.faultsMax) return [...pairs.found.values()];
    }
  }
  return [...pairs.found.values()];
}

/** What is lifted is lifted by the parent too: each rule of an entry, for all that its scope covers. */
function exemptionWidenings(parent: readonly Exemption[], child: readonly Exemption[]): readonly Widening[] {
  const scopes = new Map<string, string[]>();
  for (const { rules, scope } of parent)
    for (const rule of rules) {
      const known = scopes.get(rule) ?? [];
      known.push(scope);
      scopes.set(rule, known);
    }
  return child.flatMap((entry, i) => {
    const covered = entry.rules.every((rule) => coversScopes(scopes.get(rule) ?? [], [entry.scope]));
    return covered ? [] : [{ path: `exemptions[${String(i)}]`, parent: undefined, child: partJson(entry) }];
  });
}

const ENTITY: Table<ProtectedEntity> = {
  name: anything,
  tables: (parent, child) => hasAll(child.tables, parent.tables),
  hosts: (parent, child) => coversHosts(child.hosts, parent.hosts),
  paths: (parent, child) => hasAll(child.paths, parent.paths),
  action: (parent, child) => child.action === 'block' || parent.action === 'warn',
};

function entityWidenings(parent: readonly ProtectedEntity[], child: readonly ProtectedEntity[]): readonly Widening[] {
  const byName = new Map(child.map((entity, i) => [entity.name, { entity, i }]));
  return parent.flatMap((was) => {
    const is = byName.get(was.name);
    if (is === undefined) return [{ path: 'protected_entities', parent: partJson(was), child: undefined }];
    return compare(`protected_entities[${String(is.i)}]`, ENTITY, { parent: was, child: is.entity });
  });
}

export function clampdWidenings(parent: ClampdSections, child: ClampdSections): readonly Widening[] {
  return [
    ...boundaryWidenings(parent.boundaries ?? [], child.boundaries ?? []),
    ...exemptionWidenings(parent.exemptions ?? [], child.exemptions ?? []),
    ...entityWidenings(parent.protected_entities ?? [], child.protected_entities ?? []),
  ];
}
