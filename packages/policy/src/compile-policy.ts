/**
 * @module A resolved policy made ready to judge: every pattern compiled once. A policy with one bad pattern does not compile.
 */
import { err, ok, type Result } from '@countersign/kernel';
import type { Cedar } from './cedar/cedar-wasm.ts';
import { compileCedar, type CompiledCedar } from './cedar/compile-cedar.ts';
import { compileClampd, type CompiledClampd } from './clampd-sections.ts';
import { complain, readField, type Check } from './check-fields.ts';
import { asJson, type Detection, type GuardConfigs, type PolicySettings, type ResolvedPolicy, type Thresholds } from './content.ts';
import { DETECTION_DEFAULTS, GUARD_DEFAULTS } from './defaults.ts';
import { faultAt, type PolicyFault } from './faults.ts';
import { RESOLVED } from './fields.ts';
import { compileHostGlob, compilePathGlob, matchGlob, type Glob } from './glob.ts';
import { type ComputerUse, computerUseOf } from './guards/computer-use.ts';
import type { InputInjectionConfig } from './guards/computer-use-config.ts';
import { customProblems } from './guards/custom-guards-config.ts';
import type { SideChannels } from './guards/remote-desktop-side-channel.ts';
import { compilePaths, forbiddenPathsOf, type ForbiddenPaths } from './guards/forbidden-path.ts';
import type { EgressLists } from './guards/egress-allowlist.ts';
import { mcpToolsOf, type McpTools } from './guards/mcp-tool.ts';
import type { PatchRules } from './guards/patch-integrity.ts';
import type { PathAllowlist } from './guards/path-allowlist.ts';
import type { SecretPatterns } from './guards/secret-leak.ts';
import { spiderSenseFaults } from './guards/spider-sense.ts';
import { spiderProblems } from './guards/spider-sense-config.ts';
import { type JailbreakConfig, type PromptInjectionConfig, textGuardFaults } from './guards/text-guards-config.ts';
import type { ShellRules } from './guards/shell-command.ts';
import type { OutsideGuard } from './guards/outside-guard.ts';
import { compileOutside } from './outside-guards.ts';
import type { TransferSigner } from './payments.ts';
import { brokerFaults } from './broker.ts';
import { compileBroker, type CompiledBroker } from './judge-broker.ts';
import { compileOrigins, type CompiledOrigins } from './judge-origin.ts';
import { originFaults } from './origins.ts';
import { postureFaults } from './posture.ts';
import { type CompiledPosture, compilePosture } from './posture-machine.ts';
import { compileRegexSet, type RegexSet } from './regex/regex-set.ts';

export interface CompiledGuards {
  readonly forbidden_path: ForbiddenPaths;
  readonly path_allowlist: PathAllowlist;
  readonly egress_allowlist: EgressLists;
  readonly secret_leak: SecretPatterns;
  readonly patch_integrity: PatchRules;
  readonly shell_command: ShellRules;
  readonly mcp_tool: McpTools;
  readonly prompt_injection: PromptInjectionConfig;
  readonly jailbreak: JailbreakConfig;
  readonly computer_use: ComputerUse;
  readonly remote_desktop_side_channel: SideChannels;
  readonly input_injection_capability: InputInjectionConfig;
}

export interface CompiledPolicy {
  readonly name: string;
  readonly resolved: ResolvedPolicy;
  readonly settings: PolicySettings;
  /** Thousandths. */
  readonly thresholds: Thresholds;
  readonly unregisteredTools: 'refuse' | 'warn';
  readonly guards: CompiledGuards;
  /** Guards that need the outside; empty for a policy that asks nobody. */
  readonly outside: readonly OutsideGuard[];
  /** How the rules are compiled that are judged with this policy. */
  readonly detection: Detection;
  /** Tool patterns with their thresholds; `thresholdsFor` reads it. */
  readonly toolThresholds: readonly { readonly glob: Glob; readonly thresholds: Thresholds }[];
  /** Undefined where the policy has none. */
  readonly posture: CompiledPosture | undefined;
  /** Absent where the policy holds no Cedar. */
  readonly cedar?: CompiledCedar;
  /** Boundaries, exemptions and protected entities; absent where the policy holds none. */
  readonly clampd?: CompiledClampd;
  /** Absent where the policy holds none. */
  readonly origins?: CompiledOrigins;
  /** Absent where the policy holds none. */
  readonly broker?: CompiledBroker;
}

/** What a policy may need to compile, and a policy without it does not touch. */
export interface CompileWith {
  readonly cedar?: Cedar;
  /** Without it, no signed transfer is believed. */
  readonly signer?: TransferSigner;
}

/** Collects faults while patterns compile. */
class Compiler {
  readonly faults: PolicyFault[] = [];

  paths(path: string, patterns: readonly string[], intent: 'forbid' | 'permit'): readonly Glob[] {
    const globs = compilePaths(patterns, intent);
    if (globs.ok) return globs.value;
    this.faults.push(faultAt('policy_glob', globs.error.message, { path: `${path}[${String(globs.error.index)}]` }));
    return [];
  }

  hosts(path: string, patterns: readonly string[]): readonly Glob[] {
    return patterns.flatMap((pattern, i) => {
      const glob = compileHostGlob(pattern);
      if (glob.ok) return [glob.value];
      this.faults.push(faultAt('policy_host_pattern', glob.error, { path: `${path}[${String(i)}]` }));
      return [];
    });
  }

  regexes(path: string, patterns: readonly string[]): RegexSet {
    const set = compileRegexSet(patterns);
    if (set.ok) return set.value;
    this.faults.push(faultAt(set.error.code, set.error.message, { path: `${path}[${String(set.error.index)}]` }));
    return { patterns: [], search: () => [] };
  }
}

function compileGuards(compiler: Compiler, guards: GuardConfigs): CompiledGuards {
  const { forbidden_path: forbidden, path_allowlist: paths, egress_allowlist: egress, secret_leak: secrets } = guards;
  const write = compiler.paths('guards.path_allowlist.file_write_allow', paths.file_write_allow, 'permit');
  const patch = compiler.paths('guards.path_allowlist.patch_allow', paths.patch_allow, 'permit');
  const forbiddenPaths = forbiddenPathsOf(forbidden, {
    patterns: compiler.paths('guards.forbidden_path.patterns', forbidden.patterns, 'forbid'),
    exceptions: compiler.paths('guards.forbidden_path.exceptions', forbidden.exceptions, 'permit'),
  });
  return {
    forbidden_path: forbiddenPaths,
    path_allowlist: {
      enabled: paths.enabled,
      read: compiler.paths('guards.path_allowlist.file_access_allow', paths.file_access_allow, 'permit'),
      write,
      patch: paths.patch_allow.length > 0 ? patch : write,
    },
    egress_allowlist: {
      enabled: egress.enabled,
      allow: compiler.hosts('guards.egress_allowlist.allow', egress.allow),
      block: compiler.hosts('guards.egress_allowlist.block', egress.block),
      fallback: egress.default_action,
    },
    secret_leak: {
      config: secrets,
      set: compiler.regexes(
        'guards.secret_leak.patterns',
        secrets.patterns.map((pattern) => pattern.pattern),
      ),
      byName: new Map(secrets.patterns.map((pattern) => [pattern.name, pattern])),
      removed: new Set(secrets.removed),
      skip: compiler.paths('guards.secret_leak.skip_paths', secrets.skip_paths, 'permit'),
    },
    patch_integrity: {
      config: guards.patch_integrity,
      forbidden: compiler.regexes('guards.patch_integrity.forbidden_patterns', guards.patch_integrity.forbidden_patterns),
    },
    shell_command: {
      config: guards.shell_command,
      forbidden: compiler.regexes('guards.shell_command.forbidden_patterns', guards.shell_command.forbidden_patterns),
      paths: forbiddenPaths,
    },
    mcp_tool: mcpToolsOf(guards.mcp_tool),
    prompt_injection: guards.prompt_injection,
    jailbreak: guards.jailbreak,
    computer_use: computerUseOf(guards.computer_use),
    remote_desktop_side_channel: { config: guards.remote_desktop_side_channel, mode: guards.computer_use.mode },
    input_injection_capability: guards.input_injection_capability,
  };
}

function shapeFaults(resolved: ResolvedPolicy): readonly PolicyFault[] {
  const check: Check = { source: '', positions: new Map(), faults: [] };
  readField(check, RESOLVED, { path: '', value: asJson(resolved) });
  const { thresholds, tool_thresholds: tools } =
    check.faults.length === 0 ? resolved.settings : { thresholds: undefined, tool_thresholds: [] };
  for (const entry of thresholds === undefined ? tools : [thresholds, ...tools]) {
    if (entry.flag > entry.block) complain(check, 'settings', { code: 'policy_range', message: '`flag` must not be above `block`' });
  }
  const guards: Partial<ResolvedPolicy['guards']> = check.faults.length === 0 ? resolved.guards : {};
  for (const { path, message } of textGuardFaults(guards)) complain(check, path, { code: 'policy_range', message });
  for (const { path, message } of customProblems(guards.custom)) complain(check, path, { code: 'policy_range', message });
  for (const { path, message } of spiderProblems(guards)) complain(check, path, { code: 'policy_range', message });
  for (const { path, message } of spiderSenseFaults(guards)) complain(check, path, { code: 'policy_required', message });
  return check.faults.length > 0 ? check.faults : sectionFaults(resolved);
}

function sectionFaults({ posture, origins, broker }: ResolvedPolicy): readonly PolicyFault[] {
  const faults = [
    ...(posture === undefined ? [] : postureFaults(posture)),
    ...(origins === undefined ? [] : originFaults(origins, posture)),
    ...(broker === undefined ? [] : brokerFaults(broker)),
  ];
  return faults.map(({ code, message, path }) => faultAt(code, message, { path }));
}

function compilePlaces({ origins, broker, posture }: ResolvedPolicy): Pick<CompiledPolicy, 'origins' | 'broker'> {
  return {
    ...(origins === undefined ? {} : { origins: compileOrigins(origins, posture) }),
    ...(broker === undefined ? {} : { broker: compileBroker(broker) }),
  };
}

/**
 * Compiles a resolved policy. Total: it may come out of a bundle, so its shape is checked first; every bad pattern is a
 * fault, none is dropped.
 */
export function compilePolicy(resolved: ResolvedPolicy, tools: CompileWith = {}): Result<CompiledPolicy, readonly PolicyFault[]> {
  const faults = shapeFaults(resolved);
  if (faults.length > 0) return err(faults);
  const compiler = new Compiler();
  const guards = compileGuards(compiler, { ...GUARD_DEFAULTS, ...resolved.guards });
  const { settings } = resolved;
  const toolThresholds = settings.tool_thresholds.flatMap((entry, i) => {
    const glob = compilePathGlob(entry.tool.toLowerCase(), 'permit');
    if (glob.ok) return [{ glob: glob.value, thresholds: { flag: entry.flag, block: entry.block } }];
    compiler.faults.push(faultAt('policy_glob', glob.error, { path: `settings.tool_thresholds[${String(i)}].tool` }));
    return [];
  });
  if (compiler.faults.length > 0) return err(compiler.faults);
  const cedar = resolved.cedar === undefined ? undefined : compileCedar(resolved.cedar, tools.cedar);
  if (cedar?.ok === false) return cedar;
  const clampd = compileClampd(resolved, tools.signer);
  if (!clampd.ok) return clampd;
  return ok({
    name: resolved.name,
    resolved,
    settings,
    thresholds: settings.thresholds,
    unregisteredTools: settings.unregistered_tools,
    guards,
    outside: compileOutside({ ...GUARD_DEFAULTS, ...resolved.guards }),
    detection: resolved.detection ?? DETECTION_DEFAULTS,
    toolThresholds,
    posture: resolved.posture === undefined ? undefined : compilePosture(resolved.posture),
    ...(cedar === undefined ? {} : { cedar: cedar.value }),
    ...(clampd.value === undefined ? {} : { clampd: clampd.value }),
    ...compilePlaces(resolved),
  });
}

/** The thresholds for one tool: the first pattern of `settings.tool_thresholds` that holds, else those of the policy. */
export function thresholdsFor(policy: CompiledPolicy, tool: string | undefined): Thresholds {
  if (tool === undefined) return policy.thresholds;
  const name = tool.toLowerCase();
  return policy.toolThresholds.find((entry) => matchGlob(entry.glob, name, { steps: 0 }))?.thresholds ?? policy.thresholds;
}
