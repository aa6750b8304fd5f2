/**
 * @module A PolicyEvent of Clawdstrike as an action: what `policy test`, `eval`, `simulate` and `impact` read, one event a line. Closed: an event
 * type, a kind of data or a custom type that nobody knows is a fault, and a fault is a denial (POL-270).
 */
import { fromBase64 } from '@countersign/crypto';
import { err, isJsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { Action } from '@countersign/protocol';
import { EventFields, type PolicyEventFault, refuseEvent } from './policy-event-fields.ts';

/** The one platform type this floor needs; every JavaScript runtime has it. */
declare const TextDecoder: new (label: string) => { decode(bytes: Uint8Array): string };

/** What of an event becomes the action; who acts is filled in by whoever judges. */
export type EventAction = Pick<Action, 'kind' | 'tool' | 'params' | 'content' | 'exactNumbers' | 'origin'>;

export interface PolicyEvent {
  readonly id: string;
  /** As written: `file_read`, `remote.clipboard`, ... */
  readonly type: string;
  /** As written; undefined where the event has none. */
  readonly time: string | undefined;
  readonly session: string | undefined;
  readonly action: EventAction;
  /** What the action is about, for a list: a path, a host, a command, a tool. */
  readonly resource: { readonly name: string; readonly kind: EventResource };
  /** What the event does not hold and the judge would need: nothing was seen there, so nothing can be said for it. */
  readonly unseen: PolicyEventUnseen | undefined;
}

export type EventResource = 'file' | 'network' | 'process' | 'tool' | 'configuration' | 'custom';
export type PolicyEventUnseen = 'missing_content_bytes' | 'missing_patch_text';

interface Mapped {
  readonly action: EventAction;
  readonly resource: PolicyEvent['resource'];
  readonly unseen?: PolicyEventUnseen;
  /** Places of the event that went to other places of the action. */
  readonly moved?: readonly (readonly [from: string, to: string])[];
}

type Mapper = (data: EventFields, type: string) => Mapped;

function contentOf(data: EventFields): string | undefined {
  const plain = data.text(['content']);
  const packed = data.text(['contentBase64', 'content_base64']);
  if (packed === undefined) return plain;
  const bytes = fromBase64(packed.padEnd(Math.ceil(packed.length / 4) * 4, '='));
  if (bytes === undefined) throw data.fault('event_field', 'the content is not base64', 'contentBase64');
  // Bytes that are no text are judged as the characters they are replaced by.
  const unpacked = new TextDecoder('utf-8').decode(bytes);
  if (plain !== undefined && plain !== unpacked) {
    throw data.fault('event_field', 'the content is given twice, and differently', 'contentBase64');
  }
  return unpacked;
}

function fileRead(data: EventFields): Mapped {
  const path = data.need(['path']);
  return { action: { kind: 'file.read', params: { path } }, resource: { name: path, kind: 'file' } };
}

function fileWrite(data: EventFields): Mapped {
  const path = data.need(['path']);
  const content = contentOf(data);
  const resource = { name: path, kind: 'file' } as const;
  if (content === undefined) return { action: { kind: 'file.write', params: { path } }, resource, unseen: 'missing_content_bytes' };
  return { action: { kind: 'file.write', params: { path }, content }, resource };
}

function port(data: EventFields): number | undefined {
  const value = data.value(['port']);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw data.fault('event_field', 'a port is a whole number from 0 to 65535', 'port');
}

/** Host and URL are both judged: neither can hide behind the other. */
function egress(data: EventFields): Mapped {
  const host = data.need(['host']);
  const [at, protocol, url] = [port(data), data.text(['protocol']), data.text(['url'])];
  const params = {
    host,
    ...(at === undefined ? {} : { port: at }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(url === undefined ? {} : { url }),
  };
  return { action: { kind: 'net.egress', params }, resource: { name: host, kind: 'network' } };
}

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'"'"'`)}'`;
}

/** Without arguments it may be a whole line; with some it is one word, and the line is what a shell would read. */
function command(data: EventFields): Mapped {
  const name = data.need(['command']);
  const args = data.texts(['args']);
  const line = args.length === 0 ? name : [name, ...args].map(quoted).join(' ');
  return { action: { kind: 'shell.exec', params: { command: line } }, resource: { name, kind: 'process' } };
}

function patch(data: EventFields): Mapped {
  const path = data.need(['filePath', 'file_path']);
  const content = data.text(['patchContent', 'patch_content']);
  const resource = { name: path, kind: 'file' } as const;
  if (content === undefined) return { action: { kind: 'file.patch', params: { path } }, resource, unseen: 'missing_patch_text' };
  return { action: { kind: 'file.patch', params: { path, patch: content } }, resource };
}

function tool(data: EventFields): Mapped {
  const name = data.need(['toolName', 'tool_name']);
  const params = data.value(['parameters']) ?? {};
  const action = { kind: 'mcp.call', tool: name, params };
  return { action, resource: { name, kind: 'tool' }, moved: [['/data/parameters', '/params']] };
}

function secret(data: EventFields): Mapped {
  const name = data.need(['secretName', 'secret_name']);
  const scope = data.text(['scope']);
  const params = { secret_name: name, ...(scope === undefined ? {} : { scope }) };
  return { action: { kind: 'secret.access', params }, resource: { name, kind: 'configuration' } };
}

/** Custom types that somebody judges: text that came in, text that a user typed, and text that is sent to where the agent was asked. */
const TEXT_KINDS: ReadonlyMap<string, string> = new Map([
  ['untrusted_text', 'tool.response'],
  ['hushclaw.untrusted_text', 'tool.response'],
  ['user_input', 'prompt.input'],
  ['hushclaw.user_input', 'prompt.input'],
  ['origin.output_send', 'agent.message'],
]);

function custom(data: EventFields): Mapped {
  const name = data.need(['customType', 'custom_type']);
  const kind = TEXT_KINDS.get(name);
  if (kind === undefined) {
    if (COMPUTER_USE.has(name)) return computerUse(data, name);
    throw data.fault('event_custom_unknown', 'nothing judges this custom type', 'customType');
  }
  const content = data.text(['text']) ?? data.text(['payload']) ?? data.text(['content']);
  if (content === undefined) throw data.fault('event_field', 'the text is missing', 'text');
  return { action: { kind, content }, resource: { name, kind: 'custom' } };
}

/** Events of computer use: their type is their kind. */
const COMPUTER_USE: ReadonlySet<string> = new Set([
  'remote.session.connect',
  'remote.session.disconnect',
  'remote.session.reconnect',
  'input.inject',
  'remote.clipboard',
  'remote.file_transfer',
  'remote.audio',
  'remote.drive_mapping',
  'remote.printing',
  'remote.session_share',
]);

function computerUse(data: EventFields, type: string): Mapped {
  return { action: { kind: type, params: data.all }, resource: { name: type, kind: 'custom' }, moved: [['/data', '/params']] };
}

interface EventKind {
  /** What `data.type` may be. */
  readonly data: readonly string[];
  readonly map: Mapper;
}

const KINDS: ReadonlyMap<string, EventKind> = new Map<string, EventKind>([
  ['file_read', { data: ['file'], map: fileRead }],
  ['file_write', { data: ['file'], map: fileWrite }],
  ['network_egress', { data: ['network'], map: egress }],
  ['command_exec', { data: ['command'], map: command }],
  ['patch_apply', { data: ['patch'], map: patch }],
  ['tool_call', { data: ['tool'], map: tool }],
  ['secret_access', { data: ['secret'], map: secret }],
  ['custom', { data: ['custom'], map: custom }],
  ...[...COMPUTER_USE].map((type) => [type, { data: ['cua', 'custom'], map: computerUse }] as const),
]);

/** Every event type there is. */
export const POLICY_EVENT_TYPES: readonly string[] = [...KINDS.keys()];

function movedNumbers(exact: readonly string[], moved: Mapped['moved']): readonly string[] {
  return (moved ?? []).flatMap(([from, to]) =>
    exact.filter((path) => path.startsWith(`${from}/`)).map((path) => `${to}${path.slice(from.length)}`),
  );
}

function mapEvent(event: EventFields, exact: readonly string[]): PolicyEvent {
  const type = event.need(['eventType', 'event_type']);
  const kind = KINDS.get(type);
  if (kind === undefined) throw event.fault('event_type_unknown', 'nobody knows this type of event', 'eventType');
  const data = event.object('data');
  const dataType = data.text(['type']);
  if (dataType === undefined || !kind.data.includes(dataType)) {
    throw data.fault('event_data_type', `the data of such an event has the type ${kind.data.join(' or ')}`, 'type');
  }
  const { action, resource, unseen, moved } = kind.map(data, type);
  const numbers = movedNumbers(exact, moved);
  return {
    id: event.need(['eventId', 'event_id']),
    type,
    time: event.text(['timestamp']),
    session: event.text(['sessionId', 'session_id']),
    action: { ...action, ...(numbers.length === 0 ? {} : { exactNumbers: numbers }), ...originOf(event) },
    resource,
    unseen,
  };
}

/** Where it was asked, as the client says: beside the data or among the metadata. */
function originOf(event: EventFields): Pick<EventAction, 'origin'> {
  const metadata = event.value(['metadata']);
  const claim =
    event.value(['origin', 'originContext']) ??
    (isJsonObject(metadata) ? new EventFields(metadata, 'metadata').value(['origin', 'originContext']) : undefined);
  return claim === undefined ? {} : { origin: { origin: claim } };
}

/**
 * Reads one event. Total: whatever is wrong with it is a fault that names the place.
 * @param exactNumbers Pointers into `value` as the JSON parser gives them.
 */
export function readPolicyEvent(value: JsonValue, exactNumbers: readonly string[] = []): Result<PolicyEvent, PolicyEventFault> {
  if (!isJsonObject(value)) return err({ code: 'event_form', message: 'an event is a JSON object', path: '' });
  try {
    return ok(mapEvent(new EventFields(value, ''), exactNumbers));
  } catch (thrown) {
    const fault = refuseEvent(thrown);
    if (fault === undefined) throw thrown;
    return err(fault);
  }
}
