/**
 * @module All guards of a policy over one action. Pure and total: equal inputs give equal results.
 */
import type { GuardQuestion, GuardResult } from '@countersign/protocol';
import type { CompiledPolicy } from './compile-policy.ts';
import { judgeComputerUse } from './guards/computer-use.ts';
import { judgeInputInjection } from './guards/input-injection-capability.ts';
import { judgeSideChannel } from './guards/remote-desktop-side-channel.ts';
import { judgeEgress } from './guards/egress-allowlist.ts';
import { judgeForbiddenPath } from './guards/forbidden-path.ts';
import { judgeJailbreak } from './guards/jailbreak.ts';
import { judgePromptInjection } from './guards/prompt-injection.ts';
import { judgeMcpTool } from './guards/mcp-tool.ts';
import { judgePatchIntegrity } from './guards/patch-integrity.ts';
import { judgePathAllowlist } from './guards/path-allowlist.ts';
import type { GuardContext, GuardInput } from './guards/result.ts';
import { judgeSecretLeak } from './guards/secret-leak.ts';
import { judgeShellCommand } from './guards/shell-command.ts';
import { judgeOutside, questionsFor } from './outside-guards.ts';
import { createMeter } from './regex/regex-set.ts';

type Judge = (policy: CompiledPolicy, context: GuardContext) => GuardResult | undefined;

/** In the stable order of reports. */
const JUDGES: readonly Judge[] = [
  ({ guards }, context) => (guards.forbidden_path.enabled ? judgeForbiddenPath(guards.forbidden_path, context) : undefined),
  ({ guards }, context) => (guards.path_allowlist.enabled ? judgePathAllowlist(guards.path_allowlist, context) : undefined),
  ({ guards }, context) => (guards.egress_allowlist.enabled ? judgeEgress(guards.egress_allowlist, context) : undefined),
  ({ guards }, context) => (guards.secret_leak.config.enabled ? judgeSecretLeak(guards.secret_leak, context) : undefined),
  ({ guards }, context) => (guards.patch_integrity.config.enabled ? judgePatchIntegrity(guards.patch_integrity, context) : undefined),
  ({ guards }, context) => (guards.shell_command.config.enabled ? judgeShellCommand(guards.shell_command, context) : undefined),
  ({ guards }, context) => (guards.mcp_tool.config.enabled ? judgeMcpTool(guards.mcp_tool, context) : undefined),
  ({ guards }, context) => (guards.prompt_injection.enabled ? judgePromptInjection(guards.prompt_injection, context) : undefined),
  ({ guards }, context) => (guards.jailbreak.enabled ? judgeJailbreak(guards.jailbreak, context) : undefined),
  ({ guards }, context) => (guards.computer_use.config.enabled ? judgeComputerUse(guards.computer_use, context) : undefined),
  ({ guards }, context) =>
    guards.remote_desktop_side_channel.config.enabled ? judgeSideChannel(guards.remote_desktop_side_channel, context) : undefined,
  ({ guards }, context) =>
    guards.input_injection_capability.enabled ? judgeInputInjection(guards.input_injection_capability, context) : undefined,
];

export interface GuardReport {
  readonly results: readonly GuardResult[];
  /** Matcher steps spent; how linearity is proven. */
  readonly steps: number;
}

function evaluateOwn(policy: CompiledPolicy, context: GuardContext): GuardResult[] {
  const results: GuardResult[] = [];
  for (const judge of JUDGES) {
    const result = judge(policy, context);
    if (result === undefined) continue;
    results.push(result);
    if (policy.settings.fail_fast && !result.allowed) break;
  }
  return results;
}

function newContext(input: GuardInput): GuardContext {
  return { ...input, meter: createMeter(), counter: { steps: 0 } };
}

/**
 * What guards of the policy want to know from outside before they judge this action. Nothing where another guard refuses it already: what is
 * refused is sent nowhere.
 */
export function guardQuestions(policy: CompiledPolicy, input: GuardInput): readonly GuardQuestion[] {
  if (policy.outside.length === 0) return [];
  const context = newContext(input);
  return evaluateOwn(policy, context).every(({ allowed }) => allowed) ? questionsFor(policy.outside, context) : [];
}

/** `evaluateGuards` with the steps it took. */
export function evaluateGuardsCounted(policy: CompiledPolicy, input: GuardInput): GuardReport {
  const context = newContext(input);
  const results = evaluateOwn(policy, context);
  if (policy.outside.length > 0 && results.every(({ allowed }) => allowed)) results.push(...judgeOutside(policy.outside, context));
  return { results, steps: context.meter.steps + context.counter.steps };
}

/**
 * What each guard that concerns this action says, in stable order. A guard with nothing to object to answers with code
 * `allowed` and severity `info`; one that does not concern the action does not answer. With `fail_fast` the first denial is the last.
 */
export function evaluateGuards(policy: CompiledPolicy, input: GuardInput): readonly GuardResult[] {
  return evaluateGuardsCounted(policy, input).results;
}
