import { type DocumentSources, loadAncestors, parsePolicy, POLICY_LIMITS, type PolicyFault } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { documentOf } from './support.ts';

function faults(text: string): readonly PolicyFault[] {
  const document = parsePolicy(text, 'bomb.yaml');
  return document.ok ? [] : document.error;
}
const codes = (text: string): readonly string[] => [...new Set(faults(text).map((fault) => fault.code))];

/** A source whose every document extends the next one, for ever. */
function endless(): { readonly sources: DocumentSources; readonly asked: () => number; readonly bytes: () => number } {
  let asked = 0;
  let bytes = 0;
  const file: DocumentSources['file'] = async (path) => {
    asked += 1;
    const text = `extends: ./n${String(asked)}.yaml\n#${'x'.repeat(1000)}\n`;
    bytes += text.length;
    return Promise.resolve({ ok: true, value: { realPath: `/${path}`, bytes: new TextEncoder().encode(text) } });
  };
  const never: DocumentSources['https'] = async () => Promise.reject(new Error('not asked for'));
  return {
    sources: { file, https: never, git: async () => Promise.reject(new Error('not asked for')) },
    asked: () => asked,
    bytes: () => bytes,
  };
}

describe('POL-109 policy bombs are refused within counted bounds', () => {
  it('an endless chain is asked for 31 documents and no more', async () => {
    const chain = endless();
    const loaded = await loadAncestors(documentOf('extends: ./n0.yaml\n'), {
      ruleset: async () => Promise.resolve(undefined),
      sources: chain.sources,
    });
    expect(loaded.ok ? [] : loaded.error).toMatchObject([{ code: 'policy_extends_depth' }]);
    expect(chain.asked()).toBe(POLICY_LIMITS.extendsDepthMax - 1);
    expect(chain.bytes()).toBeLessThan(POLICY_LIMITS.extendsDepthMax * 2000);
  });

  it('a chain is as long in bytes as the limit, and not one byte longer', async () => {
    const codesOf = async (extra: number): Promise<readonly string[]> => {
      const last = 'name: x\n# '.padEnd(POLICY_LIMITS.extendsBytesMax / 4 + extra, 'x');
      const nextTo = (i: number): string => (i < 3 ? `extends: ./n${String(i + 1)}.yaml\n#` : '#');
      const sources: DocumentSources = {
        ...endless().sources,
        file: async (path) => {
          const head = nextTo(Number(/n(\d)/.exec(path)?.[1]));
          const text = head.endsWith('\n#') ? head.padEnd(POLICY_LIMITS.extendsBytesMax / 4, 'x') : last;
          return Promise.resolve({ ok: true, value: { realPath: `/${path}`, bytes: new TextEncoder().encode(text) } });
        },
      };
      const loaded = await loadAncestors(documentOf('extends: ./n0.yaml\n'), { ruleset: async () => Promise.resolve(undefined), sources });
      return loaded.ok ? [] : loaded.error.map(({ code, path }) => `${code} ${path ?? ''}`);
    };
    expect(await codesOf(0)).toEqual([]);
    expect(await codesOf(1)).toEqual(['policy_too_large extends']);
  });

  it('a list of hosts stands for as many as the limit, and not one more', () => {
    const hosts = Array.from(
      { length: POLICY_LIMITS.globListBranchesMax / 64 },
      (_, i) => `"{a,b,c,d}{e,f,g,h}{i,j,k,l}${String(i)}.example"`,
    );
    const list = (more: readonly string[]): string => `guards: {egress_allowlist: {block: [${[...hosts, ...more].join(', ')}]}}\n`;
    expect(codes(list([]))).toEqual([]);
    expect(faults(list(['x.example']))).toMatchObject([{ code: 'policy_range', path: 'guards.egress_allowlist.block' }]);
    // What is no list of hosts is not counted.
    expect(codes(list([]).replace('egress_allowlist: {block', 'mcp_tool: {block'))).toEqual([]);
  });

  it('10 MB of anything are refused before they are read as YAML', () => {
    const size = 10 * 1024 * 1024;
    // Each of these is a fault of its own, or costs much, once it is parsed: one fault says that it was not.
    for (const text of ['a', '- ', '[', '{a: ', '"', 'x: 1\n', '&a [*a] ', '\u2603']) {
      expect(faults(text.repeat(Math.ceil(size / text.length)))).toMatchObject([{ code: 'policy_too_large' }]);
    }
  });

  it('marks are counted before the text is read, at n and n + 1', () => {
    const comments = (lines: number): string => `name: x\n${'#\n'.repeat(lines - 1)}`;
    expect(codes(comments(POLICY_LIMITS.marksMax))).toEqual([]);
    expect(faults(comments(POLICY_LIMITS.marksMax + 1))).toMatchObject([{ code: 'policy_too_many_nodes' }]);
    for (const text of ['a,', '[],', '- ', '? ', '}:\n', 'k: 1\r']) expect(faults(text.repeat(POLICY_LIMITS.marksMax + 1))).toHaveLength(1);
  });

  it('a key among thousands that stands twice is found, with its place', () => {
    const text = Array.from({ length: 9000 }, (_, i) => `k${String(i)}: 1\n`).join('');
    expect(faults(`detection: {scores: {R1: 1, R2: 1, R1: 0.5}}\n`)).toMatchObject([
      { code: 'policy_yaml', path: 'detection.scores.R1', line: 1, column: 36 },
    ]);
    expect(codes(`${text}k7: 2\n`)).toEqual(['policy_yaml']);
    expect(codes('1: a\n"1": b\n')).toEqual(['policy_yaml']);
  });

  it('what grows by aliases is counted as it is followed', () => {
    const level = (i: number): string =>
      `a${String(i)}: &a${String(i)} [${Array.from({ length: 9 }, () => `*a${String(i - 1)}`).join(', ')}]\n`;
    const text = `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, i) => level(i + 1)).join('')}`;
    const found = faults(text);
    expect(found[0]?.code).toBe('policy_too_many_nodes');
    expect(found.length).toBeLessThanOrEqual(POLICY_LIMITS.faultsMax);
  });

  it.each([
    ['an expression that is exponential elsewhere', 'guards: {shell_command: {forbidden_patterns: ["(a+)+$"]}}\n', 'policy_regex_unsafe'],
    ['counts within counts', 'guards: {shell_command: {forbidden_patterns: ["(?:(?:a{1,999}){1,999}){1,999}b"]}}\n', 'policy_regex_unsafe'],
    [
      'a count beyond the limit',
      `guards: {shell_command: {forbidden_patterns: ["a{${String(POLICY_LIMITS.regexRepeatMax + 1)}}"]}}\n`,
      'policy_regex',
    ],
    ['groups without end', `guards: {shell_command: {forbidden_patterns: ["${'('.repeat(500)}a${')'.repeat(500)}"]}}\n`, 'policy_regex'],
    ['a host of many alternatives', `guards: {egress_allowlist: {allow: ["${'{a,b}'.repeat(20)}.example"]}}\n`, 'policy_host_pattern'],
    ['a list without end', `guards: {mcp_tool: {block: [${'a,'.repeat(POLICY_LIMITS.listMax + 1)}]}}\n`, 'policy_range'],
  ])('%s', (_, text, code) => {
    expect(codes(text)).toEqual([code]);
  });

  it('a thousand bad expressions are a hundred faults', () => {
    const text = `guards: {shell_command: {forbidden_patterns: [${Array.from({ length: 1000 }, () => '"(a+)+$"').join(', ')}]}}\n`;
    expect(faults(text)).toHaveLength(POLICY_LIMITS.faultsMax);
  });

  it('the same bombs in HushSpec', () => {
    expect(codes(`hushspec: "0.1.0"\nrules: {tool_access: {block: [${'a,'.repeat(POLICY_LIMITS.listMax + 1)}]}}\n`)).toEqual([
      'policy_range',
    ]);
    expect(codes('hushspec: "0.1.0"\nrules: {shell_commands: {forbidden_patterns: ["(a+)+$"]}}\n')).toEqual(['policy_regex_unsafe']);
    const many = `hushspec: "0.1.0"\nrules: {${Array.from({ length: 500 }, (_, i) => `x${String(i)}: 1`).join(', ')}}\n`;
    expect(faults(many)).toHaveLength(POLICY_LIMITS.faultsMax);
  });
});
