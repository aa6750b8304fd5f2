/**
 * @module mcp_tool: which tools may be called, and how large their arguments may be. What is in the arguments is the matter
 * of the other guards.
 */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { GuardResult } from '@countersign/protocol';
import type { McpToolConfig } from '../content.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { allow, blind, block, quote, warn, type GuardContext } from './result.ts';

export interface McpTools {
  readonly config: McpToolConfig;
  readonly allow: ReadonlySet<string>;
  readonly block: ReadonlySet<string>;
  readonly confirm: ReadonlySet<string>;
}

/** One spelling for `shell_exec`, `shell.exec`, `Shell-Exec`. */
export function canonicalTool(name: string): string {
  return name.toLowerCase().replaceAll(/[_\-/:. ]+/g, '.');
}

export function mcpToolsOf(config: McpToolConfig): McpTools {
  const set = (names: readonly string[]): ReadonlySet<string> => new Set(names.map(canonicalTool));
  return { config, allow: set(config.allow), block: set(config.block), confirm: set(config.require_confirmation) };
}

/** The tool of `mcp__server__tool`, `server/tool` or `server:tool`, besides the whole name. */
export function toolNames(tool: string): readonly string[] {
  const bare = /(?:__|[/:])([^/:]+)$/.exec(tool.slice(-POLICY_LIMITS.entryCharsMax))?.[1]?.split('__').at(-1);
  return bare === undefined || bare === '' ? [canonicalTool(tool)] : [canonicalTool(tool), canonicalTool(bare)];
}

function asciiBytes(unit: number): number {
  if (unit >= 0x20) return unit === 0x22 || unit === 0x5c ? 2 : 1;
  return unit === 0x08 || unit === 0x09 || unit === 0x0a || unit === 0x0c || unit === 0x0d ? 2 : 6;
}

/** A code point outside ASCII; a lone surrogate is written as `\udXXX`. */
function pointBytes(point: number): number {
  if (point < 0x800) return 2;
  if (point > 0xffff) return 4;
  return point >= 0xd800 && point <= 0xdfff ? 6 : 3;
}

function textBytes(text: string): number {
  let bytes = 2;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes += asciiBytes(unit);
      continue;
    }
    const point = text.codePointAt(i) ?? 0;
    if (point > 0xffff) i += 1;
    bytes += pointBytes(point);
  }
  return bytes;
}

/** Bytes of the RFC 8785 form, without making it; total where the serialiser is not. */
export function canonicalBytes(value: JsonValue): number {
  if (typeof value === 'string') return textBytes(value);
  if (value === null || typeof value !== 'object') return String(value).length;
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    let bytes = 2 + Math.max(0, items.length - 1);
    for (const item of items) bytes += canonicalBytes(item);
    return bytes;
  }
  const object = value as JsonObject;
  const keys = Object.keys(object);
  let bytes = 2 + Math.max(0, keys.length - 1);
  for (const key of keys) bytes += textBytes(key) + 1 + canonicalBytes(object[key] ?? null);
  return bytes;
}

const UNIT_BYTES_MAX = 6;
const SCALAR_BYTES_MAX = 32;

/** No fewer bytes than `canonicalBytes` gives, without looking at a character. */
function bytesAtMost(value: JsonValue): number {
  if (typeof value === 'string') return 2 + UNIT_BYTES_MAX * value.length;
  if (value === null || typeof value !== 'object') return SCALAR_BYTES_MAX;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) bytes += 1 + bytesAtMost(item);
    return bytes;
  }
  const object = value as JsonObject;
  for (const key of Object.keys(object)) bytes += 4 + UNIT_BYTES_MAX * key.length + bytesAtMost(object[key] ?? null);
  return bytes;
}

function judgeName(tools: McpTools, tool: string): GuardResult {
  const names = toolNames(tool);
  const name = quote(tool);
  const has = (set: ReadonlySet<string>): boolean => names.some((one) => set.has(one));
  const blocked = (code: string): GuardResult =>
    block('mcp_tool', 'error', { code, message: `Tool '${name}' is blocked by policy`, details: { tool: name, reason: code } });
  if (has(tools.block)) return blocked('blocked_by_policy');
  if (has(tools.confirm)) {
    const details = { tool: name, requires_confirmation: true, confirmation: tools.config.confirmation };
    const finding = { code: 'requires_confirmation', message: `Tool '${name}' requires confirmation`, details };
    return tools.config.confirmation === 'warn' ? warn('mcp_tool', finding) : block('mcp_tool', 'warning', finding);
  }
  // Only the whole name opens the door: a server may call any tool `read_file`.
  if (tools.allow.size > 0) return tools.allow.has(names[0] ?? '') ? allow('mcp_tool') : blocked('not_in_allowlist');
  return tools.config.default_action === 'block' ? blocked('blocked_by_default') : allow('mcp_tool');
}

export function judgeMcpTool(tools: McpTools, context: GuardContext): GuardResult | undefined {
  const { kind, tool, params } = context.action;
  if (kind !== 'tool.call' && kind !== 'mcp.call') return undefined;
  const max = tools.config.max_args_size;
  const bytes = params === undefined || bytesAtMost(params) <= max ? 0 : canonicalBytes(params);
  if (bytes > max) {
    return block('mcp_tool', 'error', {
      code: 'args_too_large',
      message: `Tool arguments too large: ${String(bytes)} bytes (max: ${String(max)})`,
      details: { tool: quote(tool ?? ''), size: bytes, max, reason: 'args_too_large' },
    });
  }
  if (tool === undefined || tool === '') return blind('mcp_tool', 'The call names no tool', 'missing_tool');
  return judgeName(tools, tool);
}
