/** @module API keys: made, shown once, revoked. Only their hashes are kept. */
import { base64url, sha256Hex } from '@countersign/crypto';
import { ok, uuidv7 } from '@countersign/kernel';
import {
  type AdminResult,
  type AdminStore,
  type ApiKeyCreated,
  type ApiKeyDraft,
  type ApiKeyView,
  KEY_PERMISSIONS,
} from '@countersign/pipeline';
import { type AdminContext, notFound, pageOf, refused } from './admin-context.ts';
import { STORE_LIMITS } from './limits.ts';
import type { ApiKeyRow } from './state-tables.ts';

const KEY_BYTES = 32;

function viewOf(row: ApiKeyRow): ApiKeyView {
  const { id, org, label, kind, environment, permissions, createdMs, revokedMs } = row;
  return { id, org, label, kind, environment, ...(permissions.length > 0 && { permissions }), createdMs, revokedMs };
}

function save(context: AdminContext, row: ApiKeyRow): ApiKeyView {
  try {
    context.tables.putApiKey(row);
  } finally {
    context.cache.forgetApiKey(row.sha256);
  }
  return viewOf(row);
}

function createApiKey(context: AdminContext, draft: ApiKeyDraft): AdminResult<ApiKeyCreated> {
  if (context.tables.org(draft.org) === undefined) return notFound('org');
  if (draft.label.length > STORE_LIMITS.labelCharsMax || !draft.label.isWellFormed()) {
    return refused({ code: 'invalid_label', message: `a label has at most ${STORE_LIMITS.labelCharsMax} characters`, path: '/label' });
  }
  const { permissions = [] } = draft;
  if (draft.kind === 'write' && permissions.length > 0) {
    const hint = 'agents hold `write` keys; make a `read` key for a person';
    return refused({ code: 'invalid_permission', message: 'a `write` key carries no permission', path: '/permissions', hint });
  }
  const key = `ag_${draft.environment}_${base64url(context.random.bytes(KEY_BYTES))}`;
  const { org, label, kind, environment } = draft;
  const apiKey = save(context, {
    id: uuidv7(context.clock, context.random),
    org,
    label,
    kind,
    environment,
    permissions: KEY_PERMISSIONS.filter((one) => permissions.includes(one)),
    sha256: sha256Hex(key),
    createdMs: context.clock.nowMs(),
    revokedMs: null,
  });
  return ok({ apiKey, key });
}

function revokeApiKey(context: AdminContext, org: string, id: string): AdminResult<ApiKeyView> {
  const row = context.tables.apiKey(id);
  if (row === undefined || row.org !== org) return notFound('API key');
  if (row.revokedMs !== null) return ok(viewOf(row));
  return ok(save(context, { ...row, revokedMs: context.clock.nowMs() }));
}

export function createKeyAdmin(context: AdminContext): Pick<AdminStore, 'createApiKey' | 'listApiKeys' | 'revokeApiKey' | 'findApiKey'> {
  return {
    createApiKey: (draft) => createApiKey(context, draft),
    listApiKeys: (page) => context.tables.apiKeys(pageOf(page)).map(viewOf),
    revokeApiKey: (org, id) => revokeApiKey(context, org, id),
    findApiKey(sha256: string): ApiKeyView | undefined {
      const row = context.tables.apiKeyBySha256(sha256);
      return row === undefined ? undefined : viewOf(row);
    },
  };
}
