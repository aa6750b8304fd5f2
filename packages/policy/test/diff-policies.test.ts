import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@countersign/kernel';
import { diffPolicies } from '@countersign/policy';
import { documentOf, resolved, rulesets } from './support.ts';

const written = (yaml: string): JsonObject => documentOf(yaml).content as unknown as JsonObject;

describe('POL-270 policy diff', () => {
  it('names each place with what was and what is', () => {
    const before = written('name: A\nguards:\n  mcp_tool: {block: [one, two], max_args_size: 5}\n');
    const after = written('name: B\nguards:\n  mcp_tool: {block: [two, three]}\n  shell_command: {enabled: true}\n');
    expect(diffPolicies(before, after)).toEqual([
      { path: 'guards.mcp_tool.block[0]', kind: 'removed', old: 'one' },
      { path: 'guards.mcp_tool.block[1]', kind: 'added', new: 'three' },
      { path: 'guards.mcp_tool.max_args_size', kind: 'removed', old: 5 },
      { path: 'guards.shell_command', kind: 'added', new: { enabled: true } },
      { path: 'name', kind: 'changed', old: 'A', new: 'B' },
    ]);
  });

  it('a list that says the same in another order is no change, one whose first match wins is', () => {
    const list = (block: string): JsonObject => written(`guards:\n  mcp_tool: {block: [${block}]}\n`);
    expect(diffPolicies(list('a, b'), list('b, a'))).toEqual([]);
    const [x, y] = ['{tool: a, flag: 1, block: 2}', '{tool: b, flag: 1, block: 3}'];
    const tools = (items: string): JsonObject => written(`settings:\n  tool_thresholds: [${items}]\n`);
    expect(diffPolicies(tools(`${x}, ${y}`), tools(`${y}, ${x}`))).toMatchObject([{ path: 'settings.tool_thresholds', kind: 'changed' }]);
    for (const [section, one, two] of [
      ['boundaries', '{name: a, agents: ["*"]}', '{name: b, agents: ["*"]}'],
      ['posture.transitions', '{from: a, to: b, on: any_violation}', '{from: a, to: c, on: any_violation}'],
    ] as const) {
      const [outer, inner] = section.split('.');
      const of = (items: string): JsonObject =>
        written(inner === undefined ? `${outer}: [${items}]\n` : `${outer}:\n  ${inner}: [${items}]\n`);
      expect(diffPolicies(of(`${one}, ${two}`), of(`${two}, ${one}`))).toMatchObject([{ path: section, kind: 'changed' }]);
    }
  });

  it('entries with a name are compared by it', () => {
    const list = (severity: string, more = ''): JsonObject =>
      written(`guards:\n  secret_leak:\n    patterns: [{name: a, pattern: aa, severity: ${severity}}${more}]\n`);
    expect(diffPolicies(list('error'), list('critical', ', {name: b, pattern: bb}'))).toEqual([
      { path: 'guards.secret_leak.patterns[a].severity', kind: 'changed', old: 'error', new: 'critical' },
      { path: 'guards.secret_leak.patterns[b]', kind: 'added', new: { name: 'b', pattern: 'bb' } },
    ]);
  });

  it.each([...rulesets.keys()])('%s does not differ from itself, and the other way round is the mirror', (name) => {
    const [own, other] = [resolved(name), resolved('strict')].map((policy) => policy as unknown as JsonObject);
    expect(diffPolicies(own ?? {}, own ?? {})).toEqual([]);
    const there = diffPolicies(own ?? {}, other ?? {});
    const back = diffPolicies(other ?? {}, own ?? {});
    const mirrored = { added: 'removed', removed: 'added', changed: 'changed' } as const;
    expect(there.map(({ path, kind }) => `${path} ${mirrored[kind]}`).toSorted()).toEqual(
      back.map(({ path, kind }) => `${path} ${kind}`).toSorted(),
    );
  });
});
