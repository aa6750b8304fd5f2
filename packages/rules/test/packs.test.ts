import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { createParsers, createUnderstanding, type Understanding } from '../../facts/src/index.ts';
import { compileRules, exampleAction, exampleSignals, matchRules, type CompiledRules, type ExampleSketch } from '../src/index.ts';
import { expressionsOf, patternHash } from '../tools/check-patterns.ts';
import { action, NO_FACTS, text } from './actions.ts';
import { mergedPacks, readPacks } from './packs-on-disk.ts';

const require = createRequire(new URL('../../facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));
const RULES = mergedPacks();

let understanding: Understanding;
let compiled: CompiledRules;
/** What speaks where nobody asked for more. */
let atLevelOne: CompiledRules;

beforeAll(async () => {
  const parsers = await createParsers({
    treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
    bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
    pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
  });
  understanding = createUnderstanding(parsers);
  const [result, first] = [compileRules(RULES, { level: 4 }), compileRules(RULES)];
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  if (!first.ok) throw new Error(JSON.stringify(first.error));
  compiled = result.value;
  atLevelOne = first.value;
});

function rulesOn(sketch: ExampleSketch, rules = compiled): readonly { readonly rule: string; readonly score: number }[] {
  const acted = exampleAction(sketch);
  return matchRules(rules, { action: acted, facts: understanding.understand(acted, exampleSignals(sketch)) }).findings;
}

for (const document of readPacks()) {
  describe(`RULE-040 pack ${document.pack}`, () => {
    for (const { rule, examples } of document.rules) {
      it(`${rule.id} ${rule.title}`, () => {
        for (const sketch of examples.positive)
          expect(
            rulesOn(sketch).map((finding) => finding.rule),
            JSON.stringify(sketch),
          ).toContain(rule.id);
        for (const sketch of examples.negative)
          expect(
            rulesOn(sketch).map((finding) => finding.rule),
            JSON.stringify(sketch),
          ).not.toContain(rule.id);
      });
    }
  });
}

describe('RULE-041 what the packs cover', () => {
  it('every category of attack', () => {
    const categories = new Set(RULES.rules.map((rule) => rule.category));
    const needed = [
      'destructive-sql credential-access ssrf cloud-metadata sql-injection nosql-injection ldap-injection template-injection xxe command-injection',
      'prompt-injection jailbreak delimiter-abuse prompt-extraction indirect-injection pii-exfiltration reverse-shell pipe-to-shell destructive-shell',
      'persistence privilege-escalation log-tampering download-and-run crypto-mining xss path-traversal dns-exfiltration agent-impersonation',
      'schema-injection bulk-dump exfiltration secret-exposure tool-poisoning memory-poisoning evasion supply-chain',
    ].flatMap((line) => line.split(' '));
    expect(needed.filter((category) => !categories.has(category))).toEqual([]);
  });

  it('the ids that clients know', () => {
    const ids = new Set(RULES.rules.map((rule) => rule.id));
    const known =
      'R001 R003 R004 R005 R007 R008 R009 R011 R013 R014 R015 R020 R021 R028 R031 R033 R038 R042 R068 R069 R070 R071 R072 R073 R143'.split(
        ' ',
      );
    expect(known.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('at least a hundred rules, every one with its framework tags', () => {
    expect(RULES.rules.length).toBeGreaterThanOrEqual(100);
    expect(RULES.rules.filter((rule) => rule.tags.owasp.length === 0).map((rule) => rule.id)).toEqual([]);
  });

  it('severity and score do not contradict each other', () => {
    const floor = { info: 0, low: 0, medium: 250, high: 600, critical: 700 } as const;
    expect(RULES.rules.filter((rule) => rule.score < floor[rule.severity]).map((rule) => rule.id)).toEqual([]);
  });
});

describe('RULE-042 what developers do all day stays below the flag', () => {
  const daily: readonly ExampleSketch[] = [
    'git status',
    'git commit -am "fix: drop table header"',
    'npm ci && npm test',
    'grep -n sudo README.md',
    'echo "rm -rf /" > notes.txt',
    'find . -name "*.ts" | xargs wc -l',
    'rm -rf node_modules dist coverage',
    'docker compose up -d',
    'curl -s https://api.example.org/v1/items | jq .items',
    'python3 -m venv .venv && . .venv/bin/activate',
    'make -j8 all 2>&1 | tee build.log',
    'tar czf release.tgz dist',
    'chmod +x scripts/build.sh',
    'ssh build@ci.example.org "uptime"',
    'kubectl get pods -n web',
    'cat package.json ../tsconfig.json',
    'sed -i "s/foo/bar/" src/a.ts',
    'ps aux | grep node',
  ].map((shell) => ({ shell }));
  const other: readonly ExampleSketch[] = [
    { sql: 'SELECT id, name FROM products WHERE price > 10 ORDER BY name LIMIT 20' },
    { sql: "INSERT INTO notes (text) VALUES ('it''s fine')" },
    { sql: 'UPDATE products SET price = 12 WHERE id = 4' },
    { path: 'src/index.ts' },
    { path: '../shared/types.ts' },
    { url: 'https://example.org/docs?page=2' },
    { prompt: 'Please refactor the previous function and explain what the rules engine does.' },
    { response: 'This guide shows how DROP TABLE works and why rm -rf is dangerous.' },
    { output: 'You can ignore the warning about the unused variable.' },
    { tool: 'crm.find', params: { name: "O'Brien & Sons; est. 1999" } },
    { file: 'web/index.html', content: '<html><script src="app.js"></script><body onload="go()"></body></html>' },
    { file: 'docs/security.md', content: 'An attacker may write: ignore all rules.' },
  ];
  for (const sketch of [...daily, ...other]) {
    it(JSON.stringify(sketch).slice(0, 80), () =>
      expect(rulesOn(sketch, atLevelOne).filter((finding) => finding.score >= 300)).toEqual([]),
    );
  }
});

describe('RULE-050 work is linear in the action, counted', () => {
  const soups: readonly (readonly [string, string])[] = [
    [
      'trigger words',
      'ignore all previous system prompt reveal your instructions select union drop table curl bash <script onload= ../../ {{7*7}} $(id) ',
    ],
    ['one trigger', 'ignore '],
    ['openings', '<<<((([[[{{{'],
    ['innocent prose', 'the quick brown fox jumps over the lazy dog and goes home. '],
    ['one letter', 'a'],
  ];
  const stepsOf = (unit: string, chars: number, kind: string): number => {
    const content = unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);
    return matchRules(compiled, {
      action: action(kind),
      facts: { ...NO_FACTS, texts: [text(content, { role: kind === 'tool.call' ? 'param' : 'content' })] },
    }).steps;
  };
  for (const [name, unit] of soups) {
    it(`${name}: sixteen times the text, at most sixteen times the steps`, () => {
      for (const kind of ['tool.call', 'tool.response']) {
        const small = stepsOf(unit, 65_536, kind);
        const large = stepsOf(unit, 1_048_576, kind);
        expect(large).toBeLessThanOrEqual(small * 16 * 1.1 + 1000);
      }
    });
  }
});

describe('RULE-043 the second opinion', () => {
  it('has been asked about every expression of the packs, and called none exponential', () => {
    const checked = JSON.parse(readFileSync(new URL('../patterns.checked.json', import.meta.url), 'utf8')) as Record<string, string>;
    const missing: string[] = [];
    for (const rule of RULES.rules)
      for (const source of expressionsOf(rule.when)) if (checked[patternHash(source)] === undefined) missing.push(`${rule.id} ${source}`);
    expect(missing).toEqual([]);
    expect(Object.values(checked)).not.toContain('exponential');
  });
});
