/** @module A second judge, written to be dull: it reads like spec/verdict.md and shares no code with the first. Decision and risk only. */
import type { Action, Facts, Finding, GuardResult, StateSlice } from '@countersign/protocol';

export interface ReferenceInput {
  readonly action: Action;
  readonly facts: Facts;
  readonly state: StateSlice;
  readonly findings: readonly Finding[];
  readonly guards: readonly GuardResult[];
  readonly thresholds: { readonly flag: number; readonly block: number };
  readonly unregisteredTools: 'refuse' | 'warn';
  readonly scope: string;
}

const TOOL_KINDS = ['file.read', 'file.write', 'file.patch', 'shell.exec', 'net.egress', 'db.query', 'tool.call', 'mcp.call'];
const TALK_KINDS = ['prompt.input', 'model.output', 'tool.response', 'agent.delegate', 'agent.message', 'secret.access'];
const KINDS: ReadonlySet<string> = new Set(TOOL_KINDS.concat(TALK_KINDS));
const TEXTS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response', 'agent.message']);

function known(kind: string): boolean {
  if (KINDS.has(kind)) return true;
  for (const family of ['remote.', 'input.', 'session.']) if (kind.startsWith(family) && kind !== family) return true;
  return false;
}

/** `a:b:c` is covered by `*`, by itself, by a prefix that ends in `*`, or by a longer grant that begins with it. */
function covers(grant: string, requested: string): boolean {
  if (grant === '*') return true;
  const have = grant.split(':');
  const want = requested.split(':');
  for (let i = 0; i < want.length; i += 1) {
    if (have[i] === '*') return true;
    if (have[i] !== want[i]) return false;
  }
  return true;
}

const WRITTEN = 'content contents text data body file_text new_string new_str new_content newContent new_source replacement insert_text';
const PATCHED = 'patch diff unified_diff patch_content patchContent input';

/** A recorded write, not a tool's, that has none of the texts of VER-015. */
function unseen({ kind, tool, content, params }: Action): boolean {
  if (tool !== undefined || content !== undefined) return false;
  if (kind !== 'file.write' && kind !== 'file.patch') return false;
  const members = Object.entries((params ?? {}) as Record<string, unknown>);
  if (members.some(([key, value]) => typeof value === 'string' && `${WRITTEN} ${PATCHED}`.split(' ').includes(key))) return false;
  const edits = members.find(([key]) => key === 'edits')?.[1];
  const inEdits = 'new_string newText new_str newString text'.split(' ');
  const list: readonly unknown[] = Array.isArray(edits) ? edits : [];
  return !list.some((edit) => inEdits.some((key) => typeof (edit as Record<string, unknown> | null)?.[key] === 'string'));
}

export function referenceJudge(input: ReferenceInput): { decision: string; risk: number } {
  let risk = 0;
  let denied = false;
  let warned = false;
  let { flag, block } = input.thresholds;
  const raise = (score: number): void => {
    if (score > risk) risk = score;
  };

  if (!known(input.action.kind)) denied = true;
  if (unseen(input.action)) denied = true;
  if (input.state.agentState !== 'active') denied = true;
  const isText = TEXTS.has(input.action.kind);
  if (!isText) {
    if (!(input.state.scopes ?? []).some((grant) => covers(grant, input.scope))) denied = true;
    if (input.state.claimedScopes !== undefined && !input.state.claimedScopes.some((grant) => covers(grant, input.scope))) denied = true;
  }
  if (!isText && input.action.tool !== undefined && input.state.tool !== 'registered') {
    if (input.state.tool === 'mismatch') {
      denied = true;
      raise(980);
    } else if (input.state.orgMode === 'learning' && input.unregisteredTools === 'warn') {
      warned = true;
      flag -= 200;
      block -= 200;
    } else denied = true;
  }
  for (const finding of input.findings) raise(finding.score);
  for (const guard of input.guards) {
    if (!guard.allowed) {
      denied = true;
      raise({ critical: 950, high: 850, medium: 750, low: 700, info: 700 }[guard.severity]);
    } else if (guard.severity !== 'info' && guard.severity !== 'low') warned = true;
  }
  for (const cut of input.facts.cuts) raise(cut === 'shell-unknown' && input.action.kind === 'shell.exec' ? 700 : 300);
  for (const { score } of input.facts.opinions ?? []) raise(score);
  if (input.facts.opinionFault !== undefined) {
    denied = true;
    raise(1000);
  }
  if (risk >= block) denied = true;
  if (risk >= flag) warned = true;
  if (denied) return { decision: 'deny', risk };
  return { decision: warned ? 'warn' : 'allow', risk };
}
