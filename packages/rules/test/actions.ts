import type { Action, CommandFact, Facts, TextFact, TextRole } from '@countersign/protocol';
import { compileRules, matchRules, mergeRuleDocuments, parseRules, type CompiledRules, type RuleMatches } from '../src/index.ts';

export const NO_FACTS: Facts = {
  texts: [],
  commands: [],
  statements: [],
  paths: [],
  hosts: [],
  effects: [],
  secrets: [],
  pii: [],
  cuts: [],
  codes: [],
  encodings: [],
  steps: 0,
};

export function action(kind: string, tool?: string): Action {
  const base = {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    kind,
    source: { framework: 'unknown', door: 'test' },
    org: 'o',
    agent: 'a',
    session: 's',
    delegation: [],
  } as const;
  return tool === undefined ? base : { ...base, tool };
}

export interface TextOptions {
  readonly role?: TextRole;
  readonly path?: string;
  readonly layers?: readonly string[];
}

export function text(content: string, options: TextOptions = {}): TextFact {
  const path = options.path ?? '/content';
  return {
    span: { path, start: 0, end: content.length },
    role: options.role ?? 'content',
    layers: options.layers ?? [],
    text: content,
    lower: content.toLowerCase(),
  };
}

export function command(line: string, more: Partial<CommandFact> = {}): CommandFact {
  const [name = '', ...args] = line.split(' ');
  return {
    span: { path: '/params/command', start: 0, end: line.length },
    name,
    args,
    line,
    wrappers: [],
    redirects: [],
    pipedFrom: -1,
    via: 'top',
    dynamic: false,
    program: '',
    subshell: false,
    ...more,
  };
}

/** A document around one condition; `more` are further lines of the rule. */
export function documentOf(when: string, more = 'kinds: [any]'): string {
  return [
    'version: 1',
    'pack: test',
    'description: for a test',
    'rules:',
    '  - id: T1',
    '    title: test',
    '    category: test',
    '    severity: high',
    '    score: 0.8',
    `    ${more}`,
    `    when: ${when}`,
    '    examples: {positive: [{prompt: x}], negative: [{prompt: y}]}',
    '',
  ].join('\n');
}

export function compileText(yaml: string, level = 1): CompiledRules {
  const read = parseRules(yaml, 'test.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const merged = mergeRuleDocuments([read.value]);
  if (!merged.ok) throw new Error(JSON.stringify(merged.error));
  const compiled = compileRules(merged.value, { level });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}

export function matchOf(when: string, facts: Partial<Facts>, kind = 'tool.call'): RuleMatches {
  return matchRules(compileText(documentOf(when)), { action: action(kind), facts: { ...NO_FACTS, ...facts } });
}

export function holdsOn(when: string, facts: Partial<Facts>, kind = 'tool.call'): boolean {
  return matchOf(when, facts, kind).findings.some((finding) => finding.rule === 'T1');
}
