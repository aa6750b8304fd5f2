/**
 * @module Scope tokens: what a released call carries to the tool. Bound to the tool and to exactly these params, and single use.
 */
import { mintScopeTokenAside, scopeBinding, sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, type Clock, type Random, uuidv7 } from '@countersign/kernel';
import type { ScopeTokenRequest, TokenMinter } from '@countersign/pipeline';

export const SCOPE_KEY_ID = 'scope-v1';
export const SCOPE_AUDIENCE = 'tool-service';

export interface ScopeTokenOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  readonly ttlSeconds: number;
}

/** A minter over one signing key. */
export function createTokenMinter({ signer, clock, random, ttlSeconds }: ScopeTokenOptions): TokenMinter {
  return {
    mint({ agent, scope, tool, params, requestId }: ScopeTokenRequest): Promise<string> {
      const iat = Math.floor(clock.nowMs() / 1000);
      const binding = scopeBinding(tool, sha256Hex(canonicalize(params)));
      return mintScopeTokenAside(
        { sub: agent, scope, tool, binding, exp: iat + ttlSeconds, rid: requestId, jti: uuidv7(clock, random), iat, aud: SCOPE_AUDIENCE },
        signer,
      );
    },
  };
}
