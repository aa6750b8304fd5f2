import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { isUuid, type JsonObject } from '@countersign/kernel';
import { isActionKind } from '@countersign/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { corporaFolder, type CorpusRow, familyFiles, isApart, isExcluded, readFamily } from '../../bench/corpora.ts';
import { actionOfRow } from '../../bench/corpus-action.ts';

function row(kind: string, rest: Partial<CorpusRow> = {}): CorpusRow {
  return { id: 'row-1', family: 'own', label: 'attack', kind, text: 'hello', meta: {}, ...rest };
}

describe('a corpus row as an action', () => {
  const expected: readonly [string, JsonObject, object][] = [
    ['shell', {}, { kind: 'shell.exec', params: { command: 'hello' } }],
    ['sql', {}, { kind: 'db.query', params: { query: 'hello' } }],
    ['path', {}, { kind: 'file.read', params: { path: 'hello' } }],
    ['url', {}, { kind: 'net.egress', params: { url: 'hello' } }],
    ['html', {}, { kind: 'tool.call', params: { input: 'hello' } }],
    ['tool_arg', {}, { kind: 'tool.call', params: { input: 'hello' } }],
    ['prompt', {}, { kind: 'prompt.input', content: 'hello' }],
    ['tool_response', {}, { kind: 'tool.response', content: 'hello' }],
    ['text_secret', {}, { kind: 'model.output', content: 'hello' }],
    ['text_pii', {}, { kind: 'model.output', content: 'hello' }],
    ['tool_def', {}, { kind: 'tool.call', descriptor: { description: 'hello' } }],
    ['sql', { context: 'param_value' }, { kind: 'tool.call', tool: 'database.query', params: { value: 'hello' } }],
    ['shell', { context: 'param_value' }, { kind: 'tool.call', tool: 'host.lookup', params: { value: 'hello' } }],
    ['path', { context: 'param_value' }, { kind: 'file.read', params: { path: 'hello' } }],
    ['html', { context: 'param_value' }, { kind: 'tool.call', params: { input: 'hello' } }],
  ];
  it.each(expected)('%s %o', (kind, meta, shape) => {
    const action = actionOfRow(row(kind, { meta }));
    expect(action).toMatchObject(shape);
    expect(isActionKind(action?.kind ?? '')).toBe(true);
    expect(isUuid(action?.id ?? '')).toBe(true);
  });
  it('a tool call keeps its tool and its params', () => {
    const { text: _text, ...call } = row('tool_call', { tool: 'book_room', params: { nights: 2 } });
    expect(actionOfRow(call)).toMatchObject({ kind: 'tool.call', tool: 'book_room', params: { nights: 2 } });
  });
  it('a tool that the door knows is what it does', () => {
    const { text: _text, ...call } = row('tool_call', { tool: 'run_command', params: { command: 'ls' } });
    expect(actionOfRow(call)).toMatchObject({ kind: 'shell.exec', tool: 'shell.exec' });
  });
  it('an unknown kind, or a row without its text, is no action', () => {
    expect(actionOfRow(row('smoke_signal'))).toBeUndefined();
    const { text: _text, ...empty } = row('prompt');
    expect(actionOfRow(empty)).toBeUndefined();
    expect(actionOfRow({ ...empty, kind: 'tool_call' })).toBeUndefined();
  });
  it('ids differ from row to row and not from run to run', () => {
    expect(actionOfRow(row('prompt'))?.id).toBe(actionOfRow(row('prompt'))?.id);
    expect(actionOfRow(row('prompt'))?.id).not.toBe(actionOfRow(row('prompt', { id: 'row-2' }))?.id);
  });
});

describe('corpora', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-corpora-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, lines: readonly string[]): string => {
    const file = join(folder, name);
    writeFileSync(file, gzipSync(lines.join('\n')));
    return file;
  };

  it('are read line by line, with numbers of any length', () => {
    const file = put('own.jsonl.gz', [
      '{"id":"1","family":"own","label":"benign","kind":"tool_call","tool":"t","params":{"n":12345678901234567890},"x":1}',
      '',
      '{"id":"2","family":"own","label":"attack","kind":"prompt","text":"x","meta":{"weak":true}}',
    ]);
    expect(readFamily(file)).toEqual([
      { id: '1', family: 'own', label: 'benign', kind: 'tool_call', tool: 't', params: { n: '12345678901234567890' }, meta: {} },
      { id: '2', family: 'own', label: 'attack', kind: 'prompt', text: 'x', meta: { weak: true } },
    ]);
    expect(familyFiles(folder)).toEqual([file]);
    expect(corporaFolder(folder)).toBe(folder);
  });
  it('a bad row is named by file and line', () => {
    const bad = put('bad.jsonl.gz', ['{"id":"1","family":"f","label":"benign","kind":"prompt"}', '{"id":"2"}']);
    expect(() => readFamily(bad)).toThrow('bad.jsonl.gz:2 lacks');
    expect(() => readFamily(put('worse.jsonl.gz', ['{']))).toThrow('worse.jsonl.gz:1 is not JSON');
  });
  it('rows of uncertain label are excluded, two families stand apart', () => {
    expect([{}, { weak: true }, { doubtful: true }, { weak: false }].map((meta) => isExcluded(row('prompt', { meta })))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(['harmful_request', 'agentdojo_tool_call', 'dc_pii'].map((family) => isApart(family))).toEqual([true, true, false]);
  });
  it('absent corpora: exit 3, and a sentence that says so', () => {
    const repository = fileURLToPath(new URL('../..', import.meta.url));
    const run = spawnSync(process.execPath, ['--conditions=@countersign/source', 'bench/detect.ts', '--no-results'], {
      cwd: repository,
      encoding: 'utf8',
      env: { ...process.env, COUNTERSIGN_SHARED: join(folder, 'nowhere') },
    });
    expect(run.stderr).toContain('the corpora are not here');
    expect(run.status).toBe(3);
    expect(run.stdout).toBe('');
  });
});
