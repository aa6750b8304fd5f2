import { describe, expect, it } from 'vitest';
import { parseTestSuite, POLICY_LIMITS, type TestSuite } from '@countersign/policy';

const SUITE = `name: Ours
policy: default
suites:
  - name: files
    tests:
      - name: keys are refused
        input: {eventType: file_read, data: {type: file, path: /home/a/.ssh/id_rsa}}
        expect: {denied: true, guard: forbidden_path, severity: critical}
`;

function read(text: string): TestSuite {
  const suite = parseTestSuite(text, 'suite.yaml');
  if (!suite.ok) throw new Error(suite.error.map(({ message }) => message).join('; '));
  return suite.value;
}

function faults(text: string): readonly string[] {
  const suite = parseTestSuite(text, 'suite.yaml');
  return suite.ok ? [] : suite.error.map(({ code, path, line }) => `${code} ${path ?? ''}:${String(line ?? 0)}`);
}

describe('POL-275 test suites', () => {
  it('reads tests with their events and what is expected', () => {
    const { name, policy, tests } = read(SUITE);
    expect([name, policy]).toEqual(['Ours', 'default']);
    expect(tests).toMatchObject([
      {
        suite: 'files',
        name: 'keys are refused',
        event: { type: 'file_read', action: { kind: 'file.read' } },
        expect: { denied: true, guard: 'forbidden_path', severity: 'critical' },
      },
    ]);
  });

  it.each([
    ['a misspelled expectation', SUITE.replace('denied', 'denyed'), ['policy_unknown_field suites[0].tests[0].expect.denyed:8']],
    [
      'a state that is no text',
      SUITE.replace('denied: true', 'posture_state: 1'),
      ['policy_type suites[0].tests[0].expect.posture_state:8'],
    ],
    [
      'a transition on nothing that is known',
      SUITE.replace('denied: true', 'posture_transition: {on: x, trigger: luck}'),
      [
        'policy_unknown_field suites[0].tests[0].expect.posture_transition.on:8',
        'policy_enum suites[0].tests[0].expect.posture_transition.trigger:8',
      ],
    ],
    [
      'a transition that says nothing',
      SUITE.replace('denied: true', 'posture_transition: {}'),
      ['policy_required suites[0].tests[0].expect.posture_transition:8'],
    ],
    [
      'budgets that nobody counts, or not in numbers',
      SUITE.replace('denied: true', 'posture_budgets: {reads: 1, patches: -1, file_writes: few}'),
      [
        'policy_unknown_field suites[0].tests[0].expect.posture_budgets.reads:8',
        'policy_type suites[0].tests[0].expect.posture_budgets.patches:8',
        'policy_type suites[0].tests[0].expect.posture_budgets.file_writes:8',
      ],
    ],
    ['no expectation', SUITE.replace(/expect: .*/, 'expect: {}'), ['policy_required suites[0].tests[0].expect:8']],
    ['a flag that is text', SUITE.replace('denied: true', 'denied: "yes"'), ['policy_type suites[0].tests[0].expect.denied:8']],
    ['a severity that is none', SUITE.replace('severity: critical', 'severity: bad'), ['policy_enum suites[0].tests[0].expect.severity:8']],
    ['an event of an unknown type', SUITE.replace('file_read', 'file_chown'), ['policy_type suites[0].tests[0].input.eventType:7']],
    ['no suites', SUITE.replace(/suites:[^]*/, 'suites: []\n'), ['policy_required :1']],
    [
      'two tests of one name',
      `${SUITE}${SUITE.slice(SUITE.indexOf('      - name'))}`,
      ['policy_duplicate_entry suites[0].tests[1].name:9'],
    ],
    ['text that is no mapping', '- a\n', ['policy_type :1', 'policy_required :1', 'policy_required :1', 'policy_required :1']],
  ])('%s is refused with its place', (_name, text, expected) => expect(faults(text)).toEqual(expected));

  it('POL-279 has as many tests as the limit, and not one more', () => {
    const test = (i: number): string =>
      `      - {name: t${String(i)}, input: {eventType: file_read, data: {type: file, path: x}}, expect: {allowed: true}}\n`;
    const many = (count: number): string =>
      `name: a\npolicy: b\nsuites:\n  - name: s\n    tests:\n${Array.from({ length: count }, (_, i) => test(i)).join('')}`;
    expect(faults(many(POLICY_LIMITS.suiteTestsMax))).toEqual([]);
    expect(faults(many(POLICY_LIMITS.suiteTestsMax + 1))).toEqual(['policy_range suites:3']);
  });
});
