import { CodedError, InvariantError } from '@countersign/kernel';
import { describe, expect, it } from 'vitest';
import { CliError, describeError, EXIT, faultJson } from '../src/outcome.ts';
import { printable, renderFault, renderFields, renderTable } from '../src/render.ts';

const plain = (_colour: string, text: string): string => text;

describe('tables', () => {
  const columns = [
    { title: 'name', value: (row: readonly string[]) => row[0] ?? '' },
    { title: 'what', value: (row: readonly string[]) => row[1] ?? '' },
  ];

  it('align, and have no trailing blanks', () => {
    const rows = [
      ['a', 'first'],
      ['longer', ''],
    ];
    expect(renderTable({ columns, rows, empty: 'none' }, plain, 80)).toBe('NAME    WHAT\na       first\nlonger');
  });

  it('cut the last column at the width of the terminal, and no other', () => {
    const text = renderTable({ columns, rows: [['x'.repeat(30), 'y'.repeat(30)]], empty: 'none' }, plain, 50);
    const [, line = ''] = text.split('\n');
    expect(line).toContain('x'.repeat(30));
    expect(line.length).toBe(50);
    expect(line.endsWith('…')).toBe(true);
  });

  it('say what is missing where there are no rows', () => {
    expect(renderTable({ columns, rows: [], empty: 'none' }, plain, 80)).toBe('none');
  });

  it('cannot be rewritten by what they show', () => {
    const text = renderTable({ columns, rows: [['\u001b[2J', 'a\r\nb\u202e']], empty: 'none' }, plain, 80);
    expect(text).not.toMatch(/[\u001b\r\u202e]/);
    expect(text.split('\n')).toHaveLength(2);
  });
});

describe('faults', () => {
  it('name place, message, code and the next step', () => {
    const fault = {
      code: 'policy_value',
      message: 'is not a number',
      path: 'guards.x',
      source: 'p.yaml',
      line: 3,
      column: 7,
      hint: 'write 5',
    };
    expect(renderFault(fault, plain)).toBe('error: p.yaml:3:7: guards.x: is not a number (policy_value)\n  try: write 5');
    expect(faultJson(fault)).toEqual({
      kind: 'policy_value',
      message: 'is not a number',
      path: 'guards.x',
      line: 3,
      column: 7,
      hint: 'write 5',
    });
  });

  it('carry no control characters', () => {
    expect(printable('a\u0007b\u009bc')).toBe('a?b?c');
    expect(renderFields([['k', '\u001b]0;title\u0007']])).not.toMatch(/[\u001b\u0007]/);
  });
});

describe('anything thrown', () => {
  it.each([
    [new CliError(EXIT.deny, [{ code: 'a', message: 'm' }]), 2, 'a'],
    [new CodedError({ code: 'host_sets_invalid', message: 'm' }), 3, 'host_sets_invalid'],
    [new CodedError({ code: 'log_failed', message: 'm' }), 4, 'log_failed'],
    [new InvariantError('our fault'), 4, 'invariant'],
    [Object.assign(new Error('m'), { code: 'ENOSPC' }), 4, 'ENOSPC'],
    ['a string', 4, 'unexpected'],
  ])('%s has an exit code and a stable code', (thrown, exitCode, code) => {
    const described = describeError(thrown);
    expect([described.exitCode, described.faults[0]?.code]).toEqual([exitCode, code]);
  });
});
