import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { createParsers, createUnderstanding, type Understanding } from '@countersign/facts';
import type { CompiledPolicy } from '@countersign/policy';
import type { Action } from '@countersign/protocol';
import type { CompiledRules } from '@countersign/rules';
import { SHELL_LIMITS } from '../../facts/src/shell-limits.ts';
import { judgeWith } from '../src/index.ts';

const require = createRequire(new URL('../../facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));
const POLICY = {
  name: 'test',
  thresholds: { flag: 300, block: 700 },
  unregisteredTools: 'refuse',
  toolThresholds: [],
} as unknown as CompiledPolicy;

let understanding: Understanding;

beforeAll(async () => {
  const parsers = await createParsers({
    treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
    bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
    pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
  });
  understanding = createUnderstanding(parsers);
});

/** What a judge says that has neither rules nor guards: only that something could not be read. */
function decisionOn(command: string, kind = 'shell.exec'): string {
  const action: Action = {
    v: 1,
    id: '00000000-0000-7000-8000-000000000000',
    kind,
    tool: 'shell.exec',
    params: { command },
    source: { framework: 'unknown', door: 'test' },
    org: 'o',
    agent: 'a',
    session: 's',
    delegation: [],
  };
  const facts = understanding.understand(action, []);
  const state = { agentState: 'active', scopes: ['*'], orgMode: 'locked', tool: 'registered', sessionCalls: 0 } as const;
  const parts = { matchRules: () => ({ findings: [] }), evaluateGuards: () => [] };
  return judgeWith(parts, { now: '2026-01-01T00:00:00.000Z', action, facts, state, policy: POLICY, rules: {} as CompiledRules }).verdict
    .decision;
}

describe('VER-009 shell beyond the caps of its reader is unknown, and never waved through', () => {
  const caps: readonly (readonly [name: string, max: number, make: (size: number) => string])[] = [
    ['characters', SHELL_LIMITS.textCharsMax, (size) => `${'#'.repeat(size - 5)}\ntrue`],
    ['commands', SHELL_LIMITS.commandsMax, (size) => 'a;'.repeat(size)],
    ['shells in shells', SHELL_LIMITS.evalDepthMax, (size) => `${'eval '.repeat(size)}true`],
    ['wrappers', SHELL_LIMITS.wrappersMax, (size) => `${'nohup '.repeat(size)}true`],
    ['text read again', 16, (times) => `x='${'#'.repeat(SHELL_LIMITS.evalCharsMax / 16)}';${'eval "$x";'.repeat(times)}`],
  ];

  it.each(caps)('%s: read at n, refused at n + 1', (...[, max, make]) => {
    expect([decisionOn(make(max)), decisionOn(make(max + 1))]).toEqual(['allow', 'deny']);
  });

  it('of a tool that may not be a shell, it is stepped up at least', () => {
    expect(decisionOn('a;'.repeat(SHELL_LIMITS.commandsMax + 1), 'tool.call')).not.toBe('allow');
  });

  it('nested substitutions beyond the depth', () => {
    const nest = (depth: number): string => `true ${'$('.repeat(depth)}true${')'.repeat(depth)}`;
    expect([decisionOn(nest(8)), decisionOn(nest(SHELL_LIMITS.syntaxDepthMax + 1))]).toEqual(['allow', 'deny']);
  });
});
