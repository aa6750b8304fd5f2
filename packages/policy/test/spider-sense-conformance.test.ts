/**
 * The spider-sense fixtures of Clawdstrike: their vectors, their schema, their database and their ruleset. What comes out otherwise here stands in
 * a test of its own with the weakness that it is.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { err, type JsonValue, ok } from '@countersign/kernel';
import {
  compilePolicy,
  evaluateGuardsCounted,
  formatFaults,
  guardQuestions,
  packVectors,
  parsePolicy,
  type PatternWorld,
  quantise,
  resolvePolicy,
  SPIDER_SENSE,
} from '@countersign/policy';
import { afterAll, describe, expect, it } from 'vitest';
import { patternDatabaseOf } from '../src/index.ts';
import { actionOf, rulesets, understanding } from './support.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const why = present ? '' : ' (skipped: the shared folder is not here)';
const place = present ? mkdtempSync(join(tmpdir(), 'countersign-spider-')) : '';
if (present) execFileSync('tar', ['xzf', archive, '-C', place, './fixtures/spider-sense', './rulesets']);
afterAll(() => {
  if (present) rmSync(place, { recursive: true, force: true });
});

function read(path: string): string {
  return present ? readFileSync(join(place, path), 'utf8') : '[]';
}

interface Check {
  readonly name: string;
  readonly embedding: readonly number[];
  readonly expected_allowed: boolean;
  readonly expected_severity: string;
  readonly expected_verdict: string;
  readonly expected_embedding_from: string;
  readonly expected_analysis: string;
  readonly expected_top_matches_len: number;
  readonly top_score_min: number;
  readonly top_score_max: number;
}
interface Vector {
  readonly name: string;
  readonly config: Readonly<Record<string, JsonValue>>;
  readonly checks: readonly Check[];
}

const SEVERITY: Readonly<Record<string, string>> = { info: 'info', warning: 'medium', error: 'high', critical: 'critical' };
const vectors = JSON.parse(read('fixtures/spider-sense/conformance_vectors.json')) as readonly Vector[];
const cases = vectors.flatMap(({ name, config, checks }) => checks.map((check) => [`${name} / ${check.name}`, config, check] as const));

describe.runIf(present)(`spider-sense conformance${why}`, () => {
  it('there are cases', () => {
    expect(cases).toHaveLength(3);
  });

  it.each(cases)('POL-174 %s', (...[, config, check]) => {
    const guard = { ...config, embedding_api_url: 'https://e.example/v1/embeddings', embedding_model: 'given' };
    const document = parsePolicy(
      JSON.stringify({ version: '1.3.0', name: 'n', extends: 'permissive', guards: { spider_sense: guard } }),
      'case',
    );
    if (!document.ok) throw new Error(formatFaults(document.error));
    const policy = resolvePolicy(document.value, { rulesets, hostSets: new Map() });
    const ready = policy.ok ? compilePolicy(policy.value) : policy;
    if (!ready.ok) throw new Error(formatFaults(ready.error));
    const action = actionOf({ kind: 'mcp.call', tool: 'notes', params: { text: 'x' } });
    const facts = understanding.understand(action, []);
    const vector = quantise(check.embedding);
    const answers = guardQuestions(ready.value, { action, facts, state: {} }).map(
      ({ guard: name, key }) =>
        ({
          guard: name,
          key,
          status: 'ok',
          answer: { dimension: check.embedding.length, vectors: packVectors(vector === undefined ? [] : [vector]) },
        }) as const,
    );
    const { results } = evaluateGuardsCounted(ready.value, { action, facts: { ...facts, answers }, state: {} });
    const result = results.find(({ guard: name }) => name === SPIDER_SENSE);
    expect(result).toMatchObject({ allowed: check.expected_allowed, severity: SEVERITY[check.expected_severity] });
    const details = result?.details as { readonly top_score: number; readonly top_matches: readonly unknown[] };
    expect(details).toMatchObject({ analysis: check.expected_analysis, verdict: check.expected_verdict });
    expect(details.top_matches).toHaveLength(check.expected_top_matches_len);
    expect(details.top_score).toBeGreaterThanOrEqual(check.top_score_min);
    expect(details.top_score).toBeLessThanOrEqual(check.top_score_max);
    // Weakness: there the vector stands in the action, so that an agent can say of itself that it is harmless. Ours come from the server.
    expect(check.expected_embedding_from).toBe('action');
    expect(details).toMatchObject({ embedding_from: 'provider' });
  });

  it('POL-171 their database has the form that ours are read in, and the examples of their schema too', () => {
    const text = read('rulesets/patterns/s2bench-v1.json');
    const read1 = patternDatabaseOf(JSON.parse(text) as JsonValue, 's2bench-v1', sha256Hex(text));
    // Weakness: three dimensions, made by hand. No model gives vectors of three numbers, so it can never find anything.
    expect(read1).toMatchObject({ ok: true, value: { dimension: 3, checksum: expect.stringMatching(/^8943003a/) } });
    const schema = JSON.parse(read('rulesets/spider-sense-patterns.schema.json')) as { readonly examples: readonly JsonValue[] };
    expect(schema.examples.map((example) => patternDatabaseOf(example, '1').ok)).toEqual([true]);
  });

  it('POL-178 their ruleset is read as it is, of version 1.2.0; what it names is not there, and says so', () => {
    const document = parsePolicy(read('rulesets/spider-sense.yaml'), 'spider-sense.yaml');
    if (!document.ok) throw new Error(formatFaults(document.error));
    const codes = (world: PatternWorld, builtin = true): readonly string[] => {
      const { content, ...rest } = document.value;
      const guard = content.guards?.spider_sense;
      const guards = builtin ? content.guards : { spider_sense: { ...guard, pattern_db_path: 'db.json' } };
      const policy = resolvePolicy(
        { ...rest, content: { ...content, ...(guards === undefined ? {} : { guards }) } },
        { rulesets, hostSets: new Map(), ...world },
      );
      return policy.ok ? [] : policy.error.map(({ code, path }) => `${code} ${path ?? ''}`);
    };
    // Weakness: `builtin:s2bench-v1` with a model of 1536 dimensions allows every action with a warning. Here it does not load.
    expect(codes({})).toEqual(['policy_pattern_db guards.spider_sense.pattern_db_path']);
    // The same file from a disk loads, with its checksum; whether a server fits it is found out when it is put in force.
    const bytes = new TextEncoder().encode(read('rulesets/patterns/s2bench-v1.json'));
    expect(codes({ files: (path) => (path === 'db.json' ? ok({ place: path, bytes }) : err('none')) }, false)).toEqual([]);
  });
});
