import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { POLICY_EVENT_TYPES, POLICY_LIMITS, type PolicyEvent, readPolicyEvent } from '@countersign/policy';
import { isActionKind } from '@countersign/protocol';

function event(eventType: string, data: JsonObject, more: JsonObject = {}): JsonObject {
  return { eventId: 'e1', eventType, timestamp: '2026-01-01T00:00:00Z', data, ...more };
}

function read(value: JsonValue): PolicyEvent {
  const result = readPolicyEvent(value);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.path ?? ''}`);
  return result.value;
}

function codeOf(value: JsonValue): string {
  const result = readPolicyEvent(value);
  return result.ok ? 'read' : `${result.error.code} ${result.error.path ?? ''}`.trim();
}

const DATA: Readonly<Record<string, JsonObject>> = {
  file_read: { type: 'file', path: '/a' },
  file_write: { type: 'file', path: '/a', content: 'x' },
  network_egress: { type: 'network', host: 'a.example', port: 443, protocol: 'tcp', url: 'https://a.example/x' },
  command_exec: { type: 'command', command: 'ls', args: ['-l', "it's"] },
  patch_apply: { type: 'patch', filePath: '/a', patchContent: '+x' },
  tool_call: { type: 'tool', toolName: 'fs__read', parameters: { path: '/a' } },
  secret_access: { type: 'secret', secretName: 'KEY', scope: 'env' },
  custom: { type: 'custom', customType: 'untrusted_text', text: 'hello' },
};
const dataOf = (type: string): JsonObject => DATA[type] ?? { type: 'cua', cuaAction: 'x' };

describe('POL-274 policy events', () => {
  it.each(POLICY_EVENT_TYPES.map((type) => [type]))('%s becomes an action of a kind that the judge knows', (type) => {
    const { action, unseen } = read(event(type, dataOf(type)));
    expect(isActionKind(action.kind)).toBe(true);
    expect(unseen).toBeUndefined();
  });

  it.each([
    ['file_read', { kind: 'file.read', params: { path: '/a' } }],
    ['file_write', { kind: 'file.write', params: { path: '/a' }, content: 'x' }],
    ['network_egress', { kind: 'net.egress', params: { host: 'a.example', port: 443, protocol: 'tcp', url: 'https://a.example/x' } }],
    ['command_exec', { kind: 'shell.exec', params: { command: `ls -l 'it'"'"'s'` } }],
    ['patch_apply', { kind: 'file.patch', params: { path: '/a', patch: '+x' } }],
    ['tool_call', { kind: 'mcp.call', tool: 'fs__read', params: { path: '/a' } }],
    ['secret_access', { kind: 'secret.access', params: { secret_name: 'KEY', scope: 'env' } }],
    ['custom', { kind: 'tool.response', content: 'hello' }],
    ['remote.clipboard', { kind: 'remote.clipboard', params: { type: 'cua', cuaAction: 'x' } }],
  ])('%s is mapped to its action', (type, action) => expect(read(event(type, dataOf(type))).action).toEqual(action));

  it('snake case says the same as camel case', () => {
    const camel = event('patch_apply', { type: 'patch', filePath: '/a', patchContent: '+x' }, { sessionId: 's' });
    const snake = { event_id: 'e1', event_type: 'patch_apply', timestamp: '2026-01-01T00:00:00Z', session_id: 's' };
    expect(read({ ...snake, data: { type: 'patch', file_path: '/a', patch_content: '+x' } })).toEqual(read(camel));
  });

  it('a whole command line without arguments stays as it is', () => {
    expect(read(event('command_exec', { type: 'command', command: 'cat a | sh' })).action.params).toEqual({ command: 'cat a | sh' });
  });

  it('content in base64 is judged as what it holds, with and without padding', () => {
    const write = (contentBase64: string): JsonValue => event('file_write', { type: 'file', path: '/a', contentBase64 });
    expect(read(write('aGk=')).action.content).toBe('hi');
    expect(read(write('aGk')).action.content).toBe('hi');
    expect(codeOf(write('a*'))).toBe('event_field data.contentBase64');
  });

  it.each([
    ['file_write', { type: 'file', path: '/a', contentHash: 'sha256:00' }, 'missing_content_bytes'],
    ['patch_apply', { type: 'patch', filePath: '/a' }, 'missing_patch_text'],
  ])('a %s whose content is not there says so', (type, data, unseen) => expect(read(event(type, data)).unseen).toBe(unseen));

  it.each([
    ['an unknown type', event('file_chown', DATA['file_read'] ?? {}), 'event_type_unknown eventType'],
    ['an unknown member of a family', event('remote.exec', { type: 'cua' }), 'event_type_unknown eventType'],
    ['an unknown custom type', event('custom', { type: 'custom', customType: 'note', text: 'x' }), 'event_custom_unknown data.customType'],
    ['data of another type', event('file_read', { type: 'command', path: '/a' }), 'event_data_type data.type'],
    ['data without a type', event('file_read', { path: '/a' }), 'event_data_type data.type'],
    ['no data', { eventId: 'e', eventType: 'file_read' }, 'event_field data'],
    ['no id', { eventType: 'file_read', data: { type: 'file', path: '/a' } }, 'event_field eventId'],
    ['an empty path', event('file_read', { type: 'file', path: '' }), 'event_field data.path'],
    ['two spellings that differ', event('tool_call', { type: 'tool', toolName: 'a', tool_name: 'b' }), 'event_field data.toolName'],
    [
      'content given twice',
      event('file_write', { type: 'file', path: '/a', content: 'x', contentBase64: 'aGk=' }),
      'event_field data.contentBase64',
    ],
    ['a port that is none', event('network_egress', { type: 'network', host: 'a', port: 70_000 }), 'event_field data.port'],
    ['arguments that are no list', event('command_exec', { type: 'command', command: 'ls', args: 'x' }), 'event_field data.args'],
    [
      'text given in two members that differ',
      event('custom', { type: 'custom', customType: 'user_input', text: 'a', content: 'b' }),
      'event_field data.text',
    ],
    ['text that is missing', event('custom', { type: 'custom', customType: 'user_input' }), 'event_field data.text'],
    ['a list', [], 'event_form'],
    ['a key of every object', event('constructor', {}), 'event_type_unknown eventType'],
  ])('%s is refused', (_name, value, code) => expect(codeOf(value)).toBe(code));

  it('POL-279 a command has as many arguments as the limit, and not one more', () => {
    const args = (count: number): JsonValue =>
      event('command_exec', { type: 'command', command: 'ls', args: Array<string>(count).fill('a') });
    expect(codeOf(args(POLICY_LIMITS.eventArgsMax))).toBe('read');
    expect(codeOf(args(POLICY_LIMITS.eventArgsMax + 1))).toBe('event_too_large data.args');
  });

  it('pointers of exact numbers follow what was moved', () => {
    const value = event('tool_call', { type: 'tool', toolName: 't', parameters: { id: '9007199254740993' } });
    const result = readPolicyEvent(value, ['/data/parameters/id', '/metadata/x']);
    expect(result.ok && result.value.action.exactNumbers).toEqual(['/params/id']);
    const bare = readPolicyEvent(event('tool_call', { type: 'tool', toolName: 't', parameters: '1e999' }), ['/data/parameters']);
    expect(bare.ok && bare.value.action.exactNumbers).toEqual(['/params']);
  });

  it.each([
    ['file_chown', { type: 'file', path: '/a' }, 'custom.file_chown'],
    ['custom', { type: 'custom', customType: 'a b/c' }, 'custom.a?b?c'],
    ['remote.exec', {}, 'custom.remote.exec'],
    ['y'.repeat(80), {}, `custom.${'y'.repeat(57)}`],
  ])('for who records it, %s %j is a kind that no judge knows, with all that it holds', (type, data, kind) => {
    const result = readPolicyEvent(event(type, data), [], 'unknown-kind');
    expect(result).toMatchObject({ ok: true, value: { action: { kind, params: data } } });
    expect(isActionKind(kind)).toBe(false);
    expect(readPolicyEvent(event(type, data)).ok).toBe(false);
  });
});
