/**
 * @module Guards of the operator in WebAssembly. They run before the judge, fenced in, and what they said is recorded; the judge reads it and
 * runs nothing. A guard that failed, in whatever way, denies. What a guard says of itself goes to the caller, never to the log.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { type Action, type GuardQuestion, type GuardResult, type HostFact, SEVERITIES, type Severity } from '@countersign/protocol';
import { POLICY_LIMITS } from '../limits.ts';
import { writtenTexts } from './body-texts.ts';
import { ASYNC_DEFAULTS } from './async-settings.ts';
import { type AnswerTo, type OutsideGuard, unavailable } from './outside-guard.ts';
import type { WasmGuardConfig } from './custom-guards-config.ts';
import { touchedPaths } from './forbidden-path.ts';
import { closedObject, questionOf, worstResult } from './outside-answers.ts';
import { allow, blind, type GuardContext } from './result.ts';

/** Names of actions as such guards know them. */
const ACTION_TYPES: ReadonlyMap<string, string> = new Map([
  ['file.read', 'file_access'],
  ['file.write', 'file_write'],
  ['file.patch', 'patch'],
  ['net.egress', 'network_egress'],
  ['shell.exec', 'shell_command'],
  ['tool.call', 'mcp_tool'],
  ['mcp.call', 'mcp_tool'],
  ['db.query', 'mcp_tool'],
]);

function firstText(action: Action, ...names: readonly string[]): string | null {
  const { params, content } = action;
  for (const name of names) {
    const value = isJsonObject(params) ? getOwn(params, name) : undefined;
    if (typeof value === 'string') return value;
  }
  return content ?? null;
}

function hostData(host: HostFact | undefined): JsonObject {
  return host === undefined ? { host: null, port: null } : { host: host.host, port: host.port ?? (host.scheme === 'http' ? 80 : 443) };
}

/** What is written, whole or as a patch. */
function fileData(type: string, context: GuardContext): JsonObject {
  const file = touchedPaths(context)[0]?.normalized ?? null;
  if (type === 'file_access') return { type, path: file };
  const written = writtenTexts(context)[0]?.text.text ?? null;
  if (type === 'patch') return { type, file, diff: written };
  return { type, path: file, content_length: written?.length ?? null, content_utf8: written };
}

/** What the original gives a guard, by the type of the action; read from what the action means. */
const DATA: ReadonlyMap<string, (type: string, context: GuardContext) => JsonObject> = new Map([
  ['file_access', fileData],
  ['file_write', fileData],
  ['patch', fileData],
  ['network_egress', (type, { facts }) => ({ type, ...hostData(facts.hosts.find(({ access }) => access === 'connect')) })],
  ['shell_command', (type, { action }) => ({ type, command: firstText(action, 'command', 'cmd', 'script') })],
  ['mcp_tool', (type, { action }) => ({ type, toolName: action.tool ?? action.kind, parameters: action.params ?? {} })],
]);

function dataOf(type: string, context: GuardContext): JsonObject {
  const { kind, params = {} } = context.action;
  return DATA.get(type)?.(type, context) ?? { type: kind, data: params };
}

/** The whole action stands beside what the original gives: nothing that is judged is hidden from a guard. */
function payloadOf(type: string, context: GuardContext): JsonObject {
  const { action } = context;
  return {
    eventType: type,
    data: dataOf(type, context),
    context: { cwd: null, session_id: action.session, agent_id: action.agent },
    action: {
      kind: action.kind,
      ...(action.tool !== undefined && { tool: action.tool }),
      ...(action.params !== undefined && { params: action.params }),
      ...(action.content !== undefined && { content: action.content }),
    },
  };
}

function asked(config: WasmGuardConfig, context: GuardContext): GuardQuestion {
  const type = ACTION_TYPES.get(context.action.kind) ?? 'custom';
  const { sha256, capabilities, config: own } = config;
  return questionOf(nameOf(config), { action_type: type, payload: payloadOf(type, context) }, { sha256, capabilities, config: own });
}

/** A name of its own, so that no package can speak as a built-in guard. */
function nameOf(config: WasmGuardConfig): `custom.${string}` {
  return `custom.${config.package}`;
}

const SAID = ['guard', 'allowed', 'severity', 'message', 'details'] as const;

function readOne(report: `custom.${string}`, value: JsonValue): GuardResult | undefined {
  const said = closedObject(value, SAID);
  if (said === undefined) return undefined;
  const [guard, allowed, severity, message] = SAID.map((name) => getOwn(said, name));
  if (typeof guard !== 'string' || typeof allowed !== 'boolean' || typeof message !== 'string') return undefined;
  const known: Severity | undefined = SEVERITIES.find((one) => one === severity);
  if (known === undefined || message.length > POLICY_LIMITS.guardMessageCharsMax) return undefined;
  const details = { guard, said: getOwn(said, 'details') ?? null };
  return { guard: report, allowed, severity: known, code: allowed ? 'allowed' : 'refused', message, details, evidence: [] };
}

/** What its guards said; undefined where it is not of the form that the host gives. */
function readAnswer(report: `custom.${string}`, answer: JsonValue): readonly GuardResult[] | undefined {
  const value = closedObject(answer, ['sha256', 'guards']);
  const guards = value === undefined ? undefined : getOwn(value, 'guards');
  if (!Array.isArray(guards)) return undefined;
  const results = (guards as readonly JsonValue[]).flatMap((one) => readOne(report, one) ?? []);
  return results.length === guards.length ? results : undefined;
}

/** Bounds that cut off something which a guard is shown. */
const HIDES: ReadonlySet<string> = new Set(['texts', 'bytes', 'paths', 'hosts']);

/** Whatever the policy says elsewhere: a guard of the operator that fails denies. */
const FAILS = { ...ASYNC_DEFAULTS, on_timeout: 'deny' } as const;

export function wasmGuard(config: WasmGuardConfig): OutsideGuard {
  const report = nameOf(config);
  return {
    guard: report,
    questions: (context) => [asked(config, context)],
    judge(context: GuardContext, answerTo: AnswerTo): GuardResult | undefined {
      if (context.facts.cuts.some((cut) => HIDES.has(cut))) return blind(report, 'More than can be shown to a guard', 'facts_cut');
      const answered = answerTo(asked(config, context));
      if (answered.status === 'unavailable') return unavailable(report, FAILS, answered.reason);
      const { answer } = answered;
      // An answer of another package than the one that the policy names is none.
      const own = isJsonObject(answer) && getOwn(answer, 'sha256') === config.sha256;
      const results = own ? readAnswer(report, answer) : undefined;
      if (results === undefined) return unavailable(report, FAILS, 'answer_malformed');
      return worstResult(results) ?? allow(report, { code: 'not_handled' });
    },
  };
}
