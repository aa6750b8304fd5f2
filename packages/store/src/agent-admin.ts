/** @module Orgs and agents: registration, states, scopes, secrets. */
import { agentJwtKey, base64url } from '@countersign/crypto';
import { isUuid, ok, uuidv7 } from '@countersign/kernel';
import {
  type AdminResult,
  type AdminStore,
  type AgentCreated,
  type AgentDraft,
  type AgentStateChange,
  type AgentView,
  MAIN_LOG,
  type OrgRecord,
} from '@countersign/pipeline';
import type { AgentTrust } from '@countersign/protocol';
import { type AdminContext, notFound, pageOf, refused } from './admin-context.ts';
import { mayBecome } from './agent-lifecycle.ts';
import { checkAgentName } from './agent-name.ts';
import { STORE_LIMITS } from './limits.ts';
import { checkScopes } from './scope-list.ts';
import { sealJwtKey } from './state-cache.ts';
import type { AgentRow } from './state-tables.ts';

const SECRET_BYTES = 32;

type AgentAdmin = Pick<
  AdminStore,
  | 'createOrg'
  | 'listOrgs'
  | 'setOrgMode'
  | 'createAgent'
  | 'agentView'
  | 'listAgents'
  | 'setAgentState'
  | 'reviveAgent'
  | 'setAgentScopes'
  | 'setAgentTrust'
>;

function viewOf(row: AgentRow): AgentView {
  const { id, org, name, state, scopes, trust, createdMs, changedMs, reason } = row;
  return { id, org, name, state, scopes, ...(trust === undefined ? {} : { trust }), createdMs, changedMs, reason };
}

function freshSecret(context: AdminContext): string {
  return `ags_${base64url(context.random.bytes(SECRET_BYTES))}`;
}

function checkReason(reason: string): AdminResult<string> {
  if (reason.isWellFormed() && reason !== '' && reason.length <= STORE_LIMITS.reasonCharsMax) return ok(reason);
  return refused({ code: 'invalid_reason', message: `a reason has 1 to ${STORE_LIMITS.reasonCharsMax} characters`, path: '/reason' });
}

function save(context: AdminContext, row: AgentRow): AgentView {
  try {
    context.tables.putAgent(row);
  } finally {
    context.cache.forgetAgent(row.id);
  }
  return viewOf(row);
}

function idFor(context: AdminContext, draft: AgentDraft): AdminResult<string> {
  if (draft.id === undefined) return ok(uuidv7(context.clock, context.random));
  if (!isUuid(draft.id)) return refused({ code: 'invalid_id', message: 'an agent id is a lower-case UUID', path: '/id' });
  if (context.tables.agent(draft.id) !== undefined)
    return refused({ code: 'id_taken', message: 'the id belongs to an agent already', path: '/id' });
  return ok(draft.id);
}

function createAgent(context: AdminContext, draft: AgentDraft): AdminResult<AgentCreated> {
  if (context.tables.org(draft.org) === undefined) return notFound('org');
  const name = checkAgentName(draft.name);
  if (!name.ok) return name;
  if (context.tables.agentNamed(draft.org, name.value.folded) !== undefined) {
    return refused({
      code: 'name_taken',
      message: 'an agent of this org has or had this name',
      path: '/name',
      hint: 'names are never used twice',
    });
  }
  const scopes = checkScopes(draft.scopes);
  if (!scopes.ok) return scopes;
  const id = idFor(context, draft);
  if (!id.ok) return id;
  const secret = freshSecret(context);
  const nowMs = context.clock.nowMs();
  const agent = save(context, {
    id: id.value,
    org: draft.org,
    name: name.value.name,
    foldedName: name.value.folded,
    state: 'active',
    reason: '',
    scopes: scopes.value,
    ...trustOf(draft.trust),
    sealedKey: sealJwtKey(context.sealer, id.value, agentJwtKey(secret)),
    createdMs: nowMs,
    changedMs: nowMs,
  });
  return ok({ agent, secret });
}

function setAgentState(context: AdminContext, change: AgentStateChange): AdminResult<AgentView> {
  const row = context.tables.agent(change.agent);
  if (row === undefined) return notFound('agent');
  const reason = checkReason(change.reason);
  if (!reason.ok) return reason;
  if (!mayBecome(row.state, change.state)) {
    return refused({
      code: 'invalid_state_transition',
      message: `an agent that is ${row.state} cannot become ${change.state}`,
      path: '/state',
      hint: 'a killed agent comes back only by a revival, with a new secret',
    });
  }
  if (row.state === change.state) return ok(viewOf(row));
  // SECURITY: a killed agent loses its key at once, so that its tokens fail even where its state is not looked at.
  const sealedKey = change.state === 'killed' ? null : row.sealedKey;
  return ok(save(context, { ...row, state: change.state, reason: reason.value, sealedKey, changedMs: context.clock.nowMs() }));
}

function reviveAgent(context: AdminContext, agent: string, why: string): AdminResult<AgentCreated> {
  const row = context.tables.agent(agent);
  if (row === undefined) return notFound('agent');
  const reason = checkReason(why);
  if (!reason.ok) return reason;
  if (row.state !== 'killed') {
    return refused({ code: 'invalid_state_transition', message: `an agent that is ${row.state} needs no revival`, path: '/state' });
  }
  const secret = freshSecret(context);
  const sealedKey = sealJwtKey(context.sealer, agent, agentJwtKey(secret));
  const view = save(context, { ...row, state: 'active', reason: reason.value, sealedKey, changedMs: context.clock.nowMs() });
  return ok({ agent: view, secret });
}

function setAgentScopes(context: AdminContext, agent: string, wanted: readonly string[]): AdminResult<AgentView> {
  const row = context.tables.agent(agent);
  if (row === undefined) return notFound('agent');
  const scopes = checkScopes(wanted);
  if (!scopes.ok) return scopes;
  return ok(save(context, { ...row, scopes: scopes.value, changedMs: context.clock.nowMs() }));
}

/** The ordinary trust is not written down. */
function trustOf(trust: AgentTrust | undefined): Pick<AgentRow, 'trust'> {
  return trust === undefined || trust === 'standard' ? {} : { trust };
}

function setAgentTrust(context: AdminContext, agent: string, wanted: AgentTrust): AdminResult<AgentView> {
  const row = context.tables.agent(agent);
  if (row === undefined) return notFound('agent');
  const { trust: _before, ...rest } = row;
  return ok(save(context, { ...rest, ...trustOf(wanted), changedMs: context.clock.nowMs() }));
}

function createOrg(context: AdminContext, draft: { readonly name: string; readonly mode: OrgRecord['mode'] }): AdminResult<OrgRecord> {
  const name = checkAgentName(draft.name);
  if (!name.ok) return name;
  if (context.tables.orgs().some((org) => org.name === draft.name)) {
    return refused({ code: 'name_taken', message: 'an org has this name', path: '/name' });
  }
  const org = { id: uuidv7(context.clock, context.random), name: name.value.name, mode: draft.mode, log: MAIN_LOG };
  context.tables.putOrg({ ...org, leaving: null, createdMs: context.clock.nowMs() });
  context.orgLogs.add(org.id);
  return ok(org);
}

function setOrgMode(context: AdminContext, org: string, mode: OrgRecord['mode']): AdminResult<OrgRecord> {
  const row = context.tables.org(org);
  if (row === undefined) return notFound('org');
  try {
    context.tables.putOrg({ ...row, mode });
  } finally {
    context.cache.forgetOrg(org);
  }
  return ok({ id: row.id, name: row.name, mode, log: row.log });
}

export function createAgentAdmin(context: AdminContext): AgentAdmin {
  return {
    createOrg: (draft) => createOrg(context, draft),
    listOrgs: () => context.tables.orgs().map(({ id, name, mode, log }) => ({ id, name, mode, log })),
    setOrgMode: (org, mode) => setOrgMode(context, org, mode),
    createAgent: (draft) => createAgent(context, draft),
    agentView(agent: string): AgentView | undefined {
      const row = context.tables.agent(agent);
      return row === undefined ? undefined : viewOf(row);
    },
    listAgents: (page) => context.tables.agents(pageOf(page)).map(viewOf),
    setAgentState: (change) => setAgentState(context, change),
    reviveAgent: (agent, reason) => reviveAgent(context, agent, reason),
    setAgentScopes: (agent, scopes) => setAgentScopes(context, agent, scopes),
    setAgentTrust: (agent, trust) => setAgentTrust(context, agent, trust),
  };
}
