/**
 * @module An action held against the origin it was asked from: a pure function of policy, action, facts and what the session remembers. A profile
 * only takes away: what it permits, guards and posture still have to permit (spec/policy.md POL-304).
 */
import { getOwn, type JsonObject } from '@countersign/kernel';
import { type Action, type Facts, type PostureState, PROTOCOL_LIMITS, type SessionOrigin, type Span } from '@countersign/protocol';
import { judgeEgress, type EgressLists } from './guards/egress-allowlist.ts';
import { compileHostGlob } from './glob.ts';
import { bestProfile, matchedFields, type OriginResolution } from './match-origin.ts';
import { originOfAction, placeOf } from './origin-context.ts';
import { refuseData } from './origin-data.ts';
import { type CompiledOriginTools, compileOriginTools, refuseTool } from './origin-tools.ts';
import { MINIMAL_PROFILE } from './lay-origins.ts';
import type { OriginFields, OriginProfile, Origins } from './origins.ts';
import { BUDGET_OF, capabilitiesOf } from './posture-needs.ts';
import { type Budget, BUDGETS, type Capability, LOCKED, type Posture } from './posture.ts';
import { createMeter } from './regex/regex-set.ts';

export interface CompiledProfile {
  readonly config: OriginProfile;
  /** For `bestProfile`. */
  readonly match_rules: OriginFields;
  readonly tools: CompiledOriginTools | undefined;
  readonly egress: EgressLists | undefined;
  /** Undefined: the profile names no state. */
  readonly capabilities: ReadonlySet<Capability> | undefined;
  /** The tighter of what the profile and its state say. */
  readonly budgets: Readonly<Partial<Record<Budget, number>>>;
}

export interface CompiledOrigins {
  readonly minimal: CompiledProfile | undefined;
  readonly profiles: readonly CompiledProfile[];
  readonly byId: ReadonlyMap<string, CompiledProfile>;
}

function egressOf({ egress }: OriginProfile): EgressLists | undefined {
  if (egress?.enabled !== true) return undefined;
  const globs = (hosts: readonly string[]): EgressLists['allow'] =>
    hosts.flatMap((host) => {
      const glob = compileHostGlob(host);
      return glob.ok ? [glob.value] : [];
    });
  return { enabled: true, allow: globs(egress.allow), block: globs(egress.block), fallback: egress.default_action };
}

function compileProfile(config: OriginProfile, posture: Posture | undefined): CompiledProfile {
  const state = config.posture === undefined ? undefined : getOwnState(posture, config.posture);
  const own: Readonly<Partial<Record<Budget, number>>> = config.budgets;
  const budgets = BUDGETS.flatMap((budget) => {
    const limit = Math.min(own[budget] ?? Infinity, state?.budgets[budget] ?? Infinity);
    return limit === Infinity ? [] : [[budget, limit] as const];
  });
  return {
    config,
    match_rules: config.match_rules,
    tools: config.mcp?.enabled === true ? compileOriginTools(config.mcp) : undefined,
    egress: egressOf(config),
    capabilities: state === undefined ? undefined : new Set(state.capabilities),
    budgets: Object.fromEntries(budgets),
  };
}

/** `locked` permits nothing, also where the section does not write it. */
function getOwnState(posture: Posture | undefined, name: string): Posture['states'][string] {
  const found = posture !== undefined && Object.hasOwn(posture.states, name) ? posture.states[name] : undefined;
  return name === LOCKED || found === undefined ? { description: '', capabilities: [], budgets: {} } : found;
}

/** A section without faults, whose hosts are frozen and compile. */
export function compileOrigins(origins: Origins, posture: Posture | undefined): CompiledOrigins {
  const profiles = origins.profiles.map((profile) => compileProfile(profile, posture));
  return {
    minimal: origins.default_behavior === 'minimal_profile' ? compileProfile(MINIMAL_PROFILE, undefined) : undefined,
    profiles,
    byId: new Map(profiles.map((profile) => [profile.config.id, profile])),
  };
}

/** One thing that the origin has against an action. */
export interface OriginObjection {
  readonly code: string;
  readonly message: string;
  readonly evidence: readonly Span[];
  /** It would need somebody who can say yes, and nobody can: refused, and no more than a warning. */
  readonly step?: boolean;
  /** Budgets and states say how far the session has got: running out is no violation. */
  readonly quiet?: boolean;
  readonly sanitized?: string;
}

export interface OriginAnswer {
  /** Empty where nothing stands against it. */
  readonly objections: readonly OriginObjection[];
  /** A host that the profile only lets through with a note. */
  readonly logged: OriginObjection | undefined;
  /** Undefined where no profile was found. */
  readonly profile: { readonly id: string; readonly by: OriginResolution } | undefined;
  /** What the session remembers where the action is allowed, and where it is not. Undefined: as before. */
  readonly after: OriginMemory | undefined;
  readonly refused: OriginMemory | undefined;
}

export type OriginMemory = Pick<PostureState, 'origin' | 'counts'>;

export interface OriginQuestion {
  readonly action: Action;
  readonly facts: Facts;
  /** What the session remembers. */
  readonly kept: OriginMemory | undefined;
}

function refusedWhole(code: string, message: string): OriginAnswer {
  const objections = [{ code, message, evidence: [] }];
  return { objections, logged: undefined, profile: undefined, after: undefined, refused: undefined };
}

/** A session that stood elsewhere: whether the place it came from lets it go on here. */
function bridgeObjections(origins: CompiledOrigins, from: SessionOrigin, to: OriginFields): readonly OriginObjection[] {
  const bridge = origins.byId.get(from.profile)?.config.bridge_policy;
  const deny = (code: string, message: string, step = false): readonly OriginObjection[] => [{ code, message, evidence: [], step }];
  if (bridge?.allow_cross_origin !== true)
    return deny('cross_origin', 'The session stands in another origin, and its profile lets no session go on elsewhere');
  const { allowed_targets: targets, require_approval: approval } = bridge;
  if (targets.length > 0 && !targets.some((target) => matchedFields(target, to) !== undefined))
    return deny('cross_origin_target', 'The session stands in another origin, and its profile does not let it go on here');
  return approval ? deny('cross_origin_approval', 'Going on in another origin requires an approval', true) : [];
}

const TEXTS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response', 'agent.message']);

function toolObjections({ tools }: CompiledProfile, { kind, tool, params }: Action): readonly OriginObjection[] {
  if (tools === undefined || TEXTS.has(kind)) return [];
  const isCall = kind === 'tool.call' || kind === 'mcp.call';
  if (tool === undefined || tool === '') return isCall ? [{ code: 'missing_tool', message: 'The call names no tool', evidence: [] }] : [];
  const refusal = refuseTool(tools, tool, params);
  return refusal === undefined ? [] : [{ ...refusal, evidence: [], step: refusal.code === 'tool_needs_confirmation' }];
}

interface EgressAnswer {
  readonly objections: readonly OriginObjection[];
  readonly logged: OriginObjection | undefined;
}

function egressAnswer({ egress }: CompiledProfile, { action, facts }: OriginQuestion): EgressAnswer {
  if (egress === undefined) return { objections: [], logged: undefined };
  const context = { action, facts, state: {}, meter: createMeter(), counter: { steps: 0 } };
  const result = judgeEgress(egress, context);
  if (result === undefined || result.code === 'allowed') return { objections: [], logged: undefined };
  const said = {
    code: `egress_${result.code.replace('egress_', '')}`,
    message: `${result.message} for this origin`,
    evidence: result.evidence,
  };
  return result.allowed ? { objections: [], logged: said } : { objections: [said], logged: undefined };
}

function dataObjections({ config }: CompiledProfile, question: OriginQuestion, origin: OriginFields): readonly OriginObjection[] {
  const refusal = config.data === undefined ? undefined : refuseData(config.data, question, origin);
  return refusal === undefined ? [] : [refusal];
}

const countKey = (profile: string, budget: Budget): string => `origin/${profile}/${budget}`;

interface Counted {
  readonly objections: readonly OriginObjection[];
  readonly counts: Readonly<Record<string, number>> | undefined;
}

/** One more of each key; a key that would be one too many is refused. Shared with brokered providers, which count beside. */
export function countUp(kept: OriginMemory | undefined, keys: readonly string[]): Readonly<Record<string, number>> | 'full' {
  const counts = new Map(Object.entries(kept?.counts ?? {}));
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts.size > PROTOCOL_LIMITS.sessionCountsMax ? 'full' : Object.fromEntries(counts);
}

/** How often a key was counted. */
export function countOf(kept: OriginMemory | undefined, key: string): number {
  const counts: JsonObject = kept?.counts ?? {};
  const count = getOwn(counts, key);
  return typeof count === 'number' ? count : 0;
}

function spend({ config, budgets, capabilities }: CompiledProfile, { action, facts, kept }: OriginQuestion): Counted {
  const needs = capabilitiesOf(action, facts);
  const missing = capabilities === undefined ? undefined : needs.find((need) => !capabilities.has(need));
  const quiet = { evidence: [], quiet: true } as const;
  if (missing !== undefined) {
    const message = `action '${missing}' is not allowed in posture state '${config.posture ?? ''}' of this origin`;
    return { objections: [{ ...quiet, code: 'capability_not_allowed', message }], counts: undefined };
  }
  const charged = needs.flatMap((need) => BUDGET_OF[need] ?? []).filter((budget) => budgets[budget] !== undefined);
  const keys = charged.map((budget) => countKey(config.id, budget));
  const over = charged.find((budget) => countOf(kept, countKey(config.id, budget)) >= (budgets[budget] ?? 0));
  if (over !== undefined) {
    const message = `budget '${over}' of this origin is exhausted (limit ${String(budgets[over])})`;
    return { objections: [{ ...quiet, code: 'budget_exhausted', message }], counts: undefined };
  }
  if (keys.length === 0) return { objections: [], counts: undefined };
  const counts = countUp(kept, keys);
  if (counts !== 'full') return { objections: [], counts };
  return { objections: [{ ...quiet, code: 'too_many_origins', message: 'the session counts too many origins' }], counts: undefined };
}

/** What the session would remember of an action here: the place, where it is another, and what it used. */
function remembered(from: SessionOrigin | undefined, here: SessionOrigin, counts: Counted['counts']): OriginMemory | undefined {
  const isSame = from?.at === here.at && from.profile === here.profile;
  if (isSame && counts === undefined) return undefined;
  return { ...(isSame ? {} : { origin: here }), ...(counts === undefined ? {} : { counts }) };
}

/** A place that was read, and the profile it gets. */
interface Here {
  readonly origin: OriginFields;
  readonly profile: CompiledProfile;
  readonly by: OriginResolution;
}

function judgeHere(origins: CompiledOrigins, { origin, profile, by }: Here, question: OriginQuestion): OriginAnswer {
  const { action, kept } = question;
  const here: SessionOrigin = { at: placeOf(origin), profile: profile.config.id };
  const from = kept?.origin;
  const egress = egressAnswer(profile, question);
  const spent = spend(profile, question);
  return {
    objections: [
      ...(from === undefined || from.at === here.at ? [] : bridgeObjections(origins, from, origin)),
      ...toolObjections(profile, action),
      ...egress.objections,
      ...dataObjections(profile, question, origin),
      ...spent.objections,
    ],
    logged: egress.logged,
    profile: { id: here.profile, by },
    after: remembered(from, here, spent.counts),
    // Whoever was refused in one place does not begin in another.
    refused: from === undefined ? { origin: here } : undefined,
  };
}

/** Holds one action against the origin that it names. */
export function judgeOrigin(origins: CompiledOrigins, question: OriginQuestion): OriginAnswer {
  const origin = originOfAction(question.action);
  if (origin === 'missing') return refusedWhole('origin_required', 'The policy asks for an origin, and the action names none');
  if (origin === 'malformed') return refusedWhole('origin_malformed', 'The origin that the action names cannot be read');
  const found = bestProfile(origins.profiles, origin);
  if (found !== undefined) return judgeHere(origins, { origin, ...found }, question);
  if (origins.minimal === undefined) return refusedWhole('origin_unknown', 'No profile of the policy matches the origin');
  return judgeHere(origins, { origin, profile: origins.minimal, by: 'default' }, question);
}
