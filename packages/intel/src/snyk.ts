/**
 * @module Snyk, test of a manifest: known vulnerabilities of what a `package.json` asks for, counted by severity. The manifest is sent.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Adapter } from './asking.ts';
import { unknownForm } from './answer-form.ts';
import { type Endpoint, requestJson } from './json-http.ts';
import { INTEL_LIMITS } from './limits.ts';

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

interface Vulnerability {
  readonly severity: (typeof SEVERITIES)[number];
  readonly upgradable: boolean;
}

function isUpgradable(value: JsonObject): boolean | undefined {
  const flag = getOwn(value, 'isUpgradable');
  const path = getOwn(value, 'upgradePath');
  if (flag !== undefined && typeof flag !== 'boolean') return undefined;
  if (path !== undefined && !Array.isArray(path)) return undefined;
  if (flag === undefined && path === undefined) return undefined;
  return flag === true || (path as readonly JsonValue[] | undefined)?.some((step) => typeof step === 'string') === true;
}

function readVulnerability(value: JsonValue): Vulnerability | undefined {
  if (!isJsonObject(value)) return undefined;
  const severity = SEVERITIES.find((name) => name === getOwn(value, 'severity'));
  const upgradable = isUpgradable(value);
  return severity === undefined || upgradable === undefined ? undefined : { severity, upgradable };
}

/** Both documented places of the list; in one answer only one of them. */
function listOf(value: JsonObject): readonly JsonValue[] | undefined {
  const issues = getOwn(value, 'issues');
  const inner = isJsonObject(issues) ? getOwn(issues, 'vulnerabilities') : undefined;
  const outer = getOwn(value, 'vulnerabilities');
  if ((outer === undefined) === (inner === undefined)) return undefined;
  const list = outer ?? inner;
  return Array.isArray(list) && list.length <= INTEL_LIMITS.vulnerabilitiesMax ? (list as readonly JsonValue[]) : undefined;
}

type Counts = Record<(typeof SEVERITIES)[number], number>;

function noCounts(): Counts {
  return { low: 0, medium: 0, high: 0, critical: 0 };
}

/** "ok" that is said beside findings is a contradiction. */
function contradicts(value: JsonObject, found: number): boolean {
  const said = getOwn(value, 'ok');
  return said !== undefined && said !== false && (said !== true || found > 0);
}

function readTest(value: JsonValue): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const list = listOf(value);
  if (list === undefined || contradicts(value, list.length)) return undefined;
  const [vulnerabilities, upgradable] = [noCounts(), noCounts()];
  for (const item of list) {
    const one = readVulnerability(item);
    if (one === undefined) return undefined;
    vulnerabilities[one.severity] += 1;
    if (one.upgradable) upgradable[one.severity] += 1;
  }
  return { vulnerabilities, upgradable };
}

export interface SnykClient {
  readonly apiToken: string;
  readonly orgId: string;
}

/** Asks for `{manifest}`, the text of a `package.json`. */
export function snyk(endpoint: Endpoint, client: SnykClient): Adapter {
  return {
    async ask(ask: JsonValue, signal: AbortSignal): Promise<JsonValue> {
      const manifest = isJsonObject(ask) ? getOwn(ask, 'manifest') : undefined;
      if (typeof manifest !== 'string') throw unknownForm();
      const headers = { authorization: `token ${client.apiToken}` };
      const body = { orgId: client.orgId, targetFile: 'package.json', manifest };
      const reply = await requestJson(endpoint, { method: 'POST', path: '/test', headers, body }, { signal, declared: true });
      const read = reply.status === 200 ? readTest(reply.body) : undefined;
      if (read === undefined) throw unknownForm();
      return read;
    },
  };
}
