/**
 * @module Boundaries: what an agent may do at all, how much of it, and when. The first record whose globs match the agent and its org holds.
 * Every answer is a refusal: a boundary permits nothing.
 */
import { type Boundary, BOUNDARY_DEFAULTS, DAYS, type WrittenBoundary } from './clampd-content.ts';
import { isJsonObject, type JsonValue, utf8Length } from '@countersign/kernel';
import { type Action, type AgentWindow, type Facts, rememberedUntil, type StateSlice } from '@countersign/protocol';
import { compileHostGlob, compilePathGlob, firstMatch, type Glob } from './glob.ts';
import { boundsPayments, judgePayment, type Payment, type PaymentViolation, readPayment, type TransferSigner } from './payments.ts';
import { POLICY_LIMITS } from './limits.ts';
import { scopeMatches } from './scopes.ts';

export type BoundaryId = 'B-001' | 'B-002' | 'B-003' | 'B-004' | 'B-005' | 'B-006';

export interface BoundaryViolation {
  readonly id: BoundaryId;
  readonly text: string;
}

export interface CompiledBoundary {
  readonly boundary: Boundary;
  readonly agents: readonly Glob[];
  readonly orgs: readonly Glob[];
  readonly domains: readonly Glob[] | undefined;
  readonly blocked: readonly Glob[];
}

export interface BoundaryQuestion {
  readonly now: string;
  /** Unix seconds of `now`. */
  readonly atSeconds: number;
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly scope: string;
  /** A text: it asks for no scope. */
  readonly text: boolean;
  readonly signer?: TransferSigner | undefined;
}

export function fullBoundary(written: WrittenBoundary): Boundary {
  return { ...BOUNDARY_DEFAULTS, ...written };
}

function globs(patterns: readonly string[], compile: (pattern: string) => ReturnType<typeof compileHostGlob>): readonly Glob[] | undefined {
  const all = patterns.map(compile);
  return all.every((glob) => glob.ok) ? all.flatMap((glob) => (glob.ok ? [glob.value] : [])) : undefined;
}

/** Undefined where a pattern does not compile, which reading the document has ruled out. */
export function compileBoundary(boundary: Boundary): CompiledBoundary | undefined {
  const agents = globs(boundary.agents, (pattern) => compilePathGlob(pattern, 'permit'));
  const orgs = globs(boundary.orgs, (pattern) => compilePathGlob(pattern, 'permit'));
  const { allow_domains: allowed } = boundary;
  const domains = allowed === undefined ? [] : globs(allowed, compileHostGlob);
  const blocked = globs(boundary.block_domains, compileHostGlob);
  if (agents === undefined || orgs === undefined || domains === undefined || blocked === undefined) return undefined;
  return { boundary, agents, orgs, domains: allowed === undefined ? undefined : domains, blocked };
}

/** The record that holds for an agent. */
export function boundaryFor(boundaries: readonly CompiledBoundary[], { agent, org }: Action): CompiledBoundary | undefined {
  const counter = { steps: 0 };
  return boundaries.find((one) => firstMatch(one.agents, agent, counter) !== undefined && firstMatch(one.orgs, org, counter) !== undefined);
}

const COUNTS: ReadonlySet<string> = new Set([
  'limit',
  'count',
  'max_records',
  'maxrecords',
  'page_size',
  'pagesize',
  'top',
  'first',
  'per_page',
  'max_results',
  'maxresults',
  'rows',
]);

/** The greatest number of records that the parameters ask for in so many words. */
function askedRecords(params: JsonValue | undefined): number {
  let most = 0;
  if (!isJsonObject(params)) return most;
  for (const [key, value] of Object.entries(params)) {
    if (!COUNTS.has(key.toLowerCase())) continue;
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number') most = Math.max(most, number);
  }
  return most;
}

/** The greatest `LIMIT` of the texts; infinite where a query has neither LIMIT nor WHERE and reads a table. */
function queriedRecords({ statements, texts }: Facts): number {
  let most = 0;
  for (const { kind, hasLimit, hasWhere, tables } of statements)
    if (kind === 'select' && !hasLimit && !hasWhere && tables.length > 0) most = Number.POSITIVE_INFINITY;
  if (!statements.some(({ hasLimit }) => hasLimit)) return most;
  for (const { lower } of texts)
    for (const [, number] of lower.matchAll(/\b(?:limit|top|fetch first|fetch next)[ (]{1,4}(\d{1,15})\b/g))
      most = Math.max(most, Number(number));
  return most;
}

function records({ action, facts }: BoundaryQuestion, { max_records: max }: Boundary): BoundaryViolation | undefined {
  const asked = Math.max(askedRecords(action.params), queriedRecords(facts));
  return asked > max ? { id: 'B-001', text: `asks for more than ${String(max)} records, or for all there are` } : undefined;
}

/** Days since Thursday, 1 January 1970; Monday is 0. */
function clockOf(atSeconds: number, offsetMinutes: number): { readonly day: number; readonly hour: number } {
  const local = atSeconds + offsetMinutes * 60;
  const day = Math.floor(local / 86_400);
  return { day: (((day + 3) % 7) + 7) % 7, hour: Math.floor((local - day * 86_400) / 3600) };
}

/** Over midnight where `to` is before `from`. */
function isOpen({ from, to }: { readonly from: number; readonly to: number }, hour: number): boolean {
  return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
}

function times({ atSeconds }: BoundaryQuestion, { days, hours, utc_offset_minutes: offset }: Boundary): readonly BoundaryViolation[] {
  const { day, hour } = clockOf(atSeconds, offset);
  const found: BoundaryViolation[] = [];
  if (hours !== undefined && !isOpen(hours, hour)) found.push({ id: 'B-002', text: 'outside the hours of this agent' });
  if (!days.includes(DAYS[day] ?? '')) found.push({ id: 'B-003', text: 'not on a day of this agent' });
  return found;
}

interface Reach {
  readonly hosts: readonly string[];
  /** Some host was not read, or is no host. */
  readonly unread: boolean;
}

function reachOf({ action, facts }: BoundaryQuestion): Reach {
  const hosts = facts.hosts.filter(({ access }) => access === 'connect').map(({ host }) => host);
  const missing = hosts.length === 0 && action.kind === 'net.egress';
  const long = hosts.some((host) => host === '' || host.length > POLICY_LIMITS.hostCharsMax);
  return { hosts, unread: missing || long || facts.cuts.includes('hosts') };
}

function domainLists(question: BoundaryQuestion, { domains, blocked }: CompiledBoundary): BoundaryViolation | undefined {
  if (domains === undefined && blocked.length === 0) return undefined;
  const { hosts, unread } = reachOf(question);
  const counter = { steps: 0 };
  const refused = (host: string): boolean =>
    firstMatch(blocked, host, counter) !== undefined || (domains !== undefined && firstMatch(domains, host, counter) === undefined);
  return unread || hosts.some(refused) ? { id: 'B-006', text: 'reaches a host that this agent may not reach' } : undefined;
}

function allowlists(question: BoundaryQuestion, compiled: CompiledBoundary): readonly BoundaryViolation[] {
  const { allow_scopes: scopes } = compiled.boundary;
  if (question.text) return [];
  const found: BoundaryViolation[] = [];
  if (scopes !== undefined && !scopes.some((grant) => scopeMatches(grant, question.scope)))
    found.push({ id: 'B-006', text: 'not on the list of what this agent may do' });
  const domains = domainLists(question, compiled);
  return domains === undefined ? found : [...found, domains];
}

/** Bytes of what the action holds: its texts as they came. */
function bytesOf({ texts }: Facts): number {
  let bytes = 0;
  for (const { role, layers, text } of texts) if (layers.length === 0 && role !== 'joined' && role !== 'key') bytes += utf8Length(text);
  return bytes;
}

const NOTHING: AgentWindow = { minute: 0, calls: 0, hour: 0, bytes: 0, cents: 0, paid: [] };

/** Counts with this action among them; texts are no calls, and a clock that went back starts nothing anew. */
function counted({ state: { window = NOTHING }, atSeconds, facts, text }: BoundaryQuestion): AgentWindow {
  const minute = Math.max(Math.floor(atSeconds / 60), window.minute);
  const hour = Math.max(Math.floor(atSeconds / 3600), window.hour);
  const calls = window.minute === minute ? window.calls : 0;
  const { bytes, cents } = window.hour === hour ? window : NOTHING;
  const paid = window.paid.filter((entry) => rememberedUntil(entry) >= hour);
  return { minute, calls: calls + (text ? 0 : 1), hour, bytes: bytes + bytesOf(facts), cents, paid };
}

/** How many calls there were, and how much they held. */
function spent(question: BoundaryQuestion, boundary: Boundary, window: AgentWindow): readonly BoundaryViolation[] {
  const { max_calls_per_session: perSession, max_calls_per_minute: perMinute, max_bytes_per_hour: perHour } = boundary;
  const found: BoundaryViolation[] = [];
  if (perSession !== undefined && !question.text && (question.state.sessionCalls ?? 0) >= perSession)
    found.push({ id: 'B-004', text: `more than ${String(perSession)} calls in this session` });
  if (!question.text && window.calls > perMinute) found.push({ id: 'B-004', text: `more than ${String(perMinute)} calls in this minute` });
  if (window.bytes > perHour) found.push({ id: 'B-005', text: `more than ${String(perHour)} bytes in this hour` });
  return found;
}

export interface BoundaryAnswer {
  readonly violations: readonly (BoundaryViolation | PaymentViolation)[];
  /** Counts with this action, where it is refused and where it is not: what is not paid is not counted. */
  readonly window: { readonly refused: AgentWindow; readonly allowed: AgentWindow };
}

function paying(
  question: BoundaryQuestion,
  boundary: Boundary,
): { readonly payment?: Payment; readonly violations: readonly PaymentViolation[] } {
  if (question.text || !boundsPayments(boundary)) return { violations: [] };
  const asked = { ...question, window: question.state.window };
  const payment = readPayment(asked);
  return payment === undefined ? { violations: [] } : { payment, violations: judgePayment(payment, boundary, asked) };
}

/** All that is past the boundary of this agent, and what is counted for it. */
export function judgeBoundary(compiled: CompiledBoundary, question: BoundaryQuestion): BoundaryAnswer {
  const { boundary } = compiled;
  const refused = counted(question);
  const many = question.text ? undefined : records(question, boundary);
  const { payment, violations } = paying(question, boundary);
  const found = [...times(question, boundary), ...allowlists(question, compiled), ...spent(question, boundary, refused), ...violations];
  const allowed =
    payment === undefined
      ? refused
      : { ...refused, cents: refused.cents + (payment.cents ?? 0), paid: [...new Set([...refused.paid, ...payment.once])].toSorted() };
  return { violations: many === undefined ? found : [many, ...found], window: { refused, allowed } };
}
