import { sha256Hex } from '@countersign/crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import {
  diffPolicies,
  flattenPolicy,
  formatFaults,
  guardQuestions,
  lintPolicy,
  parsePolicy,
  policyHash,
  resolvePolicy,
  type ResolvedPolicy,
  compilePolicy,
} from '@countersign/policy';
import {
  type Action,
  type Facts,
  type GuardQuestion,
  type GuardResult,
  PROTOCOL_LIMITS,
  type Signal,
  signalOfAnswer,
  withGuardAnswers,
} from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { evaluateGuardsCounted } from '../src/evaluate-guards.ts';
import { POLICY_LIMITS } from '../src/limits.ts';
import { judgeOutside } from '../src/outside-guards.ts';
import { createMeter } from '../src/regex/regex-set.ts';
import { actionOf, compiled, documentOf, resolved, rulesets, understanding } from './support.ts';

const under = (...entries: readonly string[]): string =>
  `extends: permissive\nguards:\n  custom:\n${entries.map((entry) => `    - ${entry}\n`).join('')}`;
const VT = '{package: clawdstrike-virustotal, config: {api_key: "${VT_KEY}", min_detections: 3}}';
const SB = '{package: clawdstrike-safe-browsing, config: {api_key: "${GSB_KEY}", client_id: acme}}';
const SNYK = '{package: clawdstrike-snyk, config: {api_token: "${secrets.SNYK}", org_id: org}}';
const STRICT_SNYK = SNYK.replace('org_id: org', 'org_id: org, severity_threshold: medium, fail_on_upgradable: true');
const HASH = 'ab'.repeat(32);
const WASM = `{package: acme-deny, sha256: ${HASH}, config: {limit: 3}}`;
const softly = (entry: string, word = 'warn'): string => `${entry.slice(0, -1)}, async: {on_timeout: ${word}}}`;

const WRITE = actionOf({ kind: 'file.write', tool: 'filesystem.write', params: { path: '/srv/app/run.sh' }, content: 'echo hello' });
const FETCH = actionOf({ kind: 'net.egress', tool: 'http.fetch', params: { url: 'https://user:pw@files.example.com/a?b=c#d' } });
const CURL = actionOf({
  kind: 'shell.exec',
  tool: 'shell.exec',
  params: { command: 'curl -s https://one.example.com/x && wget http://two.example.com/y' },
});
const MANIFEST = actionOf({
  kind: 'file.write',
  tool: 'filesystem.write',
  params: { path: '/srv/app/Package.json' },
  content: '{"name":"demo"}',
});

function asked(policy: string, action: Action): readonly GuardQuestion[] {
  return guardQuestions(compiled(policy), { action, facts: understanding.understand(action, []), state: {} });
}

function contextOf(action: Action, facts: Facts): Parameters<typeof judgeOutside>[1] {
  return { action, facts, state: {}, meter: createMeter(), counter: { steps: 0 } };
}

/** Judges with these answers, the n-th for the n-th question; undefined for one that was not answered at all. */
function judgedWith(policy: string, action: Action, answers: readonly (JsonValue | undefined)[]): readonly GuardResult[] {
  const signals = asked(policy, action).flatMap(({ guard, key }, i): readonly Signal[] => {
    const answer = answers[i];
    if (answer === undefined) return [];
    const failed = isJsonObject(answer) && typeof answer['why'] === 'string' ? answer['why'] : undefined;
    return [
      signalOfAnswer(failed === undefined ? { guard, key, status: 'ok', answer } : { guard, key, status: 'unavailable', reason: failed }),
    ];
  });
  const facts = withGuardAnswers(understanding.understand(action, []), signals);
  return evaluateGuardsCounted(compiled(policy), { action, facts, state: {} }).results.filter(({ guard }) =>
    /^(?:clawdstrike-|custom\.)/.test(guard),
  );
}

const changed = (answer: JsonValue, change: JsonObject): JsonValue => (isJsonObject(answer) ? { ...answer, ...change } : change);
const report = (malicious: number, suspicious = 0): JsonValue => ({ known: true, malicious, suspicious, harmless: 60, undetected: 4 });
const snykAnswer = (high: number, upgradable = 0, medium = 0): JsonValue => ({
  vulnerabilities: { low: 5, medium, high, critical: 0 },
  upgradable: { low: 5, medium: 0, high: upgradable, critical: 0 },
});

describe('POL-185 what the guards want to know', () => {
  test('of a file its hash alone', () => {
    const [question, ...others] = asked(under(VT), WRITE);
    expect(others).toEqual([]);
    expect(question).toMatchObject({ guard: 'clawdstrike-virustotal', ask: { file: sha256Hex('echo hello') } });
    expect(question?.key).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of every URL that is fetched, in whatever kind of action, without credentials and fragment', () => {
    expect(asked(under(SB), FETCH).map(({ ask }) => ask)).toEqual([{ url: 'https://files.example.com/a?b=c' }]);
    expect(asked(under(VT), CURL).map(({ ask }) => ask)).toEqual([
      { url: 'https://one.example.com/x' },
      { url: 'http://two.example.com/y' },
    ]);
  });

  test('of a host without a URL by its name, and of nothing inside the own network', () => {
    const of = (params: JsonValue): readonly JsonValue[] =>
      asked(under(SB), actionOf({ kind: 'net.egress', params })).map(({ ask }) => ask);
    expect(of({ host: 'one.example.com' })).toEqual([{ url: 'https://one.example.com/' }]);
    expect(of({ host: '2a00:1450:4001:830::200e' })).toEqual([{ url: 'https://[2a00:1450:4001:830::200e]/' }]);
    for (const host of ['localhost', '127.0.0.1', '10.1.2.3', '[::1]']) expect(of({ host }), host).toEqual([]);
  });

  test('of a manifest its text, whatever the case of its name', () => {
    expect(asked(under(SNYK), MANIFEST).map(({ ask }) => ask)).toEqual([{ manifest: '{"name":"demo"}' }]);
    expect(asked(under(SNYK), WRITE)).toEqual([]);
  });

  test('nothing of what another guard refuses, and nothing where the entry is off', () => {
    const shadow = actionOf({ kind: 'file.write', params: { path: '/etc/shadow' }, content: 'x' });
    expect(asked(under(VT), shadow)).toEqual([]);
    expect(judgedWith(under(VT), shadow, [])).toEqual([]);
    expect(asked(under(VT.replace('{package', '{enabled: false, package')), WRITE)).toEqual([]);
  });

  test('what is beyond the limit of questions was not asked, and denies', () => {
    const urls = Array.from({ length: PROTOCOL_LIMITS.guardQuestionsMax + 1 }, (_, i) => `https://h${String(i)}.example.com/`);
    const action = actionOf({ kind: 'shell.exec', params: { command: urls.map((url) => `curl ${url}`).join('; ') } });
    const questions = asked(under(SB), action);
    expect(questions.length).toBe(PROTOCOL_LIMITS.guardQuestionsMax);
    expect(
      judgedWith(
        under(SB),
        action,
        questions.map(() => ({ threats: [] })),
      ),
    ).toMatchObject([{ allowed: false, code: 'unavailable', details: { reason: 'not_asked' } }]);
    const fewer = {
      ...action,
      params: {
        command: urls
          .slice(1)
          .map((url) => `curl ${url}`)
          .join('; '),
      },
    };
    expect(
      judgedWith(
        under(SB),
        fewer,
        questions.map(() => ({ threats: [] })),
      ),
    ).toMatchObject([{ allowed: true }]);
  });
});

describe('POL-197 what they say', () => {
  test.each([
    ['nothing found', report(0), { allowed: true, severity: 'info', code: 'allowed' }],
    ['only suspicious, below the threshold', report(0, 2), { allowed: true, severity: 'info', code: 'allowed' }],
    ['malicious, below the threshold', report(1, 1), { allowed: true, severity: 'medium', code: 'suspected' }],
    ['both together at the threshold', report(1, 2), { allowed: false, severity: 'critical', code: 'detected' }],
    ['nothing is known', { known: false }, { allowed: true, severity: 'medium', code: 'not_known' }],
  ])('virustotal of a file: %s', (_name, answer, said) => {
    expect(judgedWith(under(VT), WRITE, [answer])).toMatchObject([{ guard: 'clawdstrike-virustotal', ...said }]);
  });

  test('virustotal of a URL is high, and of several the worst speaks', () => {
    expect(judgedWith(under(VT), FETCH, [report(5)])).toMatchObject([
      { allowed: false, severity: 'high', details: { malicious: 5, suspicious: 0, threshold: 3, type: 'url' } },
    ]);
    expect(judgedWith(under(VT), CURL, [report(0), report(9)])).toMatchObject([{ allowed: false, code: 'detected' }]);
    expect(judgedWith(under(VT), CURL, [report(1), report(0)])).toMatchObject([{ allowed: true, code: 'suspected' }]);
  });

  test('virustotal has five detections where the policy says nothing', () => {
    const policy = under(VT.replace(', min_detections: 3', ''));
    expect(judgedWith(policy, WRITE, [report(4)])).toMatchObject([{ allowed: true, code: 'suspected' }]);
    expect(judgedWith(policy, WRITE, [report(4, 1)])).toMatchObject([{ allowed: false }]);
  });

  test('safe browsing', () => {
    expect(judgedWith(under(SB), FETCH, [{ threats: [] }])).toMatchObject([{ allowed: true, code: 'allowed' }]);
    expect(judgedWith(under(SB), FETCH, [{ threats: ['MALWARE'] }])).toMatchObject([
      { guard: 'clawdstrike-safe-browsing', allowed: false, severity: 'critical', code: 'listed', details: { threat_types: ['MALWARE'] } },
    ]);
    expect(judgedWith(under(SB), WRITE, [])).toEqual([]);
  });

  test('snyk warns, and refuses only what an upgrade mends where the policy says so', () => {
    expect(judgedWith(under(SNYK), MANIFEST, [snykAnswer(0, 0, 9)])).toMatchObject([{ allowed: true, code: 'allowed' }]);
    expect(judgedWith(under(SNYK), MANIFEST, [snykAnswer(2, 2)])).toMatchObject([
      { allowed: true, severity: 'medium', code: 'vulnerable' },
    ]);
    expect(judgedWith(under(STRICT_SNYK), MANIFEST, [snykAnswer(0, 0, 9)])).toMatchObject([{ allowed: true, code: 'vulnerable' }]);
    expect(judgedWith(under(STRICT_SNYK), MANIFEST, [snykAnswer(2, 1)])).toMatchObject([
      {
        allowed: false,
        severity: 'high',
        code: 'upgradable',
        details: { vulns_at_or_above_threshold: 2, upgradable_vulns_at_or_above_threshold: 1, threshold: 'medium' },
      },
    ]);
  });

  test('what is not there to be asked about is warned of, and what could not be read is refused', () => {
    const bare = { ...MANIFEST, content: undefined };
    // Where secret_leak is on it refuses what nobody saw, and these are not heard.
    const alone = (entry: string): string => under(entry).replace('guards:', 'guards:\n  secret_leak: {enabled: false}');
    expect(judgedWith(under(VT), actionOf({ kind: 'file.write', params: { path: '/srv/a' } }), [])).toEqual([]);
    expect(judgedWith(alone(VT), actionOf({ kind: 'file.write', params: { path: '/srv/a' } }), [])).toMatchObject([
      { allowed: true, severity: 'medium', code: 'missing_content_bytes' },
    ]);
    expect(judgedWith(alone(SNYK), actionOf({ kind: bare.kind, params: bare.params ?? null }), [])).toMatchObject([
      { severity: 'medium', code: 'missing_content_bytes' },
    ]);
    const edit = actionOf({
      kind: 'file.write',
      params: { path: '/srv/package.json', old_string: 'a', new_string: '"left-pad": "1.0.0"' },
    });
    expect(judgedWith(under(SNYK), edit, [])).toMatchObject([{ severity: 'medium', code: 'partial_content' }]);
    expect(judgedWith(under(VT), edit, [])).toMatchObject([{ allowed: true, code: 'not_asked' }]);
    const long = actionOf({
      kind: 'net.egress',
      params: { url: `https://one.example.com/${'x'.repeat(POLICY_LIMITS.askedUrlCharsMax - 23)}` },
    });
    expect(judgedWith(under(SB), long, [{ threats: [] }])).toMatchObject([{ allowed: false, code: 'url_too_long' }]);
    // Steps back make it short once more: what was cut off is still not known.
    const steps = actionOf({ kind: 'net.egress', params: { url: `https://one.example.com/${'x/../'.repeat(2000)}bad` } });
    expect(judgedWith(under(SB), steps, [{ threats: [] }])).toMatchObject([{ allowed: false, code: 'url_too_long' }]);
    const fits = actionOf({
      kind: 'net.egress',
      params: { url: `https://one.example.com/${'x'.repeat(POLICY_LIMITS.askedUrlCharsMax - 24)}` },
    });
    expect(judgedWith(under(SB), fits, [{ threats: [] }])).toMatchObject([{ allowed: true }]);
  });
});

describe('POL-198 no answer is never clean', () => {
  const cases: readonly (readonly [string, string, Action])[] = [
    ['virustotal', VT, WRITE],
    ['safe browsing', SB, FETCH],
    ['snyk', SNYK, MANIFEST],
  ];
  test.each(cases)('%s: not asked, late, down', (_name, entry, action) => {
    for (const answer of [undefined, { why: 'timeout' }, { why: 'unauthorized' }, { why: 'server_error' }, { why: 'breaker_open' }]) {
      expect(judgedWith(under(entry), action, [answer])).toMatchObject([{ allowed: false, severity: 'high', code: 'unavailable' }]);
      expect(judgedWith(under(softly(entry)), action, [answer])).toMatchObject([
        { allowed: true, severity: 'medium', code: 'unavailable' },
      ]);
      expect(judgedWith(under(softly(entry, 'defer')), action, [answer])).toMatchObject([{ allowed: false }]);
    }
  });

  const strange: readonly (readonly [string, string, { readonly action: Action; readonly answers: readonly JsonValue[] }])[] = [
    [
      'virustotal',
      VT,
      {
        action: WRITE,
        answers: [
          null,
          {},
          [],
          'fine',
          { known: true },
          { known: 'no' },
          changed(report(0), { malicious: -1 }),
          changed(report(0), { more: 1 }),
        ],
      },
    ],
    ['virustotal that knows nothing and counts', VT, { action: WRITE, answers: [changed(report(9), { known: false })] }],
    [
      'safe browsing',
      SB,
      { action: FETCH, answers: [null, {}, { threats: null }, { threats: [7] }, { threats: [], more: 1 }, { threats: ['x'] }] },
    ],
    [
      'snyk',
      SNYK,
      {
        action: MANIFEST,
        answers: [null, {}, { vulnerabilities: {}, upgradable: {} }, snykAnswer(1, 2), changed(snykAnswer(0), { more: 1 })],
      },
    ],
  ];
  test.each(strange)('%s: an answer of another form', (_name, entry, { action, answers }) => {
    for (const answer of answers) {
      expect(judgedWith(under(entry), action, [answer]), JSON.stringify(answer)).toMatchObject([
        { allowed: false, code: 'unavailable', details: { reason: 'answer_malformed' } },
      ]);
    }
  });

  test('what was not read whole is refused, whatever was answered', () => {
    const fine: readonly (readonly [string, Action, JsonValue])[] = [
      [VT, WRITE, report(0)],
      [SNYK, MANIFEST, snykAnswer(0)],
      [SB, FETCH, { threats: [] }],
      [WASM, WRITE, { sha256: HASH, guards: [] }],
    ];
    for (const [entry, action, answer] of fine) {
      const [question] = asked(under(entry), action);
      const signal = signalOfAnswer({ guard: question?.guard ?? '', key: question?.key ?? '', status: 'ok', answer });
      const whole = withGuardAnswers(understanding.understand(action, []), [signal]);
      const custom = compiled(under(entry)).outside;
      const cuts = entry === SB ? (['hosts'] as const) : (['bytes'] as const);
      const allowed = (facts: typeof whole): readonly boolean[] => judgeOutside(custom, contextOf(action, facts)).map((one) => one.allowed);
      expect([allowed(whole), allowed({ ...whole, cuts })], entry).toEqual([[true], [false]]);
    }
  });

  test('an answer to another question is none', () => {
    const other = { ...WRITE, content: 'something else' };
    const [question] = asked(under(VT), other);
    const signal = signalOfAnswer({ guard: question?.guard ?? '', key: question?.key ?? '', status: 'ok', answer: report(0) });
    const facts = understanding.understand(WRITE, []);
    const { results } = evaluateGuardsCounted(compiled(under(VT)), { action: WRITE, facts: withGuardAnswers(facts, [signal]), state: {} });
    expect(results.at(-1)).toMatchObject({ allowed: false, details: { reason: 'not_asked' } });
  });
});

describe('POL-199 guards of the operator', () => {
  const said = (change: object, sha256 = HASH): JsonValue => ({
    sha256,
    guards: [{ guard: 'acme.deny', allowed: true, severity: 'info', message: 'fine', details: null, ...change }],
  });

  test('are asked of every action, with all of it', () => {
    const prompt = actionOf({ kind: 'prompt.input', content: 'hello' });
    for (const [action, type] of [
      [WRITE, 'file_write'],
      [FETCH, 'network_egress'],
      [CURL, 'shell_command'],
      [prompt, 'custom'],
    ] as const) {
      const [question] = asked(under(WASM), action);
      expect(question).toMatchObject({
        guard: 'custom.acme-deny',
        ask: { action_type: type, payload: { eventType: type, action: { kind: action.kind } } },
      });
    }
    expect(asked(under(WASM), WRITE)[0]?.ask).toMatchObject({
      payload: {
        data: { type: 'file_write', path: '/srv/app/run.sh', content_length: 10, content_utf8: 'echo hello' },
        context: { cwd: null, session_id: 'session', agent_id: 'agent' },
      },
    });
    const data = (action: Action): unknown =>
      (asked(under(WASM), action)[0]?.ask as { readonly payload: { readonly data: unknown } } | undefined)?.payload.data;
    expect(data(FETCH)).toEqual({ type: 'network_egress', host: 'files.example.com', port: 443 });
    expect(data(actionOf({ kind: 'mcp.call', tool: 'web.search', params: { q: 1 } }))).toEqual({
      type: 'mcp_tool',
      toolName: 'web.search',
      parameters: { q: 1 },
    });
    expect(data(actionOf({ kind: 'file.read', params: { path: '/srv/a' } }))).toEqual({ type: 'file_access', path: '/srv/a' });
    expect(data(CURL)).toMatchObject({ type: 'shell_command', command: expect.stringContaining('curl -s') });
  });

  test('another package, configuration or grant is another question', () => {
    const key = (entry: string): string | undefined => asked(under(entry), WRITE)[0]?.key;
    const keys = [
      WASM,
      WASM.replace('limit: 3', 'limit: 4'),
      WASM.replace(HASH, 'cd'.repeat(32)),
      WASM.replace('config', 'capabilities: [network], config'),
    ].map(key);
    expect(new Set(keys).size).toBe(4);
  });

  test('say no, warn or let pass; under a name of their own', () => {
    expect(judgedWith(under(WASM), WRITE, [said({})])).toMatchObject([
      { guard: 'custom.acme-deny', allowed: true, severity: 'info', code: 'allowed', message: 'fine' },
    ]);
    expect(
      judgedWith(under(WASM), WRITE, [said({ allowed: false, severity: 'critical', message: 'no', details: { a: 1 } })]),
    ).toMatchObject([
      { allowed: false, severity: 'critical', code: 'refused', message: 'no', details: { guard: 'acme.deny', said: { a: 1 } } },
    ]);
    expect(judgedWith(under(WASM), WRITE, [said({ severity: 'medium' })])).toMatchObject([{ allowed: true, severity: 'medium' }]);
    expect(judgedWith(under(WASM), WRITE, [{ sha256: HASH, guards: [] }])).toMatchObject([{ allowed: true, code: 'not_handled' }]);
  });

  test.each([
    ['not asked', undefined],
    ['a trap', { why: 'guard_trap' }],
    ['too late', { why: 'guard_timeout' }],
    ['another package', said({}, 'cd'.repeat(32))],
    ['no package', { guards: [] }],
    ['no guards', { sha256: HASH, guards: null }],
    ['a word in place of a switch', said({ allowed: 'true' })],
    ['a severity that nobody knows', said({ severity: 'mild' })],
    ['a message that is too long', said({ message: 'm'.repeat(POLICY_LIMITS.guardMessageCharsMax + 1) })],
    ['a member more', said({ more: 1 })],
  ])('deny: %s', (_name, answer) => {
    expect(judgedWith(under(WASM), WRITE, [answer])).toMatchObject([
      { guard: 'custom.acme-deny', allowed: false, severity: 'high', code: 'unavailable' },
    ]);
  });

  test('a message as long as it may be', () => {
    expect(judgedWith(under(WASM), WRITE, [said({ message: 'm'.repeat(POLICY_LIMITS.guardMessageCharsMax) })])).toMatchObject([
      { allowed: true },
    ]);
  });
});

describe('POL-188 the list in policies', () => {
  const custom = (yaml: string): unknown => resolved(yaml).guards.custom;

  test('is filled in, names secrets and never holds one, and is absent where there is none', () => {
    expect(custom(under(VT, WASM))).toEqual([
      {
        package: 'clawdstrike-virustotal',
        enabled: true,
        config: { api_key: '${VT_KEY}', base_url: 'https://www.virustotal.com/api/v3', min_detections: 3 },
        async: {
          timeout_ms: 5000,
          on_timeout: 'deny',
          execution_mode: 'parallel',
          cache: { enabled: true, ttl_seconds: 3600, max_size_mb: 64 },
        },
      },
      { package: 'acme-deny', enabled: true, sha256: HASH, capabilities: [], config: { limit: 3 }, async: { timeout_ms: 5000 } },
    ]);
    expect(Object.keys(resolved('extends: permissive\n').guards)).not.toContain('custom');
    expect(policyHash(resolved('extends: permissive\nguards: {custom: []}\n'))).toBe(policyHash(resolved('extends: permissive\n')));
  });

  test('replaces the list below where it holds something', () => {
    const lay = (over: string): unknown => {
      const base = documentOf(under(VT).replace('extends: permissive\n', ''), 'base');
      const policy = resolvePolicy(documentOf(`extends: default\n${over}`), {
        rulesets: new Map([...rulesets, ['default', base]]),
        hostSets: new Map(),
      });
      if (!policy.ok) return policy.error[0]?.code;
      return policy.value.guards.custom?.map(({ package: name }) => name);
    };
    expect(lay('')).toEqual(['clawdstrike-virustotal']);
    expect(lay('guards: {custom: []}')).toEqual(['clawdstrike-virustotal']);
    expect(lay(`guards: {custom: [${SB}]}`)).toEqual(['clawdstrike-safe-browsing']);
    // Under attenuate_only it stays as it is.
    expect(lay(`attenuate_only: true\nguards: {custom: [${SB}]}`)).toBe('policy_attenuation');
    expect(lay('attenuate_only: true\nguards: {mcp_tool: {max_args_size: 10}}')).toEqual(['clawdstrike-virustotal']);
  });

  test('of a configuration of so many characters, and one more', () => {
    const entry = (chars: number): string =>
      `{package: acme-deny, sha256: ${HASH}, config: {a: [${`"${'x'.repeat(500)}", `.repeat(32)}"${'x'.repeat(chars)}"]}}`;
    const around = JSON.stringify({ a: [...Array.from({ length: 32 }, () => 'x'.repeat(500)), ''] }).length;
    expect(parsePolicy(under(entry(POLICY_LIMITS.guardConfigCharsMax - around)), 'p').ok).toBe(true);
    const more = parsePolicy(under(entry(POLICY_LIMITS.guardConfigCharsMax - around + 1)), 'p');
    expect(more).toMatchObject({ ok: false, error: [{ code: 'policy_range', path: 'guards.custom[0].config' }] });
  });

  test('stands in a flattened policy as it is', () => {
    const limited = VT.replace('{package', '{async: {rate_limit: {requests_per_minute: 4}, retry: {max_retries: 1}}, package');
    const policy = resolved(under(limited, SB, SNYK, WASM));
    const flat = parsePolicy(JSON.stringify(flattenPolicy(policy)), 'flat');
    if (!flat.ok) throw new Error(formatFaults(flat.error));
    const again = resolvePolicy(flat.value, { rulesets, hostSets: new Map() });
    expect(again.ok && policyHash(again.value)).toBe(policyHash(policy));
  });

  test('is linted, and compared by package', () => {
    const slow = SB.replace('{package', '{async: {timeout_ms: 10000}, package');
    const text = under(softly(VT), WASM.replace('{package', '{enabled: false, package'), slow);
    const found = lintPolicy({ document: documentOf(text), resolved: resolved(text), text, unknownRules: [] });
    expect(found.filter(({ path }) => path?.startsWith('guards.custom')).map(({ code, path }) => [code, path])).toEqual([
      ['CS003', 'guards.custom[0].async.on_timeout'],
      ['CS001', 'guards.custom[1].enabled'],
      ['CS070', 'guards.custom[2].async.timeout_ms'],
    ]);
    const changes = diffPolicies(
      { guards: { custom: [{ package: 'a', enabled: true }] } },
      { guards: { custom: [{ package: 'a', enabled: false }] } },
    );
    expect(changes).toEqual([{ path: 'guards.custom[a].enabled', kind: 'changed', old: true, new: false }]);
  });

  test('that comes out of a bundle is checked again', () => {
    const good = resolved(under(VT, WASM));
    expect(compilePolicy(good).ok).toBe(true);
    const [vt, wasm] = good.guards.custom ?? [];
    const bad: readonly object[] = [
      { ...vt, async: { ...vt?.async, on_timeout: 'allow' } },
      { ...vt, config: { ...vt?.config, api_key: 'abc' } },
      { ...vt, config: { api_key: '${A}' } },
      { ...wasm, sha256: 'x' },
      { ...wasm, capabilities: ['everything'] },
      { package: 'acme-deny', enabled: true },
      { ...vt, package: 'clawdstrike-nobody' },
    ];
    for (const entry of bad) {
      const policy = { ...good, guards: { ...good.guards, custom: [entry] } } as unknown as ResolvedPolicy;
      expect(compilePolicy(policy).ok, JSON.stringify(entry)).toBe(false);
    }
    const rate = { ...vt, async: { ...vt?.async, rate_limit: { requests_per_second: 1, requests_per_minute: 1, burst: 1 } } };
    const both = compilePolicy({ ...good, guards: { ...good.guards, custom: [rate] } } as unknown as ResolvedPolicy);
    expect(both.ok ? '' : formatFaults(both.error)).toContain('rate_limit');
  });
});
