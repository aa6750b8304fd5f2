/** @module What the log says of an action: its kind, its tool, where strings stood. Never a value. */
import { getOwn, isJsonObject, pointer, type JsonValue } from '@countersign/kernel';
import type { Action, ActionSummary, Principal } from '@countersign/protocol';
import { RECEIPT_LIMITS } from './limits.ts';
import { loggedName, plainText, toolName } from './logged-name.ts';

interface Walk {
  readonly fields: string[];
  fieldsCut: number;
  nodesLeft: number;
}

function children(value: JsonValue): readonly (readonly [string | number, JsonValue])[] {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item, i) => [i, item] as const);
  if (!isJsonObject(value)) return [];
  return Object.keys(value).map((key) => [key, getOwn(value, key) ?? null] as const);
}

/** Long paths are cut before they grow with the depth: hostile keys cost their own length once. */
function step(path: string, key: string | number): string {
  return path.length > RECEIPT_LIMITS.fieldCharsMax
    ? path
    : pointer(path, typeof key === 'string' ? key.slice(0, RECEIPT_LIMITS.fieldCharsMax) : key);
}

function visit(walk: Walk, path: string, value: JsonValue): void {
  if (walk.nodesLeft <= 0) return;
  walk.nodesLeft -= 1;
  if (typeof value === 'string') {
    if (walk.fields.length < RECEIPT_LIMITS.fieldsMax) walk.fields.push(plainText(path, RECEIPT_LIMITS.fieldCharsMax));
    else walk.fieldsCut += 1;
    return;
  }
  for (const [key, item] of children(value)) visit(walk, step(path, key), item);
}

/** Summary of an action whose commitment is known. */
export function summarizeAction(action: Action, commitment: string): ActionSummary {
  const walk: Walk = { fields: [], fieldsCut: 0, nodesLeft: RECEIPT_LIMITS.fieldNodesMax };
  if (action.params !== undefined) visit(walk, '/params', action.params);
  return {
    id: loggedName(action.id),
    kind: toolName(action.kind, RECEIPT_LIMITS.kindCharsMax),
    ...(action.tool === undefined ? {} : { tool: toolName(action.tool, RECEIPT_LIMITS.toolCharsMax) }),
    ...(action.descriptor === undefined ? {} : { descriptor: loggedName(action.descriptor.hash) }),
    commitment,
    fields: walk.fields,
    fieldsCut: walk.fieldsCut,
  };
}

function loggedDelegation(chain: readonly string[]): readonly string[] {
  const { delegationMax } = RECEIPT_LIMITS;
  if (chain.length <= delegationMax) return chain.map(loggedName);
  return [...chain.slice(0, delegationMax - 1).map(loggedName), `cut:${chain.length - delegationMax + 1}`];
}

/** Who acted, as the log names it. */
export function principalOf(action: Action): Principal {
  const { org, agent, delegation, trace } = action;
  const spanId = trace?.spanId;
  const logged =
    trace === undefined
      ? {}
      : { trace: { traceId: loggedName(trace.traceId), ...(spanId === undefined ? {} : { spanId: loggedName(spanId) }) } };
  return { org: loggedName(org), agent: loggedName(agent), delegation: loggedDelegation(delegation), ...logged };
}
