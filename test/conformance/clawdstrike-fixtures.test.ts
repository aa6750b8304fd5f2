import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { parsePolicy } from '@countersign/policy';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(root, '../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);

const CUA = 'docs/roadmaps/cua/research';
const HUSHSPEC = 'fixtures/hushspec/fixtures/core';

/** By which test each file is opened, and by which words of it that can be seen. A file that is not here has no test. */
const COVERED: readonly (readonly [test: string, mentions: string, files: readonly string[]])[] = [
  ['packages/kernel/test/vectors.test.ts', 'canonical/jcs_vectors.json', ['fixtures/canonical/jcs_vectors.json']],
  [
    'packages/policy/test/hushspec.test.ts',
    'fixtures/core',
    [
      ...['egress', 'forbidden-paths', 'secret-patterns'].map((name) => `${HUSHSPEC}/evaluation/${name}.test.yaml`),
      ...['base', 'child-deep-merge', 'child-replace', 'expected-deep-merge', 'expected-replace'].map(
        (name) => `${HUSHSPEC}/merge/${name}.yaml`,
      ),
      ...['egress-only', 'extends-basic', 'full-rules', 'minimal', 'named', 'rules-and-extensions'].map(
        (name) => `${HUSHSPEC}/valid/${name}.yaml`,
      ),
    ],
  ],
  [
    'apps/cli/test/policy-lab.test.ts',
    'ocsf/${name}.json',
    ['detection_finding_deny', 'file_activity_write', 'network_activity_egress'].map((name) => `fixtures/ocsf/${name}.json`),
  ],
  [
    'apps/cli/test/policy-lab.test.ts',
    'policy-lab/',
    ['expected_ocsf.jsonl', 'expected_policy.yaml', 'sample_observation.jsonl'].map((name) => `fixtures/policy-lab/${name}`),
  ],
  [
    'packages/policy/test/conformance.test.ts',
    'policy-events/v1',
    ['fixtures/policy-events/v1/events.jsonl', 'fixtures/policy-events/v1/expected/default.decisions.json'],
  ],
  ['packages/policy/test/computer-use.test.ts', 'remote-desktop/v1/cases.json', ['fixtures/policy-events/remote-desktop/v1/cases.json']],
  [
    'packages/policy/test/computer-use.test.ts',
    CUA,
    ['cua_policy_evaluation_suite', 'policy_event_mapping', 'remote_desktop_policy_matrix'].map((name) => `${CUA}/${name}.yaml`),
  ],
  ['packages/receipts/test/export-interop.test.ts', 'receipts/version_cases.json', ['fixtures/receipts/version_cases.json']],
  ['packages/receipts/test/export-interop.test.ts', 'receipts/no_posture_legacy.json', ['fixtures/receipts/no_posture_legacy.json']],
  [
    'packages/receipts/test/export-interop.test.ts',
    'receipts/${name}.json',
    ['posture_allow', 'posture_deny_budget', 'posture_deny_capability', 'posture_transition'].map(
      (name) => `fixtures/receipts/${name}.json`,
    ),
  ],
  [
    'packages/policy/test/ruleset-fixtures.test.ts',
    'rulesets/${name}.yaml',
    [
      'ai-agent-posture',
      'ai-agent',
      'cicd',
      'default',
      'permissive',
      'remote-desktop-permissive',
      'remote-desktop-strict',
      'remote-desktop',
      'strict',
    ].map((name) => `rulesets/${name}.yaml`),
  ],
  [
    'packages/policy/test/ruleset-fixtures.test.ts',
    'packs/hipaa/policies',
    ['default', 'strict'].flatMap((level) => [
      `packs/hipaa/policies/hipaa-${level}.yaml`,
      `packs/pci-dss/policies/pci-${level}.yaml`,
      `packs/soc2/policies/soc2-${level}.yaml`,
    ]),
  ],
  [
    'test/conformance/clawdstrike-fixtures.test.ts',
    'cua-metadata',
    [`${CUA}/schemas/cua-metadata/schema-package.json`, `${CUA}/schemas/cua-metadata/v1.0.0/cua-metadata.schema.json`],
  ],
];

/** Files of the rooms that carry these parts of the format out; where the room is here, its test opens them. */
const OF_ROOMS: readonly (readonly [test: string, files: readonly string[]])[] = [
  [
    'packages/policy/test/spider-sense-conformance.test.ts',
    [
      'fixtures/spider-sense/conformance_vectors.json',
      'rulesets/patterns/s2bench-v1.json',
      'rulesets/spider-sense-patterns.schema.json',
      'rulesets/spider-sense.yaml',
    ],
  ],
  ['packages/policy/test/origins.test.ts', ['rulesets/origin-enclaves-example.yaml']],
  [
    'packages/policy/test/computer-use-cases.test.ts',
    ['fixtures/policy-events/policy-evaluation/v1/cases.json', 'fixtures/policy-events/policy-mapping/v1/cases.json'],
  ],
];

function read(path: string): string {
  return execFileSync('tar', ['xzOf', archive, `./${path}`], { encoding: 'utf8' });
}

function objectOf(text: string): JsonObject {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value.value)) throw new Error('the file holds no object');
  return parsed.value.value;
}

function at(value: JsonValue | undefined, ...keys: readonly string[]): JsonValue | undefined {
  return keys.reduce<JsonValue | undefined>((inner, key) => (isJsonObject(inner) ? inner[key] : undefined), value);
}

describe.skipIf(!present)(
  `every file of clawdstrike-fixtures.tar.gz${present ? '' : ` (skipped: no ${archive}; set COUNTERSIGN_SHARED)`}`,
  () => {
    const files = present
      ? execFileSync('tar', ['tzf', archive], { encoding: 'utf8' })
          .split('\n')
          .filter((name) => name !== '' && !name.endsWith('/'))
          .map((name) => name.replace(/^\.\//, ''))
      : [];

    it('is opened by a test that is named here, once', () => {
      const named = [...COVERED.flatMap(([, , own]) => own), ...OF_ROOMS.flatMap(([, own]) => own)];
      expect(named.toSorted()).toEqual(files.toSorted());
    });

    it.each(COVERED)('%s opens %s', (test, mentions) => {
      expect(readFileSync(join(root, test), 'utf8')).toContain(mentions);
    });

    it.each(OF_ROOMS)('%s opens its files, where its room is here', (test, own) => {
      const path = join(root, test);
      const text = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
      for (const file of own) {
        expect(read(file).length).toBeGreaterThan(0);
        if (text !== undefined) expect(text).toMatch(/clawdstrike-fixtures/);
      }
    });

    it('a document of a room that is not here is refused by the name of its section, and loads where it is', () => {
      for (const [file, section] of [
        ['rulesets/origin-enclaves-example.yaml', 'origins'],
        ['rulesets/spider-sense.yaml', 'guards.spider_sense'],
      ] as const) {
        const document = parsePolicy(read(file), file);
        const faults = document.ok ? [] : document.error.map(({ code, path }) => `${code} ${path ?? ''}`);
        expect(['', `policy_unsupported_field ${section}`]).toContain(faults.join(', '));
      }
    });

    it('cua-metadata speaks of the modes that computer use has here; what it does not know fails closed in both', () => {
      const schema = objectOf(read(`${CUA}/schemas/cua-metadata/v1.0.0/cua-metadata.schema.json`));
      const modes = at(schema, '$defs', 'mode', 'enum');
      const own = ['observe', 'guardrail', 'fail_closed'].filter(
        (mode) => parsePolicy(`guards: {computer_use: {mode: ${mode}}}\n`, 'x').ok,
      );
      expect(modes).toEqual(own);
      expect(parsePolicy('guards: {computer_use: {mode: other}}\n', 'x').ok).toBe(false);
      const packaged = objectOf(read(`${CUA}/schemas/cua-metadata/schema-package.json`));
      expect(Object.values((at(packaged, 'fail_closed') ?? {}) as JsonObject)).toEqual([true, true, true]);
    });
  },
);
