/**
 * @module What a policy says of texts: from which level on untrusted text is refused for what it asks a model to do, and how a user's
 * attempts to talk a model out of its rules are weighed and added up. Names and defaults are those of Clawdstrike 0.2.7.
 */
import { type Field, shape, type Shape, whole, words } from '../field-shapes.ts';

export type InjectionLevel = 'safe' | 'suspicious' | 'high' | 'critical';

export interface PromptInjectionConfig {
  readonly enabled: boolean;
  readonly warn_at_or_above: InjectionLevel;
  readonly block_at_or_above: InjectionLevel;
  /** Read, and changes nothing: the whole text is looked at, in linear time. */
  readonly max_scan_bytes: number;
}

export interface LinearModel {
  readonly bias: number;
  readonly w_ignore_policy: number;
  readonly w_dan: number;
  readonly w_role_change: number;
  readonly w_prompt_extraction: number;
  readonly w_encoded: number;
  readonly w_punct: number;
  readonly w_symbol_run: number;
}
export interface JailbreakLayers {
  readonly heuristic: boolean;
  readonly statistical: boolean;
  readonly ml: boolean;
  readonly llm_judge: boolean;
}
export interface JailbreakDetector {
  readonly layers: JailbreakLayers;
  readonly linear_model: LinearModel;
  /** Risks, 0 to 100. */
  readonly block_threshold: number;
  readonly warn_threshold: number;
  /** Read, and changes nothing, as `max_scan_bytes`. */
  readonly max_input_bytes: number;
  readonly session_aggregation: boolean;
  /** Read, and changes nothing: each session keeps its own. */
  readonly session_max_entries: number;
  readonly session_ttl_seconds: number;
  /** 0: nothing is forgotten before the end of `session_ttl_seconds`. */
  readonly session_half_life_seconds: number;
  /** Rolling risk of a session from which on its suspicious messages are refused. Absent: three times `block_threshold`. */
  readonly session_block_threshold?: number;
}
export interface JailbreakConfig {
  readonly enabled: boolean;
  readonly detector: JailbreakDetector;
}

export interface TextGuards {
  readonly prompt_injection: PromptInjectionConfig;
  readonly jailbreak: JailbreakConfig;
}
export interface WrittenTextGuards {
  readonly prompt_injection?: Partial<PromptInjectionConfig>;
  readonly jailbreak?: {
    readonly enabled?: boolean;
    readonly detector?: Partial<Omit<JailbreakDetector, 'layers' | 'linear_model'>> & {
      readonly layers?: Partial<JailbreakLayers>;
      readonly linear_model?: Partial<LinearModel>;
    };
  };
}

export const TEXT_GUARD_DEFAULTS: TextGuards = {
  prompt_injection: { enabled: true, warn_at_or_above: 'suspicious', block_at_or_above: 'high', max_scan_bytes: 200_000 },
  jailbreak: {
    enabled: true,
    detector: {
      layers: { heuristic: true, statistical: true, ml: true, llm_judge: false },
      linear_model: {
        bias: -2,
        w_ignore_policy: 2.5,
        w_dan: 2,
        w_role_change: 1.5,
        w_prompt_extraction: 2.2,
        w_encoded: 1,
        w_punct: 2,
        w_symbol_run: 1.5,
      },
      block_threshold: 70,
      warn_threshold: 30,
      max_input_bytes: 100_000,
      session_aggregation: true,
      session_max_entries: 1024,
      session_ttl_seconds: 3600,
      session_half_life_seconds: 900,
    },
  },
};

const FLAG: Field = { is: 'flag' };
const COUNT = whole(0, 1_000_000_000);
const BYTES = whole(1, 1_000_000_000);
const RISK = whole(0, 100);
const WEIGHT: Field = { is: 'number', min: -100, max: 100, whole: false };
const LEVEL: Field = words({
  safe: 'safe',
  suspicious: 'suspicious',
  low: 'suspicious',
  high: 'high',
  medium: 'high',
  critical: 'critical',
});

const LAYERS = shape({ heuristic: FLAG, statistical: FLAG, ml: FLAG, llm_judge: FLAG });
const LINEAR_MODEL = shape({
  bias: WEIGHT,
  w_ignore_policy: WEIGHT,
  w_dan: WEIGHT,
  w_role_change: WEIGHT,
  w_prompt_extraction: WEIGHT,
  w_encoded: WEIGHT,
  w_punct: WEIGHT,
  w_symbol_run: WEIGHT,
});
const DETECTOR = shape(
  {
    layers: LAYERS,
    linear_model: LINEAR_MODEL,
    block_threshold: RISK,
    warn_threshold: RISK,
    max_input_bytes: BYTES,
    session_aggregation: FLAG,
    session_max_entries: COUNT,
    session_ttl_seconds: COUNT,
    session_half_life_seconds: COUNT,
    session_block_threshold: whole(1, 1_000_000),
  },
  { nullable: new Set(['session_block_threshold']) },
);

export const TEXT_GUARD_FIELDS: Readonly<Record<keyof TextGuards, Shape>> = {
  prompt_injection: shape({ enabled: FLAG, warn_at_or_above: LEVEL, block_at_or_above: LEVEL, max_scan_bytes: BYTES }),
  jailbreak: shape({ enabled: FLAG, detector: DETECTOR }),
};

/** The same once resolved; `full` makes every field of a shape a required one. */
export function resolvedTextGuards(
  full: (base: Shape, change?: { readonly add?: Readonly<Record<string, Field>>; readonly optional?: readonly string[] }) => Shape,
): Readonly<Record<keyof TextGuards, Shape>> {
  const detector = full(DETECTOR, {
    add: { layers: full(LAYERS), linear_model: full(LINEAR_MODEL) },
    optional: ['session_block_threshold'],
  });
  return {
    prompt_injection: full(TEXT_GUARD_FIELDS.prompt_injection),
    jailbreak: full(TEXT_GUARD_FIELDS.jailbreak, { add: { detector } }),
  };
}

export const TEXT_GUARD_MERGERS: {
  readonly [Name in keyof TextGuards]: (
    block: NonNullable<WrittenTextGuards[Name]>,
    ground: { readonly base: TextGuards[Name] },
  ) => TextGuards[Name];
} = {
  prompt_injection: (block, { base }) => ({ ...base, ...block }),
  jailbreak: (block, { base }) => ({
    enabled: block.enabled ?? base.enabled,
    detector: {
      ...base.detector,
      ...block.detector,
      layers: { ...base.detector.layers, ...block.detector?.layers },
      linear_model: { ...base.detector.linear_model, ...block.detector?.linear_model },
    },
  }),
};

/** Order of levels, least first. */
export const LEVEL_RANK: Readonly<Record<InjectionLevel, number>> = { safe: 0, suspicious: 1, high: 2, critical: 3 };

/** What no single field can tell: where and what. */
export function textGuardFaults(guards: Partial<TextGuards>): readonly { readonly path: string; readonly message: string }[] {
  const { prompt_injection: injection, jailbreak } = guards;
  const found: { readonly path: string; readonly message: string }[] = [];
  if (injection !== undefined && LEVEL_RANK[injection.warn_at_or_above] > LEVEL_RANK[injection.block_at_or_above])
    found.push({ path: 'guards.prompt_injection', message: '`warn_at_or_above` must not be above `block_at_or_above`' });
  if (jailbreak !== undefined && jailbreak.detector.warn_threshold > jailbreak.detector.block_threshold)
    found.push({ path: 'guards.jailbreak.detector', message: '`warn_threshold` must not be above `block_threshold`' });
  return found;
}
