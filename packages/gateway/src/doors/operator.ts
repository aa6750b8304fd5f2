/**
 * @module The operator door: `/api/v1/*` for people and the command line (spec/http.md); the files of the log have a door of their own.
 * Changes go through `AdminStore`; evidence is read, never written.
 */
import type { Clock, Fault, JsonValue, Result } from '@countersign/kernel';
import { formatTime, getOwn, isJsonObject, parseJson } from '@countersign/kernel';
import type { AgentTrust } from '@countersign/protocol';
import {
  type AdminResult,
  type AdminStore,
  type AgentRecord,
  type ApiKeyKind,
  type Feed,
  type KeyPermission,
  type LogDesk,
  type LogsDesk,
  MAIN_LOG,
  type OrgRecord,
  type PageRequest,
  type RulesDesk,
  type SessionDesk,
  type ToolView,
  type VaultDesk,
} from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { DoorError } from './clampd-errors.ts';
import type { PublishedFiles } from './log.ts';
import { type Access, accessOf, require as need } from './operator-access.ts';
import { OperatorError, operatorError } from './operator-errors.ts';
import {
  AGENT_SCHEMA,
  APPROVAL_SCHEMA,
  KEY_SCHEMA,
  MODE_SCHEMA,
  ORG_SCHEMA,
  REASON_SCHEMA,
  SCOPES_SCHEMA,
  TRUST_SCHEMA,
  STATE_SCHEMA,
} from './operator-wire.ts';
import { addPolicyRoutes, type PolicyDesk } from './operator-policies.ts';
import { addLogDeskRoutes } from './operator-log.ts';
import type { LentByDoor } from './operator-routes.ts';
import { addPostureRoutes } from './operator-posture.ts';
import { addRuleRoutes } from './operator-rules.ts';
import { addSessionRoutes } from './operator-sessions.ts';
import { addLogRoutes } from './operator-logs.ts';
import { addVaultRoutes } from './operator-vault.ts';

/** What auditors read. Undefined: there is no such thing. */
export interface Evidence extends PublishedFiles {
  /** `{index, body, signatures}` of one log entry, by receipt id. */
  receipt(id: string): Promise<JsonValue | undefined>;
  /** A self-contained bundle, by receipt id: its exact bytes. `inputs`: with what was sealed. */
  bundle(id: string, options: { readonly inputs: boolean }): Promise<Uint8Array | undefined>;
  /** Formats that `export` writes. */
  readonly exportFormats: readonly string[];
  /** The entry in one of them: its exact bytes, or why it has none in this format. */
  export(id: string, format: string): Promise<Result<Uint8Array, Fault> | undefined>;
  /** The newest entries of a log in the same form, newest first; undefined where there is no such log. */
  tail(limit: number, log: string): Promise<readonly JsonValue[] | undefined>;
}

export interface OperatorDoor {
  readonly admin: AdminStore;
  readonly policies: PolicyDesk;
  readonly rules: RulesDesk;
  readonly evidence: Evidence;
  readonly vault: VaultDesk;
  readonly sessions: SessionDesk;
  /** Of an open log, by its name. */
  readonly logDesk: (log: string) => LogDesk | undefined;
  readonly logs: LogsDesk;
  readonly feed: Feed;
  readonly clock: Clock;
  /** SHA-256 of the operator token. */
  readonly operatorTokenSha256: Uint8Array;
  /** `everything`: with what only the operator token may see. */
  readonly status: (seen: { readonly everything: boolean }) => JsonValue;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TAIL_DEFAULT = 50;
const TAIL_MAX = 1000;
const accesses = new WeakMap<FastifyRequest, Access>();

function accessFor(request: FastifyRequest): Access {
  const access = accesses.get(request);
  if (access === undefined) throw new OperatorError({ code: 'operator_unauthorized', message: 'no credential' });
  return access;
}

function unwrap<T>(result: AdminResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

function notFound(what: string): OperatorError {
  return new OperatorError({ code: 'not_found', message: `no such ${what}` });
}

function reply(answer: FastifyReply, value: object, status = 200): FastifyReply {
  return answer.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(value));
}

function queryText(request: FastifyRequest, name: string): string | undefined {
  const query: unknown = request.query;
  const value = isJsonObject(query) ? getOwn(query, name) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function pathText(request: FastifyRequest, name: string): string {
  const params: unknown = request.params;
  const value = isJsonObject(params) ? getOwn(params, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** The org a request is about: the only one the access sees, the one it names, or the only one there is. */
function orgFor(door: OperatorDoor, request: FastifyRequest, named: string | undefined): string {
  const access = accessFor(request);
  if (access.org !== undefined) {
    if (named !== undefined && named !== access.org)
      throw new OperatorError({ code: 'operator_forbidden', message: 'this credential is for another org' });
    return access.org;
  }
  if (named !== undefined) return named;
  const orgs = door.admin.listOrgs();
  const only = orgs.length === 1 ? orgs[0] : undefined;
  if (only === undefined)
    throw new OperatorError({ code: 'org_required', message: 'say which org', path: '/org', hint: '`GET /api/v1/orgs` lists them' });
  return only.id;
}

function pageFor(door: OperatorDoor, request: FastifyRequest): PageRequest {
  const after = queryText(request, 'after');
  const limit = Number(queryText(request, 'limit') ?? Number.NaN);
  return {
    org: orgFor(door, request, queryText(request, 'org')),
    ...(after === undefined ? {} : { after }),
    ...(Number.isSafeInteger(limit) ? { limit } : {}),
  };
}

function tell(door: OperatorDoor, type: 'agent' | 'policy' | 'rules', event: { readonly org: string; readonly data: JsonValue }): void {
  door.feed.publish({ type, time: formatTime(door.clock.nowMs()), ...event });
}

function addOrgRoutes(app: FastifyInstance, door: OperatorDoor): void {
  const { admin } = door;
  app.get('/api/v1/orgs', (request, answer) => {
    const { org } = accessFor(request);
    need(accessFor(request), 'read');
    return reply(answer, { orgs: admin.listOrgs().filter((one) => org === undefined || one.id === org) });
  });
  app.post('/api/v1/orgs', { schema: { body: ORG_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const body = request.body as { name: string; mode?: OrgRecord['mode'] }; // The route's schema says so, here and below.
    return reply(answer, { org: unwrap(admin.createOrg({ name: body.name, mode: body.mode ?? 'locked' })) }, 201);
  });
  app.post('/api/v1/orgs/:id/mode', { schema: { body: MODE_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const { mode } = request.body as { mode: OrgRecord['mode'] };
    return reply(answer, { org: unwrap(admin.setOrgMode(pathText(request, 'id'), mode)) });
  });
}

/** An agent that this access sees, or 404: an id of another org is no different from one that does not exist. */
function agentFor(door: OperatorDoor, request: FastifyRequest): AgentRecord {
  const agent = door.admin.agentView(pathText(request, 'id'));
  const { org } = accessFor(request);
  if (agent === undefined || (org !== undefined && agent.org !== org)) throw notFound('agent');
  return agent;
}

interface StateBody {
  readonly state: AgentRecord['state'];
  readonly reason: string;
}

function setState(door: OperatorDoor, request: FastifyRequest): JsonValue {
  const { state, reason } = request.body as StateBody;
  need(accessFor(request), state === 'active' ? 'everything' : 'kill');
  const { id } = agentFor(door, request);
  const agent = unwrap(door.admin.setAgentState({ agent: id, state, reason }));
  tell(door, 'agent', { org: agent.org, data: { agent: id, state: agent.state, reason: agent.reason } });
  return { agent: { ...agent, scopes: [...agent.scopes] } };
}

function addAgentRoutes(app: FastifyInstance, door: OperatorDoor): void {
  const { admin } = door;
  app.get('/api/v1/agents', (request, answer) => {
    need(accessFor(request), 'read');
    return reply(answer, { agents: admin.listAgents(pageFor(door, request)) });
  });
  app.post('/api/v1/agents', { schema: { body: AGENT_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const body = request.body as { org?: string; name: string; scopes?: readonly string[]; trust?: AgentTrust; id?: string };
    const org = orgFor(door, request, body.org);
    const { name, scopes = [], trust, id } = body;
    const draft = { org, name, scopes, ...(trust === undefined ? {} : { trust }), ...(id === undefined ? {} : { id }) };
    const created = unwrap(admin.createAgent(draft));
    tell(door, 'agent', { org, data: { agent: created.agent.id, state: created.agent.state, reason: 'created' } });
    return reply(answer, created, 201);
  });
  app.get('/api/v1/agents/:id', (request, answer) => {
    need(accessFor(request), 'read');
    return reply(answer, { agent: agentFor(door, request) });
  });
  app.post('/api/v1/agents/:id/state', { schema: { body: STATE_SCHEMA } }, (request, answer) =>
    reply(answer, setState(door, request) as object),
  );
  app.post('/api/v1/agents/:id/revive', { schema: { body: REASON_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const { reason } = request.body as { reason: string };
    const revived = unwrap(admin.reviveAgent(agentFor(door, request).id, reason));
    tell(door, 'agent', { org: revived.agent.org, data: { agent: revived.agent.id, state: revived.agent.state, reason } });
    return reply(answer, revived);
  });
  app.post('/api/v1/agents/:id/scopes', { schema: { body: SCOPES_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const { scopes } = request.body as { scopes: readonly string[] };
    return reply(answer, { agent: unwrap(admin.setAgentScopes(agentFor(door, request).id, scopes)) });
  });
  app.post('/api/v1/agents/:id/trust', { schema: { body: TRUST_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const { trust } = request.body as { trust: AgentTrust };
    return reply(answer, { agent: unwrap(admin.setAgentTrust(agentFor(door, request).id, trust)) });
  });
}

function addKeyRoutes(app: FastifyInstance, door: OperatorDoor): void {
  const { admin } = door;
  app.get('/api/v1/keys', (request, answer) => {
    need(accessFor(request), 'read');
    return reply(answer, { keys: admin.listApiKeys(pageFor(door, request)) });
  });
  app.post('/api/v1/keys', { schema: { body: KEY_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const body = request.body as {
      org?: string;
      label?: string;
      kind?: ApiKeyKind;
      environment?: 'live' | 'test';
      permissions?: readonly KeyPermission[];
    };
    const org = orgFor(door, request, body.org);
    const draft = {
      org,
      label: body.label ?? '',
      kind: body.kind ?? 'write',
      environment: body.environment ?? 'live',
      permissions: body.permissions ?? [],
    } as const;
    return reply(answer, unwrap(admin.createApiKey(draft)), 201);
  });
  app.post('/api/v1/keys/:id/revoke', (request, answer) => {
    need(accessFor(request), 'everything');
    const org = orgFor(door, request, queryText(request, 'org'));
    return reply(answer, { key: unwrap(admin.revokeApiKey(org, pathText(request, 'id'))) });
  });
}

function addToolRoutes(app: FastifyInstance, door: OperatorDoor): void {
  const { admin } = door;
  app.get('/api/v1/tools', (request, answer) => {
    need(accessFor(request), 'read');
    const status = queryText(request, 'status');
    const wanted: ToolView['status'] | undefined = status === 'approved' || status === 'pending' ? status : undefined;
    return reply(answer, { tools: admin.listTools({ ...pageFor(door, request), ...(wanted === undefined ? {} : { status: wanted }) }) });
  });
  app.post('/api/v1/tools/approve', { schema: { body: APPROVAL_SCHEMA } }, (request, answer) => {
    need(accessFor(request), 'everything');
    const body = request.body as { org?: string; tool: string; hash?: string; scope?: string | null };
    const org = orgFor(door, request, body.org);
    return reply(answer, { tool: unwrap(admin.approveTool({ org, tool: body.tool, hash: body.hash ?? '', scope: body.scope ?? null })) });
  });
}

/** Whoever holds the operator token sees everything; a `read` key only entries of its org. */
function seesEntry(access: Access, entry: JsonValue): boolean {
  if (access.org === undefined) return true;
  const body = isJsonObject(entry) ? getOwn(entry, 'body') : undefined;
  const principal = isJsonObject(body) ? getOwn(body, 'principal') : undefined;
  return isJsonObject(principal) && getOwn(principal, 'org') === access.org;
}

async function visibleReceipt(door: OperatorDoor, request: FastifyRequest): Promise<JsonValue> {
  need(accessFor(request), 'read');
  const entry = await door.evidence.receipt(pathText(request, 'id'));
  if (entry === undefined || !seesEntry(accessFor(request), entry)) throw notFound('receipt');
  return entry;
}

function formatOf(door: OperatorDoor, request: FastifyRequest): string {
  const { exportFormats } = door.evidence;
  const format = queryText(request, 'format');
  if (format !== undefined && exportFormats.includes(format)) return format;
  const hint = `one of ${exportFormats.join(', ')}`;
  throw new OperatorError({ code: 'invalid_format', message: 'the format of the export is unknown', path: '/format', hint });
}

async function exported(door: OperatorDoor, request: FastifyRequest): Promise<Uint8Array> {
  await visibleReceipt(door, request);
  const made = await door.evidence.export(pathText(request, 'id'), formatOf(door, request));
  if (made === undefined) throw notFound('receipt');
  if (made.ok) return made.value;
  const { code, message, hint } = made.error;
  throw new OperatorError({ code: 'export_refused', message: `${message} (${code})`, ...(hint === undefined ? {} : { hint }) });
}

function logOfOrg({ admin }: OperatorDoor, org: string): string {
  return admin.listOrgs().find(({ id }) => id === org)?.log ?? MAIN_LOG;
}

function addEvidenceRoutes(app: FastifyInstance, door: OperatorDoor): void {
  app.get('/api/v1/status', (request, answer) => {
    need(accessFor(request), 'read');
    return reply(answer, { status: door.status({ everything: accessFor(request).may === 'everything' }) });
  });
  app.get('/api/v1/receipts', async (request, answer) => {
    need(accessFor(request), 'read');
    const limit = Number(queryText(request, 'limit') ?? TAIL_DEFAULT);
    const { org } = accessFor(request);
    const log = queryText(request, 'log') ?? (org === undefined ? MAIN_LOG : logOfOrg(door, org));
    const entries = await door.evidence.tail(Number.isSafeInteger(limit) ? Math.min(Math.max(limit, 1), TAIL_MAX) : TAIL_DEFAULT, log);
    if (entries === undefined) throw notFound('log');
    return reply(answer, { entries: entries.filter((entry) => seesEntry(accessFor(request), entry)) });
  });
  app.get('/api/v1/receipts/:id', async (request, answer) => reply(answer, { receipt: await visibleReceipt(door, request) }));
  app.get('/api/v1/receipts/:id/bundle', async (request, answer) => {
    await visibleReceipt(door, request);
    const inputs = queryText(request, 'inputs') ?? 'true';
    if (inputs !== 'true' && inputs !== 'false')
      throw new DoorError({ code: 'invalid_body', message: 'not true or false', path: '/inputs' });
    const bytes = await door.evidence.bundle(pathText(request, 'id'), { inputs: inputs === 'true' });
    if (bytes === undefined) throw notFound('bundle');
    return answer.header('content-type', JSON_TYPE).send(Buffer.from(bytes));
  });
  app.get('/api/v1/receipts/:id/export', async (request, answer) =>
    answer.header('content-type', 'application/octet-stream').send(Buffer.from(await exported(door, request))),
  );
}

function speakOperator(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) => {
    if (body.length === 0) return undefined;
    const parsed = parseJson(body, { bytesMax: LIMITS.operatorBodyBytesMax });
    if (parsed.ok) return parsed.value.value;
    throw new DoorError({
      code: 'invalid_json',
      message: `the body is not acceptable JSON: ${parsed.error.message}`,
      path: parsed.error.path ?? '',
    });
  });
  app.setErrorHandler((error: unknown, _, answer) => {
    const { status, body } = operatorError(error);
    return reply(answer, body, status);
  });
}

/** Adds the routes of the door to `app`. */
export async function addOperatorDoor(app: FastifyInstance, door: OperatorDoor): Promise<void> {
  await app.register(async (scoped) => {
    speakOperator(scoped);
    scoped.addHook('onRequest', async (request) => {
      accesses.set(request, accessOf(request.headers, door));
    });
    for (const addRoutes of [addOrgRoutes, addAgentRoutes, addKeyRoutes, addToolRoutes, addEvidenceRoutes]) addRoutes(scoped, door);
    const lent: LentByDoor = {
      need: (request, what) => {
        const access = accessFor(request);
        need(access, what);
        return access;
      },
      access: accessFor,
      logOf: (org) => logOfOrg(door, org),
      orgFor: (request, named) => orgFor(door, request, named),
      queryText,
      pathText,
      reply,
    };
    addPolicyRoutes(scoped, door, { ...lent, changed: (data) => tell(door, 'policy', { org: '', data }) });
    const changed = (): void => tell(door, 'rules', { org: '', data: { hash: door.rules.view().hash } });
    addRuleRoutes(scoped, door.rules, { ...lent, changed });
    addVaultRoutes(scoped, door.vault, lent);
    addSessionRoutes(scoped, door.sessions, lent);
    addPostureRoutes(scoped, door.sessions, lent);
    addLogDeskRoutes(scoped, door.logDesk, lent);
    addLogRoutes(scoped, door.logs, lent);
  });
}
