/** Overlays for properties of merging: values that tighten, that widen, and that do neither. */
import type { JsonValue } from '@countersign/kernel';
import * as fc from 'fast-check';

/** Tools that overlays name, and actions call. */
export const TOOLS = ['read_file', 'list_files', 'write_file', 'git_push', 'deploy', 'shell_exec', 'mcp__s__read_file'];

/** Overlays near the edge: values that tighten, that widen, and that do neither. */
export function overlays(): fc.Arbitrary<Readonly<Record<string, JsonValue>>> {
  const some = (items: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...items]);
  const block = (fields: Record<string, fc.Arbitrary<JsonValue>>): fc.Arbitrary<JsonValue> => fc.record(fields);
  const on = fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
  const paths = some(['/srv/**', '/srv/out/**', '/srv/out/x', '/srv/test/**', '/data/a.txt', '/etc/hosts', '**/test/**', '/**', '**']);
  const hosts = some(['*.openai.com', 'api.openai.com', '*.eu.openai.com', 'github.com', '*.example', 'bad.example', '*', 'other.example']);
  const tools = some(TOOLS);
  const secrets = fc.subarray<JsonValue>([
    { name: 'ticket', pattern: 'TCK-[0-9]{6}', severity: 'critical' },
    { name: 'ticket2', pattern: 'TCK-[0-9]{6}', severity: 'info' },
    { name: 'own', pattern: 'id TCK', severity: 'critical' },
  ]);
  const guards = block({
    forbidden_path: block({
      enabled: on,
      additional_patterns: paths,
      remove_patterns: some(['**/.env', '/srv/**', '**/.ssh/**']),
      exceptions: paths,
    }),
    path_allowlist: block({ enabled: on, file_access_allow: paths, file_write_allow: paths, patch_allow: paths }),
    egress_allowlist: block({
      enabled: on,
      allow: hosts,
      block: hosts,
      additional_allow: hosts,
      remove_allow: hosts,
      additional_block: hosts,
      remove_block: hosts,
      default_action: fc.constantFrom('allow', 'log', 'block'),
    }),
    secret_leak: block({
      enabled: on,
      severity_threshold: fc.constantFrom('info', 'warning', 'error', 'critical'),
      additional_patterns: secrets,
      remove_patterns: some(['ticket', 'jwt', 'github_token', 'own']),
      skip_paths: paths,
    }),
    patch_integrity: block({
      enabled: on,
      max_additions: fc.constantFrom(0, 1, 2, 5000),
      max_deletions: fc.constantFrom(0, 1, 500),
      require_balance: fc.boolean(),
      max_imbalance_ratio: fc.constantFrom(1, 2, 30),
      forbidden_patterns: some(['^y$', '^z$', 'eval']),
    }),
    shell_command: block({
      enabled: on,
      forbidden_patterns: some(['^sudo', '^su', '^ls', '^cat']),
      enforce_forbidden_paths: fc.boolean(),
      unparsed: fc.constantFrom('block', 'warn'),
    }),
    mcp_tool: block({
      enabled: on,
      allow: tools,
      block: tools,
      require_confirmation: tools,
      additional_allow: tools,
      remove_allow: tools,
      additional_block: tools,
      remove_block: tools,
      default_action: fc.constantFrom('allow', 'block'),
      confirmation: fc.constantFrom('block', 'warn'),
      max_args_size: fc.constantFrom(1, 28, 1000),
    }),
  });
  const threshold = fc.record({
    tool: fc.constantFrom('db.*', '*', 'db.x', 'read*'),
    flag: fc.constantFrom(1, 100, 300),
    block: fc.constantFrom(300, 600, 900),
  });
  const settings = block({
    fail_fast: fc.boolean(),
    tool_thresholds: fc.uniqueArray(threshold, { selector: (entry) => entry.tool, maxLength: 4 }),
    thresholds: block({ flag: fc.constantFrom(1, 200, 300), block: fc.constantFrom(300, 700, 800) }),
  });
  const strategy = fc.oneof({ weight: 8, arbitrary: fc.constant('deep_merge') }, fc.constantFrom('merge', 'replace'));
  return fc.record({ guards, settings, merge_strategy: strategy });
}
