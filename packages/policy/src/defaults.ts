/**
 * @module What a guard does where the policy says nothing. The names and limits are those of Clawdstrike 0.2.7; the lists are
 * longer where its own were found wanting (`spec/policy.md`, section "Differences").
 */
import type { Detection, GuardConfigs, GuardName, PolicySettings, ResolvedPolicy, SecretPattern, WrittenSecretPattern } from './content.ts';
import { COMPUTER_USE_BLOCKS, COMPUTER_USE_DEFAULTS } from './guards/computer-use-config.ts';
import { SPIDER_BLOCK, SPIDER_DEFAULTS } from './guards/spider-sense-config.ts';
import { TEXT_GUARD_DEFAULTS } from './guards/text-guards-config.ts';

/** Paths no agent needs unless a policy says so. */
export const DEFAULT_FORBIDDEN_PATHS: readonly string[] = [
  '**/.ssh/**',
  '**/id_rsa*',
  '**/id_ed25519*',
  '**/id_ecdsa*',
  '**/id_dsa*',
  '**/.aws/**',
  '**/.azure/**',
  '**/.config/gcloud/**',
  '**/application_default_credentials.json',
  '**/.env',
  '**/.env.*',
  '**/.git-credentials',
  '**/.gitconfig',
  '**/.gnupg/**',
  '**/.kube/**',
  '**/.docker/**',
  '**/.npmrc',
  '**/.pypirc',
  '**/.netrc',
  '**/_netrc',
  '**/.vault-token',
  '**/.pgpass',
  '**/.my.cnf',
  '**/.password-store/**',
  '**/pass/**',
  '**/.1password/**',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/passwd',
  '/etc/passwd-',
  '/etc/sudoers',
  '/etc/sudoers.d/**',
  '/etc/security/opasswd',
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/proc/*/environ',
  '/proc/*/mem',
  '/proc/kcore',
  '**/AppData/Roaming/Microsoft/Credentials/**',
  '**/AppData/Local/Microsoft/Credentials/**',
  '**/AppData/Roaming/Microsoft/Vault/**',
  '**/NTUSER.DAT',
  '**/NTUSER.DAT.*',
  '**/Windows/System32/config/SAM',
  '**/Windows/System32/config/SECURITY',
  '**/Windows/System32/config/SYSTEM',
  '**/*.reg',
  '**/AppData/Roaming/Microsoft/SystemCertificates/**',
  '**/WindowsPowerShell/profile.ps1',
  '**/PowerShell/profile.ps1',
];

/** Fills in a secret pattern as it was written. */
export function fullPattern(written: WrittenSecretPattern): SecretPattern {
  return {
    name: written.name,
    pattern: written.pattern,
    severity: written.severity ?? 'critical',
    ...(written.description !== undefined && { description: written.description }),
    luhn_check: written.luhn_check ?? false,
    masking: { first: written.masking?.first ?? 4, last: written.masking?.last ?? 4 },
  };
}

const SECRETS: readonly (readonly [name: string, pattern: string])[] = [
  ['aws_access_key', '\\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}'],
  ['aws_secret_key', '(?i)aws[_\\-]?secret[_\\-]?access[_\\-]?key[\'"]?\\s*[:=]\\s*[\'"]?[A-Za-z0-9/+=]{40}'],
  ['github_token', 'gh[opsur]_[A-Za-z0-9]{36}'],
  ['github_pat', 'github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'],
  ['openai_key', '\\bsk-[A-Za-z0-9]{48}'],
  ['openai_project_key', '\\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_\\-]{48,}'],
  ['anthropic_key', '\\bsk-ant-[A-Za-z0-9_\\-]{80,}'],
  ['anthropic_api03_key', '\\bsk-ant-api03-[A-Za-z0-9_\\-]{93}'],
  ['private_key', '-----BEGIN\\s+(?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED|PGP)\\s+)?PRIVATE\\s+KEY(?:\\s+BLOCK)?-----'],
  ['npm_token', '\\bnpm_[A-Za-z0-9]{36}'],
  ['slack_token', 'xox[baprse]-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*'],
  ['stripe_secret_key', '\\bsk_live_[A-Za-z0-9]{24,}'],
  ['stripe_restricted_key', '\\brk_live_[A-Za-z0-9]{24,}'],
  ['gcp_service_account', '"type"\\s*:\\s*"service_account"'],
  [
    'azure_key_vault_token',
    '(?i)azure[_\\-]?(?:key[_\\-]?vault|kv)[_\\-]?(?:secret|token|key)[\'"]?\\s*[:=]\\s*[\'"]?[A-Za-z0-9_\\-]{32,}',
  ],
  ['gitlab_pat', '\\bglpat-[A-Za-z0-9_\\-]{20,}'],
  ['docker_auth', '(?i)docker[_\\-]?(?:password|token|auth)[\'"]?\\s*[:=]\\s*[\'"]?[A-Za-z0-9_.\\-]{12,}'],
  ['jwt', '\\beyJ[A-Za-z0-9_\\-]{10,}\\.eyJ[A-Za-z0-9_\\-]{10,}\\.[A-Za-z0-9_\\-]{16,}'],
];
const WEAK_SECRETS: readonly (readonly [name: string, pattern: string])[] = [
  ['generic_api_key', '(?i)(?:api[_\\-]?key|apikey)[\'"]?\\s*[:=]\\s*[\'"]?[A-Za-z0-9]{32,}'],
  ['generic_secret', '(?i)(?:secret|password|passwd|pwd)[\'"]?\\s*[:=]\\s*[\'"]?[A-Za-z0-9!@#$%^&*]{8,}'],
];

/** Expressions for secrets; the fact scanner knows more types than these. */
export const DEFAULT_SECRET_PATTERNS: readonly SecretPattern[] = [
  ...SECRETS.map(([name, pattern]) => fullPattern({ name, pattern })),
  ...WEAK_SECRETS.map(([name, pattern]) => fullPattern({ name, pattern, severity: 'warning' })),
];

/** Where invented secrets are at home. */
export const DEFAULT_SKIP_PATHS: readonly string[] = ['**/test/**', '**/tests/**', '**/*_test.*', '**/*.test.*'];

const DEFAULT_PATCH_PATTERNS: readonly string[] = [
  '(?i)disable[ _\\-]?(security|auth|ssl|tls)',
  '(?i)skip[ _\\-]?(verify|validation|check)',
  '(?i)rm\\s+-rf\\s+/',
  '(?i)chmod\\s+777',
  '(?i)eval\\s*\\(',
  '(?i)exec\\s*\\(',
  '(?i)reverse[_\\-]?shell',
  '(?i)bind[_\\-]?shell',
  'base64[_\\-]?decode.*exec',
];

/** Guards that no document mentions. */
export const GUARD_DEFAULTS: GuardConfigs = {
  forbidden_path: { enabled: true, patterns: DEFAULT_FORBIDDEN_PATHS, exceptions: [] },
  path_allowlist: { enabled: false, file_access_allow: [], file_write_allow: [], patch_allow: [] },
  egress_allowlist: {
    enabled: true,
    allow: ['*.openai.com', '*.anthropic.com', 'api.github.com', '@package-registries'],
    block: [],
    default_action: 'block',
  },
  secret_leak: {
    enabled: true,
    redact: true,
    severity_threshold: 'error',
    patterns: DEFAULT_SECRET_PATTERNS,
    removed: [],
    skip_paths: DEFAULT_SKIP_PATHS,
  },
  patch_integrity: {
    enabled: true,
    max_additions: 1000,
    max_deletions: 500,
    forbidden_patterns: DEFAULT_PATCH_PATTERNS,
    require_balance: false,
    max_imbalance_ratio: 10,
  },
  shell_command: { enabled: true, forbidden_patterns: [], enforce_forbidden_paths: true, unparsed: 'block' },
  mcp_tool: {
    enabled: true,
    allow: [],
    block: ['shell_exec', 'run_command', 'raw_file_write', 'raw_file_delete'],
    require_confirmation: ['file_write', 'file_delete', 'git_push'],
    default_action: 'allow',
    max_args_size: 1_048_576,
    confirmation: 'block',
  },
  ...TEXT_GUARD_DEFAULTS,
  ...COMPUTER_USE_DEFAULTS,
  ...SPIDER_DEFAULTS,
};

/** What a block that is there begins with, where it is not merged onto a base. */
export const BLOCK_DEFAULTS: GuardConfigs = {
  ...GUARD_DEFAULTS,
  path_allowlist: { ...GUARD_DEFAULTS.path_allowlist, enabled: true },
  egress_allowlist: { ...GUARD_DEFAULTS.egress_allowlist, allow: [] },
  secret_leak: { ...GUARD_DEFAULTS.secret_leak, skip_paths: [] },
  ...COMPUTER_USE_BLOCKS,
  ...SPIDER_BLOCK,
};

export const SETTINGS_DEFAULTS: PolicySettings = {
  fail_fast: false,
  verbose_logging: false,
  session_timeout_secs: 3600,
  thresholds: { flag: 300, block: 700 },
  tool_thresholds: [],
  unregistered_tools: 'refuse',
};

export const DETECTION_DEFAULTS: Detection = { paranoia_level: 1, disable: [], scores: {} };

/** The format version of a document that names none. */
export const VERSION_DEFAULT = '1.5.0';

/** Host sets that exist on every machine, empty until the operator fills them in. */
export const BUILTIN_HOST_SETS: readonly string[] = ['package-registries'];

/** Whether a guard of a resolved policy is on; one that is absent is what its defaults say. */
export function isGuardOn(policy: ResolvedPolicy, name: GuardName): boolean {
  return (policy.guards[name] ?? GUARD_DEFAULTS[name]).enabled;
}
