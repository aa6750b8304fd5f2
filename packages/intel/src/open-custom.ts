/** @module Whom the guards of `guards.custom` ask: sources of threat intelligence, and the operator's own packages. */
import { join } from 'node:path';
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import {
  ASYNC_DEFAULTS,
  type CustomGuard,
  isThreatIntel,
  SAFE_BROWSING,
  type ThreatIntelGuard,
  VIRUSTOTAL,
  type WasmGuardConfig,
} from '@countersign/policy';
import type { Adapter, AskedGuard } from './asking.ts';
import { readGuardPackage } from './guard-package.ts';
import { type Endpoint, readEndpoint } from './json-http.ts';
import { namedValue, type SecretSource } from './named-secrets.ts';
import type { GuardMachine, OpenAdapters } from './open-adapters.ts';
import { safeBrowsing } from './safe-browsing.ts';
import { snyk } from './snyk.ts';
import { virusTotal } from './virustotal.ts';
import { wasmGuard } from './wasm-guard.ts';

type Named = readonly [guard: string, asked: AskedGuard];

/** Fills in what a configuration names; every fault is kept. */
class Filler {
  readonly faults: Fault[] = [];
  readonly #secrets: SecretSource;
  readonly #path: string;

  constructor(secrets: SecretSource, path: string) {
    this.#secrets = secrets;
    this.#path = path;
  }

  #keep<T>(result: Result<T, Fault>): T | undefined {
    if (result.ok) return result.value;
    this.faults.push(result.error);
    return undefined;
  }

  text(field: string, written: string): string {
    return this.#keep(namedValue(written, this.#secrets, `${this.#path}.config.${field}`)) ?? '';
  }

  endpoint(written: string): Endpoint {
    const text = this.text('base_url', written);
    const none = { origin: '', basePath: '' };
    return text === '' ? none : (this.#keep(readEndpoint(text, `${this.#path}.config.base_url`)) ?? none);
  }
}

function sourceOf(guard: ThreatIntelGuard, fill: Filler): Adapter {
  const endpoint = fill.endpoint(guard.config.base_url);
  if (guard.package === VIRUSTOTAL) return virusTotal(endpoint, fill.text('api_key', guard.config.api_key));
  if (guard.package === SAFE_BROWSING) {
    const { api_key: apiKey, client_id: clientId, client_version: clientVersion } = guard.config;
    return safeBrowsing(endpoint, {
      apiKey: fill.text('api_key', apiKey),
      clientId: fill.text('client_id', clientId),
      clientVersion: fill.text('client_version', clientVersion),
    });
  }
  return snyk(endpoint, { apiToken: fill.text('api_token', guard.config.api_token), orgId: fill.text('org_id', guard.config.org_id) });
}

/** The package that the policy means and no other. */
function packageOf(guard: WasmGuardConfig, path: string, machine: GuardMachine): Result<Adapter, Fault> {
  const { package: name, sha256 } = guard;
  if (machine.guardsDir === undefined)
    return err({ code: 'guard_package_missing', message: 'there is no folder of guard packages here', path });
  const found = readGuardPackage(join(machine.guardsDir, name));
  if (!found.ok) return err({ ...found.error, message: `package \`${name}\`: ${found.error.message}`, path });
  if (found.value.manifest.name !== name)
    return err({ code: 'guard_package', message: `package \`${name}\`: its manifest has another name`, path: `${path}.package` });
  if (found.value.sha256 === sha256) return ok(wasmGuard(found.value, guard, machine));
  const message = `package \`${name}\` is another one than the policy names: its SHA-256 is ${found.value.sha256}`;
  return err({
    code: 'guard_package_hash',
    message,
    path: `${path}.sha256`,
    hint: 'look at what has changed before you change the policy',
  });
}

/** It answers the same to the same, so that an answer may be kept; where it fails, it denies. */
function wasmSettings({ async: { timeout_ms } }: WasmGuardConfig): AskedGuard['settings'] {
  return { ...ASYNC_DEFAULTS, timeout_ms, on_timeout: 'deny' };
}

function openOne(
  guard: CustomGuard,
  path: string,
  given: { readonly secrets: SecretSource; readonly machine: GuardMachine },
): Result<Named, readonly Fault[]> {
  if (!isThreatIntel(guard)) {
    const adapter = packageOf(guard, path, given.machine);
    return adapter.ok ? ok([`custom.${guard.package}`, { settings: wasmSettings(guard), adapter: adapter.value }]) : err([adapter.error]);
  }
  const fill = new Filler(given.secrets, path);
  const adapter = sourceOf(guard, fill);
  return fill.faults.length > 0 ? err(fill.faults) : ok([guard.package, { settings: guard.async, adapter }]);
}

export const openCustom: OpenAdapters = (policy, secrets, machine) => {
  const opened: Named[] = [];
  const faults: Fault[] = [];
  for (const [i, guard] of (policy.guards.custom ?? []).entries()) {
    if (!guard.enabled) continue;
    const one = openOne(guard, `guards.custom[${String(i)}]`, { secrets, machine });
    if (one.ok) opened.push(one.value);
    else faults.push(...one.error);
  }
  return faults.length > 0 ? err(faults) : ok(opened);
};
