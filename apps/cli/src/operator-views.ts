/** @module The answers of the operator door, read strictly: a field that is missing or of another type is said by name. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type {
  AgentView,
  ApiKeyView,
  Erased,
  LogView,
  OrgRecord,
  PolicyDocument,
  PolicyView,
  RulePackView,
  RulesView,
  ToolView,
  VaultView,
} from '@countersign/pipeline';
import { KEY_PERMISSIONS } from '@countersign/pipeline';
import { runtimeError } from './outcome.ts';

const AGENT_STATES = ['active', 'suspended', 'killed'] as const;
const KEY_KINDS = ['read', 'write', 'kill'] as const;
const ORG_MODES = ['learning', 'locked'] as const;
const TOOL_STATES = ['approved', 'pending'] as const;
const ENVIRONMENTS = ['live', 'test'] as const;

function malformed(name: string): never {
  throw runtimeError({
    code: 'answer_malformed',
    message: `the gateway's answer has no \`${name}\``,
    hint: 'are both of the same version?',
  });
}

/** A text of the answer. */
export function word(body: JsonObject, name: string): string {
  const value = getOwn(body, name);
  return typeof value === 'string' ? value : malformed(name);
}

/** A number of the answer. */
export function count(body: JsonObject, name: string): number {
  const value = getOwn(body, name);
  return typeof value === 'number' ? value : malformed(name);
}

/** An object inside the answer. */
export function part(body: JsonObject, name: string): JsonObject {
  const value = getOwn(body, name);
  return isJsonObject(value) ? value : malformed(name);
}

/** A list of objects inside the answer. */
export function list(body: JsonObject, name: string): readonly JsonObject[] {
  const value = getOwn(body, name);
  if (!Array.isArray(value)) return malformed(name);
  return value.map((item: JsonValue) => (isJsonObject(item) ? item : malformed(name)));
}

/** A list of texts of the answer. */
export function words(body: JsonObject, name: string): readonly string[] {
  const value = getOwn(body, name);
  if (!Array.isArray(value)) return malformed(name);
  return value.map((item: JsonValue) => (typeof item === 'string' ? item : malformed(name)));
}

function oneOf<Word extends string>(body: JsonObject, name: string, known: readonly Word[]): Word {
  return known.find((candidate) => candidate === getOwn(body, name)) ?? malformed(name);
}

function countOrNull(body: JsonObject, name: string): number | null {
  return getOwn(body, name) === null ? null : count(body, name);
}

export function readAgent(body: JsonObject): AgentView {
  return {
    id: word(body, 'id'),
    org: word(body, 'org'),
    name: word(body, 'name'),
    state: oneOf(body, 'state', AGENT_STATES),
    scopes: words(body, 'scopes'),
    createdMs: count(body, 'createdMs'),
    changedMs: count(body, 'changedMs'),
    reason: word(body, 'reason'),
  };
}

function permissionsPart(body: JsonObject): Pick<ApiKeyView, 'permissions'> {
  if (getOwn(body, 'permissions') === undefined) return {};
  const held = words(body, 'permissions');
  return { permissions: KEY_PERMISSIONS.filter((one) => held.includes(one)) };
}

export function readApiKey(body: JsonObject): ApiKeyView {
  return {
    id: word(body, 'id'),
    org: word(body, 'org'),
    label: word(body, 'label'),
    kind: oneOf(body, 'kind', KEY_KINDS),
    environment: oneOf(body, 'environment', ENVIRONMENTS),
    ...permissionsPart(body),
    createdMs: count(body, 'createdMs'),
    revokedMs: countOrNull(body, 'revokedMs'),
  };
}

export function readOrg(body: JsonObject): OrgRecord {
  return { id: word(body, 'id'), name: word(body, 'name'), mode: oneOf(body, 'mode', ORG_MODES), log: word(body, 'log') };
}

function wordOrNull(body: JsonObject, name: string): string | null {
  return getOwn(body, name) === null ? null : word(body, name);
}

export function readLog(body: JsonObject): LogView {
  return {
    name: word(body, 'name'),
    origin: wordOrNull(body, 'origin'),
    keys: words(body, 'keys'),
    size: countOrNull(body, 'size'),
    orgs: count(body, 'orgs'),
    problem: wordOrNull(body, 'problem'),
  };
}

export function readTool(body: JsonObject): ToolView {
  return {
    org: word(body, 'org'),
    tool: word(body, 'tool'),
    hash: word(body, 'hash'),
    status: oneOf(body, 'status', TOOL_STATES),
    scope: getOwn(body, 'scope') === null ? null : word(body, 'scope'),
    firstSeenMs: count(body, 'firstSeenMs'),
  };
}

export function readPolicy(body: JsonObject): PolicyView {
  return {
    name: word(body, 'name'),
    version: count(body, 'version'),
    hash: word(body, 'hash'),
    active: getOwn(body, 'active') === true,
    createdMs: count(body, 'createdMs'),
  };
}

export function readPolicyDocument(body: JsonObject): PolicyDocument {
  return { ...readPolicy(body), source: word(body, 'source'), resolved: word(body, 'resolved') };
}

export function readRulePack(body: JsonObject): RulePackView {
  return { pack: word(body, 'pack'), description: word(body, 'description'), rules: count(body, 'rules'), hash: word(body, 'hash') };
}

export function readRules(body: JsonObject): RulesView {
  const problem = getOwn(body, 'problem') === null ? null : word(body, 'problem');
  return { hash: word(body, 'hash'), packs: list(body, 'packs').map(readRulePack), ignored: words(body, 'ignored'), problem };
}

export function readVault(body: JsonObject): VaultView {
  return { subjects: count(body, 'subjects'), keys: count(body, 'keys'), erased: count(body, 'erased') };
}

export function readErased(body: JsonObject): Erased {
  return { id: word(body, 'id'), index: count(body, 'index'), time: word(body, 'time'), keys: count(body, 'keys') };
}
