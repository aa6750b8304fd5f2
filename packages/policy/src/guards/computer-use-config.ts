/**
 * @module What a policy says of computer use: which `remote.*` and `input.*` actions there may be, through which side channels data may
 * leave a remote session, and what may be put into one. Names and defaults are those of Clawdstrike 0.2.7; `threat_tier` is ours.
 */
import { type Field, list, shape, type Shape, whole, words } from '../field-shapes.ts';
import { POLICY_LIMITS } from '../limits.ts';

export type ComputerUseMode = 'observe' | 'guardrail' | 'fail_closed';
export type ThreatTier = 'dev' | 'internal_prod' | 'internet_exposed_multi_tenant';
export type InputType = 'keyboard' | 'mouse' | 'touch';
export type SideChannel = 'clipboard' | 'file_transfer' | 'audio' | 'drive_mapping' | 'printing' | 'session_share';

export interface ComputerUseConfig {
  readonly enabled: boolean;
  readonly mode: ComputerUseMode;
  /** Kinds of actions, whole. */
  readonly allowed_actions: readonly string[];
}
export interface SideChannelConfig {
  readonly enabled: boolean;
  readonly clipboard_enabled: boolean;
  readonly file_transfer_enabled: boolean;
  readonly audio_enabled: boolean;
  readonly drive_mapping_enabled: boolean;
  readonly printing_enabled: boolean;
  readonly session_share_enabled: boolean;
  /** Absent: files of any size, whatever they say of it. */
  readonly max_transfer_size_bytes?: number;
  /** Where the machine stands; what the tier forbids in the mode of `computer_use` no switch above gives back. Absent: the switches decide. */
  readonly threat_tier?: ThreatTier;
}
export interface InputInjectionConfig {
  readonly enabled: boolean;
  readonly allowed_input_types: readonly InputType[];
  readonly require_postcondition_probe: boolean;
}

export interface ComputerUseGuards {
  readonly computer_use: ComputerUseConfig;
  readonly remote_desktop_side_channel: SideChannelConfig;
  readonly input_injection_capability: InputInjectionConfig;
}
export type WrittenComputerUse = { readonly [Name in keyof ComputerUseGuards]?: Partial<ComputerUseGuards[Name]> };

/** What is looked at and waited for: it brings nothing about. Not part of the original, whose sessions have no name for it. */
export const SCREEN_KIND = 'remote.screen';

export const SIDE_CHANNELS: readonly SideChannel[] = ['clipboard', 'file_transfer', 'audio', 'drive_mapping', 'printing', 'session_share'];

const KNOWN_ACTIONS: readonly string[] = [
  'remote.session.connect',
  'remote.session.disconnect',
  'remote.session.reconnect',
  'input.inject',
  ...SIDE_CHANNELS.map((channel) => `remote.${channel}`),
  SCREEN_KIND,
];

export const COMPUTER_USE_DEFAULTS: ComputerUseGuards = {
  computer_use: { enabled: true, mode: 'guardrail', allowed_actions: KNOWN_ACTIONS },
  remote_desktop_side_channel: {
    enabled: true,
    clipboard_enabled: true,
    file_transfer_enabled: true,
    audio_enabled: true,
    drive_mapping_enabled: true,
    printing_enabled: true,
    session_share_enabled: true,
  },
  input_injection_capability: {
    enabled: true,
    allowed_input_types: ['keyboard', 'mouse', 'touch'],
    require_postcondition_probe: false,
  },
};

/** A block that is there and names no actions names none. */
export const COMPUTER_USE_BLOCKS: ComputerUseGuards = {
  ...COMPUTER_USE_DEFAULTS,
  computer_use: { ...COMPUTER_USE_DEFAULTS.computer_use, allowed_actions: [] },
};

/** Fields of the side channels that have no default. */
export const SIDE_CHANNEL_OPTIONAL: readonly string[] = ['max_transfer_size_bytes', 'threat_tier'];

const FLAG: Field = { is: 'flag' };

function ownWords(names: readonly string[]): Field {
  return words(Object.fromEntries(names.map((name) => [name, name])));
}

export const COMPUTER_USE_FIELDS: Readonly<Record<keyof ComputerUseGuards, Shape>> = {
  computer_use: shape({
    enabled: FLAG,
    mode: ownWords(['observe', 'guardrail', 'fail_closed']),
    allowed_actions: list({ is: 'text', max: POLICY_LIMITS.entryCharsMax }),
  }),
  remote_desktop_side_channel: shape(
    {
      enabled: FLAG,
      clipboard_enabled: FLAG,
      file_transfer_enabled: FLAG,
      audio_enabled: FLAG,
      drive_mapping_enabled: FLAG,
      printing_enabled: FLAG,
      session_share_enabled: FLAG,
      max_transfer_size_bytes: whole(0, Number.MAX_SAFE_INTEGER),
      threat_tier: ownWords(['dev', 'internal_prod', 'internet_exposed_multi_tenant']),
    },
    { nullable: new Set(SIDE_CHANNEL_OPTIONAL) },
  ),
  input_injection_capability: shape({
    enabled: FLAG,
    allowed_input_types: list(ownWords(['keyboard', 'mouse', 'touch'])),
    require_postcondition_probe: FLAG,
  }),
};

/** Where a list that is merged onto a base holds nothing, it says nothing. */
function listOn<Item>(written: readonly Item[] | undefined, base: readonly Item[], merged: boolean): readonly Item[] {
  return written === undefined || (merged && written.length === 0) ? base : [...new Set(written)];
}

export const COMPUTER_USE_MERGERS: {
  readonly [Name in keyof ComputerUseGuards]: (
    block: Partial<ComputerUseGuards[Name]>,
    ground: { readonly base: ComputerUseGuards[Name]; readonly merged: boolean },
  ) => ComputerUseGuards[Name];
} = {
  computer_use: (block, { base, merged }) => ({
    ...base,
    ...block,
    allowed_actions: listOn(block.allowed_actions, base.allowed_actions, merged),
  }),
  remote_desktop_side_channel: (block, { base }) => ({ ...base, ...block }),
  input_injection_capability: (block, { base, merged }) => ({
    ...base,
    ...block,
    allowed_input_types: listOn(block.allowed_input_types, base.allowed_input_types, merged),
  }),
};
