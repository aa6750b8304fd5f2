/** @module Policy documents: read, resolved, compiled, and judged over facts. See `spec/policy.md`. */
export {
  type BoundaryAnswer,
  boundaryFor,
  type BoundaryQuestion,
  type BoundaryViolation,
  type CompiledBoundary,
  judgeBoundary,
} from './boundaries.ts';
export { type Boundary, BOUNDARY_DEFAULTS, DAYS, type Exemption, type ProtectedEntity } from './clampd-content.ts';
export { exempt, type Exempted } from './exemptions.ts';
export { touchedEntities } from './protected-entities.ts';
export type { CedarConfig, CedarEntry, WrittenCedar } from './cedar/cedar-section.ts';
export { type Cedar, createCedar } from './cedar/cedar-wasm.ts';
export { judgeCedar, type CedarObjection, type CedarQuestion } from './cedar/judge-cedar.ts';
export { compilePolicy, thresholdsFor, type CompiledPolicy, type CompileWith } from './compile-policy.ts';
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
export { BUILTIN_HOST_SETS, DETECTION_DEFAULTS, isGuardOn } from './defaults.ts';
export { type DetectionChange, editDetection } from './edit-policy.ts';
export { evaluateGuards, evaluateGuardsCounted, guardQuestions, type GuardReport } from './evaluate-guards.ts';
export { ASYNC_DEFAULTS, type AsyncSettings, type CircuitBreaker, type RateLimit, type Retry } from './guards/async-settings.ts';
export {
  type CustomGuard,
  isThreatIntel,
  SAFE_BROWSING,
  SNYK,
  type ThreatIntelGuard,
  VIRUSTOTAL,
  WASM_CAPABILITIES,
  type WasmCapability,
  type WasmGuardConfig,
} from './guards/custom-guards-config.ts';
export { formatFaults, type PolicyFault, type PolicyFaultCode } from './faults.ts';
export { compileHostGlob, compilePathGlob, firstMatch, matchGlob, type Glob, type GlobIntent, type StepCounter } from './glob.ts';
export { SPIDER_SENSE } from './guards/spider-sense.ts';
export type { PatternDatabase, SpiderSenseConfig, TrustedKey, WrittenPattern } from './guards/spider-sense-config.ts';
export { databaseOf as patternDatabaseOf } from './spider/pattern-database.ts';
export { packVectors } from './spider/pack-vectors.ts';
export { quantise } from './spider/vectors.ts';
export type { PatternFiles, PatternWorld } from './spider/load-patterns.ts';
export { sessionRiskAfter } from './guards/jailbreak.ts';
export type { GuardInput } from './guards/result.ts';
export { importClampd, type ImportedClampd, type ImportRemark } from './import-clampd.ts';
export type { SignedTransfer, TransferSigner } from './payments.ts';
export { POLICY_LIMITS } from './limits.ts';
export { BUILTIN_RULESETS, OPERATOR_RULESETS } from './builtin-rulesets.ts';
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
export { KNOWN_SCOPES, PERMISSION_LEVELS, type PermissionLevel, SCOPE_CATEGORIES, scopesOfLevel } from './scope-table.ts';
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
  type UnknownEvents,
} from './policy-event.ts';
export { type PolicyEventFault, type PolicyEventFaultCode } from './policy-event-fields.ts';
export { parseTestSuite, type PolicyTest, type TestExpectation, type TestSuite } from './test-suite.ts';
export { type Migration, migratePolicy } from './migrate-policy.ts';
export { type GitReference, type HttpsReference, readReference } from './extends-reference.ts';
export { type AncestorOptions, type DocumentSources, type FoundFile, loadAncestors } from './load-ancestors.ts';
export { widenings } from './attenuation.ts';
export type { Widening } from './attenuation-rows.ts';
export { flattenPolicy } from './flatten-policy.ts';
export { isUnseenWrite } from './guards/body-texts.ts';
export { isOnlyUnseen } from './unseen.ts';
export { type BundleFacts, buildPolicyBundle, isPolicyBundle, type VerifiedBundle, verifyPolicyBundle } from './policy-bundle.ts';
export { type BrokerAnswer, type BrokerObjection, judgeBroker } from './judge-broker.ts';
export { judgeOrigin, type OriginAnswer, type OriginMemory, type OriginObjection } from './judge-origin.ts';
export { PolicySynthesis, type Synthesis, type SynthesisOptions, type SynthesisRemark } from './synthesize-policy.ts';
