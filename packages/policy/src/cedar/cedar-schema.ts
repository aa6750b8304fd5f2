/**
 * @module What a Cedar policy can speak of: the types of its entities and context, and the actions, which are the scopes of the table with
 * their parts and the kinds of actions as groups. Every policy is held against it when it is loaded, so that a word nobody
 * knows is a fault, not a policy that never holds.
 */
import { ACTION_KINDS, isActionKind } from '@countersign/protocol';
import { KNOWN_SCOPES } from '../scope-table.ts';

/** Kinds of texts: they are actions of their own, and ask for no scope. */
export const TEXT_ACTIONS: readonly string[] = ['prompt.input', 'model.output', 'tool.response', 'agent.message'];

const TYPES = `entity Org;
entity Agent in [Org] { trust: String };
entity Tool in [Tool] { registered: Bool };
entity Session in [Org] { calls: Long };
type Asked = {
  agent_id: String,
  org_id: String,
  tool_name: String,
  kind: String,
  session: Session,
  risk_score_bps: Long,
  intent_class: String,
  labels: Set<String>,
  rules: Set<String>,
  scopes: Set<String>,
  allowed_scopes: Set<String>,
  session_flags: Set<String>,
  delegation: Set<Agent>,
  delegation_depth: Long,
  has_non_exemptable_block: Bool,
  category: String,
};`;
const APPLIES = 'appliesTo { principal: Agent, resource: Tool, context: Asked }';

/** Where the table leaves the last words to the tool: any scope that begins so can be asked for. */
const OPEN = ['payment:', 'agent:', 'unknown:', 'exec:function:', 'net:webhook:'] as const;

function isOpen(name: string): boolean {
  return /^[a-z0-9-]+(:[a-z0-9-]+){1,2}$/.test(name) && OPEN.some((family) => name.startsWith(family) || family === `${name}:`);
}

/** `db:query:read` is in `db:query` and in `db`. */
export function scopeGroups(scope: string): readonly string[] {
  const groups: string[] = [];
  for (let at = scope.lastIndexOf(':'); at > 0; at = scope.lastIndexOf(':', at - 1)) groups.push(scope.slice(0, at));
  return groups;
}

/** A name as a Cedar string. */
function literal(name: string): string {
  return JSON.stringify(name.toWellFormed()).replaceAll(/\\u([0-9a-f]{4})/g, '\\u{$1}');
}

function uid(name: string): string {
  return `Action::${literal(name)}`;
}

/** The scopes that can be asked for: those of the table, those the operator names, and those mentioned where the table is open. */
function declaredScopes(scopes: readonly string[], mentioned: readonly string[]): readonly string[] {
  const open = mentioned.filter(isOpen).map((name) => (name.split(':').length === 2 ? `${name}:any` : name));
  return [...new Set([...KNOWN_SCOPES, ...scopes, ...open])];
}

/**
 * The schema in Cedar's language.
 * @param mentioned Ids of actions that the policies name.
 */
export function cedarSchema(scopes: readonly string[], mentioned: readonly string[]): string {
  const declared = declaredScopes(scopes, mentioned);
  const families = mentioned.filter((name) => isActionKind(name));
  const kinds = [...new Set([...ACTION_KINDS, ...families])].filter((kind) => !TEXT_ACTIONS.includes(kind));
  const groups = [...new Set([...kinds, ...declared.flatMap(scopeGroups)])].filter((name) => !declared.includes(name));
  const lines = [TYPES];
  for (const group of groups) lines.push(`action ${literal(group)};`);
  for (const kind of TEXT_ACTIONS) lines.push(`action ${literal(kind)} ${APPLIES};`);
  for (const scope of declared)
    lines.push(`action ${literal(scope)} in [${[...scopeGroups(scope), ...kinds].map(uid).join(', ')}] ${APPLIES};`);
  return lines.join('\n');
}
