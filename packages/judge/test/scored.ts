/** Actions put to the judge with the built-in rules, as a test needs them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { JsonValue } from '@countersign/kernel';
import { type CompiledPolicy, compilePolicy, parsePolicy, resolvePolicy } from '@countersign/policy';
import { type Action, type Judgement, knownTool, type Scores, type Signal, type StateSlice } from '@countersign/protocol';
import { type CompiledRules, compileRules, matchRules, ruleSetJson } from '@countersign/rules';
import { mergedPacks } from '../../rules/test/packs-on-disk.ts';
import { createEngine, type JudgingEngine } from '../src/index.ts';

const require = createRequire(new URL('../../facts/package.json', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(require.resolve(name));
export const NOW = '2026-01-02T03:04:05.678Z';
const ACTIVE: StateSlice = { agentState: 'active', scopes: ['*'], tool: 'registered', orgMode: 'locked' };

/** The built-in rules under a policy without guards: what is seen is what rules and view say. */
export async function openScored(): Promise<Scored> {
  const document = parsePolicy(JSON.stringify({ version: '1.1.0', name: 'bare' }), 'bare.yaml');
  const policy = document.ok ? resolvePolicy(document.value, { rulesets: new Map(), hostSets: new Map() }) : document;
  if (!policy.ok) throw new Error(JSON.stringify(policy.error));
  const engine = await createEngine({
    treeSitter: bytes('web-tree-sitter/web-tree-sitter.wasm'),
    bash: bytes('tree-sitter-bash/tree-sitter-bash.wasm'),
    pgQuery: bytes('libpg-query/wasm/libpg-query.wasm'),
  });
  const loaded = engine.load({ policy: policy.value as unknown as JsonValue, rules: ruleSetJson(mergedPacks()) });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const [compiled, rules] = [compilePolicy(policy.value), compileRules(mergedPacks())];
  if (!compiled.ok || !rules.ok) throw new Error('the documents do not compile');
  return new Scored(loaded.value, compiled.value, rules.value);
}

export interface Judged {
  readonly state?: StateSlice;
  readonly signals?: readonly Signal[];
  readonly now?: string;
}

export class Scored {
  readonly #engine: JudgingEngine;
  readonly policy: CompiledPolicy;
  readonly rules: CompiledRules;

  constructor(engine: JudgingEngine, policy: CompiledPolicy, rules: CompiledRules) {
    this.#engine = engine;
    this.policy = policy;
    this.rules = rules;
  }

  /** Steps of understanding and units of matching. */
  steps(action: Action): number {
    const facts = this.#engine.understand(action, []);
    return facts.steps + matchRules(this.rules, { action, facts }).steps;
  }

  judge(action: Action, { state = {}, signals = [], now = NOW }: Judged = {}): Judgement {
    return this.#engine.judge({ now, action, facts: this.#engine.understand(action, signals), state: { ...ACTIVE, ...state } });
  }

  scores(action: Action, judged: Judged = {}): Scores {
    const { scores } = this.judge(action, judged).verdict;
    if (scores === undefined) throw new Error('the verdict has no scores');
    return scores;
  }
}

function actionOf(rest: Pick<Action, 'kind' | 'tool' | 'params' | 'content'>): Action {
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    ...rest,
    source: { framework: 'unknown', door: 'test' },
    org: 'o',
    agent: 'a',
    session: 's',
    delegation: [],
  };
}

/** A call of a tool by the name that a framework has for it. */
export function call(name: string, params: JsonValue): Action {
  const { kind, tool } = knownTool(name);
  return actionOf({ kind, tool, params });
}

export function shell(command: string): Action {
  return call('bash', { command });
}

export function said(kind: string, content: string): Action {
  return actionOf({ kind, content });
}
