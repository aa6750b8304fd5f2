/**
 * @module Calls to brokered hosts, held against what their provider permits. Only what can be seen whole passes: an egress with its URL, method,
 * headers and body. This gateway puts no secret into calls and issues no capabilities (spec/policy.md POL-317).
 */

import { getOwn, isJsonObject, type JsonObject, type JsonValue, utf8Length } from '@countersign/kernel';
import { type Action, type Facts, type HostFact, RISK_LEVELS, type RiskLevel, type Span } from '@countersign/protocol';
import type { Broker, BrokerProvider } from './broker.ts';
import { fingerprint } from './guards/fingerprint.ts';
import { canonicalBytes } from './guards/mcp-tool.ts';
import { countOf, countUp, type OriginMemory } from './judge-origin.ts';

/** Providers by host. */
export type CompiledBroker = ReadonlyMap<string, readonly BrokerProvider[]>;

export function compileBroker({ providers }: Broker): CompiledBroker {
  const byHost = new Map<string, readonly BrokerProvider[]>();
  for (const provider of providers) byHost.set(provider.host, [...(byHost.get(provider.host) ?? []), provider]);
  return byHost;
}

export interface BrokerObjection {
  readonly code: string;
  readonly message: string;
  readonly evidence: readonly Span[];
  readonly provider: string;
  /** It would need somebody who can say yes, and nobody can. */
  readonly step: boolean;
}

export interface BrokerAnswer {
  readonly objections: readonly BrokerObjection[];
  /** The provider that let the call through; undefined where none did. */
  readonly provider: string | undefined;
  /** What the session remembers where the call is allowed; undefined: as before. */
  readonly counts: OriginMemory['counts'];
}

export interface BrokerQuestion {
  readonly action: Action;
  readonly facts: Facts;
  readonly kept: OriginMemory | undefined;
  /** Of the action, as it was scored; undefined where it was not, which is as bad as any. */
  readonly level: RiskLevel | undefined;
}

interface Call extends Address {
  readonly method: string;
  readonly headers: readonly string[];
  readonly body: JsonValue | undefined;
  readonly hash: string | undefined;
  readonly streams: boolean;
}

const PARTS: ReadonlySet<string> = new Set([
  'url',
  'host',
  'port',
  'protocol',
  'method',
  'headers',
  'body',
  'body_sha256',
  'stream',
  'content',
  'args',
]);
const URL_PARTS = /^(https?):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?/;
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** The members of a call: beside each other, or some of them under `args`. Undefined where one of them is none of a call. */
function membersOf({ kind, params, content, targetUrl }: Action): JsonObject | undefined {
  if (kind !== 'net.egress' || targetUrl !== undefined || !isJsonObject(params)) return undefined;
  const args = getOwn(params, 'args') ?? {};
  if (!isJsonObject(args) || Object.keys(args).some((key) => key === 'args' || Object.hasOwn(params, key))) return undefined;
  const { args: _, ...own } = params;
  const members: JsonObject = { ...own, ...args, ...(content === undefined ? {} : { content }) };
  return Object.keys(members).every((key) => PARTS.has(key)) ? members : undefined;
}

function headerNames(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  return isJsonObject(value) ? Object.keys(value).map((name) => name.toLowerCase()) : undefined;
}

function bodyOf(members: JsonObject): { readonly body: JsonValue | undefined } | undefined {
  const [body, content] = [getOwn(members, 'body'), getOwn(members, 'content')];
  return body !== undefined && content !== undefined ? undefined : { body: body ?? content };
}

/** One word for what two members say; undefined where they differ. */
function agrees(members: JsonObject, name: string, wanted: JsonValue): boolean {
  const said = getOwn(members, name);
  return said === undefined || said === wanted;
}

/** Where a call goes: its URL as a whole, and no other host beside it. Undefined where that cannot be told. */
function addressOf(members: JsonObject, { hosts }: Facts): HostFact | undefined {
  const url = getOwn(members, 'url');
  const fact = hosts.find(({ raw, url: read, access }) => raw === url && read !== undefined && access === 'connect');
  const host = getOwn(members, 'host');
  const same = host === undefined || (typeof host === 'string' && host.toLowerCase().replace(/\.$/, '') === fact?.host);
  return same ? fact : undefined;
}

interface Address {
  readonly scheme: string;
  readonly port: number;
  readonly path: string;
  readonly query: string;
}

function readAddress({ url = '', port }: HostFact): Address | undefined {
  const parts = URL_PARTS.exec(url);
  if (parts === null) return undefined;
  const [, scheme = '', , path = '', query = ''] = parts;
  return { scheme, port: port ?? PORTS[scheme] ?? 0, path: path === '' ? '/' : path, query };
}

/** What goes out beside the address. */
function readMessage(members: JsonObject): Omit<Call, keyof Address> | undefined {
  const [method, hash, streams] = [getOwn(members, 'method'), getOwn(members, 'body_sha256'), getOwn(members, 'stream') ?? false];
  const [headers, body] = [headerNames(getOwn(members, 'headers')), bodyOf(members)];
  if (typeof method !== 'string' || headers === undefined || body === undefined) return undefined;
  if (typeof streams !== 'boolean' || (hash !== undefined && typeof hash !== 'string')) return undefined;
  return { method: method.toUpperCase(), headers, body: body.body, hash, streams };
}

/** The call as it would go out; undefined where any of it cannot be seen. */
function readCall(members: JsonObject, fact: HostFact): Call | undefined {
  const address = readAddress(fact);
  const message = readMessage(members);
  if (address === undefined || message === undefined) return undefined;
  const same = agrees(members, 'port', address.port) && agrees(members, 'protocol', address.scheme);
  return same ? { ...address, ...message } : undefined;
}

type Refuse = (code: string, message: string, step?: boolean) => BrokerObjection;

function bodyBytes(body: JsonValue | undefined): number {
  if (body === undefined) return 0;
  return typeof body === 'string' ? utf8Length(body) : canonicalBytes(body);
}

/** Of a body that is a text; no other has bytes that anybody could hash. */
function isHashed({ body = '', hash }: Call): boolean {
  return typeof body === 'string' && hash?.toLowerCase() === fingerprint(body);
}

function* shapeObjections(provider: BrokerProvider, call: Call, refuse: Refuse): Generator<BrokerObjection> {
  if (call.port !== provider.port) yield refuse('port_not_allowed', 'the provider is not reached on this port');
  const paths = new Set(provider.exact_paths);
  if (!paths.has(call.path) && !paths.has(call.path + call.query)) yield refuse('path_not_allowed', 'the provider does not list this path');
  if (!provider.methods.some((method) => method === call.method))
    yield refuse('method_not_allowed', 'the provider does not list this method');
  if (!call.headers.every((name) => provider.allowed_headers.includes(name)))
    yield refuse('header_not_allowed', 'the provider does not list one of the headers');
  if (provider.max_body_bytes !== undefined && bodyBytes(call.body) > provider.max_body_bytes)
    yield refuse('body_too_large', `the body has more than ${String(provider.max_body_bytes)} bytes`);
  if (provider.require_body_sha256 && !isHashed(call)) yield refuse('body_hash_missing', '`body_sha256` must be the SHA-256 of the body');
  if (call.streams && !provider.stream_response) yield refuse('stream_not_allowed', 'the provider does not stream its responses');
}

/** From this level on a level of the list asks for an approval; the original has none above `high`. */
function needsApproval(levels: readonly RiskLevel[], level: RiskLevel | undefined): boolean {
  if (levels.length === 0) return false;
  return level === undefined || levels.includes(level) || (level === RISK_LEVELS.at(-1) && levels.includes('high'));
}

const CLASSES: ReadonlyMap<string, 'pii' | 'secrets'> = new Map([
  ['pii', 'pii'],
  ['personal_data', 'pii'],
  ['secret', 'secrets'],
  ['secrets', 'secrets'],
  ['credential', 'secrets'],
  ['credentials', 'secrets'],
]);

/** Whether it can be seen here that data is of a class. */
export function tellsClass(name: string): boolean {
  return CLASSES.has(name);
}

/** A class that nothing here can tell is taken to be there. */
function holdsClass(facts: Facts, name: string): boolean {
  const known = CLASSES.get(name);
  return known === undefined || facts.cuts.length > 0 || facts[known].length > 0;
}

function* stepObjections(provider: BrokerProvider, { facts, level, kept }: BrokerQuestion, refuse: Refuse): Generator<BrokerObjection> {
  if (provider.require_intent_preview) yield refuse('preview_required', 'the call needs a preview that somebody approved', true);
  if (needsApproval(provider.approval_required_risk_levels, level))
    yield refuse('approval_required_risk', 'a call of this risk needs an approval', true);
  if (provider.approval_required_data_classes.some((name) => holdsClass(facts, name)))
    yield refuse('approval_required_data', 'a call with data of such a class needs an approval', true);
  const max = provider.max_executions;
  if (max !== undefined && countOf(kept, countKey(provider)) >= max)
    yield refuse('executions_exhausted', `the provider was called ${String(max)} times in this session`);
}

const countKey = ({ name }: BrokerProvider): string => `broker/${name}`;

/** A call that goes to a brokered host; `call` is undefined where it cannot be read. */
interface Reached {
  readonly fact: HostFact;
  readonly call: Call | undefined;
}

const UNREADABLE = 'a brokered host is reached by an egress with its whole URL, its method, headers and body, and nothing else';

function objectionsOf(provider: BrokerProvider, { fact, call }: Reached, question: BrokerQuestion): readonly BrokerObjection[] {
  const refuse: Refuse = (code, message, step = false) => ({ code, message, evidence: [fact.span], provider: provider.name, step });
  if (call === undefined) return [refuse('call_unreadable', UNREADABLE)];
  return [...shapeObjections(provider, call, refuse), ...stepObjections(provider, question, refuse)];
}

function counted(provider: BrokerProvider, { fact }: Reached, { kept }: BrokerQuestion): BrokerAnswer {
  if (provider.max_executions === undefined) return { objections: [], provider: provider.name, counts: undefined };
  const counts = countUp(kept, [countKey(provider)]);
  if (counts !== 'full') return { objections: [], provider: provider.name, counts };
  const message = 'the session counts too many providers';
  const full = { code: 'executions_uncounted', message, evidence: [fact.span], provider: provider.name, step: false };
  return { objections: [full], provider: undefined, counts: undefined };
}

/** What all that list the host have against the call; the ones nearest to letting it through speak. */
function judgeReached(providers: readonly BrokerProvider[], reached: Reached, question: BrokerQuestion): BrokerAnswer {
  let nearest: readonly BrokerObjection[] | undefined;
  for (const provider of providers) {
    const objections = objectionsOf(provider, reached, question);
    if (objections.length === 0) return counted(provider, reached, question);
    const isNearer = nearest === undefined || (objections.every(({ step }) => step) && !nearest.every(({ step }) => step));
    if (isNearer) nearest = objections;
  }
  return { objections: nearest ?? [], provider: undefined, counts: undefined };
}

function unread(provider: string): BrokerAnswer {
  const message = 'not every host of the action could be read, and some hosts are brokered';
  return { objections: [{ code: 'hosts_unread', message, evidence: [], provider, step: false }], provider: undefined, counts: undefined };
}

/** Undefined where the action reaches no brokered host. */
export function judgeBroker(broker: CompiledBroker, question: BrokerQuestion): BrokerAnswer | undefined {
  const { action, facts } = question;
  if (facts.cuts.includes('hosts')) return unread('');
  const named = facts.hosts.find(({ access, host }) => access === 'connect' && broker.has(host));
  if (named === undefined) return undefined;
  const members = membersOf(action);
  const fact = members === undefined ? undefined : addressOf(members, facts);
  if (members === undefined || fact === undefined)
    return judgeReached(broker.get(named.host) ?? [], { fact: named, call: undefined }, question);
  const providers = broker.get(fact.host);
  // The address is that of another host: a brokered one that only its body names is data.
  return providers === undefined ? undefined : judgeReached(providers, { fact, call: readCall(members, fact) }, question);
}
