/** @module The embedded composition: a data directory becomes the ports of the pipeline. */
export { readRules } from './built-rules.ts';
export { loadRuleset, readBuiltinPacks, readPatternTexts, readRuleset, readRulesets } from './builtin.ts';
export { builtEnginePath, openEngineFile, readEngineFile, type EngineFile } from './engine-file.ts';
export { openEngineStore, readKeptEngine, type EngineStore } from './engine-store.ts';
export { openEvidenceDirectory, type EvidenceDirectory, type EvidenceOptions } from './evidence-directory.ts';
export { createHashRange, heightAt, type HashRange, type Subtree } from './hash-range.ts';
export { EXPORT_FORMATS, type ExportFormat } from './export-receipt.ts';
export { policySignersPath, readPolicySigners, writePolicySigners, type PolicySigners } from './policy-signers.ts';
export { hostSetsPath, readHostSets, writeHostSet, type HostSets } from './host-sets.ts';
export { createJudgePool, type JudgePool } from './judge-pool.ts';
export { RUNTIME_LIMITS } from './limits.ts';
export { isLargeAction, loadEngine, type ClosableEngine } from './load-engine.ts';
export { readRuleDirectory, type WrittenPack } from './rule-directory.ts';
export { testRuleExamples, type ExampleFailure, type ExampleReport } from './rule-examples.ts';
export { patternFilesIn } from './pattern-files.ts';
export { openPinnedCache, type PinnedCache } from './pinned-cache.ts';
export { policyHosts, resolveHost, type PolicyHosts, type ResolveHost } from './policy-hosts.ts';
export { openPolicySources, type PolicySourcesOptions } from './policy-sources.ts';
export { createSystemRandom, systemClock, systemTimer } from './platform.ts';
export { type FailedLog, type Logs } from './logs.ts';
export { furtherLogs, isLogName, isLogThere, logPlace, type LogPlace } from './log-place.ts';
export { type RunningLog } from './running-log.ts';
export { type LogKeyDesk, type LogKeyView } from './log-key-desk.ts';
export { openPolicyFile, type PolicyFile, type PolicyFileOptions } from './policy-file.ts';
export { type PolicyChange, type PolicySource } from './policy-changes.ts';
export { type PolicyInForce } from './policy-in-force.ts';
export { rotateMasterKey, type RotateMasterKeyOptions } from './rotate-master-key.ts';
export { openRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';
export { checkCosignatures, type CosignedBy, type Cosignatures } from './cosignatures.ts';
export { runtimeStatus, witnessAgeSeconds } from './status.ts';
export { createTokenMinter, SCOPE_AUDIENCE, SCOPE_KEY_ID } from './scope-tokens.ts';
export { createSymlinkSource } from './symlinks.ts';
export {
  addWitness,
  parseWitnessConfig,
  readWitnessConfig,
  removeWitness,
  setWitnessQuorum,
  type ConfiguredWitness,
  type WitnessConfig,
} from './witness-config.ts';
export { type WitnessErrorCode } from './witness-client.ts';
export { openWitness, type OpenedWitness, type WitnessDirectoryOptions } from './witness-directory.ts';
export { postToWitness, type WitnessPost, type WitnessReply } from './witness-http.ts';
export { serveWitness, type WitnessEvent, type WitnessServer, type WitnessServerOptions } from './witness-server.ts';
export { createWitnesses, type Witnesses, type WitnessesOptions, type WitnessesStatus, type WitnessStatus } from './witnesses.ts';
