/**
 * @module Scope tokens (`scope-v1`): proof for a tool that a call was allowed. Two parts, base64url(JSON claims) and base64url(Ed25519
 * over the ASCII of the first part); readable by Clampd SDKs, with `jti`, `iat` and `aud` added so that a token can be used once.
 */
import { Buffer } from 'node:buffer';
import { canonicalize, err, type Fault, getOwn, isJsonObject, type JsonObject, ok, parseJson, type Result } from '@countersign/kernel';
import { base64url, fromBase64url } from './base64.ts';
import type { Signer, Verifier } from './ed25519.ts';
import { sha256Hex } from './hash.ts';
import { TOKEN_CHARS_MAX } from './limits.ts';

/** Add-only. */
export type ScopeTokenFaultCode = 'scope_token_malformed' | 'scope_token_signature' | 'scope_token_claims' | 'scope_token_expired';

export interface ScopeClaims {
  /** Agent. */
  readonly sub: string;
  /** Scopes, separated by single spaces. */
  readonly scope: string;
  readonly tool: string;
  /** `scopeBinding(tool, params hash)`. */
  readonly binding: string;
  /** Unix seconds; valid while now <= exp. */
  readonly exp: number;
  /** Request id. */
  readonly rid: string;
  /** Unique id of this token. */
  readonly jti: string;
  /** Unix seconds. */
  readonly iat: number;
  readonly aud: string;
}

const TEXT_CLAIMS = ['sub', 'scope', 'tool', 'binding', 'rid', 'jti', 'aud'] as const;
const PARSE_LIMITS = { bytesMax: TOKEN_CHARS_MAX, depthMax: 1, nodesMax: 64 } as const;

/** What ties a token to one call: SHA-256 hex of `tool|paramsHash`. */
export function scopeBinding(tool: string, paramsHash: string): string {
  return sha256Hex(`${tool}|${paramsHash}`);
}

function payloadOf(claims: ScopeClaims): string {
  return base64url(Buffer.from(canonicalize({ ...claims }), 'utf8'));
}

/** A signed token. */
export function mintScopeToken(claims: ScopeClaims, signer: Signer): string {
  const payload = payloadOf(claims);
  return `${payload}.${base64url(signer.sign(payload))}`;
}

/** The same token, signed off this thread: a service that mints one for each call has better things to do meanwhile. */
export async function mintScopeTokenAside(claims: ScopeClaims, signer: Signer): Promise<string> {
  const payload = payloadOf(claims);
  return `${payload}.${base64url(await signer.signAside(payload))}`;
}

function refused(code: ScopeTokenFaultCode, message: string): Result<never, Fault<ScopeTokenFaultCode>> {
  return err({ code, message: `Scope verification failed: ${message}` });
}

function readPayload(part: string): JsonObject | undefined {
  const bytes = fromBase64url(part);
  if (bytes === undefined) return undefined;
  const parsed = parseJson(bytes, PARSE_LIMITS);
  return parsed.ok && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
}

function textClaim(payload: JsonObject, name: (typeof TEXT_CLAIMS)[number]): string {
  const value = getOwn(payload, name);
  return typeof value === 'string' ? value : '';
}

function readClaims(payload: JsonObject): ScopeClaims | undefined {
  const [exp, iat] = [getOwn(payload, 'exp'), getOwn(payload, 'iat')];
  if (!TEXT_CLAIMS.every((name) => typeof getOwn(payload, name) === 'string')) return undefined;
  if (typeof exp !== 'number' || typeof iat !== 'number') return undefined;
  const text = (name: (typeof TEXT_CLAIMS)[number]): string => textClaim(payload, name);
  return {
    sub: text('sub'),
    scope: text('scope'),
    tool: text('tool'),
    binding: text('binding'),
    exp,
    rid: text('rid'),
    jti: text('jti'),
    iat,
    aud: text('aud'),
  };
}

/** The claims of a token that `verifier` signed and that has not expired. Whether it was used before, and for what, the caller checks. */
export function readScopeToken(token: string, verifier: Verifier, nowSeconds: number): Result<ScopeClaims, Fault<ScopeTokenFaultCode>> {
  if (token.length > TOKEN_CHARS_MAX) return refused('scope_token_malformed', `a token has at most ${TOKEN_CHARS_MAX} characters`);
  if (token === '') return refused('scope_token_malformed', 'No scope token provided');
  const [part = '', proof = '', ...rest] = token.split('.');
  const count = token.includes('.') ? 2 + rest.length : 1;
  if (count !== 2) return refused('scope_token_malformed', `Malformed token: expected 2 parts, got ${count}`);
  const signature = fromBase64url(proof);
  if (signature === undefined || !verifier.verify(part, signature)) return refused('scope_token_signature', 'Invalid signature');
  const payload = readPayload(part);
  if (payload === undefined) return refused('scope_token_malformed', 'Invalid payload: not a JSON object in base64url');
  const claims = readClaims(payload);
  if (claims === undefined) return refused('scope_token_claims', 'Missing required claim, or a claim of another type');
  // Written so that a clock that is not a number refuses.
  if (!(nowSeconds <= claims.exp)) return refused('scope_token_expired', 'Token expired');
  return ok(claims);
}
