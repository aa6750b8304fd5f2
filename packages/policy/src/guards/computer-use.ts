/**
 * @module computer_use: which actions on a remote machine and its input devices there may be at all.
 */
import type { GuardResult } from '@countersign/protocol';
import type { ComputerUseConfig } from './computer-use-config.ts';
import { allow, block, type GuardContext, quote, warn } from './result.ts';

export interface ComputerUse {
  readonly config: ComputerUseConfig;
  readonly allowed: ReadonlySet<string>;
}

export function computerUseOf(config: ComputerUseConfig): ComputerUse {
  return { config, allowed: new Set(config.allowed_actions) };
}

export function isComputerUse(kind: string): boolean {
  return kind.startsWith('remote.') || kind.startsWith('input.');
}

/** `observe` says of every action that it was there; `guardrail` of those that are not listed; `fail_closed` refuses these. */
export function judgeComputerUse({ config, allowed }: ComputerUse, { action }: GuardContext): GuardResult | undefined {
  const { kind } = action;
  if (!isComputerUse(kind)) return undefined;
  const listed = allowed.has(kind);
  const details = { action_type: quote(kind), mode: config.mode, in_allowlist: listed };
  if (config.mode === 'observe') {
    return warn('computer_use', { code: 'observed', message: `Computer use observed: '${quote(kind)}'`, details });
  }
  if (listed) return allow('computer_use');
  const finding = {
    code: 'not_in_allowlist',
    message: `Computer use action '${quote(kind)}' is not in the allowed actions`,
    details: { ...details, reason: 'not_in_allowlist' },
  };
  return config.mode === 'guardrail' ? warn('computer_use', finding) : block('computer_use', 'error', finding);
}
