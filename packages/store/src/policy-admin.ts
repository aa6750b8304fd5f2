/** @module Tools and policies: what an operator approves and puts in force, and the documents that receipts refer to. */
import { sha256Hex } from '@countersign/crypto';
import { CodedError, ok } from '@countersign/kernel';
import type { AdminResult, AdminStore, PolicyDocument, PolicyDraft, PolicyView, ToolApproval, ToolView } from '@countersign/pipeline';
import { type AdminContext, notFound, pageOf, refused } from './admin-context.ts';
import { STORE_LIMITS } from './limits.ts';
import { checkToolScope } from './scope-list.ts';

const HASH = /^[0-9a-f]{64}$/;
const POLICY_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,127}$/;

type PolicyAdmin = Pick<
  AdminStore,
  'listTools' | 'approveTool' | 'setPolicy' | 'listPolicies' | 'policy' | 'activePolicy' | 'putDocument' | 'document'
>;

function viewOf(document: PolicyDocument): PolicyView {
  const { name, version, hash, active, createdMs } = document;
  return { name, version, hash, active, createdMs };
}

function approveTool(context: AdminContext, approval: ToolApproval): AdminResult<ToolView> {
  const { org, tool, hash } = approval;
  if (context.tables.org(org) === undefined) return notFound('org');
  if (tool === '' || tool.length > STORE_LIMITS.toolNameCharsMax || !/^[^\s\p{Cc}]+$/u.test(tool)) {
    return refused({
      code: 'invalid_tool',
      message: `a tool name has 1 to ${STORE_LIMITS.toolNameCharsMax} characters and no spaces`,
      path: '/tool',
    });
  }
  if (hash !== '' && !HASH.test(hash))
    return refused({ code: 'invalid_tool', message: 'a descriptor hash has 64 hex characters', path: '/hash' });
  const scope = approval.scope === null ? ok(null) : checkToolScope(approval.scope);
  if (!scope.ok) return scope;
  const seen = context.fold.toolRows(org, tool).find((row) => row.hash === hash);
  const row: ToolView = {
    org,
    tool,
    hash,
    status: 'approved',
    scope: scope.value,
    firstSeenMs: seen?.firstSeenMs ?? context.clock.nowMs(),
  };
  try {
    context.tables.putTool(row);
  } finally {
    context.fold.forgetTool(org, tool);
  }
  return ok(row);
}

function setPolicy(context: AdminContext, draft: PolicyDraft): AdminResult<PolicyView> {
  const { name, source, resolved, hash } = draft;
  if (!POLICY_NAME.test(name))
    return refused({ code: 'invalid_policy', message: 'a policy needs a plain name of at most 128 characters', path: '/name' });
  if (source.length > STORE_LIMITS.policySourceCharsMax || resolved.length > STORE_LIMITS.documentCharsMax) {
    return refused({
      code: 'limit_reached',
      message: `a policy has at most ${STORE_LIMITS.policySourceCharsMax} characters`,
      path: '/source',
    });
  }
  if (sha256Hex(resolved) !== hash)
    return refused({ code: 'invalid_policy', message: 'the hash is not that of the resolved document', path: '/hash' });
  const version = (context.tables.policy(name, undefined)?.version ?? 0) + 1;
  const document = { name, version, source, resolved, hash, active: true, createdMs: context.clock.nowMs() };
  context.tables.putDocument(hash, resolved);
  context.tables.putActivePolicy(document);
  return ok(viewOf(document));
}

function putDocument(context: AdminContext, hash: string, text: string): void {
  if (text.length > STORE_LIMITS.documentCharsMax || sha256Hex(text) !== hash) {
    throw new CodedError({
      code: 'document_refused',
      message: 'a document is kept under the hash of its own bytes, and is of bounded size',
    });
  }
  context.tables.putDocument(hash, text);
}

export function createPolicyAdmin(context: AdminContext): PolicyAdmin {
  const { tables } = context;
  return {
    listTools: (page) => tables.tools(pageOf(page), page.status),
    approveTool: (approval) => approveTool(context, approval),
    setPolicy: (draft) => setPolicy(context, draft),
    listPolicies: () => tables.policies().map(viewOf),
    policy: (name, version) => tables.policy(name, version),
    activePolicy: () => tables.activePolicy(),
    putDocument: (hash, text) => putDocument(context, hash, text),
    document: (hash) => tables.document(hash),
  };
}
