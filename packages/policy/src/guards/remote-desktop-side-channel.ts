/**
 * @module remote_desktop_side_channel: through which channels beside screen and keyboard data may pass between a remote session and what
 * is outside of it. A channel that nobody knows is refused.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Action, GuardResult } from '@countersign/protocol';
import {
  type ComputerUseMode,
  SCREEN_KIND,
  SIDE_CHANNELS,
  type SideChannel,
  type SideChannelConfig,
  type ThreatTier,
} from './computer-use-config.ts';
import { namedValue } from './named-values.ts';
import { allow, block, type GuardContext, quote } from './result.ts';

const GUARD = 'remote_desktop_side_channel';

export interface SideChannels {
  readonly config: SideChannelConfig;
  /** That of `computer_use`: what a tier forbids depends on it. */
  readonly mode: ComputerUseMode;
}

type TierDecision = 'allow' | 'deny' | 'require_approval';

/** Kinds that are the session itself. */
const SESSION_KINDS: ReadonlySet<string> = new Set([
  'remote.session.connect',
  'remote.session.disconnect',
  'remote.session.reconnect',
  SCREEN_KIND,
]);

/** Tiers and modes in which sound may leave the machine: it shows little, and can be listened to. */
const AUDIBLE: ReadonlySet<string> = new Set(['dev observe', 'dev guardrail', 'internal_prod observe']);

/**
 * What a channel gets by where the machine stands and how strictly it is watched. Only a developer's own machine that is merely observed
 * gives more than sound: its clipboard, and the rest to whoever asks a person.
 */
export function tierDecision(channel: SideChannel, tier: ThreatTier, mode: ComputerUseMode): TierDecision {
  if (channel === 'audio') return AUDIBLE.has(`${tier} ${mode}`) ? 'allow' : 'deny';
  if (tier !== 'dev' || mode !== 'observe') return 'deny';
  return channel === 'clipboard' ? 'allow' : 'require_approval';
}

function refuse(code: string, message: string, details: Readonly<Record<string, JsonValue>>): GuardResult {
  return block(GUARD, 'error', { code, message, details: { ...details, reason: code } });
}

function judgeTier({ config, mode }: SideChannels, channel: SideChannel): GuardResult | undefined {
  const { threat_tier: tier } = config;
  if (tier === undefined) return undefined;
  const details = { channel, threat_tier: tier, mode };
  const decision = tierDecision(channel, tier, mode);
  if (decision === 'deny')
    return refuse('denied_by_threat_tier', `Side channel '${channel}' is not open in tier '${tier}' and mode '${mode}'`, details);
  if (decision === 'allow') return undefined;
  // Nobody can approve while the action waits, as with tools that need confirmation.
  const finding = {
    code: 'requires_approval',
    message: `Side channel '${channel}' requires approval`,
    details: { ...details, reason: 'requires_approval' },
  };
  return block(GUARD, 'warning', finding);
}

const SIZE_NAMES = ['transfer_size', 'transferSize'] as const;

/** A whole number, or one too large for a double, which came as its digits. */
function sizeOf(action: Action, value: JsonValue): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const exact = SIZE_NAMES.some((name) => action.exactNumbers?.includes(`/params/${name}`) === true);
  return exact && typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number.MAX_SAFE_INTEGER : undefined;
}

function judgeSize(max: number, action: Action): GuardResult | undefined {
  const details = { channel: 'file_transfer', max_size: max };
  const { value, split } = namedValue(action.params, SIZE_NAMES);
  if (split) return refuse('ambiguous_transfer_size', 'File transfer names two sizes', details);
  if (value === undefined) return refuse('missing_transfer_size', 'File transfer does not say its size', details);
  const size = sizeOf(action, value);
  if (size === undefined) return refuse('invalid_transfer_size_type', 'The size of a file transfer is a whole number of bytes', details);
  if (size <= max) return undefined;
  const message = `File transfer of ${String(size)} bytes exceeds the limit of ${String(max)}`;
  return refuse('transfer_size_exceeded', message, { ...details, transfer_size: size });
}

export function judgeSideChannel(channels: SideChannels, { action }: GuardContext): GuardResult | undefined {
  const { kind } = action;
  if (!kind.startsWith('remote.') || SESSION_KINDS.has(kind)) return undefined;
  const channel = SIDE_CHANNELS.find((one) => kind === `remote.${one}`);
  if (channel === undefined) {
    const name = quote(kind);
    return refuse('unknown_channel_type', `Side channel '${name}' is not known`, { channel: name });
  }
  if (!channels.config[`${channel}_enabled`])
    return refuse('channel_disabled', `Side channel '${channel}' is disabled by policy`, { channel });
  const max = channels.config.max_transfer_size_bytes;
  const size = channel === 'file_transfer' && max !== undefined ? judgeSize(max, action) : undefined;
  return judgeTier(channels, channel) ?? size ?? allow(GUARD);
}
