/** spider_sense in the judge: recorded vectors against a database, and what is said without them. */
import type { JsonValue } from '@countersign/kernel';
import {
  compilePolicy,
  evaluateGuardsCounted,
  flattenPolicy,
  formatFaults,
  guardQuestions,
  packVectors,
  parsePolicy,
  policyHash,
  POLICY_LIMITS,
  quantise,
  resolvePolicy,
  SPIDER_SENSE,
} from '@countersign/policy';
import { type Action, type Facts, type GuardAnswer, type GuardQuestion, type GuardResult, PROTOCOL_LIMITS } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measured, SCORE_UNIT, similarity } from '../src/spider/vectors.ts';
import { actionOf, compiled, documentOf, resolved, rulesets, understanding } from './support.ts';

const PATTERNS = JSON.stringify([
  { id: 'x', category: 'prompt_injection', stage: 'perception', label: 'first', embedding: [1, 0, 0] },
  { id: 'y', category: 'data_exfiltration', stage: 'action', label: 'second', embedding: [0, 1, 0] },
  { id: 'z', category: 'evasion', stage: 'cognition', label: 'third', embedding: [0, 0, 1] },
]);

function policyOf(more = '', rest = ''): string {
  return `version: "1.2.0"\nname: n\nextends: permissive\n${rest}guards:\n  spider_sense:\n    embedding_api_url: "http://127.0.0.1:1/v1/embeddings"\n    embedding_model: m\n    patterns: ${PATTERNS}\n${more}`;
}

const NOTE = actionOf({ kind: 'mcp.call', tool: 'notes', params: { text: 'hello' } });

function understood(
  action: Action,
  answers?: readonly GuardAnswer[],
): { readonly action: Action; readonly facts: Facts; readonly state: object } {
  const facts = understanding.understand(action, []);
  return { action, facts: answers === undefined ? facts : { ...facts, answers }, state: {} };
}

function questionsOf(policy: string, action: Action): readonly GuardQuestion[] {
  return guardQuestions(compiled(policy), understood(action));
}

function vectorsAnswer(vectors: readonly (readonly number[])[]): { readonly dimension: number; readonly vectors: string } {
  const packed = vectors.map((vector) => {
    const numbers = quantise(vector);
    if (numbers === undefined) throw new Error('a vector of a test points somewhere');
    return numbers;
  });
  return { dimension: vectors[0]?.length ?? 0, vectors: packVectors(packed) };
}

function spider(results: readonly GuardResult[]): GuardResult | undefined {
  return results.find(({ guard }) => guard === SPIDER_SENSE);
}

/** What the guard says of an action that was answered so. */
function said(policy: string, answer: (question: GuardQuestion) => GuardAnswer, action: Action = NOTE): GuardResult | undefined {
  const answers = questionsOf(policy, action).map(answer);
  return spider(evaluateGuardsCounted(compiled(policy), understood(action, answers)).results);
}

const told =
  (...vectors: readonly (readonly number[])[]) =>
  ({ guard, key }: GuardQuestion): GuardAnswer => ({ guard, key, status: 'ok', answer: vectorsAnswer(vectors) });

describe('POL-174 how near is too near', () => {
  const THRESHOLDS = policyOf('    similarity_threshold: 0.6\n    ambiguity_band: 0.2\n    top_k: 2\n');

  it.each([
    [[1, 0, 0], 'deny', false, 'high', 'x', 1],
    [[0, 0.8, 0.6], 'deny', false, 'high', 'y', 0.8],
    [[0.7, 0.7, 0.3], 'ambiguous', true, 'medium', 'x', 0.677],
    [[-1, 0.1, 0.42], 'allow', true, 'info', 'z', 0.386],
    [[-1, -1, -1], 'allow', true, 'info', 'x', -0.577],
  ] as const)('%j', (...[vector, verdict, allowed, severity, top, score]) => {
    const result = said(THRESHOLDS, told(vector));
    expect(result).toMatchObject({ guard: SPIDER_SENSE, allowed, severity });
    const details = result?.details as { readonly top_score: number; readonly top_matches: readonly { readonly id: string }[] };
    expect(details).toMatchObject({ analysis: 'fast_path', verdict, threshold: 0.6, ambiguity_band: 0.2, top_match: { id: top } });
    expect(details.top_score).toBeCloseTo(score, 3);
    expect(details.top_matches).toHaveLength(2);
  });

  it('POL-032 names the texts that it is about, and quotes none', () => {
    const result = said(policyOf(), told([1, 0, 0]));
    expect(result?.evidence).toEqual([{ path: '/params/text', start: 0, end: 5 }]);
    expect(JSON.stringify({ ...result, evidence: [] })).not.toContain('hello');
  });

  it('takes the edges of the band with the stricter side above and the milder below', () => {
    const edge = policyOf('    similarity_threshold: 0.9\n    ambiguity_band: 0.1\n');
    expect(said(edge, told([1, 0, 0]))?.allowed).toBe(false);
    const all = policyOf('    similarity_threshold: 0.5\n    ambiguity_band: 0.5\n');
    expect(said(all, told([-1, -1, -1]))).toMatchObject({ allowed: true, severity: 'info' });
    const none = policyOf('    similarity_threshold: 0\n    ambiguity_band: 0\n');
    expect(said(none, told([0, -1, -1]))?.allowed).toBe(false);
  });

  it('looks at the nearest of all pieces of a text', () => {
    const long = actionOf({ kind: 'prompt.input', content: 'a '.repeat(2000) });
    const result = said(policyOf(), told([0, -1, -1], [0, 1, 0], [0, -1, -1]), long);
    expect(result).toMatchObject({ allowed: false, code: 'pattern_match' });
  });
});

describe('POL-175 without an answer', () => {
  const WARNS = policyOf('    async: {on_timeout: warn}\n');
  const none =
    (reason: string) =>
    ({ guard, key }: GuardQuestion): GuardAnswer => ({ guard, key, status: 'unavailable', reason });
  const strange =
    (answer: JsonValue) =>
    ({ guard, key }: GuardQuestion): GuardAnswer => ({ guard, key, status: 'ok', answer });

  it('the action is refused, or a warning where the policy says so, with the reason', () => {
    const denied = { allowed: false, severity: 'high', code: 'unavailable', details: { reason: 'timeout', on_timeout: 'deny' } };
    expect(said(policyOf(), none('timeout'))).toMatchObject(denied);
    expect(said(policyOf('    async: {on_timeout: defer}\n'), none('timeout'))).toMatchObject({ allowed: false });
    expect(said(WARNS, none('timeout'))).toMatchObject({ allowed: true, severity: 'medium', code: 'unavailable' });
  });

  it('a question that was not asked, or an answer to another, is none', () => {
    const input = understood(NOTE);
    expect(spider(evaluateGuardsCounted(compiled(policyOf()), input).results)).toMatchObject({
      allowed: false,
      details: { reason: 'not_asked' },
    });
    const other = { guard: SPIDER_SENSE, key: '0'.repeat(64), status: 'ok', answer: vectorsAnswer([[-1, -1, -1]]) } as const;
    expect(spider(evaluateGuardsCounted(compiled(policyOf()), understood(NOTE, [other])).results)?.allowed).toBe(false);
  });

  it.each([
    ['nothing', null],
    ['a text', 'x'],
    ['no vectors', { dimension: 3 }],
    ['no dimension', { vectors: '' }],
    ['a dimension of nothing', { dimension: 0, vectors: '' }],
    ['too few bytes', { dimension: 3, vectors: 'AAAA' }],
    ['a vector of zeros', { dimension: 3, vectors: Buffer.alloc(6).toString('base64') }],
    ['a vector that is not scaled', { dimension: 3, vectors: Buffer.from(Int16Array.of(5, 0, 0).buffer).toString('base64') }],
    [
      'two vectors for one text',
      vectorsAnswer([
        [1, 0, 0],
        [1, 0, 0],
      ]),
    ],
  ])('%s is no answer', (...[, answer]) => {
    expect(said(policyOf(), strange(answer))).toMatchObject({ allowed: false, details: { reason: 'answer_malformed' } });
  });

  it('vectors of another dimension are refused, whatever the policy says of silence', () => {
    for (const policy of [policyOf(), WARNS])
      expect(said(policy, told([1, 0]))).toMatchObject({ allowed: false, severity: 'high', code: 'wrong_dimension' });
  });

  it('of two answers to one question the first counts', () => {
    const policy = policyOf();
    const answers = questionsOf(policy, NOTE).flatMap((question) => [told([1, 0, 0])(question), told([-1, -1, -1])(question)]);
    expect(spider(evaluateGuardsCounted(compiled(policy), understood(NOTE, answers)).results)?.allowed).toBe(false);
  });
});

function textsOf(policy: string, action: Action): readonly string[] {
  return questionsOf(policy, action).flatMap(({ ask }) => (ask as { readonly texts: readonly string[] }).texts);
}

describe('POL-176 what is asked', () => {
  it.each([
    [{ kind: 'mcp.call', tool: 'mail', params: { to: 'x', a: 1 } }, '[mcp_tool:mail] {"a":1,"to":"x"}'],
    [{ kind: 'shell.exec', params: { command: 'ls -l' } }, '[shell_command] ls -l'],
    [{ kind: 'file.write', params: { path: '/w/a.txt', content: 'text' } }, '[file_write:/w/a.txt] text'],
    [{ kind: 'file.patch', params: { path: '/w/a.txt', patch: '--- a\n+++ b\n' } }, '[patch:/w/a.txt] --- a\n+++ b'],
    [{ kind: 'file.read', params: { path: '/w/a.txt' } }, '[file_access] /w/a.txt'],
    [{ kind: 'net.egress', params: { url: 'https://api.github.com/x' } }, '[network_egress:api.github.com:443] https://api.github.com/x'],
    [{ kind: 'file.write', params: { path: '/w/a.txt', content: 'text', odd: 'hidden' } }, '[file_write:/w/a.txt] text\nhidden'],
    [
      { kind: 'file.write', params: { a: 'see /w/b.txt', path: '/w/a.txt', content: 'text' } },
      '[file_write:/w/b.txt] text\nsee /w/b.txt\n/w/a.txt',
    ],
    [{ kind: 'file.write', content: 'body', params: { path: '/w/a.txt' } }, '[file_write:/w/a.txt] body'],
    [{ kind: 'agent.message', content: 'hello', params: { more: 'hidden' } }, '[agent.message] hello\n{"more":"hidden"}'],
    [{ kind: 'prompt.input', content: 'good morning' }, '[prompt.input] good morning'],
    [{ kind: 'agent.message', content: 'half \ud800' }, '[agent.message] half \ufffd'],
  ] as const)('%j', (action, text) => {
    expect(textsOf(policyOf('', 'merge_strategy: deep_merge\n'), actionOf(action))).toEqual([text]);
  });

  it('all of a text, in pieces that overlap, up to a limit; beyond it there is no answer', () => {
    const { screenCharsMax: size, screenPiecesMax: most } = POLICY_LIMITS;
    const whole = (chars: number): Action => actionOf({ kind: 'prompt.input', content: 'abcdefg '.repeat(chars / 8) });
    expect(textsOf(policyOf(), whole(size))).toHaveLength(1);
    const pieces = textsOf(policyOf(), whole(size + 8));
    expect(pieces).toHaveLength(2);
    expect(pieces[1]).toBe(`[prompt.input] ${'abcdefg '.repeat(33).trim()}`);
    const largest = size + (most - 1) * (size - 256);
    expect(textsOf(policyOf(), whole(largest))).toHaveLength(most);
    expect(questionsOf(policyOf(), whole(largest + 8))).toEqual([]);
    expect(said(policyOf(), told([1, 0, 0]), whole(largest + 8))).toMatchObject({ allowed: false, details: { reason: 'text_too_long' } });
  });

  it('POL-156 of a text that could not be read whole nothing is asked, and there is no answer', () => {
    const action = actionOf({ kind: 'net.egress', params: { url: 'https://api.github.com/x' } });
    const policy = compiled(policyOf());
    for (const cut of ['texts', 'bytes'] as const) {
      const { facts, ...rest } = understood(action);
      const { secret_leak } = policy.guards;
      const guards = { ...policy.guards, secret_leak: { ...secret_leak, config: { ...secret_leak.config, enabled: false } } };
      const input = { ...rest, facts: { ...facts, cuts: [cut] } };
      expect(guardQuestions({ ...policy, guards }, input)).toEqual([]);
      expect(spider(evaluateGuardsCounted({ ...policy, guards }, input).results)).toMatchObject({
        allowed: false,
        details: { reason: 'facts_cut' },
      });
    }
  });

  it('nothing about an action that another guard refuses: it is sent nowhere', () => {
    const bad = actionOf({ kind: 'shell.exec', params: { command: 'rm -rf /' } });
    expect(questionsOf(policyOf(), bad)).toEqual([]);
    const { results } = evaluateGuardsCounted(compiled(policyOf()), understood(bad));
    expect(results.some(({ allowed }) => !allowed)).toBe(true);
    expect(spider(results)).toBeUndefined();
  });

  it('nothing at all by a policy without the guard', () => {
    expect(compiled('default').outside).toEqual([]);
    expect(questionsOf('default', NOTE)).toEqual([]);
    expect(compiled(policyOf('    enabled: false\n')).outside).toEqual([]);
  });

  it('another model or another text is another question', () => {
    const key = (policy: string, text: string): string | undefined =>
      questionsOf(policy, actionOf({ kind: 'prompt.input', content: text }))[0]?.key;
    const other = policyOf().replace('embedding_model: m', 'embedding_model: m2');
    expect(new Set([key(policyOf(), 'a'), key(policyOf(), 'b'), key(other, 'a')]).size).toBe(3);
    expect(key(policyOf(), 'a')).toBe(key(policyOf('    top_k: 1\n'), 'a'));
  });
});

describe('POL-177 integers', () => {
  const component = fc.double({ min: -10, max: 10, noNaN: true }).filter((value) => Math.abs(value) > 1e-3);
  const vector = (length: number): fc.Arbitrary<number[]> => fc.array(component, { minLength: length, maxLength: length });

  it('the score is the cosine, to one part in a thousand', () => {
    const pair = fc.integer({ min: 1, max: 64 }).chain((length) => fc.tuple(vector(length), vector(length)));
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const dot = (p: readonly number[], q: readonly number[]): number => p.reduce((sum, value, i) => sum + value * (q[i] ?? 0), 0);
        const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
        const [left, right] = [quantise(a), quantise(b)].map((numbers) => measured(numbers ?? new Int16Array(0)));
        if (left === undefined || right === undefined) throw new Error('both point somewhere');
        const score = similarity(left, right);
        expect(Number.isInteger(score)).toBe(true);
        expect(score).toBe(similarity(right, left));
        expect(Math.abs(score / SCORE_UNIT - cosine)).toBeLessThan(0.001);
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it('the largest vectors are summed exactly', () => {
    const full = measured(new Int16Array(POLICY_LIMITS.patternDimensionMax).fill(32_767));
    expect(full.length).toBe(BigInt(32_767 * 64 * 32));
    expect(similarity(full, full)).toBe(SCORE_UNIT);
  });

  it('nothing that is not finite becomes a vector', () => {
    for (const bad of [[Number.NaN], [Infinity, 1], [0, 0], [], [5e-324]]) expect(quantise(bad)).toBeUndefined();
    expect(quantise([1e308, -1e308])).toEqual(Int16Array.of(32_767, -32_767));
  });

  it('POL-036 work is linear in text and database', () => {
    const steps = (content: string): number => {
      const action = actionOf({ kind: 'prompt.input', content });
      const policy = compiled(policyOf());
      const pieces = textsOf(policyOf(), action).length;
      const answers = questionsOf(policyOf(), action).map(told(...Array.from({ length: pieces }, () => [1, 0, 0])));
      const plain = compiled('permissive');
      return evaluateGuardsCounted(policy, understood(action, answers)).steps - evaluateGuardsCounted(plain, understood(action)).steps;
    };
    const [one, two] = [steps('abcdefg '.repeat(1000)), steps('abcdefg '.repeat(2000))];
    expect(two).toBeLessThanOrEqual(one * 2.2);
  });
});

describe('POL-178 the block in documents', () => {
  const faultsOf = (yaml: string): string => {
    const document = parsePolicy(yaml, 'test');
    if (!document.ok) return document.error.map(({ code, path }) => `${code} ${path ?? ''}`).join();
    const policy = resolvePolicy(document.value, { rulesets, hostSets: new Map() });
    return policy.ok ? 'loads' : policy.error.map(({ code, path }) => `${code} ${path ?? ''}`).join();
  };
  const G = 'guards.spider_sense';

  it.each([
    ['on_timeout: allow', '    async: {on_timeout: allow}\n', `policy_unsupported_field ${G}.async.on_timeout`],
    ['an answer after the act', '    async: {execution_mode: background}\n', `policy_unsupported_field ${G}.async.execution_mode`],
    ['a language model', '    llm_api_url: "https://x.example"\n', `policy_unsupported_field ${G}.llm_api_url`],
    ['a key in the document', '    embedding_api_key: "sk-1"\n', `policy_secret ${G}.embedding_api_key`],
    ['a band that leaves 0 to 1', '    similarity_threshold: 0.95\n', `policy_range ${G}`],
    ['a band below it', '    similarity_threshold: 0.05\n', `policy_range ${G}`],
    ['top_k of nothing', '    top_k: 0\n', `policy_range ${G}.top_k`],
    ['too short a wait', '    async: {timeout_ms: 99}\n', `policy_range ${G}.async.timeout_ms`],
    ['too long a wait', '    async: {timeout_ms: 300001}\n', `policy_range ${G}.async.timeout_ms`],
    ['two rates', '    async: {rate_limit: {requests_per_second: 1, requests_per_minute: 1}}\n', `policy_range ${G}.async.rate_limit`],
    ['no rate', '    async: {rate_limit: {burst: 2}}\n', `policy_range ${G}.async.rate_limit`],
    ['a first wait above the longest', '    async: {retry: {initial_backoff_ms: 3000}}\n', `policy_range ${G}.async.retry`],
    ['a field that nobody knows', '    similarity: 1\n', `policy_unknown_field ${G}.similarity`],
  ])('is refused: %s', (...[, more, fault]) => {
    expect(faultsOf(policyOf(more))).toBe(fault);
  });

  it('says why a word is not carried out, and never quotes what may be a secret', () => {
    const message = (more: string): string => {
      const document = parsePolicy(policyOf(more), 'test');
      return document.ok ? '' : formatFaults(document.error);
    };
    expect(message('    async: {on_timeout: allow}\n')).toContain('would let pass what nobody has looked at');
    expect(message('    embedding_api_key: "sk-secret"\n')).not.toContain('sk-secret');
  });

  it('takes the limits themselves', () => {
    expect(faultsOf(policyOf('    async: {timeout_ms: 100, rate_limit: {requests_per_minute: 30}}\n    top_k: 64\n'))).toBe('loads');
    expect(faultsOf(policyOf('    top_k: 65\n'))).toBe(`policy_range ${G}.top_k`);
    expect(faultsOf(policyOf('    async: {timeout_ms: 300000, retry: {}, circuit_breaker: {}}\n'))).toBe('loads');
    expect(faultsOf('version: "1.2.0"\nguards: {spider_sense: {enabled: false}}\n')).toBe('loads');
    expect(faultsOf('version: "1.2.0"\nguards: {spider_sense: {}}\n')).toBe(
      ['embedding_api_url', 'embedding_model', 'pattern_db_path'].map((name) => `policy_required ${G}.${name}`).join(),
    );
  });

  it('POL-020 lies on a base key by key; a block that is there is on; a source takes the place of another', () => {
    const base = documentOf(
      policyOf('    top_k: 7\n    async: {timeout_ms: 900, cache: {ttl_seconds: 5}}\n').replace('name: n', 'name: base'),
      'base',
    );
    const lay = (yaml: string): unknown => {
      const all = new Map([...rulesets, ['default', base]]);
      const policy = resolvePolicy(documentOf(yaml), { rulesets: all, hostSets: new Map() });
      if (!policy.ok) throw new Error(formatFaults(policy.error));
      return policy.value.guards.spider_sense;
    };
    const over = lay(
      'extends: default\nversion: "1.2.0"\nguards: {spider_sense: {ambiguity_band: 0.05, async: {on_timeout: warn, cache: {max_size_mb: 2}}}}\n',
    );
    expect(over).toMatchObject({
      enabled: true,
      top_k: 7,
      ambiguity_band: 0.05,
      async: { timeout_ms: 900, on_timeout: 'warn', cache: { enabled: true, ttl_seconds: 5, max_size_mb: 2 } },
      pattern_db: { dimension: 3 },
    });
    const one = '[{id: q, category: c, stage: action, label: l, embedding: [1, 2]}]';
    expect(lay(`extends: default\nversion: "1.2.0"\nguards: {spider_sense: {patterns: ${one}}}\n`)).toMatchObject({
      pattern_db: { dimension: 2, patterns: [{ id: 'q' }] },
    });
    expect(lay('extends: default\nversion: "1.2.0"\nguards: {spider_sense: {enabled: false}}\n')).not.toHaveProperty('pattern_db');
  });

  it('POL-147 is absent from a policy that does not mention it; POL-107 stays itself when it is flattened', () => {
    expect(resolved('default').guards).not.toHaveProperty('spider_sense');
    const policy = resolved(policyOf());
    const flat = resolved(JSON.stringify(flattenPolicy(policy)));
    expect(policyHash(flat)).toBe(policyHash(policy));
  });

  it('a resolved policy from elsewhere is checked again', () => {
    const { guards, ...rest } = resolved(policyOf());
    const config = guards.spider_sense;
    const database = config?.pattern_db;
    if (config === undefined || database === undefined) throw new Error('the policy has the guard');
    const { pattern_db: _, ...without } = config;
    const codes = (spider_sense: unknown): unknown => {
      const policy = compilePolicy({ ...rest, guards: { ...guards, spider_sense } } as never);
      return policy.ok ? 'compiles' : policy.error.map(({ code, path }) => `${code} ${path ?? ''}`);
    };
    expect(codes(config)).toBe('compiles');
    expect(codes(without)).toEqual([`policy_required ${G}.pattern_db`]);
    for (const change of [{ vectors: 'AAAA' }, { dimension: 2 }, { patterns: database.patterns.slice(1) }, { patterns: [] }])
      expect(codes({ ...config, pattern_db: { ...database, ...change } })).toEqual([`policy_required ${G}.pattern_db`]);
    const long = 'A'.repeat(POLICY_LIMITS.patternVectorsCharsMax + 1);
    expect(codes({ ...config, pattern_db: { ...database, vectors: long } })).toEqual([`policy_range ${G}.pattern_db.vectors`]);
  });
});

describe('POL-170 questions of one action', () => {
  it('are so many, and no more', () => {
    const most = PROTOCOL_LIMITS.guardQuestionsMax;
    const asking = (count: number): number => {
      const questions = Array.from({ length: count }, (_, i) => ({ guard: 'clawdstrike-x' as const, key: String(i), ask: i }));
      const outside = [{ guard: 'clawdstrike-x' as const, questions: () => questions, judge: () => undefined }];
      return guardQuestions({ ...compiled('permissive'), outside }, understood(NOTE)).length;
    };
    expect([asking(most), asking(most + 1)]).toEqual([most, most]);
  });
});
