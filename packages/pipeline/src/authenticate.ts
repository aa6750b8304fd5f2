/**
 * @module Who is calling: the API key names the org, the signed token names the agent (reference: Clampd wire, HS256 agent JWT).
 * Doors call this before they read a body.
 */
import { readAgentJwt, sha256Hex, verifyAgentJwt } from '@countersign/crypto';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import type { Caller } from './action-request.ts';
import type { Ports } from './ports.ts';

export interface Credentials {
  /** `X-AG-Key`. */
  readonly apiKey: string | undefined;
  /** `Authorization`. */
  readonly authorization: string | undefined;
}

export type AuthenticationCode =
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'missing_jwt'
  | 'invalid_jwt'
  | 'org_mismatch'
  | 'state_unavailable';

type Refused = Result<never, Fault<AuthenticationCode>>;

const KEY_SHAPE = /^ag_(?:live|test)_[A-Za-z0-9_-]{1,200}$/;
const BEARER = /^Bearer ([A-Za-z0-9_.-]{1,8192})$/;

function refused(code: AuthenticationCode, message: string): Refused {
  return err({ code, message });
}

/** JWT failures keep a text that existing clients look for. */
const JWT_FAILED = 'JWT validation failed';

async function orgOf(apiKey: string | undefined, ports: Ports): Promise<Result<string, Fault<AuthenticationCode>>> {
  if (apiKey === undefined || apiKey === '') return refused('missing_api_key', 'the `X-AG-Key` header is missing');
  if (!KEY_SHAPE.test(apiKey)) return refused('invalid_api_key', 'the API key does not have the form of one');
  const record = await ports.state.apiKey(sha256Hex(apiKey));
  if (record === undefined || !record.active) return refused('invalid_api_key', 'the API key is unknown or revoked');
  if (record.kind !== 'write') return refused('invalid_api_key', 'this API key cannot carry decisions');
  return ok(record.org);
}

async function agentOf(authorization: string | undefined, ports: Ports): Promise<Result<Omit<Caller, 'org'>, Fault<AuthenticationCode>>> {
  if (authorization === undefined || authorization === '') return refused('missing_jwt', 'the `Authorization: Bearer` header is missing');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) return refused('invalid_jwt', `${JWT_FAILED}: not a bearer token`);
  const claimed = readAgentJwt(token);
  if (!claimed.ok) return refused('invalid_jwt', claimed.error.message);
  const key = await ports.state.agentJwtKey(claimed.value.sub);
  if (key === undefined) return refused('invalid_jwt', `${JWT_FAILED}: the agent is unknown, suspended or killed`);
  const verified = verifyAgentJwt(token, { key, nowSeconds: Math.floor(ports.clock.nowMs() / 1000) });
  if (!verified.ok) return refused('invalid_jwt', verified.error.message);
  const { sub, scopes } = verified.value;
  return ok({ agent: sub, ...(scopes === undefined ? {} : { scopes }) });
}

/** The caller behind the headers. Total: a failing store is `state_unavailable`. */
export async function authenticate(credentials: Credentials, ports: Ports): Promise<Result<Caller, Fault<AuthenticationCode>>> {
  try {
    const org = await orgOf(credentials.apiKey, ports);
    if (!org.ok) return org;
    const agent = await agentOf(credentials.authorization, ports);
    if (!agent.ok) return agent;
    return ok({ org: org.value, ...agent.value });
  } catch (error) {
    return refused('state_unavailable', `the state could not be read (${codeOf(error)})`);
  }
}
