/**
 * @module A guard package as one that is asked: each of its guards that handles the action is called, and what they say is brought into one
 * form. What a guard may do is what its package wishes for and the operator grants.
 */
import {
  CodedError,
  err,
  type Fault,
  getOwn,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJson,
  type Result,
} from '@countersign/kernel';
import type { WasmGuardConfig } from '@countersign/policy';
import type { Severity } from '@countersign/protocol';
import type { Adapter, AskingWorld } from './asking.ts';
import { type GuardHost, openGuardHost } from './guard-host.ts';
import { CAPABILITIES } from './guard-manifest.ts';
import type { GuardPackage } from './guard-package.ts';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

const SEVERITIES: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['critical', 'critical'],
  ['error', 'high'],
  ['high', 'high'],
  ['warning', 'medium'],
  ['warn', 'medium'],
  ['medium', 'medium'],
  ['low', 'info'],
  ['info', 'info'],
]);

function badOutput(): CodedError {
  return new CodedError({ code: 'guard_bad_output', message: 'the guard gave no answer: guard_bad_output' });
}

function readText(value: JsonObject, name: string): string | undefined {
  const text = getOwn(value, name) ?? undefined;
  if (text === undefined || typeof text === 'string') return text;
  throw badOutput();
}

/** What a guard wrote, with what it left out filled in. A severity that nobody knows is a grave one where it refuses. */
function readOutput(text: string, guard: string): JsonObject {
  const parsed = parseJson(text, { bytesMax: LIMITS.guardOutputBytesMax, depthMax: 16, nodesMax: 4096 });
  if (!parsed.ok || !isJsonObject(parsed.value.value)) throw badOutput();
  const { value } = parsed.value;
  const allowed = getOwn(value, 'allowed');
  if (typeof allowed !== 'boolean') throw badOutput();
  const [severity, message] = [readText(value, 'severity'), readText(value, 'message')];
  return {
    guard,
    allowed,
    severity: SEVERITIES.get((severity ?? '').trim().toLowerCase()) ?? (allowed ? 'info' : 'high'),
    message: (message ?? (allowed ? 'Allowed' : 'Denied')).slice(0, LIMITS.guardMessageCharsMax).toWellFormed(),
    details: getOwn(value, 'details') ?? null,
  };
}

interface Hosted {
  readonly name: string;
  readonly handles: readonly string[];
  readonly host: GuardHost;
}

function hostsOf({ manifest, guards }: GuardPackage, config: WasmGuardConfig, world: Pick<AskingWorld, 'timer'>): readonly Hosted[] {
  const granted = CAPABILITIES.filter((name) => manifest.capabilities.includes(name) && config.capabilities.includes(name));
  const numbers = granted.map((name) => CAPABILITIES.indexOf(name));
  const timeoutMs = Math.min(manifest.timeoutMs, config.async.timeout_ms);
  return guards.map(({ name, handles, module }) => ({
    name,
    handles,
    host: openGuardHost({ module, granted: numbers, timeoutMs, cpuMs: manifest.cpuMs }, world),
  }));
}

/** Asks for `{action_type, payload}`. */
export function wasmGuard(from: GuardPackage, config: WasmGuardConfig, world: Pick<AskingWorld, 'timer'>): Adapter {
  const hosts = hostsOf(from, config, world);

  async function say(
    { name, host }: Hosted,
    given: { readonly action: string; readonly payload: JsonValue },
    signal: AbortSignal,
  ): Promise<JsonObject | undefined> {
    const input = JSON.stringify({ guard: name, action_type: given.action, payload: given.payload, config: config.config });
    if (Buffer.byteLength(input) > LIMITS.guardInputBytesMax)
      throw new CodedError({ code: 'guard_input_too_large', message: 'the action is too large for a guard package' });
    const output = await host.check({ action: given.action, input }, signal);
    return output === undefined ? undefined : readOutput(output, name);
  }

  return {
    async ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
      const [action, payload] = isJsonObject(ask) ? [getOwn(ask, 'action_type'), getOwn(ask, 'payload')] : [];
      if (typeof action !== 'string' || payload === undefined) throw badOutput();
      const said: JsonObject[] = [];
      // One after another: a guard that has failed makes the rest of no matter.
      for (const hosted of hosts) {
        if (hosted.handles.length > 0 && !hosted.handles.includes(action)) continue;
        const one = await say(hosted, { action, payload }, signal);
        if (one !== undefined) said.push(one);
      }
      return { sha256: from.sha256, guards: said };
    },
    async probe(): Promise<Result<undefined, Fault>> {
      for (const { name, host } of hosts) {
        const started = await host.start();
        if (!started.ok) return err({ ...started.error, message: `guard \`${name}\`: ${started.error.message}` });
      }
      return ok(undefined);
    },
    async close(): Promise<void> {
      await Promise.all(hosts.map(({ host }) => host.close()));
    },
  };
}

/** Has every module of a package compiled and held against the ABI, and lets it go again. */
export async function proveGuardPackage(from: GuardPackage, world: Pick<AskingWorld, 'timer'>): Promise<Result<undefined, Fault>> {
  const config = {
    package: from.manifest.name,
    enabled: true,
    sha256: from.sha256,
    capabilities: [],
    config: {},
    async: { timeout_ms: 5000 },
  };
  const adapter = wasmGuard(from, config, world);
  try {
    return (await adapter.probe?.(new AbortController().signal)) ?? ok(undefined);
  } finally {
    await adapter.close?.();
  }
}
