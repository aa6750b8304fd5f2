/**
 * @module input_injection_capability: with which devices an agent may put input into a remote session, and whether it must be able to
 * show what came of it.
 */
import type { JsonValue } from '@countersign/kernel';
import type { GuardResult } from '@countersign/protocol';
import type { InputInjectionConfig } from './computer-use-config.ts';
import { namedValue } from './named-values.ts';
import { allow, block, type GuardContext, quote } from './result.ts';

const GUARD = 'input_injection_capability';

function refuse(code: string, message: string, details: Readonly<Record<string, string>> = {}): GuardResult {
  return block(GUARD, 'error', { code, message, details: { reason: code, ...details } });
}

/** That there is a hash is all that can be seen here. */
function judgeProbe(config: InputInjectionConfig, params: JsonValue | undefined): GuardResult {
  if (!config.require_postcondition_probe) return allow(GUARD);
  const { value, split } = namedValue(params, ['postcondition_probe_hash', 'postconditionProbeHash']);
  if (split) return refuse('ambiguous_postcondition_probe', 'Input injection carries two postcondition probes');
  if (typeof value === 'string' && value.trim() !== '') return allow(GUARD);
  return refuse('missing_postcondition_probe', 'Input injection carries no postcondition probe hash');
}

/** Every `input.*` action but `input.inject` is one that nobody knows, and is refused. */
export function judgeInputInjection(config: InputInjectionConfig, { action }: GuardContext): GuardResult | undefined {
  if (!action.kind.startsWith('input.')) return undefined;
  if (action.kind !== 'input.inject') {
    const name = quote(action.kind);
    return refuse('unknown_input_action', `Input action '${name}' is not known`, { action_type: name });
  }
  const type = namedValue(action.params, ['input_type', 'inputType']);
  if (type.split) return refuse('ambiguous_input_type', 'Input injection names two input types');
  if (type.value === undefined || type.value === '') return refuse('missing_input_type', 'Input injection names no input type');
  const allowed: readonly string[] = config.allowed_input_types;
  if (typeof type.value !== 'string' || !allowed.includes(type.value)) {
    const name = typeof type.value === 'string' ? quote(type.value) : 'not text';
    return refuse('input_type_not_allowed', `Input type '${name}' is not allowed`, { input_type: name });
  }
  return judgeProbe(config, action.params);
}
