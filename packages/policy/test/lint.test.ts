import { describe, expect, it } from 'vitest';
import { applyEdits, findingsOfFaults, LINT_CODES, type LintFinding, lintPolicy, parsePolicy, sarifOf } from '@countersign/policy';
import { documentOf, readText, resolved, rulesets } from './support.ts';

function lint(text: string, unknownRules: readonly string[] = []): readonly LintFinding[] {
  return lintPolicy({ document: documentOf(text), resolved: resolved(text), text, unknownRules });
}

const codesOf = (text: string): readonly string[] => lint(text).map(({ code }) => code);

const HEAD = 'version: "1.5.0"\nname: Ours\ndescription: for the tests of lint\n';
const QUIET = `${HEAD}guards:
  egress_allowlist:
    allow:
      - api.example.com
      - docs.example.com
    default_action: block
  secret_leak:
    enabled: true
  shell_command:
    enabled: true
`;

const SCREEN = `${QUIET}  spider_sense:
    embedding_api_url: https://e.example/v1/embeddings
    embedding_model: m
    patterns: [{id: a, category: c, stage: action, label: l, embedding: [1]}]
`;

/** One document for each code, one line away from the quiet one. */
const CASES: readonly (readonly [code: string, text: string])[] = [
  ['STY001', QUIET.replace('name: Ours\n', '')],
  ['STY002', QUIET.replace('description: for the tests of lint\n', '')],
  [
    'STY010',
    QUIET.replace('- docs.', '- api.').replace('api.example.com\n      - api.example.com', 'b.example.com\n      - a.example.com'),
  ],
  ['STY011', QUIET.replace('default_action', 'block:\n      - b.example\n      - b.example\n    default_action')],
  ['STY020', `${QUIET}  forbidden_path:\n    patterns: [/z, /a]\n`],
  ['STY021', `${QUIET}  forbidden_path:\n    exceptions: [/z, /a]\n`],
  ['STY030', QUIET.replace('secret_leak:\n    enabled: true', 'secret_leak:\n    skip_paths: [/z, /a]')],
  ['STY040', `${QUIET}  patch_integrity:\n    forbidden_patterns: [zed, alpha]\n`],
  ['SEC001', QUIET.replace('- api.example.com', '- "*"')],
  ['SEC002', QUIET.replace('default_action', 'block: [docs.example.com]\n    default_action')],
  ['SEC010', `${QUIET}  forbidden_path:\n    patterns: ["**"]\n`],
  ['SEC031', `${QUIET}  mcp_tool:\n    allow: ["*"]\n`],
  ['SEC040', QUIET.replace('  secret_leak:\n    enabled: true\n', '')],
  ['SEC040', QUIET.replace('secret_leak:\n    enabled: true', 'secret_leak:\n    enabled: false')],
  ['SEC041', QUIET.replace('  shell_command:\n    enabled: true\n', '')],
  ['SEC041', QUIET.replace('shell_command:\n    enabled: true', 'shell_command:\n    enabled: false')],
  ['SEC050', `${QUIET}  path_allowlist:\n    enabled: true\n`],
  ['CS001', `${QUIET}  patch_integrity:\n    enabled: false\n`],
  ['CS002', QUIET.replace('default_action: block', 'default_action: log')],
  ['CS003', QUIET.replace('shell_command:\n    enabled: true', 'shell_command:\n    unparsed: warn')],
  ['CS004', `${QUIET}settings:\n  unregistered_tools: warn\n`],
  ['CS010', `${QUIET}  forbidden_path:\n    exceptions: ["**/*"]\n`],
  ['CS011', QUIET.replace('secret_leak:\n    enabled: true', 'secret_leak:\n    skip_paths: ["**"]')],
  ['CS012', QUIET.replace('- api.example.com', '- "169.254.*"')],
  ['CS013', QUIET.replace('- api.example.com', '- "*.dev"')],
  ['CS014', QUIET.replace('default_action', 'block: ["docs.*"]\n    default_action')],
  ['CS020', `${QUIET}settings:\n  tool_thresholds:\n    - {tool: "db*", flag: 1, block: 2}\n    - {tool: db_read, flag: 1, block: 2}\n`],
  ['CS021', `${QUIET}  mcp_tool:\n    allow: [one]\n    block: [one]\n`],
  ['CS022', `${QUIET}settings:\n  thresholds: {flag: 300, block: 950}\n`],
  ['CS003', `${SCREEN}    async: {on_timeout: warn}\n`],
  ['CS070', `${SCREEN}    async: {timeout_ms: 10000}\n`],
  ['CS040', QUIET.replace('version: "1.5.0"\n', '')],
  ['CS060', `${QUIET}origins: {profiles: [{id: a, match_rules: {provider: x}}, {id: b, match_rules: {provider: x}}]}\n`],
  ['CS061', `${QUIET}origins: {profiles: [{id: a}]}\n`],
  ['CS062', `${QUIET}origins: {profiles: [{id: a, match_rules: {provider: x}, bridge_policy: {allow_cross_origin: true}}]}\n`],
  [
    'CS063',
    `${QUIET}broker: {providers: [{name: a, host: a.example, secret_ref: S, exact_paths: [/], methods: [GET], require_intent_preview: true}]}\n`,
  ],
];

describe('POL-271 policy lint', () => {
  it('has nothing to say of a policy that means what it says', () => {
    for (const text of [QUIET, SCREEN, `${SCREEN}    async: {timeout_ms: 9999, on_timeout: defer}\n`]) expect(codesOf(text)).toEqual([]);
  });

  it.each(CASES)('%s speaks of the one document and of no code that is not in the table', (code, text) => {
    const codes = codesOf(text);
    expect(codes).toContain(code);
    expect(codes.every((one) => LINT_CODES.has(one))).toBe(true);
  });

  it('every code is tried here, or needs more than a document', () => {
    const elsewhere = new Set(['SEC020', 'SEC021', 'POS001', 'POS002', 'CS030', 'CS050']);
    expect([...LINT_CODES.keys()].filter((code) => !elsewhere.has(code) && !CASES.some(([one]) => one === code))).toEqual([]);
  });

  it('CS030 names a rule that nobody has', () => {
    expect(lint(QUIET, ['R999']).map(({ code, message }) => [code, message])).toEqual([['CS030', 'no rule has the id R999']]);
  });

  it('an expression that is exponential elsewhere has the code of its list, and is an error', () => {
    const nested = (guard: string, list: string): string => `${QUIET}  ${guard}:\n    ${list}\n`;
    const secret = parsePolicy(
      QUIET.replace('secret_leak:\n    enabled: true', "secret_leak:\n    patterns: [{name: x, pattern: '(a+)+b'}]"),
      'a',
    );
    const patch = parsePolicy(nested('patch_integrity', "forbidden_patterns: ['(a+)+b']"), 'b');
    expect(secret.ok ? [] : findingsOfFaults(secret.error)).toMatchObject([{ code: 'SEC020', level: 'error', position: { line: 11 } }]);
    expect(patch.ok ? [] : findingsOfFaults(patch.error)).toMatchObject([{ code: 'SEC021', level: 'error' }]);
  });

  it('says where: an entry by its own line', () => {
    const [finding] = lint(QUIET.replace('- api.example.com', '- "*"'));
    expect(finding).toMatchObject({ code: 'SEC001', path: 'guards.egress_allowlist.allow[0]', position: { line: 7, column: 9 } });
  });

  it.each([...rulesets.keys()])('the ruleset %s has no errors', (name) => {
    const text = readText(`packages/policy/rulesets/${name}.yaml`);
    expect(lint(text).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('POL-272 fixes', () => {
  const FIXABLE = CASES.filter(([, text]) => lint(text).some(({ fix }) => fix !== undefined));

  it.each(FIXABLE)('%s: the fix leaves a policy, without that finding', (_code, text) => {
    const finding = lint(text).find(({ fix }) => fix !== undefined);
    const mended = applyEdits(text, finding?.fix?.edits ?? []);
    expect(mended).not.toBe(text);
    const left = lint(mended).filter(({ code, path }) => code === finding?.code && path === finding.path);
    expect(left).toEqual([]);
  });

  it('there are fixes for doubles, order, dead entries, switches and the version', () => {
    expect(new Set(FIXABLE.map(([code]) => code))).toEqual(
      new Set([
        'STY010',
        'STY011',
        'STY020',
        'STY021',
        'STY030',
        'STY040',
        'SEC001',
        'SEC002',
        'SEC040',
        'SEC041',
        'CS001',
        'CS014',
        'CS040',
      ]),
    );
  });

  it('no order is made where a comment would move to another entry', () => {
    const text = QUIET.replace('- api.example.com\n', '- z.example.com # the old one\n');
    expect(lint(text)).toMatchObject([{ code: 'STY010' }]);
    expect(lint(text)[0]?.fix).toBeUndefined();
  });
});

describe('POL-273 SARIF', () => {
  const text = QUIET.replace('- api.example.com', '- "*"');
  const sarif = sarifOf(lint(text), { uri: 'policy.yaml', text }, '1');

  it('has a rule with its reason, a region from line 7 and a replacement', () => {
    expect(sarif).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { rules: [{ id: 'SEC001', help: { text: LINT_CODES.get('SEC001')?.why } }] } },
          results: [
            {
              ruleId: 'SEC001',
              ruleIndex: 0,
              level: 'warning',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'policy.yaml' },
                    region: { startLine: 7, startColumn: 9, endLine: 7, endColumn: 12 },
                  },
                },
              ],
              fixes: [
                { artifactChanges: [{ replacements: [{ deletedRegion: { startLine: 7, startColumn: 1, endLine: 8, endColumn: 1 } }] }] },
              ],
            },
          ],
        },
      ],
    });
  });

  it('regions are what the finding points at', () => {
    const [finding] = lint(text);
    const { start = 0, end = 0 } = finding?.position ?? {};
    expect(text.slice(start, end)).toBe('"*"');
  });
});

describe('POL-271 posture states', () => {
  const posture = (transitions: string): string => `${QUIET}posture:
  initial: work
  states:
    work: {capabilities: [file_access]}
    quiet: {capabilities: []}
    wide: {capabilities: [file_access, shell]}
  transitions:
${transitions}`;
  const said = (transitions: string): readonly string[] => lint(posture(transitions)).map(({ code, path }) => `${code} ${path}`);

  it('POS001: nothing leads there; POS002: nothing leads out', () => {
    expect(said('    - {from: work, to: quiet, on: any_violation}\n')).toEqual([
      'POS002 posture.states.quiet',
      'POS001 posture.states.wide',
    ]);
  });

  it('POL-307 a state that an origin names holds there, and need not be reached', () => {
    const profile = 'origins: {profiles: [{id: a, match_rules: {provider: x}, posture: wide}]}\n';
    const loop = '    - {from: work, to: quiet, on: any_violation}\n    - {from: quiet, to: work, on: user_approval}\n';
    expect(lint(posture(loop)).map(({ code }) => code)).toEqual(['POS001']);
    expect(lint(posture(loop) + profile).map(({ code }) => code)).toEqual([]);
  });

  it('CS063: what nobody can approve', () => {
    const provider = (rest: string): readonly string[] =>
      codesOf(`${QUIET}broker: {providers: [{name: a, host: a.example, secret_ref: S, exact_paths: [/], methods: [GET], ${rest}}]}\n`);
    expect(provider('approval_required_risk_levels: [low, medium, high, critical]')).toEqual(['CS063']);
    expect(provider('approval_required_data_classes: [pii, health]')).toEqual(['CS063']);
    expect(provider('approval_required_risk_levels: [high], approval_required_data_classes: [pii]')).toEqual([]);
  });

  it('CS050: a transition that nobody is asked about permits more', () => {
    const back = '    - {from: "*", to: work, on: user_denial}\n    - {from: work, to: quiet, on: any_violation}\n';
    expect(said(`${back}    - {from: work, to: wide, on: user_approval}\n`)).toEqual([]);
    expect(said(`${back}    - {from: work, to: wide, on: timeout, after: 1h}\n`)).toEqual(['CS050 posture.transitions[2]']);
  });
});
