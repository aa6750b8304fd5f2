/** @module Policies at the hushd door: read with `read`, replaced with `admin` and with nothing else. */
import type { Fault } from '@countersign/kernel';
import type { PolicyDocument, PolicyDraft } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { type HushdRoom, nowText, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import { needText, objectBody, queryText } from './hushd-fields.ts';
import { sessionFor } from './hushd-sessions.ts';

function activePolicy({ door }: HushdRoom): PolicyDocument {
  const active = door.admin.activePolicy();
  if (active !== undefined) return active;
  throw new HushdError({ code: 'POLICY_NOT_FOUND', message: 'no policy is in force, and everything is denied' });
}

/** A field of the resolved document, which is our own and was read when it was stored. */
function resolvedText(policy: PolicyDocument, name: 'version' | 'description'): string {
  const value = (JSON.parse(policy.resolved) as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}

function view(room: HushdRoom): object {
  const policy = activePolicy(room);
  const { policyVersions } = room.door;
  return {
    name: policy.name,
    version: resolvedText(policy, 'version'),
    description: resolvedText(policy, 'description'),
    policy_hash: policy.hash,
    yaml: policy.source,
    source: { kind: 'store', version: policy.version },
    schema: { current: policyVersions.at(-1) ?? '', supported: [...policyVersions] },
  };
}

function faultError({ code, message, path, hint }: Fault): HushdError {
  return new HushdError({
    code: 'INVALID_POLICY',
    message: `${message} (${code})`,
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
  });
}

async function compiled(room: HushdRoom, yaml: string): Promise<PolicyDraft> {
  const draft = await room.door.policies.compile(yaml);
  if (draft.ok) return draft.value;
  throw faultError(draft.error);
}

/** Takes up what is stored. @throws HushdError where it does not come into force: what was in force still is, or nothing is. */
async function reload({ door }: HushdRoom): Promise<void> {
  await door.policies.reload();
  if (door.problem() === undefined) return;
  throw new HushdError({
    code: 'POLICY_UNAVAILABLE',
    message: 'the stored policy could not be put in force, or nothing can be recorded',
    hint: 'see `countersign doctor`',
  });
}

async function replace(room: HushdRoom, yaml: string, org: string): Promise<object> {
  const { admin, ports } = room.door;
  const stored = admin.setPolicy(await compiled(room, yaml));
  if (!stored.ok) throw faultError(stored.error);
  await reload(room);
  const { name, version, hash } = stored.value;
  room.events.publish({
    type: 'policy_updated',
    org: '',
    data: { event_id: `policy:${hash}:${version}`, timestamp: nowText(room), policy_hash: hash },
  });
  ports.feed.publish({ type: 'policy', time: nowText(room), org: '', data: { name, version, hash, by: org } });
  return { success: true, message: `policy ${name} is in force`, policy_hash: hash };
}

async function validation(room: HushdRoom, yaml: string): Promise<object> {
  const draft = await room.door.policies.compile(yaml);
  const warnings: readonly string[] = [];
  if (draft.ok) {
    const { version } = JSON.parse(draft.value.resolved) as { version?: string };
    return { valid: true, errors: [], warnings, normalized_version: version ?? null };
  }
  const { code, message, path, hint } = draft.error;
  return { valid: false, errors: [{ path: path ?? '', code, message, ...(hint === undefined ? {} : { hint }) }], warnings };
}

/** No key of a signer of bundles is trusted here, so no bundle is: least of all one that brings its own key. */
function refuseBundle(): never {
  throw new HushdError({
    code: 'POLICY_BUNDLE_UNTRUSTED',
    message: 'no signer of policy bundles is trusted here, and the key inside a bundle proves nothing',
    hint: 'put the document in force with `PUT /api/v1/policy`',
  });
}

export function addPolicyRoutes(app: FastifyInstance, room: HushdRoom): void {
  const yamlOf = (body: unknown): string => needText(objectBody(body), 'yaml', LIMITS.bodyBytesMax);
  app.get('/api/v1/policy', (_, reply) => send(reply, view(room)));
  app.put('/api/v1/policy', async (request, reply) => send(reply, await replace(room, yamlOf(request.body), room.keyFor(request).org)));
  app.post('/api/v1/policy/validate', async (request, reply) => send(reply, await validation(room, yamlOf(request.body))));
  app.post('/api/v1/policy/reload', async (_, reply): Promise<FastifyReply> => {
    await reload(room);
    return send(reply, { success: true, message: 'the stored policy is in force', policy_hash: activePolicy(room).hash });
  });
  app.get('/api/v1/policy/bundle', () => {
    throw new HushdError({ code: 'POLICY_BUNDLE_NOT_FOUND', message: 'the policy in force did not come as a signed bundle' });
  });
  app.put('/api/v1/policy/bundle', refuseBundle);
  app.get('/api/v1/policy/resolve', (request, reply) => {
    const id = queryText(request.query, 'session_id');
    if (id !== undefined) sessionFor(room, room.keyFor(request), { id });
    const policy = activePolicy(room);
    return send(reply, { resolved: JSON.parse(policy.resolved) as object, policy_yaml: policy.source, policy_hash: policy.hash });
  });
}
