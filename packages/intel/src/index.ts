/** @module Asking the outside for guards. The judge reads the recorded answers and asks nobody. */
export { type Adapter, type AskedGuard, type AskingWorld, openOutside, type Outside, RETRIABLE } from './asking.ts';
export { embed, type EmbeddingNames, type EmbeddingServer, embeddingServer } from './embedding.ts';
export { type Endpoint, type JsonReply, type JsonRequest, readEndpoint, requestJson } from './json-http.ts';
export { readGuardManifest, type Capability, type GuardManifest, type ManifestGuard } from './guard-manifest.ts';
export { type GuardPackage, MANIFEST_FILE, type PackagedGuard, readGuardPackage } from './guard-package.ts';
export { proveGuardPackage } from './wasm-guard.ts';
export { INTEL_LIMITS } from './limits.ts';
export { environmentSecrets, namedValue, type SecretSource } from './named-secrets.ts';
export type { GuardMachine, OpenAdapters } from './open-adapters.ts';
export { type IntelWorld, outsideOf } from './open-for-policy.ts';
