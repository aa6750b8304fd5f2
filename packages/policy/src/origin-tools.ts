/**
 * @module Which tools an origin profile lets a place call. As the guard `mcp_tool`, and a name that ends in `*` stands for all that begin so.
 */
import type { JsonValue } from '@countersign/kernel';
import { canonicalBytes, canonicalTool, toolNames } from './guards/mcp-tool.ts';
import { quote } from './guards/result.ts';
import type { OriginTools } from './origins.ts';

interface Names {
  readonly whole: ReadonlySet<string>;
  readonly beginnings: readonly string[];
}

export interface CompiledOriginTools {
  readonly config: OriginTools;
  readonly allow: Names;
  readonly block: Names;
  readonly confirm: Names;
}

function namesOf(list: readonly string[]): Names {
  const beginnings = list.filter((name) => name.endsWith('*')).map((name) => canonicalTool(name.slice(0, -1)));
  return { whole: new Set(list.filter((name) => !name.endsWith('*')).map(canonicalTool)), beginnings };
}

export function compileOriginTools(config: OriginTools): CompiledOriginTools {
  return {
    config,
    allow: namesOf(config.allow),
    block: namesOf(config.block),
    confirm: namesOf(config.require_confirmation),
  };
}

function has({ whole, beginnings }: Names, name: string): boolean {
  return whole.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}

/** Why a tool may not be called from a place. */
export interface ToolRefusal {
  readonly code: 'tool_blocked' | 'tool_not_allowed' | 'tool_blocked_by_default' | 'tool_needs_confirmation' | 'args_too_large';
  readonly message: string;
}

/** Undefined where the profile has nothing against the call. */
export function refuseTool(tools: CompiledOriginTools, tool: string, params: JsonValue | undefined): ToolRefusal | undefined {
  const { config, allow, block, confirm } = tools;
  const names = toolNames(tool);
  const name = quote(tool);
  const is = (list: Names): boolean => names.some((one) => has(list, one));
  if (params !== undefined && canonicalBytes(params) > config.max_args_size)
    return { code: 'args_too_large', message: `Tool arguments too large for this origin (max: ${String(config.max_args_size)})` };
  if (is(block)) return { code: 'tool_blocked', message: `Tool '${name}' is blocked for this origin` };
  if (is(confirm)) return { code: 'tool_needs_confirmation', message: `Tool '${name}' requires confirmation for this origin` };
  // Only the whole name opens the door: a server may call any tool `read_file`.
  if (config.allow.length > 0)
    return has(allow, names[0] ?? '') ? undefined : { code: 'tool_not_allowed', message: `Tool '${name}' is not allowed for this origin` };
  if (config.default_action === 'allow') return undefined;
  return { code: 'tool_blocked_by_default', message: `Tool '${name}' is blocked for this origin` };
}
