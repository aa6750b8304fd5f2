/** @module The built engine, in this process and without a gateway: what `check` and `rules test` ask. */
import { sha256Hex } from '@countersign/crypto';
import type { Judged, JudgingEngine } from '@countersign/judge';
import { canonicalize, formatTime, type JsonValue, uuidv7 } from '@countersign/kernel';
import type { Action, Judgement, Signal, StateSlice } from '@countersign/protocol';
import { type RuleSet, ruleSetJson } from '@countersign/rules';
import { createSystemRandom, openEngineFile, readEngineFile, readRuleDirectory, readRules } from '@countersign/runtime';
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import { configError } from './outcome.ts';
import type { NamedPolicy } from './policies.ts';
import { createRecentMap } from './recent-map.ts';

export interface Judging {
  readonly engine: JudgingEngine;
  readonly hashes: { readonly policy: string; readonly rules: string; readonly engine: string };
}

/** Everything that depends on who asks is granted: `check` is about the action, not about an agent. */
type Granted = Required<Pick<StateSlice, 'agentState' | 'scopes' | 'orgMode' | 'tool'>>;
const STATE: Granted = { agentState: 'active', scopes: ['*'], orgMode: 'learning', tool: 'registered' };

/** What a sketch of an action says; identity and ids are filled in. */
export type ActionSketch = Pick<Action, 'kind'> &
  Partial<Pick<Action, 'tool' | 'params' | 'content' | 'context' | 'descriptor' | 'exactNumbers' | 'origin'>>;

/** Opens the built engine with a policy and rules. @throws {CliError} exit 3 with every fault of the documents. */
export async function openJudging(policy: NamedPolicy, rules: RuleSet): Promise<Judging> {
  return load(policy, ruleSetJson(rules));
}

/** Compiling takes a second and a loaded engine never changes: one process may ask for the same one again. */
const kept = createRecentMap<Promise<Judging>>(CLI_LIMITS.judgingKeptMax);

async function load(policy: NamedPolicy, rules: JsonValue): Promise<Judging> {
  const file = await readEngineFile();
  const hashes = { policy: policy.hash, rules: sha256Hex(canonicalize(rules)), engine: file.hash };
  return kept.get(Object.values(hashes).join(' '), async () => {
    const engine = await openEngineFile(file);
    const loaded = engine.load({ policy: policy.resolved as unknown as JsonValue, rules });
    if (!loaded.ok) throw configError(loaded.error);
    return { engine: loaded.value, hashes };
  });
}

/** The same with the rules of this installation: those that the build resolved, unless the operator has rules of their own. */
export async function openInstalledJudging(policy: NamedPolicy, context: Context): Promise<Judging> {
  const own = readRuleDirectory(context.dataDir);
  if (!own.ok) throw configError(own.error);
  return load(policy, await readRules(own.value.map(({ document }) => document)));
}

/** When, and in which state of its session, an action is judged; without it: now, in none. */
export interface JudgedMoment {
  readonly nowMs: number;
  readonly state: Omit<StateSlice, keyof Granted>;
}

/** Understands and judges one action, with the answers of the world that belong to it. */
export function judgedAction(
  judging: Judging,
  given: { readonly action: Action; readonly signals: readonly Signal[]; readonly moment?: JudgedMoment | undefined },
  context: Context,
): Judged {
  const { action, signals, moment } = given;
  const facts = judging.engine.understand(action, signals);
  const now = formatTime(moment?.nowMs ?? context.world.clock.nowMs());
  return { action, facts, judgement: judging.engine.judge({ now, action, facts, state: { ...moment?.state, ...STATE } }) };
}

/** The action of a sketch. */
export function actionOfSketch(sketch: ActionSketch, context: Context): Action {
  const id = uuidv7(context.world.clock, createSystemRandom());
  const origin = { source: { framework: 'countersign-cli', door: 'cli' }, org: 'local', agent: 'local', session: 'local', delegation: [] };
  return { v: 1, id, ...origin, ...sketch };
}

/** Judges one sketch. */
export function judgeSketch(judging: Judging, sketch: ActionSketch, context: Context): Judgement {
  return judgedAction(judging, { action: actionOfSketch(sketch, context), signals: [] }, context).judgement;
}
