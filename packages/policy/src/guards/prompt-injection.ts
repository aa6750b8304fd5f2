/**
 * @module prompt_injection: text that comes from outside (what a tool brought back, what a model said) and speaks to the model instead of to
 * its reader. Signals, weights and levels are those of Clawdstrike 0.2.7; the words are ours, and are looked for in every decoded layer.
 */
import { utf8Length } from '@countersign/kernel';
import type { Action, GuardResult } from '@countersign/protocol';
import { fingerprint } from './fingerprint.ts';
import { allow, blind, block, type GuardContext, quote, warn } from './result.ts';
import { type InjectionLevel, LEVEL_RANK, type PromptInjectionConfig } from './text-guards-config.ts';
import { isUnread, type TextSignals, textSignals } from './text-signals.ts';
import { wordFamilies } from './word-families.ts';

const GUARD = 'prompt_injection';

/** Kinds that bring text nobody here has written; the last two are names that custom actions have. */
const UNTRUSTED: ReadonlySet<string> = new Set(['tool.response', 'model.output', 'untrusted_text', 'hushclaw.untrusted_text']);

const HIDDEN_WORDS = 'system|developer|hidden|initial|original|internal|secret';
const SECRETS = 'password|passwords|credentials|credential|secret|secrets|token|tokens|keys|passphrase|cookies';
const FAMILIES = wordFamilies({
  ignore_previous_instructions: [
    'ignore|disregard|forget|override|discard|neglect 4 previous|prior|above|earlier|preceding|foregoing|former 4 instruction|instructions|direction|directions|rules|directives|guidelines|prompt|prompts|orders',
    'ignore|disregard|forget 2 instructions|directions|rules|directives|prompts 3 previous|prior|above|earlier|before',
    'ignore|disregard|forget|override 2 your 3 instructions|rules|guidelines|programming|directives|prompt|policy|policies',
    'please 1 ignore|disregard|bypass 1 policy|policies|instructions|rules',
    'ignoriere|ignorieren|vergiss|missachte 4 vorherigen|bisherigen|obigen|früheren|vorigen 3 anweisungen|anweisung|regeln|vorgaben',
    'ignora|ignore|olvida|olvide 4 instrucciones|instruções|reglas 3 anteriores|previas',
    'ignore|ignorez|oublie|oubliez 4 instructions|consignes|règles 3 précédentes|antérieures',
  ],
  system_prompt_mentions: ['system|developer 0 prompt|prompts', 'developer 0 message|messages|instructions'],
  prompt_extraction_request: [
    `reveal|show|print|repeat|output|display|disclose|dump|leak|expose|recite 5 ${HIDDEN_WORDS} 0 prompt|prompts|instructions|message|directives`,
    `tell 1 me 5 ${HIDDEN_WORDS} 0 prompt|prompts|instructions|message|directives`,
  ],
  tool_invocation_language: [
    'you 1 must|should|need|have 2 call|invoke|run|execute|use 3 tool|function|command|plugin|shell',
    'call|invoke 1 the 2 tool|function|plugin',
    'run|execute 1 the 1 following 1 command|commands|code|script|tool',
  ],
  security_bypass_language: [
    'bypass|circumvent|disable|evade|override|ignore 3 safety|content|ethical|moderation 1 filter|filters|policy|policies|guidelines|rules|measures|protocols|restrictions|safeguards|training',
    'bypass|circumvent|disable|evade|override|ignore 2 guardrails|guardrail|safeguards|moderation',
    'without|bypass 2 asking|requiring|needing 2 confirmation|permission|approval',
  ],
  credential_exfiltration: [
    `exfiltrate|exfiltrating|steal 3 ${SECRETS}`,
    `send|post|upload|forward|transmit|email|submit 2 your|the|all|any|user|their|his|her|my 3 ${SECRETS} 3 to 1 http|https|attacker|this|the|following|me|us`,
  ],
});

const WEIGHTS: Readonly<Record<string, number>> = {
  obfuscation_zero_width: 1,
  ignore_previous_instructions: 3,
  system_prompt_mentions: 2,
  prompt_extraction_request: 4,
  tool_invocation_language: 1,
  security_bypass_language: 3,
  credential_exfiltration: 6,
};
const CRITICAL_WEIGHT = 6;
const HIGH_SCORE = 3;

const TITLES: Readonly<Record<InjectionLevel, string>> = { safe: 'Safe', suspicious: 'Suspicious', high: 'High', critical: 'Critical' };

export interface InjectionReading {
  readonly signals: readonly string[];
  readonly score: number;
  readonly level: InjectionLevel;
}

function readingOf({ spans, invisible }: TextSignals): InjectionReading {
  const signals = Object.keys(WEIGHTS).filter((id) => (id === 'obfuscation_zero_width' ? invisible : spans.has(id)));
  const weights = signals.map((id) => WEIGHTS[id] ?? 0);
  const score = weights.reduce((sum, weight) => sum + weight, 0);
  const grave = weights.some((weight) => weight >= CRITICAL_WEIGHT);
  return { signals, score, level: grave ? 'critical' : score >= HIGH_SCORE ? 'high' : score > 0 ? 'suspicious' : 'safe' };
}

function sourceOf({ origin, tool }: Action): string | null {
  const source = origin?.['source'];
  return typeof source === 'string' ? quote(source) : tool === undefined ? null : quote(tool);
}

/** What is said of a text without quoting it. */
function detailsOf(action: Action, content: string, reading: InjectionReading): Record<string, string | number | null | string[]> {
  return {
    source: sourceOf(action),
    fingerprint: fingerprint(content),
    level: reading.level,
    score: reading.score,
    signals: [...reading.signals],
    scanned_bytes: utf8Length(content),
  };
}

export function judgePromptInjection(config: PromptInjectionConfig, context: GuardContext): GuardResult | undefined {
  const { action } = context;
  if (!UNTRUSTED.has(action.kind)) return undefined;
  const { content } = action;
  if (content === undefined) return blind(GUARD, 'Untrusted text is missing', 'missing_text');
  const found = textSignals(context, FAMILIES);
  const reading = readingOf(found);
  const rank = LEVEL_RANK[reading.level];
  if (isUnread(context)) return blind(GUARD, 'Not all of the untrusted text could be read', 'facts_cut');
  if (rank < LEVEL_RANK[config.warn_at_or_above] && rank < LEVEL_RANK[config.block_at_or_above]) return allow(GUARD);
  const finding = {
    code: `injection_${reading.level}`,
    message: `Untrusted text contains prompt-injection signals (${TITLES[reading.level]})`,
    details: detailsOf(action, content, reading),
    evidence: [...found.spans.values()],
  };
  if (rank < LEVEL_RANK[config.block_at_or_above]) return warn(GUARD, finding);
  return block(GUARD, reading.level === 'critical' ? 'critical' : 'error', finding);
}
