/** The recorded cases of ClawSentry, each put to the part of ours that answers the same question. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { countInvisible, createParsers, createUnderstanding, type Understanding } from '@countersign/facts';
import {
  agentDistrust,
  compositeScore,
  createEngine,
  type Dimensions,
  dimensionsOf,
  injectionScore,
  injectionSigns,
  type JudgingEngine,
  type LevelThresholds,
  levelOf,
  originOf,
  raisedLevel,
  scoreDimensions,
  type ScoreWeights,
} from '@countersign/judge';
import type { JsonValue } from '@countersign/kernel';
import { parsePolicy, resolvePolicy } from '@countersign/policy';
import { type Action, type AgentTrust, type Judgement, knownTool, type RiskLevel, type StateSlice } from '@countersign/protocol';
import { compilePattern, compileRules, type CompiledRules, matchRules, mergeRuleDocuments, ruleSetJson } from '@countersign/rules';
import { readBuiltinPacks, readRulesets } from '@countersign/runtime';

/** A recorded case as it stands in the file; what is in it depends on `fn`. */
export interface RecordedCase {
  readonly id: string;
  readonly area: string;
  readonly fn: string;
  readonly input: CaseInput;
  readonly expected: unknown;
}

interface CaseEvent {
  readonly event_type: string;
  readonly tool_name?: string;
  readonly payload?: { readonly [key: string]: JsonValue };
}

interface CaseInput {
  readonly event?: CaseEvent;
  readonly context?: { readonly agent_trust_level?: AgentTrust };
  readonly config?: { readonly [name: string]: number };
  readonly config_overrides?: { readonly [name: string]: number };
  readonly dims?: { readonly [name: string]: number };
  readonly score?: number;
  readonly text?: string;
  readonly tool_name?: string;
  readonly content_origin?: 'external' | 'user' | 'unknown';
  readonly d6_boost?: number;
  readonly payload?: { readonly [key: string]: JsonValue };
  readonly content?: string;
  readonly command?: string;
  readonly pattern?: string;
  readonly patterns?: string | readonly unknown[];
  readonly l1_risk_level?: RiskLevel;
}

export interface Answer {
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** What a long text is written as in the file. */
function expanded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expanded);
  if (typeof value !== 'object' || value === null) return value;
  const parts = (value as { $concat?: readonly unknown[] }).$concat;
  if (parts === undefined) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expanded(item)]));
  return parts
    .map((part) => (typeof part === 'string' ? part : (part as { repeat: string; n: number })))
    .map((part) => (typeof part === 'string' ? part : part.repeat.repeat(part.n)))
    .join('');
}

export function readCases(file: string, areas: readonly string[]): readonly RecordedCase[] {
  return gunzipSync(readFileSync(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => expanded(JSON.parse(line)) as RecordedCase)
    .filter(({ area }) => areas.includes(area));
}

const NOW = '2026-01-02T03:04:05.678Z';
const require = createRequire(new URL('../../packages/facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));

function shaped(toolName: string | undefined, rest: Pick<Action, 'params' | 'content'> & { readonly kind?: string }): Action {
  const known = toolName === undefined || toolName === '' ? undefined : knownTool(toolName);
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    kind: known?.kind ?? 'tool.call',
    ...(known === undefined ? {} : { tool: known.tool }),
    ...rest,
    source: { framework: 'unknown', door: 'test' },
    org: 'o',
    agent: 'a',
    session: 's',
    delegation: [],
  };
}

function eventAction({ tool_name, payload = {} }: CaseEvent): Action {
  return shaped(tool_name, { params: payload });
}

/** Nobody knows the agent of a request that does not say: as in ClawSentry, the stricter case. */
function stateOf(input: CaseInput): StateSlice {
  const trust = input.context?.agent_trust_level;
  return { agentState: 'active', scopes: ['*'], tool: 'registered', orgMode: 'locked', ...(trust === undefined ? {} : { trust }) };
}

function scoreWeights(config: CaseInput['config']): ScoreWeights | undefined {
  if (config === undefined) return undefined;
  const of = (name: string): number => Math.round((config[name] ?? 0) * 1000);
  return {
    danger: of('composite_weight_max_d123'),
    session: of('composite_weight_d4'),
    trust: of('composite_weight_d5'),
    injection: of('d6_injection_multiplier'),
  };
}

function levelThresholds(config: CaseInput['config']): LevelThresholds | undefined {
  if (config === undefined) return undefined;
  const of = (name: string, other: number): number => Math.round((config[name] ?? other) * 1000);
  return { critical: of('threshold_critical', 2.2), high: of('threshold_high', 1.5), medium: of('threshold_medium', 0.8) };
}

export class ClawSentryCases {
  readonly #engine: JudgingEngine;
  readonly #understanding: Understanding;
  /** Every level: a pattern that is noisy speaks only from a higher one on. */
  readonly #everyRule: CompiledRules;

  private constructor(engine: JudgingEngine, understanding: Understanding, everyRule: CompiledRules) {
    this.#engine = engine;
    this.#understanding = understanding;
    this.#everyRule = everyRule;
  }

  static async open(): Promise<ClawSentryCases> {
    const wasm = {
      treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
      bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
      pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
    };
    const packs = await readBuiltinPacks();
    const merged = packs.ok ? mergeRuleDocuments(packs.value) : packs;
    if (!merged.ok) throw new Error('the packs cannot be read');
    const document = parsePolicy(JSON.stringify({ version: '1.1.0', name: 'cases', extends: 'default' }), 'cases.yaml');
    const policy = document.ok ? resolvePolicy(document.value, { rulesets: await readRulesets(), hostSets: new Map() }) : document;
    if (!policy.ok) throw new Error('the ruleset cannot be read');
    const engine = (await createEngine(wasm)).load({ policy: policy.value as unknown as JsonValue, rules: ruleSetJson(merged.value) });
    const everyRule = compileRules(merged.value, { level: 4 });
    if (!engine.ok || !everyRule.ok) throw new Error('the engine does not take its documents');
    return new ClawSentryCases(engine.value, createUnderstanding(await createParsers(wasm)), everyRule.value);
  }

  #judge(action: Action, state: StateSlice): Judgement {
    return this.#engine.judge({ now: NOW, action, facts: this.#engine.understand(action, []), state });
  }

  #dimensions(input: CaseInput): { readonly dimensions: Dimensions; readonly missing: readonly number[]; readonly judgement: Judgement } {
    const action = eventAction(input.event ?? { event_type: 'pre_action' });
    const facts = this.#engine.understand(action, []);
    const judgement = this.#judge(action, stateOf(input));
    const { trust } = stateOf(input);
    const state: StateSlice = trust === undefined ? {} : { agentState: 'active', trust };
    return { ...dimensionsOf({ now: NOW, action, facts, state, findings: judgement.findings }), judgement };
  }

  #snapshot({ input, expected }: RecordedCase): Answer {
    const { dimensions, missing, judgement } = this.#dimensions(input);
    const thresholds = levelThresholds(input.config_overrides);
    const scored = scoreDimensions(dimensions, thresholds === undefined ? {} : { thresholds });
    const level = raisedLevel(scored.level, judgement.findings);
    const floor = level === scored.level ? 0 : { low: 0, medium: 0.8, high: 1.5, critical: 2.2 }[level];
    const theirs = expected as { readonly [name: string]: unknown };
    const named = theirs['dimensions'] as { readonly [name: string]: number };
    const decided = theirs['decision'];
    return {
      ours: [
        level,
        Math.max(scored.composite / 1000, floor),
        [...dimensions.slice(0, 5), (dimensions[5] ?? 0) / 1000],
        scored.circuit ?? null,
        missing,
        decided === undefined ? undefined : judgement.verdict.decision === 'deny' ? 'block' : 'allow',
      ],
      theirs: [
        theirs['risk_level'],
        Math.round(Number(theirs['composite_score']) * 1000) / 1000,
        [named['d1'], named['d2'], named['d3'], named['d4'], named['d5'], named['d6']],
        theirs['short_circuit_rule'] ?? null,
        (theirs['missing_dimensions'] as readonly string[]).map((name) => Number(name.slice(1))),
        decided,
      ],
    };
  }

  #dimension(at: number, { input, expected }: RecordedCase): Answer {
    return { ours: this.#dimensions(input).dimensions[at], theirs: expected };
  }

  #injection({ input, expected }: RecordedCase): Answer {
    const action = shaped(input.tool_name, { kind: 'tool.response', content: input.text ?? '' });
    const facts = this.#engine.understand(action, []);
    const signs = injectionSigns(action, facts, this.#judge(action, {}).findings);
    const boost = Math.round((input.d6_boost ?? 0) * 1000);
    return { ours: injectionScore({ ...signs, origin: input.content_origin ?? 'unknown' }, boost) / 1000, theirs: expected };
  }

  #pattern({ input, expected }: RecordedCase): Answer {
    const theirs = expected as readonly { readonly id: string; readonly risk_level: string }[];
    const known = input.tool_name === undefined ? undefined : knownTool(input.tool_name);
    // What a tool read is its response; what a shell is given is its call.
    const read = known?.kind === 'file.read';
    const action = shaped(input.tool_name, {
      ...(read ? { kind: 'tool.response', content: input.content ?? '' } : {}),
      params: input.payload ?? {},
    });
    const { findings } = matchRules(this.#everyRule, { action, facts: this.#understanding.understand(action, []) });
    const ours = input.patterns === 'builtin' ? findings.filter(({ rule }) => rule.startsWith('ASI')) : [];
    return {
      ours: ours.map(({ rule, severity }) => `${rule} ${severity}`).toSorted(),
      theirs: theirs.map(({ id, risk_level }) => `${id} ${risk_level}`).toSorted(),
    };
  }

  #origin({ input, expected }: RecordedCase): Answer {
    const action = shaped(input.tool_name, { params: input.payload ?? {} });
    return { ours: originOf(action, this.#engine.understand(action, [])), theirs: expected };
  }

  #normalized({ input, expected }: RecordedCase): Answer {
    const { texts } = this.#engine.understand(shaped(undefined, { kind: 'tool.response', content: input.text ?? '' }), []);
    return { ours: texts.at(-1)?.text ?? '', theirs: expected };
  }

  #analysis({ input, expected }: RecordedCase): Answer {
    const { findings } = this.#judge(eventAction(input.event ?? { event_type: 'pre_action' }), stateOf(input));
    const level = raisedLevel(input.l1_risk_level ?? 'low', findings);
    const { target_level, reasons } = expected as { readonly target_level: string; readonly reasons: readonly string[] };
    return { ours: [level, level !== input.l1_risk_level], theirs: [target_level, reasons.length > 0] };
  }

  #expression({ input, fn, expected }: RecordedCase): Answer {
    const compiled = compilePattern({ regex: input.pattern ?? '' }, 'value');
    const ours = fn === 'compile_safe_regex' ? compiled.ok : !compiled.ok;
    return { ours, theirs: expected };
  }

  /** Ours and theirs, in a form in which equal is equal. */
  answer(one: RecordedCase): Answer {
    const { fn, input, expected } = one;
    switch (fn) {
      case 'compute_risk_snapshot':
      case 'L1PolicyEngine.evaluate':
        return this.#snapshot(one);
      case '_composite_score_v2': {
        const [d1 = 0, d2 = 0, d3 = 0, d4 = 0, d5 = 0, d6 = 0] = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6'].map((name) => input.dims?.[name]);
        return { ours: compositeScore([d1, d2, d3, d4, d5, Math.round(d6 * 1000)], scoreWeights(input.config)) / 1000, theirs: expected };
      }
      case '_score_to_risk_level_v2':
        return { ours: levelOf(Math.round((input.score ?? 0) * 1000), levelThresholds(input.config)), theirs: expected };
      case '_extract_text_for_d6':
        return {
          ours: this.#engine.understand(eventAction(input.event ?? { event_type: '' }), []).texts.find(({ role }) => role === 'param')
            ?.text,
          theirs: expected,
        };
      case '_score_d1':
        return this.#dimension(0, one);
      case '_score_d2':
        return this.#dimension(1, one);
      case '_score_d3':
        return this.#dimension(2, one);
      case '_score_d5':
        return { ours: agentDistrust({ agentState: 'active', ...stateOf(input) }).value, theirs: expected };
      case '_has_dangerous_command_pattern': {
        const event = { event_type: 'pre_action', tool_name: 'bash', payload: { command: input.command ?? '' } };
        return { ours: this.#dimensions({ event }).dimensions[2] === 3, theirs: expected };
      }
      case 'score_layer1':
      case 'InjectionDetector.score':
        return this.#injection(one);
      case 'PatternMatcher.match':
        return this.#pattern(one);
      case 'infer_content_origin':
        return this.#origin(one);
      case 'normalize_text':
        return this.#normalized(one);
      case 'count_invisible_chars':
        return { ours: countInvisible(input.text ?? ''), theirs: expected };
      case 'RuleBasedAnalyzer.analyze':
        return this.#analysis(one);
      case 'has_nested_repetition':
      case 'compile_safe_regex':
        return this.#expression(one);
      default:
        throw new Error(`${one.id}: nobody asks ours \`${fn}\``);
    }
  }
}
