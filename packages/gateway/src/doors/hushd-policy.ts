/** @module Policies at the hushd door: read with `read`, replaced with `admin` and with nothing else, also by a signed bundle. */
import type { Fault } from '@countersign/kernel';
import type { PolicyDocument, PolicyDraft } from '@countersign/pipeline';
import { flattenPolicy, isPolicyBundle, type ResolvedPolicy } from '@countersign/policy';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
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

/** The document as written; of a bundle, what it holds as one document (JSON is YAML). */
function yamlOf({ source, resolved }: PolicyDocument): string {
  if (!isPolicyBundle(source)) return source;
  // The store keeps what was resolved and compiled.
  return `${JSON.stringify(flattenPolicy(JSON.parse(resolved) as ResolvedPolicy), null, 2)}\n`;
}

function view(room: HushdRoom): object {
  const policy = activePolicy(room);
  const { policyVersions } = room.door;
  return {
    name: policy.name,
    version: resolvedText(policy, 'version'),
    description: resolvedText(policy, 'description'),
    policy_hash: policy.hash,
    yaml: yamlOf(policy),
    source: { kind: isPolicyBundle(policy.source) ? 'bundle' : 'store', version: policy.version },
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

async function putInForce(room: HushdRoom, draft: PolicyDraft, org: string): Promise<object> {
  const { admin, ports } = room.door;
  const stored = admin.setPolicy(draft);
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

/** Refusals of a bundle that nobody who is trusted signed: the document in it may be as good as it likes. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'policy_bundle_no_trust',
  'policy_bundle_signature',
  'policy_bundle_key',
  'policy_signers_invalid',
  'policy_signers_unreadable',
]);

function bundleError(fault: Fault): HushdError {
  const { code, message, path, hint } = fault;
  return new HushdError({
    code: UNTRUSTED.has(code) ? 'POLICY_BUNDLE_UNTRUSTED' : 'INVALID_POLICY_BUNDLE',
    message: `${message} (${code})`,
    ...(path === undefined ? {} : { path }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The exact text of the body: what is signed is not what a parser makes of it. */
function bundleOf(room: HushdRoom, request: FastifyRequest): string {
  const text = new TextDecoder().decode(room.bytesOf(request));
  if (isPolicyBundle(text)) return text;
  throw new HushdError({ code: 'INVALID_POLICY_BUNDLE', message: 'the body must be `{bundle, signature, public_key?}`' });
}

/** Whose bundles are believed is what the operator pinned: a key in the bundle or in the request is never a reason. */
async function replaceByBundle(room: HushdRoom, text: string, org: string): Promise<object> {
  const draft = await room.door.policies.compile(text);
  if (!draft.ok) throw bundleError(draft.error);
  return putInForce(room, draft.value, org);
}

/** The bundle that the policy in force came as, byte for byte. */
function bundleInForce(room: HushdRoom): string {
  const { source } = activePolicy(room);
  if (isPolicyBundle(source)) return source;
  throw new HushdError({ code: 'POLICY_BUNDLE_NOT_FOUND', message: 'the policy in force did not come as a signed bundle' });
}

export function addPolicyRoutes(app: FastifyInstance, room: HushdRoom): void {
  const sentYaml = (body: unknown): string => needText(objectBody(body), 'yaml', LIMITS.bodyBytesMax);
  app.get('/api/v1/policy', (_, reply) => send(reply, view(room)));
  app.put('/api/v1/policy', async (request, reply) =>
    send(reply, await putInForce(room, await compiled(room, sentYaml(request.body)), room.keyFor(request).org)),
  );
  app.post('/api/v1/policy/validate', async (request, reply) => send(reply, await validation(room, sentYaml(request.body))));
  app.post('/api/v1/policy/reload', async (_, reply): Promise<FastifyReply> => {
    await reload(room);
    return send(reply, { success: true, message: 'the stored policy is in force', policy_hash: activePolicy(room).hash });
  });
  app.get('/api/v1/policy/bundle', (_, reply) => reply.header('content-type', 'application/json; charset=utf-8').send(bundleInForce(room)));
  app.put('/api/v1/policy/bundle', async (request, reply) =>
    send(reply, await replaceByBundle(room, bundleOf(room, request), room.keyFor(request).org)),
  );
  app.get('/api/v1/policy/resolve', (request, reply) => {
    const id = queryText(request.query, 'session_id');
    if (id !== undefined) sessionFor(room, room.keyFor(request), { id });
    const policy = activePolicy(room);
    return send(reply, { resolved: JSON.parse(policy.resolved) as object, policy_yaml: yamlOf(policy), policy_hash: policy.hash });
  });
}
