/** @module `POST /api/v1/check` -> action. Only translates: what may happen is decided elsewhere. */
import { isIP } from 'node:net';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { ActionDraft } from '@countersign/pipeline';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { field, needText, objectField, refuse, textField } from './hushd-fields.ts';

/** What of a body became the action; the pipeline adds who acts. */
export type Drafted = Pick<ActionDraft, 'kind' | 'tool' | 'params' | 'content' | 'exactNumbers' | 'origin'>;

/** One place of a body that went to another place of the action. */
export type Moved = readonly [from: string, to: string];

const CHECK_TYPES = ['file_access', 'file_write', 'egress', 'shell', 'mcp_tool', 'patch', 'output_send'] as const;
export type CheckType = (typeof CHECK_TYPES)[number];

/** Pointers into a body as pointers into the action, for what was moved. */
export function movedNumbers(exactNumbers: readonly string[], moves: readonly Moved[]): readonly string[] {
  return moves.flatMap(([from, to]) =>
    exactNumbers.filter((path) => path === from || path.startsWith(`${from}/`)).map((path) => `${to}${path.slice(from.length)}`),
  );
}

function invalidHost(): Error {
  return refuse('INVALID_EGRESS_TARGET', 'the target is no host, `host:port` or URL', '/target');
}

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]{2,64}\]|[^\s/\\?#@:[\]]{1,255})(?::([0-9]{1,5}))?$/;
const PORT_DEFAULT = 443;
const PORT_MAX = 65_535;

/**
 * Where an egress goes, for the judge to read: a URL as it stands, else host and port. What is none is refused here, so that nothing is
 * judged by a host that the client does not mean.
 */
export function egressParams(target: string): JsonObject {
  if (target.includes('://')) {
    if (!URL.canParse(target) || new URL(target).hostname === '') throw invalidHost();
    return { url: target };
  }
  if (isIP(target) === 6) return { host: target, port: PORT_DEFAULT };
  const found = HOST_AND_PORT.exec(target);
  const host = found?.[1];
  const port = found?.[2] === undefined ? PORT_DEFAULT : Number(found[2]);
  if (host === undefined || port === 0 || port > PORT_MAX) throw invalidHost();
  return { host, port };
}

interface CheckBody {
  readonly target: string;
  readonly content: string | undefined;
  readonly args: JsonValue | undefined;
}

/** `args` that came with an action that is not a tool's: judged with it. */
function besides({ args }: CheckBody): JsonObject {
  return args === undefined ? {} : { args };
}

function writtenAt(kind: 'file.write' | 'file.patch', body: CheckBody): Drafted {
  const { target, content } = body;
  return { kind, params: { path: target, ...besides(body) }, ...(content === undefined ? {} : { content }) };
}

/** Content of an action that has none in the original: judged with it, so that nothing can hide there. */
function withContent(body: CheckBody, params: JsonObject): JsonObject {
  return { ...params, ...besides(body), ...(body.content === undefined ? {} : { content: body.content }) };
}

const DRAFTS: Readonly<Record<CheckType, (body: CheckBody) => Drafted>> = {
  file_access: (body) => ({ kind: 'file.read', params: withContent(body, { path: body.target }) }),
  file_write: (body) => writtenAt('file.write', body),
  patch: (body) => writtenAt('file.patch', body),
  egress: (body) => ({ kind: 'net.egress', params: withContent(body, egressParams(body.target)) }),
  shell: (body) => ({ kind: 'shell.exec', params: withContent(body, { command: body.target }) }),
  mcp_tool: ({ target, args, content }) => ({
    kind: 'mcp.call',
    tool: target,
    params: args ?? {},
    ...(content === undefined ? {} : { content }),
  }),
  output_send: (body) => {
    if (body.content === undefined) throw refuse('INVALID_OUTPUT_SEND', 'what is sent must stand in `content`', '/content');
    return { kind: 'agent.message', params: { to: body.target, ...besides(body) }, content: body.content };
  },
};

function isCheckType(text: string): text is CheckType {
  return (CHECK_TYPES as readonly string[]).includes(text);
}

/** @throws HushdError where the body has not the form of a check. */
export function checkDraft(body: JsonObject, exactNumbers: readonly string[]): { readonly type: CheckType; readonly drafted: Drafted } {
  const type = needText(body, 'action_type');
  if (!isCheckType(type)) throw refuse('UNKNOWN_ACTION_TYPE', `an action type is one of ${CHECK_TYPES.join(', ')}`, '/action_type');
  const target = textField(body, 'target', LIMITS.hushdTargetCharsMax);
  if (target === undefined || target === '') throw refuse('INVALID_TARGET', 'the target is missing or empty', '/target');
  if (type === 'mcp_tool' && target.length > LIMITS.toolNameCharsMax)
    throw refuse('INVALID_TARGET', `a tool name has at most ${LIMITS.toolNameCharsMax} characters`, '/target');
  const content = textField(body, 'content', LIMITS.bodyBytesMax);
  const drafted = DRAFTS[type]({ target, content, args: field(body, 'args') });
  const numbers = movedNumbers(exactNumbers, [['/args', type === 'mcp_tool' ? '/params' : '/params/args']]);
  return { type, drafted: { ...drafted, ...(numbers.length === 0 ? {} : { exactNumbers: numbers }) } };
}

export interface AgentIdentity {
  readonly endpoint?: string;
  readonly runtime?: string;
  readonly runtimeKind?: string;
}

/** Who the client says is at the other end. Recorded, shown, and never believed. @throws HushdError. */
export function agentIdentity(body: JsonObject): AgentIdentity {
  const endpoint = textField(body, 'endpoint_agent_id') ?? textField(body, 'agent_id');
  const runtime = textField(body, 'runtime_agent_id');
  const runtimeKind = textField(body, 'runtime_agent_kind');
  if ((runtime === undefined) !== (runtimeKind === undefined))
    throw refuse('INVALID_AGENT_IDENTITY', '`runtime_agent_id` and `runtime_agent_kind` come together', '/runtime_agent_id');
  if (runtime !== undefined && endpoint === undefined)
    throw refuse('INVALID_AGENT_IDENTITY', 'a runtime agent needs an `endpoint_agent_id`', '/endpoint_agent_id');
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(runtimeKind === undefined ? {} : { runtimeKind }),
  };
}

/** What travels with the action as its origin: untrusted, and part of what is committed to. */
export function originOf(body: JsonObject, identity: AgentIdentity): JsonObject {
  const [plain, camel] = [objectField(body, 'origin'), objectField(body, 'originContext')];
  if (plain !== undefined && camel !== undefined) throw refuse('INVALID_BODY', 'the origin is given in two spellings', '/originContext');
  const origin = plain ?? camel;
  return {
    ...(origin === undefined ? {} : { origin }),
    ...(identity.endpoint === undefined ? {} : { endpoint_agent_id: identity.endpoint }),
    ...(identity.runtime === undefined ? {} : { runtime_agent_id: identity.runtime }),
    ...(identity.runtimeKind === undefined ? {} : { runtime_agent_kind: identity.runtimeKind }),
  };
}
