/**
 * @module What an operator may set from outside, read once at start. Nothing here comes from a project file.
 */
import { resolve } from 'node:path';
import { rangeOf } from '@countersign/gateway';
import { CodedError } from '@countersign/kernel';
import { BUILTIN_RULESETS } from '@countersign/policy';

type Env = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Print one JSON line when ready, and nothing else on standard output. */
  readonly json: boolean;
  /** Built-in ruleset that a new installation starts with. */
  readonly ruleset: string;
  readonly signing: 'batch' | 'each';
  /** Shared secret that agents without one of their own sign with, as Clampd's `JWT_SECRET`. */
  readonly sharedJwtSecret: string | undefined;
  /** Origins that calls may be forwarded to although their addresses are not public. */
  readonly trustedOrigins: readonly string[];
  /** Anybody may read the entries of the log at `/log`, without a credential. */
  readonly publicLog: boolean;
  /** A policy file that is watched: what it says is in force. Absolute. */
  readonly policyFile: string | undefined;
  /** Keys that may sign policies beside those of the user-level configuration, 64 hex digits each. */
  readonly policySigners: readonly string[];
  /** What policies may name secrets of; never shown. */
  readonly environment: Env;
  /** The hushd door, on a listener of its own; undefined: there is none. */
  readonly hushd: HushdSettings | undefined;
}

export interface HushdSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly rateLimit: { readonly perSecond: number; readonly burst: number };
  /** Addresses and ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Keys of an existing Clawdstrike installation, which its clients keep. */
  readonly apiKey: string | undefined;
  readonly adminKey: string | undefined;
}

const PORT_DEFAULT = 8080;
const SHARED_SECRET_CHARS_MIN = 32;
const TRUSTED_ORIGINS_MAX = 64;
const HUSHD_HOST = '127.0.0.1';
const HUSHD_PORT = 9876;
const HUSHD_RATE = { perSecond: 100, burst: 50 } as const;
const HUSHD_RATE_MAX = 1_000_000;
const HUSHD_KEY_CHARS_MIN = 16;
const PROXIES_MAX = 64;
const SIGNERS_MAX = 64;

function invalid(name: string, message: string): CodedError {
  return new CodedError({ code: 'settings_invalid', message: `${name} ${message}`, path: name });
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return PORT_DEFAULT;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw invalid('COUNTERSIGN_PORT', 'must be a number from 0 to 65535');
  return port;
}

function readRuleset(text: string | undefined): string {
  if (text === undefined || text === '') return 'learning';
  if (!BUILTIN_RULESETS.includes(text)) throw invalid('COUNTERSIGN_RULESET', `must be one of ${BUILTIN_RULESETS.join(', ')}`);
  return text;
}

function readSigning(text: string | undefined): 'batch' | 'each' {
  if (text === undefined || text === '' || text === 'batch') return 'batch';
  if (text === 'each') return 'each';
  throw invalid('COUNTERSIGN_SIGNING', 'must be `batch` or `each`');
}

function readPublicLog(text: string | undefined): boolean {
  if (text === undefined || text === '' || text === '0') return false;
  if (text === '1') return true;
  throw invalid('COUNTERSIGN_PUBLIC_LOG', 'must be `1`, or `0` or not set');
}

function readPolicyFile(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : resolve(text);
}

function readPolicySigners(text: string | undefined): readonly string[] {
  const keys = text === undefined || text.trim() === '' ? [] : text.split(',').map((key) => key.trim());
  if (keys.length > SIGNERS_MAX || keys.some((key) => !/^[0-9a-f]{64}$/.test(key)))
    throw invalid(
      'COUNTERSIGN_POLICY_SIGNERS',
      `must be at most ${SIGNERS_MAX} public keys of 64 lower-case hex digits, separated by commas`,
    );
  return keys;
}

function readSharedSecret(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length < SHARED_SECRET_CHARS_MIN || text.startsWith('change-me'))
    throw invalid('JWT_SECRET', `must have at least ${SHARED_SECRET_CHARS_MIN} characters and be your own`);
  return text;
}

function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isOrigin) throw invalid('COUNTERSIGN_TRUSTED_ORIGINS', 'must be origins such as `http://tools.internal:8080`, separated by commas');
  return url.origin;
}

function readOrigins(text: string | undefined): readonly string[] {
  if (text === undefined || text.trim() === '') return [];
  const origins = text.split(',', TRUSTED_ORIGINS_MAX + 1);
  if (origins.length > TRUSTED_ORIGINS_MAX) throw invalid('COUNTERSIGN_TRUSTED_ORIGINS', `must be at most ${TRUSTED_ORIGINS_MAX} origins`);
  return origins.map((origin) => readOrigin(origin.trim()));
}

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})$/;

function readListener(text: string): Pick<HushdSettings, 'host' | 'port'> {
  if (text === '1') return { host: HUSHD_HOST, port: HUSHD_PORT };
  const found = HOST_AND_PORT.exec(text);
  const port = Number(found?.[2] ?? -1);
  if (found === null || port < 0 || port > 65_535)
    throw invalid('COUNTERSIGN_HUSHD', `must be \`host:port\`, or \`1\` for ${HUSHD_HOST}:${HUSHD_PORT}, or \`0\` or not set`);
  return { host: (found[1] ?? '').replaceAll(/^\[|\]$/g, ''), port };
}

function readRate(text: string | undefined): HushdSettings['rateLimit'] {
  if (text === undefined || text === '') return HUSHD_RATE;
  const [perSecond = 0, burst = 0] = /^[1-9][0-9]{0,6}\/[1-9][0-9]{0,6}$/.test(text) ? text.split('/').map(Number) : [];
  if (perSecond < 1 || perSecond > HUSHD_RATE_MAX || burst > HUSHD_RATE_MAX)
    throw invalid('COUNTERSIGN_HUSHD_RATE', `must be requests a second and at once, such as \`100/50\`, each up to ${HUSHD_RATE_MAX}`);
  return { perSecond, burst };
}

function readProxies(text: string | undefined): readonly string[] {
  const proxies = text === undefined || text.trim() === '' ? [] : text.split(',').map((one) => one.trim());
  if (proxies.length > PROXIES_MAX || proxies.some((one) => rangeOf(one) === undefined))
    throw invalid(
      'COUNTERSIGN_HUSHD_PROXIES',
      `must be at most ${PROXIES_MAX} addresses or ranges such as \`10.0.0.0/8\`, separated by commas`,
    );
  return proxies;
}

function readHushdKey(env: Env, name: string): string | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < HUSHD_KEY_CHARS_MIN || text.length > 512)
    throw invalid(name, `must have ${HUSHD_KEY_CHARS_MIN} to 512 printable characters`);
  return text;
}

function readHushd(env: Env): HushdSettings | undefined {
  const text = env['COUNTERSIGN_HUSHD'];
  if (text === undefined || text === '' || text === '0') return undefined;
  return {
    ...readListener(text),
    rateLimit: readRate(env['COUNTERSIGN_HUSHD_RATE']),
    trustedProxies: readProxies(env['COUNTERSIGN_HUSHD_PROXIES']),
    apiKey: readHushdKey(env, 'CLAWDSTRIKE_API_KEY'),
    adminKey: readHushdKey(env, 'CLAWDSTRIKE_ADMIN_KEY'),
  };
}

/**
 * Reads the settings of `npm start`.
 * @throws {CodedError} `settings_invalid`, naming the variable.
 */
export function readSettings(env: Env, args: readonly string[]): Settings {
  for (const arg of args) if (arg !== '--json') throw invalid(arg, 'is not an option of the server; it knows `--json`');
  return {
    port: readPort(env['COUNTERSIGN_PORT']),
    host: env['COUNTERSIGN_HOST'] ?? '127.0.0.1',
    dataDir: resolve(env['COUNTERSIGN_DATA'] ?? '.countersign'),
    json: args.includes('--json'),
    ruleset: readRuleset(env['COUNTERSIGN_RULESET']),
    signing: readSigning(env['COUNTERSIGN_SIGNING']),
    sharedJwtSecret: readSharedSecret(env['JWT_SECRET']),
    trustedOrigins: readOrigins(env['COUNTERSIGN_TRUSTED_ORIGINS']),
    publicLog: readPublicLog(env['COUNTERSIGN_PUBLIC_LOG']),
    policyFile: readPolicyFile(env['COUNTERSIGN_POLICY']),
    policySigners: readPolicySigners(env['COUNTERSIGN_POLICY_SIGNERS']),
    environment: env,
    hushd: readHushd(env),
  };
}
