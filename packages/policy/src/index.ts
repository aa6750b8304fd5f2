/** @module Policy documents: read, resolved, compiled, and judged over facts. See `spec/policy.md`. */
export { compilePolicy, thresholdsFor, type CompiledPolicy } from './compile-policy.ts';
export {
  type Detection,
  GUARD_NAMES,
  type GuardConfigs,
  type GuardName,
  type PolicyContent,
  type PolicyDocument,
  type PolicySettings,
  type PolicySeverity,
  type ResolvedPolicy,
  type SecretPattern,
  type Thresholds,
  type ToolThresholds,
} from './content.ts';
export { BUILTIN_HOST_SETS, DETECTION_DEFAULTS } from './defaults.ts';
export { type DetectionChange, editDetection } from './edit-policy.ts';
export { evaluateGuards, evaluateGuardsCounted, type GuardReport } from './evaluate-guards.ts';
export { formatFaults, type PolicyFault, type PolicyFaultCode } from './faults.ts';
export { compileHostGlob, compilePathGlob, firstMatch, matchGlob, type Glob, type GlobIntent, type StepCounter } from './glob.ts';
export type { GuardInput } from './guards/result.ts';
export { POLICY_LIMITS } from './limits.ts';
export { BUILTIN_RULESETS } from './builtin-rulesets.ts';
export { POLICY_VERSIONS } from './fields.ts';
export { parsePolicy } from './parse-policy.ts';
export {
  checkRegex,
  compileRegexSet,
  createMeter,
  type RegexFault,
  type RegexHit,
  type RegexSet,
  type ScanMeter,
} from './regex/regex-set.ts';
export { policyHash, resolvePolicy, type ResolveOptions } from './resolve-policy.ts';
export { parseScope, scopeForTool, scopeMatches, type Scope } from './scopes.ts';
export { type GitReference, type HttpsReference, readReference } from './extends-reference.ts';
export { type AncestorOptions, type DocumentSources, type FoundFile, loadAncestors } from './load-ancestors.ts';
export { type Widening, widenings } from './attenuation.ts';
export { flattenPolicy } from './flatten-policy.ts';
export { type BundleFacts, buildPolicyBundle, type VerifiedBundle, verifyPolicyBundle } from './policy-bundle.ts';
