/** @module One request to the operator door of a gateway: bounded, and every failure a sentence with the next step. */
import { type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { CLI_LIMITS } from './limits.ts';
import { CliError, configError, EXIT, runtimeError } from './outcome.ts';

export interface GatewayAddress {
  readonly url: string;
  /** Operator token. */
  readonly token: string;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query, e.g. `/api/v1/agents`. */
  readonly path: string;
  readonly body?: JsonObject;
  /** Milliseconds it may take; `requestMs` where it is not said. */
  readonly timeoutMs?: number;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > CLI_LIMITS.answerBytesMax) {
      throw runtimeError({ code: 'answer_too_large', message: `the gateway sent more than ${CLI_LIMITS.answerBytesMax} bytes` });
    }
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts, size));
}

function text(value: JsonValue | undefined, key: string): string | undefined {
  const found = isJsonObject(value) ? getOwn(value, key) : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** Every fault of a document that was refused, with its place. */
function toldFaults(body: JsonValue | undefined): readonly Fault[] {
  const faults = isJsonObject(body) ? getOwn(body, 'faults') : undefined;
  if (!Array.isArray(faults)) return [];
  return faults.flatMap((told: JsonValue) => {
    const [code, message, path, hint] = ['code', 'message', 'path', 'hint'].map((key) => text(told, key));
    const { line, column } = isJsonObject(told) ? told : {};
    if (code === undefined || message === undefined) return [];
    return [
      {
        code,
        message,
        ...(path === undefined ? {} : { path }),
        ...(typeof line === 'number' && typeof column === 'number' ? { line, column } : {}),
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  });
}

/** What the operator did wrong is exit 3, what the gateway could not do is exit 4. */
function refusalOf(status: number, bytes: Uint8Array): CliError {
  const parsed = parseJson(bytes);
  const body = parsed.ok ? parsed.value.value : undefined;
  const path = text(body, 'path');
  const hint =
    status === 401 ? 'the operator token is not that of this gateway: name its data directory with --data DIR' : text(body, 'hint');
  const fault = {
    code: text(body, 'error_code') ?? `http_${status}`,
    message: text(body, 'error') ?? `the gateway answered with status ${status}`,
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
  };
  const told = toldFaults(body);
  return new CliError(status >= 500 ? EXIT.runtime : EXIT.config, told.length === 0 ? [fault] : told);
}

/** The bytes of a 2xx answer. @throws {CliError} for every other, and where the gateway cannot be reached. */
export async function callGateway(address: GatewayAddress, request: GatewayRequest): Promise<Uint8Array> {
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetch(new URL(request.path, address.url), {
      method: request.method,
      redirect: 'error',
      headers: { authorization: `Bearer ${address.token}`, ...(request.body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: AbortSignal.timeout(request.timeoutMs ?? CLI_LIMITS.requestMs),
    });
    bytes = await readBounded(response);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const hint = 'is it running? start it with `countersign up`';
    throw runtimeError({ code: 'gateway_unreachable', message: `the gateway at ${address.url} does not answer`, hint }, error);
  }
  if (response.ok) return bytes;
  throw refusalOf(response.status, bytes);
}

/** The same, as a JSON object. */
export async function askGateway(address: GatewayAddress, request: GatewayRequest): Promise<JsonObject> {
  const parsed = parseJson(await callGateway(address, request), {
    bytesMax: CLI_LIMITS.answerBytesMax,
    nodesMax: CLI_LIMITS.bundleNodesMax,
  });
  if (parsed.ok && isJsonObject(parsed.value.value)) return parsed.value.value;
  throw runtimeError({
    code: 'answer_malformed',
    message: 'the gateway did not answer with a JSON object',
    hint: 'are both of the same version?',
  });
}

/** True where something answers there. */
export async function isAlive(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/health', url), { redirect: 'error', signal: AbortSignal.timeout(CLI_LIMITS.requestMs) });
    await response.body?.cancel();
    return response.status === 200 || response.status === 503;
  } catch {
    return false;
  }
}

/** @throws {CliError} exit 3 for an address that is none. */
export function checkAddress(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw configError([{ code: 'invalid_url', message: 'the address of the gateway must be an http or https URL' }]);
}
