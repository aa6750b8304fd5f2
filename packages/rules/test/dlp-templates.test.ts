import { describe, expect, it } from 'vitest';
import { DLP_TEMPLATES, parseRules, RULE_LIMITS, rulesOfTemplate, type Rule } from '../src/index.ts';
import { documentOf } from './actions.ts';
import { mergedPacks, readPacks } from './packs-on-disk.ts';

const HEAD = 'version: 1\npack: acme\ndescription: for a test\n';

function rulesIn(yaml: string): readonly Rule[] {
  const read = parseRules(yaml, 'rules.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.rules.map(({ rule }) => rule);
}

function faultsOf(yaml: string): readonly string[] {
  const read = parseRules(yaml, 'rules.yaml');
  return read.ok ? [] : read.error.map((fault) => `${fault.code} ${fault.line}:${fault.column} ${fault.path ?? ''}`);
}

describe('RULE-103 templates', () => {
  it('expand to rules that differ where the document says so', () => {
    const [cards, code] = rulesIn(`${HEAD}dlp: [{template: pci-dss, at_least: 7, score: 0.5, level: 2, kinds: [prompt]}]\n`);
    expect(cards).toMatchObject({
      id: 'acme.dlp.pci-dss.cards',
      category: 'data-loss',
      severity: 'medium',
      score: 500,
      level: 2,
      when: { pii: { type: ['credit_card'], at_least: 7 } },
      tags: { regulation: ['PCI-DSS'] },
    });
    expect(cards?.kinds).toContain('prompt.input');
    expect(code).toMatchObject({ id: 'acme.dlp.pci-dss.card-code', score: 500, level: 2 });
    expect(JSON.stringify(code?.when)).not.toContain('at_least');
  });

  it.each([...DLP_TEMPLATES.keys()].map((name) => [name]))('%s is read with its defaults', (name) => {
    const rules = rulesIn(`${HEAD}dlp: [{template: ${name}}]\n`);
    expect(rules).toEqual(rulesOfTemplate(name, { prefix: 'acme.dlp' }));
    expect(rules.length).toBeGreaterThan(0);
  });

  it('stand beside rules', () => {
    const yaml = `${documentOf("{text: {any: ['alpha']}}")}dlp: [{template: glba}, {template: gdpr, score: 0.9}]\n`;
    const rules = rulesIn(yaml);
    expect(rules.map((rule) => rule.id).slice(0, 3)).toEqual(['T1', 'test.dlp.glba.account', 'test.dlp.glba.accounts']);
    expect(rules.at(-1)).toMatchObject({ score: 900, severity: 'critical' });
  });

  it('are none where no template has the name', () => {
    expect(rulesOfTemplate('pci')).toBeUndefined();
    expect(rulesOfTemplate('hipaa')?.[0]?.id).toBe('dlp.hipaa.patient');
  });

  it.each([
    ['an unknown template', '[{template: pci}]', 'rule_value 4:8 /dlp/0/template'],
    ['none', '[{at_least: 3}]', 'rule_missing_field 4:7 /dlp/0/template'],
    ['an unknown field', '[{template: gdpr, atleast: 3}]', 'rule_unknown_field 4:24 /dlp/0/atleast'],
    ['a count of nothing', '[{template: gdpr, at_least: 0}]', 'rule_range 4:24 /dlp/0/at_least'],
    ['a count above 256', '[{template: gdpr, at_least: 257}]', 'rule_range 4:24 /dlp/0/at_least'],
    ['a score above one', '[{template: gdpr, score: 2}]', 'rule_range 4:24 /dlp/0/score'],
    ['an unknown kind', '[{template: gdpr, kinds: [file.burn]}]', 'rule_value 4:32 /dlp/0/kinds/0'],
    ['one template twice', '[{template: gdpr}, {template: gdpr}]', 'rule_duplicate_id 4:26 /dlp/1/template'],
    ['no entry', '[]', 'rule_empty 4:1 /dlp'],
    ['something else', 'gdpr', 'rule_type 4:1 /dlp'],
  ])('are refused where they stand: %s', (_name, entries, expected) => {
    expect(faultsOf(`${HEAD}dlp: ${entries}\n`)).toContain(expected);
  });

  it('takes a count of 256, and so many entries', () => {
    expect(faultsOf(`${HEAD}dlp: [{template: gdpr, at_least: 256}]\n`)).toEqual([]);
    const entries = (count: number): string => `${HEAD}dlp: [${Array.from({ length: count }, () => '{template: none}').join(', ')}]\n`;
    const tooMany = (count: number): number => faultsOf(entries(count)).filter((fault) => fault.startsWith('rule_too_many')).length;
    expect(tooMany(RULE_LIMITS.templatesMax)).toBe(0);
    expect(tooMany(RULE_LIMITS.templatesMax + 1)).toBe(1);
  });

  it('refuses a pack whose name makes ids too long', () => {
    const named = (length: number): string => `${HEAD.replace('acme', 'a'.repeat(length))}dlp: [{template: glba}]\n`;
    const most = 64 - '.dlp.glba.accounts'.length;
    expect(faultsOf(named(most))).toEqual([]);
    expect(faultsOf(named(most + 1))).toEqual(['rule_range 2:1 /pack']);
  });
});

describe('RULE-104 the pack `dlp`', () => {
  it('is all templates with their defaults', () => {
    const pack = readPacks().find((document) => document.pack === 'dlp');
    const shown = new Map(pack?.rules.map(({ rule }) => [rule.id, rule]));
    for (const [name, template] of DLP_TEMPLATES) {
      for (const [i, rule] of (rulesOfTemplate(name) ?? []).entries()) {
        const id = template.parts[i]?.rule ?? '';
        expect(shown.get(id)).toEqual({ ...rule, id });
        shown.delete(id);
      }
    }
    expect([...shown.keys()]).toEqual([]);
  });
});

describe('RULE-105 laws and standards', () => {
  const tagged = (tags: string): string => documentOf("{text: {any: ['alpha']}}", `tags: {regulation: ${tags}}`);

  it('stand sorted among the tags, or not at all', () => {
    expect(rulesIn(tagged('[PCI-DSS, GDPR]'))[0]?.tags).toEqual({ owasp: [], atlas: [], cwe: [], regulation: ['GDPR', 'PCI-DSS'] });
    expect(rulesIn(documentOf("{text: {any: ['alpha']}}"))[0]?.tags).toEqual({ owasp: [], atlas: [], cwe: [] });
  });

  it('are refused in other spellings', () => {
    expect(faultsOf(tagged('[gdpr]'))).toEqual(['rule_value 10:25 /rules/0/tags/regulation/0']);
    expect(faultsOf(tagged('[]'))).toEqual(['rule_empty 10:12 /rules/0/tags/regulation']);
  });

  it('are named by every rule about data and secrets', () => {
    const about = new Set(['pii-exfiltration', 'secret-exposure', 'data-loss']);
    const bare = mergedPacks().rules.filter((rule) => about.has(rule.category) && rule.tags.regulation === undefined);
    expect(bare.map((rule) => rule.id)).toEqual([]);
  });
});
