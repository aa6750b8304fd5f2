/** @module What an action needs of a posture: the capabilities that it takes, and the budgets that it is counted against. */
import type { Action, Facts } from '@countersign/protocol';
import type { Budget, Capability } from './posture.ts';

/** Kinds that are only looked at: they take no capability, and only `locked` refuses them. */
const TEXT_KINDS: ReadonlySet<string> = new Set(['prompt.input', 'model.output', 'tool.response']);

const OF_KIND: ReadonlyMap<string, Capability> = new Map<string, Capability>([
  ['file.read', 'file_access'],
  ['file.write', 'file_write'],
  ['file.patch', 'patch'],
  ['shell.exec', 'shell'],
  ['net.egress', 'egress'],
  ['tool.call', 'mcp_tool'],
  ['mcp.call', 'mcp_tool'],
  ['db.query', 'mcp_tool'],
]);

/** None where the capability has no budget. */
export const BUDGET_OF: Readonly<Record<Capability, Budget | undefined>> = {
  file_access: undefined,
  file_write: 'file_writes',
  egress: 'egress_calls',
  shell: 'shell_commands',
  mcp_tool: 'mcp_tool_calls',
  patch: 'patches',
  custom: 'custom_calls',
};

/** What a tool does besides being called: a tool by any name that runs a command takes `shell`. */
function* throughTool(facts: Facts): Generator<Capability> {
  if (facts.commands.length > 0) yield 'shell';
  for (const { kind, command } of facts.effects) {
    if (command >= 0) continue;
    if (kind === 'writes' || kind === 'deletes') yield 'file_write';
    else if (kind === 'reads') yield 'file_access';
    else if (kind === 'executes') yield 'shell';
    else if (kind === 'connects') yield 'egress';
  }
}

/** Each once; none for a text. An action of an unknown kind is `custom`. */
export function capabilitiesOf(action: Action, facts: Facts): readonly Capability[] {
  if (TEXT_KINDS.has(action.kind)) return [];
  const own = OF_KIND.get(action.kind) ?? 'custom';
  return own === 'mcp_tool' && action.kind !== 'db.query' ? [...new Set([own, ...throughTool(facts)])] : [own];
}
