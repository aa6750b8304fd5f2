/**
 * @module `guards.custom`: guards that are not built in. Three ask a source of threat intelligence (VirusTotal, Safe Browsing, Snyk); any other
 * package is the operator's own, in WebAssembly, and is named with the SHA-256 of what it is. Names and defaults are those of Clawdstrike 0.2.7.
 */
import type { JsonObject } from '@countersign/kernel';
import { type Field, list, shape, type Shape, text, whole, words, wordsOf } from '../field-shapes.ts';
import { POLICY_LIMITS } from '../limits.ts';
import {
  ASYNC_DEFAULTS,
  ASYNC_FIELDS,
  type AsyncProblem,
  asyncProblems,
  type AsyncSettings,
  mergeAsync,
  resolvedAsync,
  type WrittenAsync,
} from './async-settings.ts';

export const VIRUSTOTAL = 'clawdstrike-virustotal';
export const SAFE_BROWSING = 'clawdstrike-safe-browsing';
export const SNYK = 'clawdstrike-snyk';

export interface VirusTotalConfig {
  /** `${NAME}`. */
  readonly api_key: string;
  readonly base_url: string;
  /** Engines that must find something, malicious and suspicious together. */
  readonly min_detections: number;
}
export interface SafeBrowsingConfig {
  readonly api_key: string;
  readonly base_url: string;
  readonly client_id: string;
  readonly client_version: string;
}
export const SNYK_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type SnykSeverity = (typeof SNYK_SEVERITIES)[number];
export interface SnykConfig {
  readonly api_token: string;
  readonly base_url: string;
  readonly org_id: string;
  readonly severity_threshold: SnykSeverity;
  /** What can be mended by an upgrade is refused; otherwise everything is only warned of. */
  readonly fail_on_upgradable: boolean;
}

interface Entry<Package extends string, Config> {
  readonly package: Package;
  readonly enabled: boolean;
  readonly config: Config;
  readonly async: AsyncSettings;
}

/** A package of the operator, in WebAssembly. */
export interface WasmGuardConfig {
  readonly package: string;
  readonly enabled: boolean;
  /** Of manifest and modules together: another package of this name is not this one. */
  readonly sha256: string;
  /** What the operator grants of what the package wishes for. */
  readonly capabilities: readonly WasmCapability[];
  /** Given to the package as it is. */
  readonly config: JsonObject;
  readonly async: { readonly timeout_ms: number };
}
export const WASM_CAPABILITIES = ['network', 'subprocess', 'filesystem.read', 'filesystem.write', 'secrets.access'] as const;
export type WasmCapability = (typeof WASM_CAPABILITIES)[number];

export type ThreatIntelGuard =
  | Entry<typeof VIRUSTOTAL, VirusTotalConfig>
  | Entry<typeof SAFE_BROWSING, SafeBrowsingConfig>
  | Entry<typeof SNYK, SnykConfig>;
export type CustomGuard = ThreatIntelGuard | WasmGuardConfig;

/** As written: only the package, and what has no default, must be there. */
export interface WrittenCustomGuard {
  readonly package: string;
  readonly enabled?: boolean;
  readonly sha256?: string;
  readonly capabilities?: readonly WasmCapability[];
  readonly config?: JsonObject;
  readonly async?: WrittenAsync;
}

const FLAG: Field = { is: 'flag' };
const SECRET: Field = text('secret-name');
const ADDRESS: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax };
const ID: Field = { is: 'text', max: 256 };
const NOT_FETCHED = new Set(['registry', 'version']);

const VIRUSTOTAL_CONFIG = shape({ api_key: SECRET, base_url: ADDRESS, min_detections: whole(1, 1000) }, { required: ['api_key'] });
const SAFE_BROWSING_CONFIG = shape(
  { api_key: SECRET, base_url: ADDRESS, client_id: ID, client_version: ID },
  { required: ['api_key', 'client_id'] },
);
const SNYK_CONFIG = shape(
  { api_token: SECRET, base_url: ADDRESS, org_id: ID, severity_threshold: wordsOf(SNYK_SEVERITIES), fail_on_upgradable: FLAG },
  { required: ['api_token', 'org_id'] },
);

function asking(name: string, config: Shape): Shape {
  const fields = { package: words({ [name]: name }), enabled: FLAG, config, async: ASYNC_FIELDS };
  return shape(fields, { required: ['package', 'config'], unsupported: NOT_FETCHED, nullable: new Set(['async']) });
}

const WASM_TIME = shape(
  { timeout_ms: whole(100, 300_000) },
  // A package that fails denies, and gives the same answer to the same question by itself.
  { unsupported: new Set(['on_timeout', 'execution_mode', 'cache', 'rate_limit', 'circuit_breaker', 'retry']) },
);
const WASM = shape(
  {
    package: text('guard-package'),
    enabled: FLAG,
    sha256: text('sha256'),
    capabilities: list(wordsOf(WASM_CAPABILITIES)),
    config: { is: 'object', charsMax: POLICY_LIMITS.guardConfigCharsMax },
    async: WASM_TIME,
  },
  { required: ['package', 'sha256'], unsupported: NOT_FETCHED, nullable: new Set(['async', 'config']) },
);

const ASKING: ReadonlyMap<string, Shape> = new Map([
  [VIRUSTOTAL, asking(VIRUSTOTAL, VIRUSTOTAL_CONFIG)],
  [SAFE_BROWSING, asking(SAFE_BROWSING, SAFE_BROWSING_CONFIG)],
  [SNYK, asking(SNYK, SNYK_CONFIG)],
]);

/** The list as written. */
export const CUSTOM_FIELD: Field = list({ is: 'by', key: 'package', shapes: ASKING, other: WASM }, 'package');

type Full = Parameters<typeof resolvedAsync>[0];

/** The same once resolved; `full` makes every field of a shape a required one. */
export function resolvedCustom(full: Full): Field {
  const asked = [...ASKING].map(([name, written]): [string, Shape] => {
    const config = written.fields.get('config');
    return [name, full(written, { add: { ...(config?.is === 'shape' && { config: full(config) }), async: resolvedAsync(full) } })];
  });
  return list({ is: 'by', key: 'package', shapes: new Map(asked), other: full(WASM, { add: { async: full(WASM_TIME) } }) }, 'package');
}

const CONFIG_DEFAULTS: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  [VIRUSTOTAL, { base_url: 'https://www.virustotal.com/api/v3', min_detections: 5 }],
  [SAFE_BROWSING, { base_url: 'https://safebrowsing.googleapis.com/v4', client_version: '0.1.0' }],
  [SNYK, { base_url: 'https://snyk.io/api/v1', severity_threshold: 'high', fail_on_upgradable: false }],
]);

/** An entry with every default filled in. Its fields were checked when the document was read. */
export function fullCustomGuard({ package: name, enabled = true, config = {}, async, ...own }: WrittenCustomGuard): CustomGuard {
  const defaults = CONFIG_DEFAULTS.get(name);
  const entry =
    defaults === undefined
      ? {
          package: name,
          enabled,
          sha256: own.sha256 ?? '',
          capabilities: WASM_CAPABILITIES.filter((capability) => own.capabilities?.includes(capability) === true),
          config,
          async: { timeout_ms: async?.timeout_ms ?? ASYNC_DEFAULTS.timeout_ms },
        }
      : { package: name, enabled, config: { ...defaults, ...config }, async: mergeAsync(async, ASYNC_DEFAULTS) };
  // Checked against the shape of its package, which mirrors its type.
  return entry as unknown as CustomGuard;
}

/** A list that holds something replaces the one below. */
export function layCustom(
  written: readonly WrittenCustomGuard[] | undefined,
  base: readonly CustomGuard[] | undefined,
): readonly CustomGuard[] | undefined {
  return written === undefined || written.length === 0 ? base : written.map(fullCustomGuard);
}

export function isThreatIntel(guard: CustomGuard): guard is ThreatIntelGuard {
  return ASKING.has(guard.package);
}

/** What no single field can tell. */
export function customProblems(guards: readonly CustomGuard[] | undefined): readonly AsyncProblem[] {
  return (guards ?? []).flatMap((guard, i) =>
    isThreatIntel(guard) ? asyncProblems(guard.async, `guards.custom[${String(i)}].async`) : [],
  );
}
