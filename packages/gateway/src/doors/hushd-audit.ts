/**
 * @module The audit of the hushd door: the log itself, read from its end. It says what was decided and never what a value was, so a
 * target stands in no event. A key sees the entries of its org.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { MAIN_LOG } from '@countersign/pipeline';
import { RECEIPT_TYPE } from '@countersign/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { type HushdRoom, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import { queryNumber, queryText, refuse } from './hushd-fields.ts';

export interface AuditEvent {
  readonly id: string;
  readonly timestamp: string;
  readonly event_type: string;
  readonly action_type: string | null;
  readonly target: null;
  readonly decision: 'allowed' | 'blocked' | null;
  readonly guard: string | null;
  readonly severity: string | null;
  readonly message: string | null;
  readonly session_id: string | null;
  readonly agent_id: string | null;
  readonly metadata: JsonObject;
}

const ACTION_TYPES: Readonly<Record<string, string>> = {
  'file.read': 'file_access',
  'file.write': 'file_write',
  'file.patch': 'patch',
  'net.egress': 'egress',
  'shell.exec': 'shell',
  'mcp.call': 'mcp_tool',
  'tool.call': 'mcp_tool',
  'agent.message': 'output_send',
};

function text(object: JsonValue | undefined, name: string): string | null {
  const value = isJsonObject(object) ? getOwn(object, name) : undefined;
  return typeof value === 'string' ? value : null;
}

function orgOf(body: JsonObject): string | null {
  return text(getOwn(body, 'principal'), 'org') ?? text(body, 'org');
}

function judged(body: JsonObject): Partial<AuditEvent> {
  const verdict = getOwn(body, 'verdict');
  const reasons = isJsonObject(verdict) ? getOwn(verdict, 'reasons') : undefined;
  const [first] = Array.isArray(reasons) ? (reasons as readonly JsonValue[]) : [];
  const said = text(verdict, 'decision');
  const allowed = said === 'allow' || said === 'warn';
  const kind = text(getOwn(body, 'action'), 'kind') ?? '';
  return {
    event_type: allowed ? 'check' : 'violation',
    action_type: ACTION_TYPES[kind] ?? kind,
    decision: allowed ? 'allowed' : 'blocked',
    guard: text(first, 'code'),
    severity: text(verdict, 'severity'),
    message: text(first, 'text') ?? 'Allowed',
    agent_id: text(getOwn(body, 'principal'), 'agent'),
  };
}

/** An entry of the log as an event, or undefined where another org wrote it. */
function eventOf(entry: JsonValue, org: string): AuditEvent | undefined {
  const body = isJsonObject(entry) ? getOwn(entry, 'body') : undefined;
  if (!isJsonObject(body) || orgOf(body) !== org) return undefined;
  const index = isJsonObject(entry) ? (getOwn(entry, 'index') ?? null) : null;
  const type = text(body, 'type') ?? '';
  return {
    id: text(body, 'id') ?? '',
    timestamp: text(body, 'time') ?? '',
    event_type: type,
    action_type: null,
    target: null,
    decision: null,
    guard: null,
    severity: null,
    message: null,
    session_id: text(body, 'session'),
    agent_id: null,
    metadata: { index, type, seq: getOwn(body, 'seq') ?? null },
    ...(type === RECEIPT_TYPE ? judged(body) : {}),
  };
}

interface Query {
  readonly equal: readonly (readonly [name: keyof AuditEvent, value: string])[];
  readonly limit: number;
  readonly offset: number;
  /** Place in the log below which to look; the end where it is undefined. */
  readonly before: number | undefined;
  readonly format: 'json' | 'jsonl' | 'csv';
}

const PAGE_DEFAULT = 100;
const EQUAL = ['event_type', 'action_type', 'decision', 'session_id', 'agent_id'] as const;
/** Who the client said it was is sealed with the action: nothing here could find it. */
const SEALED = ['runtime_agent_id', 'runtime_agent_kind'] as const;

function readQuery(query: unknown): Query {
  for (const name of SEALED)
    if (queryText(query, name) !== undefined)
      throw refuse('INVALID_QUERY', 'what a client says of itself is sealed and cannot be asked for', name);
  const format = queryText(query, 'format') ?? 'json';
  if (format !== 'json' && format !== 'jsonl' && format !== 'csv')
    throw refuse('INVALID_QUERY', 'a format is json, jsonl or csv', 'format');
  const equal = EQUAL.flatMap((name) => {
    const value = queryText(query, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const { MAX_SAFE_INTEGER } = Number;
  return {
    equal,
    format,
    limit: queryNumber(query, 'limit', LIMITS.auditPageMax) ?? PAGE_DEFAULT,
    offset: queryNumber(query, 'offset', LIMITS.auditScanMax) ?? 0,
    before: queryNumber(query, 'cursor', MAX_SAFE_INTEGER),
  };
}

interface Page {
  readonly events: readonly AuditEvent[];
  /** Where the next page begins; undefined at the beginning of the log. */
  readonly cursor: number | undefined;
}

function logOf(room: HushdRoom, key: HushdKey): string {
  return room.door.admin.listOrgs().find(({ id }) => id === key.org)?.log ?? MAIN_LOG;
}

function sizeOf(room: HushdRoom, log: string): number {
  const size = room.door.audit.size(log);
  if (size !== undefined) return size;
  throw new HushdError({ code: 'AUDIT_UNAVAILABLE', message: 'the log of this org is not open' });
}

async function readPage(room: HushdRoom, key: HushdKey, query: Query): Promise<Page> {
  const log = logOf(room, key);
  const events: AuditEvent[] = [];
  let skip = query.offset;
  let at = Math.min(query.before ?? Number.MAX_SAFE_INTEGER, sizeOf(room, log));
  const stop = Math.max(0, at - LIMITS.auditScanMax);
  while (at > stop && events.length < query.limit) {
    at -= 1;
    const event = eventOf(await room.door.audit.entry(log, at), key.org);
    if (event === undefined || !query.equal.every(([name, value]) => event[name] === value)) continue;
    if (skip > 0) skip -= 1;
    else events.push(event);
  }
  return { events, cursor: at > 0 ? at : undefined };
}

const COLUMNS = [
  'id',
  'timestamp',
  'event_type',
  'action_type',
  'target',
  'decision',
  'guard',
  'severity',
  'message',
  'session_id',
  'agent_id',
] as const;

/** A cell that no spreadsheet takes for a formula. */
function cell(value: string | null): string {
  const plain = value ?? '';
  const safe = /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csv(events: readonly AuditEvent[]): string {
  const rows = events.map((event) => COLUMNS.map((name) => cell(event[name])).join(','));
  return [COLUMNS.join(','), ...rows].map((row) => `${row}\r\n`).join('');
}

function sendPage(reply: FastifyReply, page: Page, format: Query['format']): FastifyReply {
  const { events, cursor } = page;
  if (cursor !== undefined) void reply.header('x-next-cursor', String(cursor));
  if (format === 'csv') return reply.header('content-type', 'text/csv; charset=utf-8').send(csv(events));
  if (format === 'jsonl')
    return reply.header('content-type', 'application/x-ndjson').send(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const next = cursor === undefined ? {} : { next_cursor: String(cursor) };
  return send(reply, { events, total: events.length, has_more: cursor !== undefined, ...next });
}

export function addAuditRoutes(app: FastifyInstance, room: HushdRoom): void {
  app.get('/api/v1/audit', async (request: FastifyRequest, reply) => {
    const query = readQuery(request.query);
    return sendPage(reply, await readPage(room, room.keyFor(request), query), query.format);
  });
  app.get('/api/v1/audit/stats', (request, reply) => {
    const uptimeMs = room.door.ports.clock.nowMs() - room.startedMs;
    const { allowed, violations } = room.tally;
    return send(reply, {
      total_events: sizeOf(room, logOf(room, room.keyFor(request))),
      violations,
      allowed,
      session_id: room.run,
      uptime_secs: Math.floor(uptimeMs / 1000),
    });
  });
}
