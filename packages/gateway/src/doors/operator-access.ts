/**
 * @module Who may do what at the operator door: the operator token everything; a `read` key may look at its org; a `kill` key may stop
 * agents of its org and nothing else. `write` keys carry decisions and open nothing here.
 */
import { constantTimeEqual, sha256, sha256Hex } from '@countersign/crypto';
import type { AdminStore, KeyPermission } from '@countersign/pipeline';
import type { IncomingHttpHeaders } from 'node:http';
import { OperatorError } from './operator-errors.ts';

export interface Access {
  readonly may: 'everything' | 'read' | 'kill';
  /** The only org it sees; undefined: all. */
  readonly org?: string;
  /** Of an API key. */
  readonly key?: { readonly id: string; readonly permissions: readonly KeyPermission[] };
}

export interface AccessRules {
  /** SHA-256 of the operator token. */
  readonly operatorTokenSha256: Uint8Array;
  readonly admin: Pick<AdminStore, 'findApiKey'>;
}

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/;

/** What a caller may do. @throws OperatorError `operator_unauthorized`. */
export function accessOf(headers: IncomingHttpHeaders, rules: AccessRules): Access {
  const token = BEARER.exec(headers.authorization ?? '')?.[1];
  if (token !== undefined && constantTimeEqual(sha256(token), rules.operatorTokenSha256)) return { may: 'everything' };
  const apiKey = headers['x-ag-key'];
  const key = typeof apiKey === 'string' && apiKey !== '' ? rules.admin.findApiKey(sha256Hex(apiKey)) : undefined;
  if (key !== undefined && key.revokedMs === null && key.kind !== 'write') {
    return { may: key.kind, org: key.org, key: { id: key.id, permissions: key.permissions ?? [] } };
  }
  throw new OperatorError({
    code: 'operator_unauthorized',
    message: 'this needs the operator token, or a `read` or `kill` API key',
    hint: 'the token is in `operator.json` of the data directory',
  });
}

/** @throws OperatorError `operator_forbidden` where the access is not enough. */
export function require(access: Access, what: 'everything' | 'read' | 'kill'): void {
  if (access.may === 'everything' || access.may === what) return;
  throw new OperatorError({ code: 'operator_forbidden', message: 'this credential is not for that' });
}
