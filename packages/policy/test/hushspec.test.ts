import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonValue } from '@countersign/kernel';
import { compilePolicy, evaluateGuards, formatFaults, parsePolicy, policyHash, resolvePolicy } from '@countersign/policy';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { actionOf, documentOf, resolved, rulesets, understanding } from './support.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const place = present ? mkdtempSync(join(tmpdir(), 'countersign-hushspec-')) : '';
if (present) execFileSync('tar', ['xzf', archive, '-C', place, './fixtures/hushspec']);
afterAll(() => {
  if (present) rmSync(place, { recursive: true });
});

function faults(text: string): string {
  const document = parsePolicy(text, 'h.yaml');
  return document.ok ? '' : formatFaults(document.error);
}

describe('POL-105 HushSpec 0.1 says the same in other words', () => {
  const hush = `hushspec: "0.1.0"
name: team
extends: hushspec:strict
merge_strategy: deep_merge
rules:
  forbidden_paths: {patterns: ["**/vault/**"], exceptions: ["**/vault/readme"]}
  path_allowlist: {enabled: true, read: ["/w/**"], write: ["/w/o/**"], patch: []}
  egress: {allow: [a.example], block: [b.example], default: block}
  secret_patterns: {patterns: [{name: own, pattern: "OWN-[0-9]{8}", severity: warn}], skip_paths: ["**/test/**"]}
  patch_integrity: {max_additions: 3, forbidden_patterns: ["eval"]}
  shell_commands: {forbidden_patterns: ["^su"]}
  tool_access: {allow: [read_file], block: [x], require_confirmation: [y], default: block, max_args_size: 99}
`;
  const same = `version: "1.5.0"
name: team
extends: strict
guards:
  forbidden_path: {patterns: ["**/vault/**"], exceptions: ["**/vault/readme"]}
  path_allowlist: {enabled: true, file_access_allow: ["/w/**"], file_write_allow: ["/w/o/**"], patch_allow: []}
  egress_allowlist: {allow: [a.example], block: [b.example], default_action: block}
  secret_leak: {patterns: [{name: own, pattern: "OWN-[0-9]{8}", severity: warning}], skip_paths: ["**/test/**"]}
  patch_integrity: {max_additions: 3, forbidden_patterns: ["eval"]}
  shell_command: {forbidden_patterns: ["^su"]}
  mcp_tool: {allow: [read_file], block: [x], require_confirmation: [y], default_action: block, max_args_size: 99}
`;
  it('resolves to the same policy and hash', () => {
    expect(resolved(hush)).toEqual(resolved(same));
    expect(policyHash(resolved(hush))).toBe(policyHash(resolved(same)));
  });

  it.each([
    ['another version', 'hushspec: "0.2.0"\n', 'h.yaml:1:1: hushspec: HushSpec is read in version 0.1.0 [policy_version]'],
    ['no text as version', 'hushspec: 0.1\n', 'h.yaml:1:1: hushspec: HushSpec is read in version 0.1.0 [policy_version]'],
    [
      'a field of the other format',
      'hushspec: "0.1.0"\nguards: {}\n',
      'h.yaml:2:1: guards: there is no field `guards` here [policy_unknown_field]\n    known fields: hushspec, name, description, extends, merge_strategy, rules, extensions',
    ],
    [
      'an unknown rule',
      'hushspec: "0.1.0"\nrules:\n  egres: {}\n',
      'h.yaml:3:3: rules.egres: there is no field `egres` here [policy_unknown_field]\n    did you mean `egress`?',
    ],
    [
      'an unknown field of a rule',
      'hushspec: "0.1.0"\nrules:\n  egress: {default_action: block}\n',
      'h.yaml:3:12: rules.egress.default_action: there is no field `default_action` here [policy_unknown_field]\n    known fields: enabled, allow, block, default',
    ],
    [
      'a wrong word, by its own name',
      'hushspec: "0.1.0"\nrules:\n  egress: {default: maybe}\n',
      'h.yaml:3:12: rules.egress.default: must be one of allow, block, deny, log [policy_enum]',
    ],
    [
      'a bad entry of a list',
      'hushspec: "0.1.0"\nrules:\n  path_allowlist:\n    read: ["/a/***"]\n',
      'h.yaml:4:12: rules.path_allowlist.read[0]: `***` is not a wildcard: `/a/***` [policy_glob]',
    ],
    [
      'a missing field of a pattern',
      'hushspec: "0.1.0"\nrules:\n  secret_patterns: {patterns: [{name: x}]}\n',
      'h.yaml:3:32: rules.secret_patterns.patterns[0]: the field `pattern` is missing [policy_required]',
    ],
    ['no mapping', 'hushspec: "0.1.0"\nrules: 7\n', 'h.yaml:2:1: rules: must be a mapping [policy_type]'],
    [
      'a rule that is no mapping',
      'hushspec: "0.1.0"\nrules: {egress: [a]}\n',
      'h.yaml:2:9: rules.egress: must be a mapping, is a list [policy_type]',
    ],
    [
      'a prototype key',
      'hushspec: "0.1.0"\nrules: {__proto__: {enabled: false}}\n',
      'h.yaml:2:9: rules.__proto__: there is no field `__proto__` here [policy_unknown_field]\n    known fields: forbidden_paths, path_allowlist, egress, secret_patterns, patch_integrity, shell_commands, tool_access, computer_use, remote_desktop_channels, input_injection',
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(faults(text)).toBe(expected);
  });

  it('whatever stands in it, every fault has a place in the text, and nothing is thrown', () => {
    const names = [
      'egress',
      'path_allowlist',
      'secret_patterns',
      'tool_access',
      'patterns',
      'read',
      'default',
      'posture',
      'detection',
      '__proto__',
      'x',
    ];
    const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<JsonValue>(null, 1, true, 'warn', '***', '(a+)+$'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, (rules, extensions) => {
        const document = parsePolicy(JSON.stringify({ hushspec: '0.1.0', rules, extensions }), 'h.yaml');
        for (const fault of document.ok ? [] : document.error)
          expect(fault).toMatchObject({ line: 1, source: 'h.yaml', path: expect.stringMatching(/^(?:rules|extensions)/) });
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it('says the place of faults that are only seen once merged', () => {
    const document = parsePolicy('hushspec: "0.1.0"\nrules:\n  egress:\n    allow: ["@nowhere"]\n', 'h.yaml');
    const policy = document.ok ? resolvePolicy(document.value, { rulesets, hostSets: new Map() }) : document;
    expect(policy.ok ? [] : policy.error).toMatchObject([{ code: 'policy_host_set', line: 4, column: 5 }]);
  });
});

describe.skipIf(!present)(
  `POL-106 fixtures of HushSpec${present ? '' : ` (skipped: no fixtures at ${archive}; set COUNTERSIGN_SHARED)`}`,
  () => {
    const root = join(place, 'fixtures/hushspec/fixtures/core');
    const read = (path: string): string => readFileSync(join(root, path), 'utf8');
    const files = (folder: string): readonly string[] => (present ? readdirSync(join(root, folder)).toSorted() : []);

    it.each(files('valid'))('valid/%s', (name) => {
      const document = parsePolicy(read(`valid/${name}`), name);
      // What is not carried out is refused by name, and nothing else is.
      const open = document.ok ? [] : document.error.filter((fault) => fault.code !== 'policy_unsupported_field');
      expect(open).toEqual([]);
      if (!document.ok) return;
      const policy = resolvePolicy(document.value, { rulesets, hostSets: new Map() });
      expect(policy.ok && compilePolicy(policy.value).ok).toBe(true);
    });

    it.each(['deep-merge', 'replace'])('merge/%s', (strategy) => {
      // `base` is the name of a file there; here it is a ruleset that stands in for one.
      const child = read(`merge/child-${strategy}.yaml`).replace('extends: base', 'extends: default');
      const known = new Map([['default', documentOf(read('merge/base.yaml'))]]);
      const merged = resolvePolicy(documentOf(child), { rulesets: known, hostSets: new Map() });
      const expected = resolvePolicy(documentOf(read(`merge/expected-${strategy}.yaml`)), { rulesets: known, hostSets: new Map() });
      expect(merged.ok && merged.value).toEqual(expected.ok && expected.value);
      expect(merged.ok).toBe(true);
    });

    interface Suite {
      readonly policy: JsonValue;
      readonly cases: readonly {
        readonly description: string;
        readonly action: { readonly type: string; readonly target: string; readonly content?: string };
        readonly expect: string;
      }[];
    }
    const cases = files('evaluation').flatMap((name) => {
      const suite = parse(read(`evaluation/${name}`)) as Suite;
      return suite.cases.map((one) => [`${name}: ${one.description}`, suite.policy, one] as const);
    });
    const KINDS: Readonly<Record<string, string>> = { egress: 'net.egress', file_read: 'file.read', file_write: 'file.write' };

    it('holds the three suites', () => expect(cases).toHaveLength(14));
    it.each(cases)('%s', (_, policy, { action, expect: expected }) => {
      const compiled = compilePolicy(resolved(JSON.stringify(policy)));
      expect(compiled.ok).toBe(true);
      if (!compiled.ok) return;
      const params = action.type === 'egress' ? { host: action.target } : { path: action.target, content: action.content ?? null };
      const full = actionOf({ kind: KINDS[action.type] ?? action.type, params });
      const results = evaluateGuards(compiled.value, { action: full, facts: understanding.understand(full, []), state: {} });
      expect(results.every((result) => result.allowed) ? 'allow' : 'deny').toBe(expected);
    });
  },
);
