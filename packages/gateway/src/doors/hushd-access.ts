/**
 * @module Who calls at the hushd door: `Authorization: Bearer <key>` and nothing else. Authentication is never off, whoever the peer
 * is; a key names its org, the agent that acts with it, and its scopes.
 */
import { sha256Hex } from '@countersign/crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HushdError } from './hushd-errors.ts';
import { HUSHD_ROUTES, type HushdNeed, type HushdScope, unsupportedEndpoint } from './hushd-routes.ts';

export interface HushdKey {
  /** Says which key it was, and is no secret. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly HushdScope[];
  readonly org: string;
  readonly agent: string;
  /** Unix milliseconds from which it is not good any more. */
  readonly expiresMs?: number;
}

export interface HushdKeyring {
  /** By the lower-case hex SHA-256 of the key. */
  find(sha256Hex: string): HushdKey | undefined;
}

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** The key of a request. @throws HushdError `UNAUTHORIZED`, without saying which of the possible reasons it was. */
export function keyOf(headers: IncomingHttpHeaders, keyring: HushdKeyring, nowMs: number): HushdKey {
  const token = BEARER.exec(headers.authorization ?? '')?.[1];
  const key = token === undefined ? undefined : keyring.find(sha256Hex(token));
  if (key !== undefined && (key.expiresMs === undefined || nowMs < key.expiresMs)) return key;
  throw new HushdError({
    code: 'UNAUTHORIZED',
    message: 'this needs `Authorization: Bearer` with a key that is good',
    hint: 'the keys of this installation are in `hushd.json` of its data directory',
  });
}

/** What a route needs; undefined for one that is not in the table. */
export function needOf(method: string, route: string | undefined): HushdNeed | undefined {
  return route !== undefined && Object.hasOwn(HUSHD_ROUTES, `${method} ${route}`) ? HUSHD_ROUTES[`${method} ${route}`] : undefined;
}

/** Refuses what has no route here, to whoever has a key. @throws HushdError always. */
function refuseUnlisted(key: HushdKey, url: string): never {
  const instead = unsupportedEndpoint(url);
  if (instead !== undefined && key.scopes.includes('admin')) {
    const message = 'this endpoint of hushd does not exist here, and nothing was done';
    throw new HushdError({ code: 'UNSUPPORTED_ENDPOINT', message, hint: instead });
  }
  if (instead !== undefined) throw new HushdError({ code: 'INSUFFICIENT_SCOPE', message: 'this needs a key with the scope `admin`' });
  throw new HushdError({ code: 'NOT_FOUND', message: 'there is nothing here' });
}

/** @throws HushdError where the key is not for this route, or the route is not in the table. */
export function allowRoute(key: HushdKey, need: HushdNeed | undefined, request: { readonly url: string; readonly routed: boolean }): void {
  if (need === undefined && !request.routed) refuseUnlisted(key, request.url);
  if (need === undefined) throw new HushdError({ code: 'ROUTE_NOT_LISTED', message: 'nobody has said who may call this' });
  if (need === 'public' || need === 'any-key' || key.scopes.includes(need)) return;
  throw new HushdError({
    code: 'INSUFFICIENT_SCOPE',
    message: `this needs a key with the scope \`${need}\``,
    ...(key.scopes.includes('admin') ? { hint: 'scopes do not contain each other: give the key this one too' } : {}),
  });
}
