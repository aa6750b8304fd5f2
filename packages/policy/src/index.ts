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
export { BUILTIN_RULESETS } from './check-fields.ts';
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
export {
  type Capability,
  LOCKED,
  MANUAL_TRIGGERS,
  type ManualTrigger,
  type Posture,
  type PostureFacts,
  postureFacts,
  type Trigger,
} from './posture.ts';
export {
  type CompiledPosture,
  compilePosture,
  openTransitions,
  postureDelta,
  type PostureDenial,
  postureDenial,
  settle,
  type Standing,
  standAt,
  transitionByHand,
  type TransitionRefusal,
} from './posture-machine.ts';
export { capabilitiesOf } from './posture-needs.ts';
export { parseScope, scopeForTool, scopeMatches, type Scope } from './scopes.ts';
export { diffPolicies, type PolicyChange } from './diff-policies.ts';
export { LINT_CODES, type LintCode, type LintLevel } from './lint/lint-codes.ts';
export { findingsOfFaults, lintPolicy } from './lint/lint-policy.ts';
export { applyEdits, type LintEdit, type LintFinding, type LintFix, type LintInput } from './lint/lint-report.ts';
export { sarifOf, type SarifSource } from './lint/sarif.ts';
export {
  type EventAction,
  type EventResource,
  POLICY_EVENT_TYPES,
  type PolicyEvent,
  type PolicyEventUnseen,
  readPolicyEvent,
} from './policy-event.ts';
export { type PolicyEventFault, type PolicyEventFaultCode } from './policy-event-fields.ts';
export { parseTestSuite, type PolicyTest, type TestExpectation, type TestSuite } from './test-suite.ts';
export { type Migration, migratePolicy } from './migrate-policy.ts';
