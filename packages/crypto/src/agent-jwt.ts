/**
 * @module The HS256 token by which an agent says who it is (RFC 7515, 7519), as Clampd SDKs mint it. Only this algorithm exists here, so
 * no header can choose another. Texts contain `JWT validation failed`: those SDKs look for it.
 */
import { Buffer } from 'node:buffer';
import { err, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, parseJson, type Result } from '@countersign/kernel';
import { base64url, fromBase64url } from './base64.ts';
import { constantTimeEqual, hmacSha256, sha256Hex } from './hash.ts';
import { JWT_LEEWAY_SECONDS, READ_TOKENS_MAX, REMEMBERED_TOKENS_MAX, TOKEN_CHARS_MAX } from './limits.ts';

/** Add-only. */
export type JwtFaultCode =
  | 'jwt_malformed'
  | 'jwt_algorithm'
  | 'jwt_subject'
  | 'jwt_claims'
  | 'jwt_signature'
  | 'jwt_expired'
  | 'jwt_not_yet_valid';

export interface AgentClaims {
  /** The agent: a UUID, in lower case when read. */
  readonly sub: string;
  /** Unix seconds. */
  readonly exp: number;
  readonly iss?: string;
  /** Unix seconds. */
  readonly iat?: number;
  /** Unix seconds. */
  readonly nbf?: number;
  readonly scopes?: readonly string[];
}

const HEADER = base64url(Buffer.from('{"alg":"HS256","typ":"JWT"}', 'utf8'));
const DERIVED_PREFIX = 'ags_';
const SIGNATURE_BYTES = 32;
const UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
const PARSE_LIMITS = { bytesMax: TOKEN_CHARS_MAX, depthMax: 4, nodesMax: 1024 } as const;

type Refused = Result<never, Fault<JwtFaultCode>>;

function refused(code: JwtFaultCode, message: string): Refused {
  return err({ code, message: `JWT validation failed: ${message}` });
}

/**
 * The HMAC key of a secret. For `ags_` secrets: the 64 ASCII characters of its SHA-256 in hex (not the 32 bytes), which is what a
 * gateway stores; for any other: its UTF-8 bytes.
 */
export function agentJwtKey(secret: string): Uint8Array {
  return new Uint8Array(Buffer.from(secret.startsWith(DERIVED_PREFIX) ? sha256Hex(secret) : secret, 'utf8'));
}

/** A signed token. */
export function mintAgentJwt(request: { readonly key: Uint8Array; readonly claims: AgentClaims }): string {
  const signed = `${HEADER}.${base64url(Buffer.from(JSON.stringify(request.claims), 'utf8'))}`;
  return `${signed}.${base64url(hmacSha256(request.key, signed))}`;
}

function readPart(part: string | undefined): JsonObject | undefined {
  const bytes = fromBase64url(part ?? '');
  if (bytes === undefined) return undefined;
  const parsed = parseJson(bytes, PARSE_LIMITS);
  return parsed.ok && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
}

function checkHeader(part: string | undefined): Fault<JwtFaultCode> | undefined {
  const header = readPart(part);
  if (header === undefined) return refusedFault('jwt_malformed', 'the header is not a JSON object in base64url');
  const alg = getOwn(header, 'alg');
  if (typeof alg === 'string' && alg.toLowerCase() === 'none')
    return refusedFault('jwt_algorithm', 'Unsigned JWTs (alg: none) are not supported');
  if (alg !== 'HS256') return refusedFault('jwt_algorithm', 'the algorithm must be HS256');
  const typ = getOwn(header, 'typ');
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT'))
    return refusedFault('jwt_malformed', 'the type must be JWT');
  // RFC 7515 4.1.11: extensions that we do not know must be refused, and we know none.
  if (getOwn(header, 'crit') !== undefined) return refusedFault('jwt_malformed', 'critical header extensions are not supported');
  return undefined;
}

function refusedFault(code: JwtFaultCode, message: string): Fault<JwtFaultCode> {
  return { code, message: `JWT validation failed: ${message}` };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Claims that may be missing, and what each must be where it is not. */
const OPTIONAL_CLAIMS = [
  { name: 'iss', holds: (value: unknown): boolean => typeof value === 'string' },
  { name: 'iat', holds: isTime },
  { name: 'nbf', holds: isTime },
  { name: 'scopes', holds: isTexts },
] as const;

function readClaims(payload: JsonObject): Result<AgentClaims, Fault<JwtFaultCode>> {
  const [sub, exp] = [getOwn(payload, 'sub'), getOwn(payload, 'exp')];
  if (typeof sub !== 'string' || !UUID.test(sub)) return refused('jwt_subject', "JWT 'sub' claim is not a valid UUID");
  if (!isTime(exp)) return refused('jwt_claims', 'the `exp` claim is missing or not a time');
  const claims: Record<string, JsonValue> = { sub: sub.toLowerCase(), exp };
  for (const { name, holds } of OPTIONAL_CLAIMS) {
    const value = getOwn(payload, name);
    if (value === undefined) continue;
    if (!holds(value)) return refused('jwt_claims', `the \`${name}\` claim is of another type`);
    claims[name] = value;
  }
  // Each claim was checked above; the table's types do not follow.
  return ok(claims as unknown as AgentClaims);
}

/** What tokens that once had a right signature say. Strangers cannot push anything out of it; what a text says never changes. */
const readBefore = new Map<string, AgentClaims>();

/** The claims of a token nobody has checked: good for nothing but finding the key of `sub`. */
export function readAgentJwt(token: string): Result<AgentClaims, Fault<JwtFaultCode>> {
  const known = readBefore.get(token);
  if (known !== undefined) return ok(known);
  if (token.length > TOKEN_CHARS_MAX) return refused('jwt_malformed', `a token has at most ${TOKEN_CHARS_MAX} characters`);
  const parts = token.split('.', 4);
  if (parts.length !== 3) return refused('jwt_malformed', 'a token has three parts');
  const fault = parts[0] === HEADER ? undefined : checkHeader(parts[0]);
  if (fault !== undefined) return err(fault);
  const payload = readPart(parts[1]);
  if (payload === undefined) return refused('jwt_malformed', 'the payload is not a JSON object in base64url');
  return readClaims(payload);
}

/** Tokens whose signature was right, by the key that says so: an agent sends the same token for an hour. */
const signedBy = new WeakMap<Uint8Array, Map<string, AgentClaims>>();

function remember(key: Uint8Array, token: string, claims: AgentClaims): void {
  let tokens = signedBy.get(key);
  if (tokens === undefined) signedBy.set(key, (tokens = new Map()));
  if (tokens.size >= REMEMBERED_TOKENS_MAX) tokens.delete(tokens.keys().next().value ?? '');
  tokens.set(token, claims);
  if (readBefore.size >= READ_TOKENS_MAX) readBefore.delete(readBefore.keys().next().value ?? '');
  readBefore.set(token, claims);
}

function checkSignature(token: string, key: Uint8Array): Result<AgentClaims, Fault<JwtFaultCode>> {
  const known = signedBy.get(key)?.get(token);
  if (known !== undefined) return ok(known);
  const claims = readAgentJwt(token);
  if (!claims.ok) return claims;
  const dot = token.lastIndexOf('.');
  const signature = fromBase64url(token.slice(dot + 1));
  const right = hmacSha256(key, token.slice(0, dot));
  if (signature === undefined || signature.length !== SIGNATURE_BYTES || key.length === 0 || !constantTimeEqual(signature, right)) {
    return refused('jwt_signature', 'InvalidSignature');
  }
  remember(key, token, claims.value);
  return claims;
}

/**
 * The claims of a token whose signature and times are right. The signature is checked first, in constant time, and once for each token
 * and key (the same array of bytes); times are checked at every call: valid while now <= exp + leeway, and from nbf - leeway on.
 */
export function verifyAgentJwt(
  token: string,
  check: { readonly key: Uint8Array; readonly nowSeconds: number; readonly leewaySeconds?: number },
): Result<AgentClaims, Fault<JwtFaultCode>> {
  const claims = checkSignature(token, check.key);
  if (!claims.ok) return claims;
  const leeway = check.leewaySeconds ?? JWT_LEEWAY_SECONDS;
  const { exp, nbf } = claims.value;
  // Written so that a clock that is not a number refuses.
  if (!(check.nowSeconds <= exp + leeway)) return refused('jwt_expired', 'ExpiredSignature');
  if (nbf !== undefined && !(check.nowSeconds >= nbf - leeway)) return refused('jwt_not_yet_valid', 'ImmatureSignature');
  return claims;
}
