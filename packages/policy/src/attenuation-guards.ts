/**
 * @module `attenuate_only` for the guards of texts and of computer use: their rows.
 */
import { anything, compare, hasAll, noHigher, type Pair, staysOn, type Table, type Widening } from './attenuation-rows.ts';
import type { GuardConfigs } from './content.ts';
import type {
  ComputerUseConfig,
  ComputerUseMode,
  InputInjectionConfig,
  SideChannelConfig,
  ThreatTier,
} from './guards/computer-use-config.ts';
import {
  type InjectionLevel,
  type JailbreakDetector,
  type JailbreakLayers,
  LEVEL_RANK,
  type LinearModel,
  type PromptInjectionConfig,
} from './guards/text-guards-config.ts';

function levelNoHigher(parent: InjectionLevel, child: InjectionLevel): boolean {
  return LEVEL_RANK[child] <= LEVEL_RANK[parent];
}

export const PROMPT_INJECTION: Table<PromptInjectionConfig> = {
  enabled: staysOn,
  warn_at_or_above: (parent, child) => levelNoHigher(parent.warn_at_or_above, child.warn_at_or_above),
  block_at_or_above: (parent, child) => levelNoHigher(parent.block_at_or_above, child.block_at_or_above),
  // Read, and decides nothing.
  max_scan_bytes: anything,
};

/** The rows of flags that stay on, or numbers that are not lowered. */
function noLower<Config extends object>(names: readonly (keyof Config)[]): Table<Config> {
  // `Table` has a row for every field; the names are all of them.
  return Object.fromEntries(names.map((name) => [name, (parent: Config, child: Config) => child[name] >= parent[name]])) as Table<Config>;
}

/** More is weighed with every layer: the risk is a sum, and what a model says can only raise it. */
const LAYERS: Table<JailbreakLayers> = noLower(['heuristic', 'statistical', 'ml', 'llm_judge']);
const LINEAR_MODEL: Table<LinearModel> = noLower([
  'bias',
  'w_ignore_policy',
  'w_dan',
  'w_role_change',
  'w_prompt_extraction',
  'w_encoded',
  'w_punct',
  'w_symbol_run',
]);

function sessionThreshold({ session_block_threshold: own, block_threshold: one }: JailbreakDetector): number {
  return own ?? 3 * one;
}

/** 0: nothing is forgotten. */
function halfLife({ session_half_life_seconds: seconds }: JailbreakDetector): number {
  return seconds === 0 ? Infinity : seconds;
}

/** The two parts below it have rows of their own. */
const DETECTOR: Table<JailbreakDetector> = {
  layers: anything,
  linear_model: anything,
  // Without an own threshold, that of sessions follows this one.
  block_threshold: (parent, child) =>
    child.block_threshold <= parent.block_threshold && sessionThreshold(child) <= sessionThreshold(parent),
  // It also says which messages add to the session.
  warn_threshold: (parent, child) => child.warn_threshold <= parent.warn_threshold,
  max_input_bytes: anything,
  session_aggregation: (parent, child) => child.session_aggregation || !parent.session_aggregation,
  session_max_entries: anything,
  session_ttl_seconds: (parent, child) => child.session_ttl_seconds >= parent.session_ttl_seconds,
  session_half_life_seconds: (parent, child) => halfLife(child) >= halfLife(parent),
  session_block_threshold: (parent, child) => sessionThreshold(child) <= sessionThreshold(parent),
};

export function jailbreakWidenings({
  parent: { jailbreak: parent },
  child: { jailbreak: child },
}: Pair<GuardConfigs>): readonly Widening[] {
  if (!parent.enabled) return [];
  const [path, was, is] = ['guards.jailbreak.detector', parent.detector, child.detector];
  return [
    ...compare('guards.jailbreak', { enabled: staysOn, detector: anything }, { parent, child }),
    ...compare(`${path}.layers`, LAYERS, { parent: was.layers, child: is.layers }),
    ...compare(`${path}.linear_model`, LINEAR_MODEL, { parent: was.linear_model, child: is.linear_model }),
    ...compare(path, DETECTOR, { parent: was, child: is }),
  ];
}

const MODES: readonly ComputerUseMode[] = ['observe', 'guardrail', 'fail_closed'];
const TIERS: readonly ThreatTier[] = ['dev', 'internal_prod', 'internet_exposed_multi_tenant'];

const COMPUTER_USE: Table<ComputerUseConfig> = {
  enabled: staysOn,
  // The side channels go by it too, whether this guard is on or off.
  mode: (parent, child) => MODES.indexOf(child.mode) >= MODES.indexOf(parent.mode),
  // Where all is only observed, a list says nothing.
  allowed_actions: (parent, child) => !parent.enabled || parent.mode === 'observe' || hasAll(parent.allowed_actions, child.allowed_actions),
};

type Channel = Exclude<keyof SideChannelConfig, 'enabled' | 'max_transfer_size_bytes' | 'threat_tier'>;

function staysShut(name: Channel): (parent: SideChannelConfig, child: SideChannelConfig) => boolean {
  return (parent, child) => parent[name] || !child[name];
}

function tierOf({ threat_tier: tier }: SideChannelConfig): number {
  return tier === undefined ? -1 : TIERS.indexOf(tier);
}

const SIDE_CHANNEL: Table<SideChannelConfig> = {
  enabled: staysOn,
  clipboard_enabled: staysShut('clipboard_enabled'),
  file_transfer_enabled: staysShut('file_transfer_enabled'),
  audio_enabled: staysShut('audio_enabled'),
  drive_mapping_enabled: staysShut('drive_mapping_enabled'),
  printing_enabled: staysShut('printing_enabled'),
  session_share_enabled: staysShut('session_share_enabled'),
  max_transfer_size_bytes: (parent, child) => noHigher(parent.max_transfer_size_bytes, child.max_transfer_size_bytes),
  // What is open in a tier is open in the one before it.
  threat_tier: (parent, child) => tierOf(child) >= tierOf(parent),
};

const INPUT_INJECTION: Table<InputInjectionConfig> = {
  enabled: staysOn,
  allowed_input_types: (parent, child) => hasAll(parent.allowed_input_types, child.allowed_input_types),
  require_postcondition_probe: (parent, child) => child.require_postcondition_probe || !parent.require_postcondition_probe,
};

export function computerUseWidenings({ parent, child }: Pair<GuardConfigs>): readonly Widening[] {
  const [channels, input] = [parent.remote_desktop_side_channel, parent.input_injection_capability];
  return [
    ...compare('guards.computer_use', COMPUTER_USE, { parent: parent.computer_use, child: child.computer_use }),
    ...(channels.enabled
      ? compare('guards.remote_desktop_side_channel', SIDE_CHANNEL, { parent: channels, child: child.remote_desktop_side_channel })
      : []),
    ...(input.enabled
      ? compare('guards.input_injection_capability', INPUT_INJECTION, { parent: input, child: child.input_injection_capability })
      : []),
  ];
}
