/** @module Operator through the operator door of a running gateway (`spec/http.md`). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isJsonObject, type JsonObject, parseJson } from '@countersign/kernel';
import type { Context } from './command.ts';
import { askGateway, callGateway, checkAddress, type GatewayAddress, isAlive } from './gateway-http.ts';
import type { LoggedEntry, Operator } from './operator.ts';
import { count, list, part, readAgent, readApiKey, readPolicy, word } from './operator-views.ts';
import { configError } from './outcome.ts';

/** The file that a gateway leaves in its data directory while it runs. */
const OPERATOR_FILE = 'operator.json';

function operate(address: GatewayAddress): Operator {
  const get = (path: string): Promise<JsonObject> => askGateway(address, { method: 'GET', path: `/api/v1${path}` });
  const post = (path: string, body: JsonObject): Promise<JsonObject> =>
    askGateway(address, { method: 'POST', path: `/api/v1${path}`, body });
  const one = (id: string): string => encodeURIComponent(id);
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
      return { apiKey: readApiKey(part(body, 'api_key')), key: word(body, 'key') };
    },
    listApiKeys: async () => list(await get('/keys'), 'api_keys').map(readApiKey),
    revokeApiKey: async (id) => readApiKey(part(await post(`/keys/${one(id)}/revoke`, {}), 'api_key')),
    listPolicies: async () => list(await get('/policies'), 'policies').map(readPolicy),
    setPolicy: async (name, source) => readPolicy(part(await post('/policies', { name, source }), 'policy')),
    logKey: async () => word(await get('/log'), 'key'),
    async checkpoint() {
      return new TextDecoder().decode(await callGateway(address, { method: 'GET', path: '/log/checkpoint' }));
    },
    size: async () => count(await get('/log'), 'size'),
    async entries(from, wanted) {
      const body = await get(`/log/entries?from=${from}&count=${wanted}`);
      return list(body, 'entries').map((item): LoggedEntry => ({ index: count(item, 'index'), entry: part(item, 'entry') }));
    },
    bundle: (id, { inputs }) =>
      callGateway(address, { method: 'GET', path: `/api/v1/receipts/${one(id)}/bundle${inputs ? '?inputs=true' : ''}` }),
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

/** The running gateway of this data directory, or undefined: none was started, or it ended without cleaning up. */
export async function findGateway(context: Context): Promise<Operator | undefined> {
  const address = await readAddress(context);
  if (address === undefined || !(await isAlive(address.url))) return undefined;
  return operate(address);
}
