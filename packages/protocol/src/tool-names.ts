/**
 * @module What a tool of a wire name does: its canonical name and the kind of action it is. After the canonicalisation of Clampd, and
 * the names coding agents use for their built-in tools. A name that nobody knows stays as it is and is a plain tool call.
 */
import type { ActionKind } from './action.ts';

export interface KnownTool {
  readonly tool: string;
  readonly kind: ActionKind;
}

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['run_command', 'shell.exec'],
  ['run_cmd', 'shell.exec'],
  ['execute_command', 'shell.exec'],
  ['exec_command', 'shell.exec'],
  ['execute_code', 'shell.exec'],
  ['shell_exec', 'shell.exec'],
  ['bash', 'shell.exec'],
  ['shell', 'shell.exec'],
  ['read_file', 'filesystem.read'],
  ['write_file', 'filesystem.write'],
  ['filesystem_read', 'filesystem.read'],
  ['filesystem_write', 'filesystem.write'],
  ['filesystem_list', 'filesystem.list'],
  ['process_data', 'function.invoke'],
  ['database_query', 'database.query'],
  ['database_schema', 'database.schema'],
  ['database_mutate', 'database.mutate'],
  ['process_list', 'process.list'],
  ['docker_exec', 'docker.exec'],
  ['kubernetes_apply', 'kubernetes.apply'],
  ['http_fetch', 'http.fetch'],
  ['network_scan', 'network.scan'],
  ['email_send', 'email.send'],
  ['email_search', 'email.search'],
  ['llm_prompt', 'llm.prompt'],
  ['llm_embed', 'llm.embed'],
  ['secret_read', 'secret.read'],
  ['credential_rotate', 'credential.rotate'],
]);

/** Built-in tools of coding agents, spelled as they spell them. */
const BUILT_IN: ReadonlyMap<string, KnownTool> = new Map<string, KnownTool>([
  ['Bash', { tool: 'shell.exec', kind: 'shell.exec' }],
  ['Read', { tool: 'filesystem.read', kind: 'file.read' }],
  ['Glob', { tool: 'filesystem.list', kind: 'file.read' }],
  ['Grep', { tool: 'filesystem.list', kind: 'file.read' }],
  ['LS', { tool: 'filesystem.list', kind: 'file.read' }],
  ['Write', { tool: 'filesystem.write', kind: 'file.write' }],
  ['Edit', { tool: 'filesystem.write', kind: 'file.write' }],
  ['MultiEdit', { tool: 'filesystem.write', kind: 'file.write' }],
  ['NotebookEdit', { tool: 'filesystem.write', kind: 'file.write' }],
  ['WebFetch', { tool: 'http.fetch', kind: 'net.egress' }],
]);

const PREFIXES: readonly (readonly [string, string])[] = [
  ['db.', 'database.'],
  ['sql.', 'database.'],
  ['file.', 'filesystem.'],
  ['fs.', 'filesystem.'],
  ['cmd.', 'shell.'],
  ['net.', 'http.'],
  ['fetch.', 'http.'],
];

const READS: ReadonlySet<string> = new Set([
  'filesystem.read',
  'filesystem.list',
  'filesystem.stat',
  'filesystem.search',
  'filesystem.glob',
]);

function kindOf(canonical: string): ActionKind | undefined {
  if (canonical.startsWith('shell.')) return 'shell.exec';
  if (canonical.startsWith('database.')) return 'db.query';
  if (READS.has(canonical)) return 'file.read';
  // What a file tool does besides reading is unknown, so it counts as writing.
  if (canonical.startsWith('filesystem.')) return 'file.write';
  if (canonical.startsWith('http.')) return 'net.egress';
  if (canonical.startsWith('secret.') || canonical.startsWith('credential.')) return 'secret.access';
  return undefined;
}

function canonicalOf(lower: string): string {
  const alias = ALIASES.get(lower);
  if (alias !== undefined) return alias;
  for (const [prefix, to] of PREFIXES) if (lower.startsWith(prefix)) return to + lower.slice(prefix.length);
  return lower;
}

function recognise(name: string): KnownTool | undefined {
  const tool = canonicalOf(name.toLowerCase());
  const kind = kindOf(tool);
  if (kind !== undefined) return { tool, kind };
  return ALIASES.has(name.toLowerCase()) ? { tool, kind: 'tool.call' } : undefined;
}

/** `mcp__server__tool` and `mcp.server.tool` without the prefix, or undefined for any other name. */
function withoutMcp(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower.startsWith('mcp.')) return name.slice(4);
  if (lower.startsWith('mcp__')) return name.slice(5).replaceAll('__', '.');
  return undefined;
}

/**
 * The canonical tool and kind behind a wire name. A tool that is reached through MCP and is known by its own name counts as itself:
 * `mcp__shell__run` runs a shell.
 */
export function knownTool(wireName: string): KnownTool {
  const name = wireName.trim();
  const builtIn = BUILT_IN.get(name);
  if (builtIn !== undefined) return builtIn;
  const direct = recognise(name);
  if (direct !== undefined) return direct;
  const inner = withoutMcp(name);
  if (inner === undefined || inner === '') return { tool: name, kind: 'tool.call' };
  const last = inner.slice(inner.lastIndexOf('.') + 1);
  return recognise(inner) ?? (last === '' ? undefined : recognise(last)) ?? { tool: inner, kind: 'mcp.call' };
}
