/**
 * @module What a policy says: the document as it was written, and the same with every default filled in.
 */
import type { JsonObject } from '@countersign/kernel';
import type { CedarConfig, WrittenCedar } from './cedar/cedar-section.ts';
import type { ClampdSections, WrittenClampd } from './clampd-content.ts';
import type { Position } from './faults.ts';
import type { ComputerUseGuards, WrittenComputerUse } from './guards/computer-use-config.ts';
import type { CustomGuard, WrittenCustomGuard } from './guards/custom-guards-config.ts';
import type { SpiderGuards, WrittenSpider } from './guards/spider-sense-config.ts';
import type { TextGuards, WrittenTextGuards } from './guards/text-guards-config.ts';
import type { Broker, WrittenBroker } from './broker.ts';
import type { Origins, WrittenOrigins } from './origins.ts';
import type { Posture, WrittenPosture } from './posture.ts';
import type { Verification } from './verification.ts';

/** Words the documents use for severity; `low`, `medium`, `high` are read as their aliases. */
export type PolicySeverity = 'info' | 'warning' | 'error' | 'critical';
export type MergeStrategy = 'replace' | 'merge' | 'deep_merge';
export type EgressDefault = 'allow' | 'block' | 'log';
export type ToolDefault = 'allow' | 'block';

export interface SecretPattern {
  readonly name: string;
  /** Regular expression in the syntax of `regex/parse.ts`. */
  readonly pattern: string;
  readonly severity: PolicySeverity;
  readonly description?: string;
  readonly luhn_check: boolean;
  /** How many characters of a match stay readable. */
  readonly masking: { readonly first: number; readonly last: number };
}

/** A secret pattern as written: only name and pattern must be there. */
export type WrittenSecretPattern = Pick<SecretPattern, 'name' | 'pattern'> & Partial<SecretPattern>;

export interface ForbiddenPathConfig {
  readonly enabled: boolean;
  readonly patterns: readonly string[];
  readonly exceptions: readonly string[];
}
export interface PathAllowlistConfig {
  readonly enabled: boolean;
  readonly file_access_allow: readonly string[];
  readonly file_write_allow: readonly string[];
  /** Empty: `file_write_allow` holds for patches too. */
  readonly patch_allow: readonly string[];
}
export interface EgressAllowlistConfig {
  readonly enabled: boolean;
  readonly allow: readonly string[];
  readonly block: readonly string[];
  readonly default_action: EgressDefault;
}
export interface SecretLeakConfig {
  readonly enabled: boolean;
  readonly redact: boolean;
  readonly severity_threshold: PolicySeverity;
  readonly patterns: readonly SecretPattern[];
  /** Names of patterns and of built-in secret types that are not looked for. */
  readonly removed: readonly string[];
  readonly skip_paths: readonly string[];
}
export interface PatchIntegrityConfig {
  readonly enabled: boolean;
  readonly max_additions: number;
  readonly max_deletions: number;
  readonly forbidden_patterns: readonly string[];
  readonly require_balance: boolean;
  readonly max_imbalance_ratio: number;
}
export interface ShellCommandConfig {
  readonly enabled: boolean;
  readonly forbidden_patterns: readonly string[];
  readonly enforce_forbidden_paths: boolean;
  /** What happens to shell text that could not be read as commands. */
  readonly unparsed: 'block' | 'warn';
}
export interface McpToolConfig {
  readonly enabled: boolean;
  readonly allow: readonly string[];
  readonly block: readonly string[];
  readonly require_confirmation: readonly string[];
  readonly default_action: ToolDefault;
  readonly max_args_size: number;
  /** What a call that needs confirmation gets while nobody can confirm. */
  readonly confirmation: 'block' | 'warn';
}

export interface GuardConfigs extends TextGuards, ComputerUseGuards, SpiderGuards {
  readonly forbidden_path: ForbiddenPathConfig;
  readonly path_allowlist: PathAllowlistConfig;
  readonly egress_allowlist: EgressAllowlistConfig;
  readonly secret_leak: SecretLeakConfig;
  readonly patch_integrity: PatchIntegrityConfig;
  readonly shell_command: ShellCommandConfig;
  readonly mcp_tool: McpToolConfig;
}
export type GuardName = keyof GuardConfigs;

/** Stable order in which guards run and report. */
export const GUARD_NAMES: readonly GuardName[] = [
  'forbidden_path',
  'path_allowlist',
  'egress_allowlist',
  'secret_leak',
  'patch_integrity',
  'shell_command',
  'mcp_tool',
  'prompt_injection',
  'jailbreak',
  'computer_use',
  'remote_desktop_side_channel',
  'input_injection_capability',
  'spider_sense',
];

/** Guards that came after the first seven. */
export type LaterGuard = keyof TextGuards | keyof ComputerUseGuards | keyof SpiderGuards;

/**
 * A resolved policy leaves these out where they say nothing but their defaults, so that a policy that does not know them keeps its form
 * and its hash.
 */
export const LATER_GUARDS: readonly LaterGuard[] = [
  'prompt_injection',
  'jailbreak',
  'computer_use',
  'remote_desktop_side_channel',
  'input_injection_capability',
  'spider_sense',
];
export type ResolvedGuards = Omit<GuardConfigs, LaterGuard> & Partial<Pick<GuardConfigs, LaterGuard>> & CustomGuards;

/** Guards that are not built in; absent where no document lists one. */
export interface CustomGuards {
  readonly custom?: readonly CustomGuard[];
}

/** Risk in thousandths at which an action is flagged and at which it is refused. */
export interface Thresholds {
  readonly flag: number;
  readonly block: number;
}
export interface ToolThresholds extends Thresholds {
  /** Glob over tool names. */
  readonly tool: string;
  readonly reason?: string;
}
export interface PolicySettings {
  readonly fail_fast: boolean;
  readonly verbose_logging: boolean;
  readonly session_timeout_secs: number;
  readonly thresholds: Thresholds;
  /** First match wins. */
  readonly tool_thresholds: readonly ToolThresholds[];
  readonly unregistered_tools: 'refuse' | 'warn';
  /** Absent where it says nothing but the defaults. */
  readonly verification?: Verification;
}

/** How detection is steered: which rules speak, and how loudly. Ids that no rule has change nothing. */
export interface Detection {
  /** Rules above it stay silent; 1..4. */
  readonly paranoia_level: number;
  /** Sorted. */
  readonly disable: readonly string[];
  /** Thousandths by rule id. */
  readonly scores: Readonly<Record<string, number>>;
}

/** A guard block as written. `null` where the key stands without a value, which says no more than leaving it out. */
export interface WrittenGuards extends WrittenTextGuards, WrittenComputerUse, WrittenSpider {
  readonly forbidden_path?: Partial<ForbiddenPathConfig> & {
    readonly additional_patterns?: readonly string[];
    readonly remove_patterns?: readonly string[];
  };
  readonly path_allowlist?: Partial<PathAllowlistConfig>;
  readonly egress_allowlist?: Partial<EgressAllowlistConfig> & WrittenLists;
  readonly secret_leak?: Partial<Omit<SecretLeakConfig, 'patterns' | 'removed'>> & {
    readonly patterns?: readonly WrittenSecretPattern[];
    readonly additional_patterns?: readonly WrittenSecretPattern[];
    readonly remove_patterns?: readonly string[];
  };
  readonly patch_integrity?: Partial<PatchIntegrityConfig>;
  readonly shell_command?: Partial<ShellCommandConfig>;
  readonly mcp_tool?: Partial<McpToolConfig> & WrittenLists;
  readonly custom?: readonly WrittenCustomGuard[];
}
export interface WrittenLists {
  readonly additional_allow?: readonly string[];
  readonly remove_allow?: readonly string[];
  readonly additional_block?: readonly string[];
  readonly remove_block?: readonly string[];
}

export interface PolicyContent extends WrittenClampd {
  readonly version?: string;
  readonly name?: string;
  readonly description?: string;
  readonly extends?: string;
  readonly merge_strategy?: MergeStrategy;
  readonly guards?: WrittenGuards;
  readonly settings?: Partial<Omit<PolicySettings, 'thresholds' | 'verification'>> & {
    readonly thresholds?: Partial<Thresholds>;
    readonly verification?: Partial<Verification>;
  };
  readonly detection?: Partial<Detection>;
  readonly posture?: WrittenPosture;
  readonly cedar?: WrittenCedar;
  /** This document and all that extend it may only tighten what they extend. */
  readonly attenuate_only?: boolean;
  readonly origins?: WrittenOrigins;
  readonly broker?: WrittenBroker;
}

/** A document that was read and found valid by itself. */
export interface PolicyDocument {
  /** What it is called in faults: a file name, a ruleset. */
  readonly source: string;
  readonly content: PolicyContent;
  /** By path as people write it. */
  readonly positions: ReadonlyMap<string, Position>;
}

/** Pure JSON with every default filled in and host sets frozen in; its JCS is what `policyHash` hashes. */
export interface ResolvedPolicy extends ClampdSections {
  readonly format: 'countersign.policy.v1';
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly guards: ResolvedGuards;
  readonly settings: PolicySettings;
  /** Absent where it says nothing but the defaults, so that a policy has one form with and without it. */
  readonly detection?: Detection;
  /** Absent where no document has the section. */
  readonly posture?: Posture;
  /** Absent where no document holds it. */
  readonly cedar?: CedarConfig;
  /** Absent where no document holds it. */
  readonly origins?: Origins;
  /** Absent where no document holds it. */
  readonly broker?: Broker;
}

/** A resolved policy is JSON by construction. */
export function asJson(resolved: ResolvedPolicy): JsonObject {
  return resolved as unknown as JsonObject;
}
