/** @module Operator through the operator door of a running gateway (`spec/http.md`). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isJsonObject, type JsonObject, parseJson } from '@countersign/kernel';
import { MAIN_LOG } from '@countersign/pipeline';
import type { Context } from './command.ts';
import { askGateway, callGateway, checkAddress, type GatewayAddress, type GatewayRequest, isAlive } from './gateway-http.ts';
import { checkpointSize, readCheckpoint, readEntries, type ReadPublished } from './log-reader.ts';
import { collectTools, type Operator } from './operator.ts';
import { CLI_LIMITS } from './limits.ts';
import { readLogKeys, readMoved, readSessionEnded, readSessionEntry } from './operator-log-views.ts';
import { readSessionPosture, readSessionTransition } from './operator-posture-views.ts';
import {
  list,
  part,
  readAgent,
  readApiKey,
  readErased,
  readLog,
  readOrg,
  readPolicy,
  readPolicyDocument,
  readRulePack,
  readRules,
  readTool,
  readVault,
  word,
} from './operator-views.ts';
import { configError } from './outcome.ts';

/** The file that a gateway leaves in its data directory while it runs. */
const OPERATOR_FILE = 'operator.json';

function toolsPath(status: string | undefined, after: string | undefined): string {
  const query = new URLSearchParams({ ...(status === undefined ? {} : { status }), ...(after === undefined ? {} : { after }) });
  return `/tools?${query.toString()}`;
}

/** Which log, where one is named. */
function logPart(log: string | undefined): { readonly log?: string } {
  return log === undefined ? {} : { log };
}

type LogOperations = Pick<
  Operator,
  | 'logKeys'
  | 'rotateLogKey'
  | 'retireLogKey'
  | 'consistency'
  | 'archive'
  | 'restore'
  | 'endSession'
  | 'sessionPosture'
  | 'moveSession'
  | 'sessionEntries'
  | 'status'
>;

/** One log and its sessions. */
function logOperations(address: GatewayAddress): LogOperations {
  const get = (path: string): Promise<JsonObject> => askGateway(address, { method: 'GET', path: `/api/v1${path}` });
  const post = (path: string, body: JsonObject): Promise<JsonObject> =>
    askGateway(address, { method: 'POST', path: `/api/v1${path}`, body });
  const move = (path: string, body: JsonObject): Promise<JsonObject> =>
    askGateway(address, { method: 'POST', path: `/api/v1${path}`, body, timeoutMs: CLI_LIMITS.moveMs });
  return {
    logKeys: async (log) => readLogKeys(part(await get(`/log/keys?${new URLSearchParams(logPart(log)).toString()}`), 'keys')),
    rotateLogKey: async (log) => readLogKeys(part(await post('/log/keys/rotate', logPart(log)), 'keys')),
    retireLogKey: async (log) => readLogKeys(part(await post('/log/keys/retire', logPart(log)), 'keys')),
    consistency: ({ old, newer }, log) =>
      callGateway(address, {
        method: 'POST',
        path: '/api/v1/log/consistency',
        body: { old, ...(newer === undefined ? {} : { new: newer }), ...logPart(log) },
      }),
    archive: async (request, log) => readMoved(part(await move('/log/archive', { ...request, ...logPart(log) }), 'moved')),
    restore: async (directory, log) => readMoved(part(await move('/log/restore', { directory, ...logPart(log) }), 'moved')),
    endSession: async (request) => readSessionEnded(part(await post('/sessions/end', { ...request }), 'ended')),
    sessionPosture: async (request) =>
      readSessionPosture(part(await get(`/sessions/posture?${new URLSearchParams({ ...request }).toString()}`), 'posture')),
    moveSession: async (request) => readSessionTransition(part(await post('/sessions/transition', { ...request }), 'transition')),
    sessionEntries: async (request) =>
      list(await get(`/sessions/entries?${new URLSearchParams({ ...request }).toString()}`), 'entries').map(readSessionEntry),
    status: async () => part(await get('/status'), 'status'),
  };
}

type RuleOperations = Pick<Operator, 'activePolicy' | 'rules' | 'putRules' | 'removeRules' | 'reloadRules'>;

/** The policy in force, and rules of the operator. */
function ruleOperations(address: GatewayAddress): RuleOperations {
  const ask = (request: Pick<GatewayRequest, 'method' | 'path' | 'body'>): Promise<JsonObject> =>
    askGateway(address, { ...request, path: `/api/v1${request.path}`, timeoutMs: CLI_LIMITS.moveMs });
  const one = (pack: string): string => `/rules/${encodeURIComponent(pack)}`;
  return {
    activePolicy: async () => {
      const policies = list(await ask({ method: 'GET', path: '/policies' }), 'policies').map(readPolicy);
      if (!policies.some(({ active }) => active)) return undefined;
      return readPolicyDocument(part(await ask({ method: 'GET', path: '/policies/active' }), 'policy'));
    },
    rules: async () => readRules(part(await ask({ method: 'GET', path: '/rules' }), 'rules')),
    putRules: async (pack, source) => readRulePack(part(await ask({ method: 'PUT', path: one(pack), body: { source } }), 'pack')),
    removeRules: async (pack) => readRules(part(await ask({ method: 'DELETE', path: one(pack) }), 'rules')),
    reloadRules: async () => readRules(part(await ask({ method: 'POST', path: '/rules/reload' }), 'rules')),
  };
}

function operate(address: GatewayAddress): Operator {
  const get = (path: string): Promise<JsonObject> => askGateway(address, { method: 'GET', path: `/api/v1${path}` });
  const post = (path: string, body: JsonObject): Promise<JsonObject> =>
    askGateway(address, { method: 'POST', path: `/api/v1${path}`, body });
  const one = (id: string): string => encodeURIComponent(id);
  const publishedBy =
    (log: string | undefined): ReadPublished =>
    (path) =>
      callGateway(address, { method: 'GET', path: log === undefined || log === MAIN_LOG ? `/log/${path}` : `/logs/${one(log)}/${path}` });
  return {
    where: `gateway ${address.url}`,
    async createAgent({ name, scopes }) {
      const body = await post('/agents', { name, scopes });
      return { agent: readAgent(part(body, 'agent')), secret: word(body, 'secret') };
    },
    listAgents: async () => list(await get('/agents'), 'agents').map(readAgent),
    setAgentState: async (agent, state, reason) => readAgent(part(await post(`/agents/${one(agent)}/state`, { state, reason }), 'agent')),
    async createApiKey(draft) {
      const body = await post('/keys', { ...draft });
      return { apiKey: readApiKey(part(body, 'apiKey')), key: word(body, 'key') };
    },
    listApiKeys: async () => list(await get('/keys'), 'keys').map(readApiKey),
    revokeApiKey: async (id) => readApiKey(part(await post(`/keys/${one(id)}/revoke`, {}), 'key')),
    listOrgs: async () => list(await get('/orgs'), 'orgs').map(readOrg),
    setOrgMode: async (org, mode) => readOrg(part(await post(`/orgs/${one(org)}/mode`, { mode }), 'org')),
    listTools: (status) => collectTools(async (after) => list(await get(toolsPath(status, after)), 'tools').map(readTool)),
    approveTool: async (approval) => readTool(part(await post('/tools/approve', { ...approval }), 'tool')),
    listPolicies: async () => list(await get('/policies'), 'policies').map(readPolicy),
    setPolicy: async (source) => readPolicy(part(await post('/policies', { source }), 'policy')),
    ...ruleOperations(address),
    listLogs: async () => list(await get('/logs'), 'logs').map(readLog),
    createLog: async (draft) => readLog(part(await post('/logs', { ...draft }), 'log')),
    setOrgLog: async (org, log) => readOrg(part(await post(`/orgs/${one(org)}/log`, { log }), 'org')),
    ...logOperations(address),
    receiptKey: async () => word(part(await get('/status'), 'status'), 'receiptKey'),
    checkpoint: (log) => readCheckpoint(publishedBy(log)),
    size: async (log) => checkpointSize(await readCheckpoint(publishedBy(log))),
    entries: (from, wanted, log) => readEntries(publishedBy(log), from, wanted),
    bundle: (id, { inputs }) => callGateway(address, { method: 'GET', path: `/api/v1/receipts/${one(id)}/bundle?inputs=${inputs}` }),
    vault: async () => readVault(part(await get('/vault'), 'vault')),
    eraseSubject: async (request) => readErased(part(await post('/vault/erase', { ...request }), 'erasure')),
    rotateKeys: async (request) => readVault(part(await post('/vault/rotate', { ...request }), 'vault')),
    exportReceipt: (id, format) => callGateway(address, { method: 'GET', path: `/api/v1/receipts/${one(id)}/export?format=${format}` }),
    close: () => Promise.resolve(),
  };
}

async function readAddress(context: Context): Promise<GatewayAddress | undefined> {
  const path = join(context.dataDir, OPERATOR_FILE);
  try {
    const parsed = parseJson(await readFile(path));
    if (!parsed.ok || !isJsonObject(parsed.value.value))
      throw configError([{ code: 'operator_file_invalid', message: 'the file is not readable', path }]);
    return { url: checkAddress(word(parsed.value.value, 'url')), token: word(parsed.value.value, 'token') };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The running gateway of this data directory, or undefined: none was started, or it ended without cleaning up. `url` is where to
 * look for it instead of where it said.
 */
export async function findGateway(context: Context, url?: string): Promise<Operator | undefined> {
  const known = await readAddress(context);
  if (known === undefined) return undefined;
  const address = url === undefined ? known : { ...known, url };
  return (await isAlive(address.url)) ? operate(address) : undefined;
}
