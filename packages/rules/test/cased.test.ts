/** Patterns that mind case, and ranges of numbers. */
import type { HostFact } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { compilePattern, parseRules } from '../src/index.ts';
import { command, documentOf, holdsOn, NO_FACTS, text } from './actions.ts';

function faults(when: string): readonly (readonly [string, string | undefined])[] {
  const read = parseRules(documentOf(when), 'test.yaml');
  return read.ok ? [] : read.error.map(({ code, path }) => [code, path?.replace('/rules/0/when', '')] as const);
}

describe('RULE-025 patterns that mind case', () => {
  const KEY = "{text: {any: [{regex: 'AKIA[0-9A-Z]{4}', cased: true}]}}";

  it('are found by their lower case, and held against the text as it came', () => {
    const finds = (content: string): boolean => holdsOn(KEY, { texts: [text(content)] });
    expect(['an AKIA12AB', 'AKIA1234', `${'x '.repeat(2000)}AKIA12AB`].map(finds)).toEqual([true, true, true]);
    expect(['an akia12ab', 'AKIA12ab', 'Akia12AB'].map(finds)).toEqual([false, false, false]);
  });

  it('stand beside others, and in their windows', () => {
    const when = "{text: {any: [token], near: [{regex: 'BEGIN', cased: true}], unless: [{regex: 'token TEST', cased: true}]}}";
    const finds = (content: string): boolean => holdsOn(when, { texts: [text(content)] });
    expect(['BEGIN token', 'begin token', 'BEGIN token TEST', 'BEGIN token test'].map(finds)).toEqual([true, false, false, true]);
  });

  it('keep the place of a match', () => {
    // A letter whose lower case is longer must not shift what follows it.
    expect(holdsOn(KEY, { texts: [{ ...text(`\u0130\u0130 AKIA1234`), lower: `\u0130\u0130 akia1234` }] })).toBe(true);
  });

  it.each([
    ["{command: {line: [{regex: 'X1$', cased: true}]}}", 'a X1', 'a x1'],
    ["{command: {args: {all: [{regex: '^-F$', cased: true}, x]}}}", 'a -F x', 'a -f x'],
    ["{command: {name: [a], line: {none: [{regex: 'Q', cased: true}]}}}", 'a q', 'a Q'],
  ])('of commands: %s', (when, found, left) => {
    expect([holdsOn(when, { commands: [command(found)] }), holdsOn(when, { commands: [command(left)] })]).toEqual([true, false]);
  });

  it('are refused where the case is not kept, and where they are no expressions', () => {
    expect(faults("{command: {name: [{regex: 'X', cased: true}]}}")).toEqual([['rule_value', '/command/name/0/cased']]);
    expect(faults("{command: {name: {none: [a, {regex: 'X', cased: true}]}}}")).toEqual([['rule_value', '/command/name/none/1/cased']]);
    expect(faults('{text: {any: [{word: abc, cased: true}]}}')).toEqual([['rule_type', '/text/any/0/cased']]);
    expect(faults('{text: {any: [{regex: abc, cased: false}]}}')).toEqual([['rule_type', '/text/any/0/cased']]);
    expect(faults("{text: {any: [{regex: 'ABC'}]}}")).toEqual([['pattern_syntax', '/text/any/0']]);
    expect(faults("{text: {any: [{regex: 'ABC', cased: true}]}}")).toEqual([]);
    const accent = compilePattern({ regex: 'abc\u00c9', cased: true }, 'phrase');
    expect(accent.ok ? '' : accent.error.code).toBe('pattern_unsupported');
  });
});

describe('RULE-037 ranges of numbers', () => {
  const SPAN = { path: '/params/url', start: 0, end: 1 };
  const host = (port: number): HostFact => ({ span: SPAN, raw: 'h', host: 'h', oddities: [], access: 'connect', command: -1, port });
  it('hold from one end to the other', () => {
    const finds = (port: number): boolean => holdsOn('{host: {port: [22, {from: 8000, to: 8002}]}}', { ...NO_FACTS, hosts: [host(port)] });
    expect([21, 22, 7999, 8000, 8002, 8003].map(finds)).toEqual([false, true, false, true, true, false]);
  });
  it('are refused where they are none', () => {
    expect(faults('{host: {port: [{from: 5, to: 4}]}}')).toEqual([['rule_range', '/host/port/0']]);
    expect(faults('{host: {port: [{from: 5}]}}')).toEqual([
      ['rule_missing_field', '/host/port/0/to'],
      ['rule_range', '/host/port/0'],
    ]);
    expect(faults('{host: {port: [{from: 5, to: 65536}]}}')).toEqual([
      ['rule_range', '/host/port/0/to'],
      ['rule_range', '/host/port/0'],
    ]);
    expect(faults('{host: {port: [{from: 5, to: 6, by: 1}]}}')).toEqual([['rule_unknown_field', '/host/port/0/by']]);
  });
});
