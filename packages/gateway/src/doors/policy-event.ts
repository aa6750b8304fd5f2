/**
 * @module A PolicyEvent of Clawdstrike -> action: `POST /api/v1/eval`, and whoever replays their events. What an event is follows from
 * its type alone, the data must be of that type, and a type nobody knows becomes a kind that is denied.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { type Drafted, type Moved, movedNumbers } from './hushd-draft.ts';
import { either, field, needText, objectField, refuse, textField } from './hushd-fields.ts';

export interface PolicyEvent {
  readonly id: string;
  readonly type: string;
  readonly session: string | undefined;
  readonly drafted: Drafted;
  /** Why nothing speaks against it although not all of it was seen: `missing_content_bytes`. */
  readonly reason?: string;
}

interface Mapped {
  readonly drafted: Drafted;
  readonly moves?: readonly Moved[];
  readonly reason?: string;
}

/** Events of computer use whose type is their kind. */
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

/** Which `data.type` each event has. */
const DATA_TYPE: Readonly<Record<string, string>> = {
  file_read: 'file',
  file_write: 'file',
  network_egress: 'network',
  command_exec: 'command',
  patch_apply: 'patch',
  tool_call: 'tool',
  secret_access: 'secret',
  custom: 'custom',
};

const KIND_CHARS_MAX = 64;
const UNKNOWN = 'custom.';

/** A kind that no judge knows, with the name it came by as far as a kind can hold it. */
function unknownKind(name: string): string {
  return `${UNKNOWN}${name.replaceAll(/[^A-Za-z0-9_.:-]/g, '?')}`.slice(0, KIND_CHARS_MAX);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** The text of a file: as it stands, or out of base64. Bytes that are no text are judged as the characters they are replaced by. */
function contentOf(data: JsonObject): string | undefined {
  const plain = textField(data, 'content', LIMITS.bodyBytesMax);
  const packed = textField(data, either(data, ['contentBase64', 'content_base64']), LIMITS.bodyBytesMax);
  if (packed === undefined) return plain;
  if (!BASE64.test(packed)) throw refuse('INVALID_EVENT', 'the content is not base64', '/data/contentBase64');
  const unpacked = Buffer.from(packed, 'base64').toString('utf8');
  if (plain !== undefined && plain !== unpacked)
    throw refuse('INVALID_EVENT', 'the content is given twice, and differently', '/data/contentBase64');
  return unpacked;
}

function fileRead(data: JsonObject): Mapped {
  return { drafted: { kind: 'file.read', params: { path: needText(data, 'path', LIMITS.hushdTargetCharsMax) } } };
}

function fileWrite(data: JsonObject): Mapped {
  const params = { path: needText(data, 'path', LIMITS.hushdTargetCharsMax) };
  const content = contentOf(data);
  if (content === undefined) return { drafted: { kind: 'file.write', params }, reason: 'missing_content_bytes' };
  return { drafted: { kind: 'file.write', params, content } };
}

/** Host and URL are both judged: neither can hide behind the other. */
function egress(data: JsonObject): Mapped {
  const host = needText(data, 'host', LIMITS.hushdTargetCharsMax);
  const url = textField(data, 'url', LIMITS.targetUrlCharsMax);
  const port = field(data, 'port');
  const protocol = textField(data, 'protocol');
  return {
    drafted: {
      kind: 'net.egress',
      params: {
        host,
        ...(port === undefined ? {} : { port }),
        ...(protocol === undefined ? {} : { protocol }),
        ...(url === undefined ? {} : { url }),
      },
    },
  };
}

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'"'"'`)}'`;
}

function command(data: JsonObject): Mapped {
  const name = needText(data, 'command', LIMITS.hushdTargetCharsMax);
  const args = field(data, 'args') ?? [];
  if (!Array.isArray(args) || args.some((arg: JsonValue) => typeof arg !== 'string'))
    throw refuse('INVALID_EVENT', 'the arguments of a command are a list of strings', '/data/args');
  // Every member was seen to be a string.
  const words = args as readonly string[];
  // Without arguments it may be a whole line; with some it is one word, and the line is what a shell would read.
  const line = words.length === 0 ? name : [name, ...words].map(quoted).join(' ');
  return { drafted: { kind: 'shell.exec', params: { command: line } } };
}

function patch(data: JsonObject): Mapped {
  const path = needText(data, either(data, ['filePath', 'file_path']), LIMITS.hushdTargetCharsMax);
  const content = textField(data, either(data, ['patchContent', 'patch_content']), LIMITS.bodyBytesMax);
  return { drafted: { kind: 'file.patch', params: { path }, ...(content === undefined ? {} : { content }) } };
}

function tool(data: JsonObject): Mapped {
  const name = needText(data, either(data, ['toolName', 'tool_name']));
  return {
    drafted: { kind: 'mcp.call', tool: name, params: field(data, 'parameters') ?? {} },
    moves: [['/data/parameters', '/params']],
  };
}

function secret(data: JsonObject): Mapped {
  const name = needText(data, either(data, ['secretName', 'secret_name']));
  const scope = textField(data, 'scope');
  return { drafted: { kind: 'secret.access', params: { secret_name: name, ...(scope === undefined ? {} : { scope }) } } };
}

/** Text of a custom event: the text itself, in the two shapes that it comes in. */
function customText(data: JsonObject): string {
  const payload = field(data, 'payload');
  return typeof payload === 'string' ? payload : needText(data, 'text', LIMITS.bodyBytesMax);
}

const TEXT_KINDS: Readonly<Record<string, string>> = {
  untrusted_text: 'tool.response',
  'hushclaw.untrusted_text': 'tool.response',
  user_input: 'prompt.input',
  'hushclaw.user_input': 'prompt.input',
};

function custom(data: JsonObject): Mapped {
  const name = needText(data, either(data, ['customType', 'custom_type']));
  const kind = Object.hasOwn(TEXT_KINDS, name) ? TEXT_KINDS[name] : undefined;
  if (kind !== undefined) return { drafted: { kind, content: customText(data) } };
  return computerUse(name, data);
}

function computerUse(type: string, data: JsonObject): Mapped {
  return {
    drafted: { kind: COMPUTER_USE.has(type) ? type : unknownKind(type), params: data },
    moves: [['/data', '/params']],
  };
}

const MAPPERS: Readonly<Record<string, (data: JsonObject) => Mapped>> = {
  file_read: fileRead,
  file_write: fileWrite,
  network_egress: egress,
  command_exec: command,
  patch_apply: patch,
  tool_call: tool,
  secret_access: secret,
  custom,
};

function mapped(type: string, data: JsonObject): Mapped {
  const mapper = Object.hasOwn(MAPPERS, type) ? MAPPERS[type] : undefined;
  if (mapper === undefined) return computerUse(type, data);
  const dataType = needText(data, 'type');
  if (dataType !== DATA_TYPE[type]) throw refuse('INVALID_EVENT', 'the data is of another type than the event', '/data/type');
  return mapper(data);
}

/** Reads one event. `exactNumbers` are pointers into it. @throws HushdError where it has not the form of one. */
export function readPolicyEvent(event: JsonObject, exactNumbers: readonly string[]): PolicyEvent {
  const type = needText(event, either(event, ['eventType', 'event_type']));
  const id = needText(event, either(event, ['eventId', 'event_id']));
  const session = textField(event, either(event, ['sessionId', 'session_id']));
  const data = objectField(event, 'data');
  if (data === undefined) throw refuse('INVALID_EVENT', 'the event has no data', '/data');
  const { drafted, moves = [], reason } = mapped(type, data);
  const numbers = movedNumbers(exactNumbers, moves);
  return {
    id,
    type,
    session,
    drafted: { ...drafted, ...(numbers.length === 0 ? {} : { exactNumbers: numbers }) },
    ...(reason === undefined ? {} : { reason }),
  };
}
