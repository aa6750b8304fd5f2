import { describe, expect, it } from 'vitest';
import type { JsonValue } from '@countersign/kernel';
import { importClampd } from '@countersign/policy';
import { documentOf, resolved } from './support.ts';

/** What an operator of Clampd might have exported. */
const EXPORT: JsonValue = {
  thresholds: [{ id: 7, toolPattern: 'database.*', blockThreshold: 0.6, flagThreshold: 0.25, reason: 'the books' }],
  scopeExemptions: [{ label: 'support', ruleIds: ['R020'], scope: 'db:query:*', description: 'looks up customers' }],
  policies: [
    { mode: 'dsl', compiled: 'forbid(principal, action in Action::"scm", resource);', cedar_action: 'deny', cedar_reason: 'no pushes' },
    { mode: 'cedar', compiled: 'forbid(principal, action, resource);', cedar_action: 'remove_scope', cedar_scope: 'db:mutate:*' },
  ],
  boundaries: {
    'a-1': {
      maxRecordsPerQuery: 50,
      max_calls_per_minute: 0,
      max_data_volume_mb_per_hour: 2.5,
      allowedHoursStart: '08:30',
      allowedHoursEnd: '23:59',
      allowed_hours_timezone: 'UTC+2',
      allowed_days: 31,
      approved_vendors: ['Paper & Co'],
      max_payment_per_tx_cents: 900,
    },
  },
  protectedEntities: [{ name: 'payroll', tables: ['salaries'], action: 'flag' }],
};

describe('POL-260 what Clampd keeps becomes a policy document', () => {
  it('every kind of entry, with the numbers of ours', () => {
    const { document, counts, remarks } = importClampd(EXPORT, 'default');
    expect(remarks).toEqual([]);
    expect(counts).toEqual({ thresholds: 1, exemptions: 1, policies: 2, boundaries: 1, protected_entities: 1 });
    const { content } = documentOf(document);
    expect(content.settings?.tool_thresholds).toEqual([{ tool: 'database.*', flag: 250, block: 600, reason: 'the books' }]);
    expect(content.exemptions).toEqual([{ label: 'support', rules: ['R020'], scope: 'db:query:*', description: 'looks up customers' }]);
    expect(content.cedar?.default).toBe('allow');
    expect(content.cedar?.policies?.map(({ id, mode, cedar_action: action }) => [id, mode, action])).toEqual([
      ['policy-1', 'dsl', 'deny'],
      ['policy-2', 'cedar', 'remove_scope'],
    ]);
    expect(resolved(document).boundaries).toEqual([
      {
        name: 'a-1',
        agents: ['a-1'],
        orgs: ['*'],
        max_records: 50,
        max_calls_per_minute: 60,
        max_bytes_per_hour: 2_621_440,
        hours: { from: 8, to: 24 },
        utc_offset_minutes: 120,
        days: ['mon', 'tue', 'wed', 'thu', 'fri'],
        block_domains: [],
        approved_vendors: ['Paper & Co'],
        max_payment_per_tx_cents: 900,
      },
    ]);
    expect(resolved(document).protected_entities).toEqual([
      { name: 'payroll', tables: ['salaries'], hosts: [], paths: [], action: 'warn' },
    ]);
  });

  it('a list alone is known by what its entries hold', () => {
    const only = (json: JsonValue): object => importClampd(json, 'default').counts;
    expect(only([{ toolPattern: '*', blockThreshold: 1, flagThreshold: 0.5 }])).toEqual({ thresholds: 1 });
    expect(only([{ label: 'a', ruleIds: ['R1'], scope: '*' }])).toEqual({ exemptions: 1 });
    expect(only([{ mode: 'cedar', compiled: 'x' }])).toEqual({ policies: 1 });
    expect(only([{ agentId: 'a', maxRecordsPerQuery: 1 }])).toEqual({ boundaries: 1 });
  });

  it.each<[string, JsonValue, string]>([
    ['a list of nobody knows what', [{ a: 1 }], 'nobody knows'],
    ['no list', 3, 'neither a list nor an object'],
    ['a section without a place', { keywords: [] }, 'left out: there is no place for it'],
    ['a field without a place', { thresholds: [{ toolPattern: '*', blockThreshold: 1, flagThreshold: 1, colour: 'red' }] }, 'left out'],
    ['a threshold above 1', { thresholds: [{ toolPattern: '*', blockThreshold: 70, flagThreshold: 0.3 }] }, 'not of the form'],
    ['an exemption without rules', { exemptions: [{ label: 'a', scope: '*' }] }, 'lacks rules'],
    ['what was switched off', { exemptions: [{ label: 'a', ruleIds: ['R1'], scope: '*', enabled: false }] }, 'switched off'],
    ['a zone with summer time', { boundaries: [{ name: 'a', allowed_hours_timezone: 'Europe/Vienna' }] }, 'not of the form'],
    ['an entry that is none', { boundaries: ['x'] }, 'not an object'],
  ])('%s is a remark', (_what, json, why) => {
    const { remarks } = importClampd(json, 'default');
    expect(remarks).toHaveLength(1);
    expect(remarks[0]?.why).toContain(why);
  });

  it('half of an entry is none', () => {
    const { counts, document } = importClampd(
      { boundaries: [{ name: 'a', allowed_hours_timezone: 'Europe/Vienna', max_records_per_query: 1 }] },
      'default',
    );
    expect(counts).toEqual({ boundaries: 0 });
    expect(documentOf(document).content.boundaries).toBeUndefined();
  });
});
