/** @module Policies at the operator door: seen with a `read` key, put in force with the operator token only. */
import type { Fault, JsonValue, Result } from '@countersign/kernel';
import type { AdminStore, PolicyDraft, PolicyView } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { POLICY_SCHEMA } from './operator-wire.ts';

/** How a policy document gets into force. */
export interface PolicyDesk {
  /** Checks and resolves a document as written; changes nothing. */
  compile(source: string): Result<PolicyDraft, Fault> | Promise<Result<PolicyDraft, Fault>>;
  /** Loads what is active now. Resolves when new decisions are judged by it. */
  reload(): Promise<void>;
}

interface Desks {
  readonly admin: Pick<AdminStore, 'setPolicy' | 'listPolicies' | 'policy' | 'activePolicy'>;
  readonly policies: PolicyDesk;
}

function notFound(what: string): OperatorError {
  return new OperatorError({ code: 'not_found', message: `no such ${what}` });
}

async function compiled({ policies }: Desks, request: FastifyRequest): Promise<PolicyDraft> {
  const { source } = request.body as { source: string }; // The route's schema says so.
  const draft = await policies.compile(source);
  if (draft.ok) return draft.value;
  const { code, message, path, hint } = draft.error;
  throw new OperatorError({
    code: 'policy_rejected',
    message: `${message} (${code})`,
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
  });
}

async function setPolicy(desks: Desks, request: FastifyRequest): Promise<PolicyView> {
  const view = desks.admin.setPolicy(await compiled(desks, request));
  if (!view.ok) throw new OperatorError(view.error);
  await desks.policies.reload();
  return view.value;
}

/** `changed` is called when another policy is in force. */
export function addPolicyRoutes(
  app: FastifyInstance,
  desks: Desks,
  lent: LentByDoor & { readonly changed: (data: JsonValue) => void },
): void {
  const { need, reply, queryText, pathText, changed } = lent;
  const { admin } = desks;
  const options = { schema: { body: POLICY_SCHEMA }, bodyLimit: LIMITS.operatorBodyBytesMax };
  app.get('/api/v1/policies', (request, answer) => {
    need(request, 'read');
    return reply(answer, { policies: admin.listPolicies() });
  });
  app.get('/api/v1/policies/active', (request, answer) => {
    need(request, 'read');
    const active = admin.activePolicy();
    if (active === undefined) throw notFound('policy: none is active');
    return reply(answer, { policy: active });
  });
  app.get('/api/v1/policies/:name', (request, answer) => {
    need(request, 'read');
    const version = Number(queryText(request, 'version') ?? Number.NaN);
    const found = admin.policy(pathText(request, 'name'), Number.isSafeInteger(version) ? version : undefined);
    if (found === undefined) throw notFound('policy');
    return reply(answer, { policy: found });
  });
  app.post('/api/v1/policies/validate', options, async (request, answer) => {
    need(request, 'everything');
    const { name, hash } = await compiled(desks, request);
    return reply(answer, { valid: true, name, hash });
  });
  app.post('/api/v1/policies', options, async (request, answer) => {
    need(request, 'everything');
    const view = await setPolicy(desks, request);
    changed({ name: view.name, version: view.version, hash: view.hash });
    return reply(answer, { policy: view }, 201);
  });
}
