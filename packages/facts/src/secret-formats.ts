/**
 * @module Formats of provider tokens: a fixed prefix, an alphabet and a length, and what a token must prove beyond that. The rows are data.
 */
import { decodedBase64, hasGithubChecksum } from './secret-checks.ts';
import { SECRET_FORMAT_ROWS } from './secret-format-rows.ts';

/** Alphabets, as bits of `ALPHABET`. */
const DIGIT = 1;
const LOWER_HEX = 2;
const LOWER = 4;
const UPPER = 8;
const UNDERSCORE = 16;
const DASH = 32;
const DOT = 64;
const BASE64 = 128;
const EQUALS = 256;
const COLON = 512;
const SLASH = 1024;
const TILDE = 2048;

const ALPHABETS = {
  hex: DIGIT | LOWER_HEX,
  lower: DIGIT | LOWER_HEX | LOWER,
  upper: DIGIT | UPPER,
  alnum: DIGIT | LOWER_HEX | LOWER | UPPER,
  word: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE,
  url: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH,
  dashed: DIGIT | LOWER_HEX | LOWER | UPPER | DASH,
  dotted: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT,
  base64: DIGIT | LOWER_HEX | LOWER | UPPER | BASE64 | SLASH | EQUALS,
  path: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT | SLASH,
  hexdash: DIGIT | LOWER_HEX | DASH,
  hexcolon: DIGIT | LOWER_HEX | COLON,
  tilde: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT | TILDE,
  any: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT | BASE64 | SLASH | EQUALS | COLON,
} as const;

type Alphabet = keyof typeof ALPHABETS;

/** Bits of each ASCII character. */
export const ALPHABET: Uint16Array = buildAlphabet();

function buildAlphabet(): Uint16Array {
  const table = new Uint16Array(128);
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = DIGIT;
  for (let code = 0x41; code <= 0x5a; code += 1) table[code] = UPPER;
  for (let code = 0x61; code <= 0x7a; code += 1) table[code] = code <= 0x66 ? LOWER_HEX : LOWER;
  const signs: readonly (readonly [string, number])[] = [
    ['_', UNDERSCORE],
    ['-', DASH],
    ['.', DOT],
    ['+', BASE64],
    ['/', SLASH],
    ['=', EQUALS],
    [':', COLON],
    ['~', TILDE],
  ];
  for (const [sign, bit] of signs) table[sign.charCodeAt(0)] = bit;
  return table;
}

/** One format, compiled. */
export interface SecretFormat {
  readonly type: string;
  readonly prefix: string;
  /** Bits of the characters that may follow. */
  readonly alphabet: number;
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** What the characters after the prefix must look like, where alphabet and length do not say it. Applied to a bounded, whole run only. */
  readonly shape?: RegExp;
  /** What must stand right before the prefix and belongs to the token. */
  readonly lead?: Lead;
  /** Says whether the token proves itself; one that should and does not is no certain secret. */
  readonly proof?: (body: string) => boolean;
  /** A short prefix that also ends other words: it must not follow a dot, dash or slash. */
  readonly alone: boolean;
  /** A key for trying things out: known, and harmless. */
  readonly test: boolean;
}

/** A run of characters before a prefix. */
interface Lead {
  readonly alphabet: number;
  readonly lengthMin: number;
  readonly lengthMax: number;
}

/** Shapes by type, for formats whose parts are set apart; they read one bounded run. */
const SHAPES: ReadonlyMap<string, RegExp> = new Map([
  ['aws_access_key', /^[A-Z2-7]{16}$/],
  ['sendgrid_key', /^[\w-]{16,24}\.[\w-]{40,46}$/],
  ['slack_webhook', /^[A-Za-z0-9]{6,14}\/[A-Za-z0-9]{6,14}\/[A-Za-z0-9/]{16,60}$/],
  ['discord_webhook', /^\d{15,22}\/[\w-]{40,90}$/],
  ['dynatrace_token', /^[A-Z0-9]{24}\.[A-Z0-9]{64}$/],
  ['postman_key', /^[0-9a-f]{24}-[0-9a-f]{34}$/],
  ['newrelic_key', /^[A-Za-z0-9]{19,50}$/],
  ['launchdarkly_key', /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/],
  ['octopus_key', /^(?=.{0,34}[G-Z])[A-Z0-9]{25,34}$/],
  ['airtable_token', /^[A-Za-z0-9]{14}\.[0-9a-f]{64}$/],
  ['aws_bedrock_key', /\d/],
  ['onepassword_key', /^[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}$/],
  ['infisical_token', /^[0-9a-f]{8,64}\.[0-9a-f]{16,64}\.[0-9a-f]{16,64}$/],
  ['harness_token', /^[\w-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}$/],
  ['snyk_token', /^[0-9a-f]{8}\.[\w-]{20,60}\.[\w.-]{20,60}$/],
  ['clickup_token', /^\d{4,10}_[A-Z0-9]{32}$/],
  ['tines_webhook', /^[0-9a-f]{32}\/[0-9a-f]{32}$/],
  ['zapier_webhook', /^\d{4,10}\/[a-z0-9]{5,12}\/?$/],
  ['resend_key', /^[A-Za-z0-9]{8}_[A-Za-z0-9]{20,28}$/],
  ['telnyx_key', /^1[0-9A-F]{31,34}_[A-Za-z0-9]{20,24}$/],
  ['defined_networking_key', /^[a-z0-9=_-]{26}-[a-z0-9=_-]{40,52}$/i],
  ['sidekiq_credentials', /^[0-9a-f]{8}:[0-9a-f]{8}$/],
  ['vercel_blob_token', /^[A-Za-z0-9]{12,20}_[A-Za-z0-9]{24,40}$/],
  ['fireworks_key', /^(?=.{0,24}\d)(?=.{0,24}[A-Z])/],
  ['posthog_key', /\d/],
  ['cockroach_key', /^[A-Za-z0-9]{22}_[A-Za-z0-9]{40}$/],
  ['modal_token', /^(?=.{0,22}\d)(?=.{0,22}[A-Z])(?=.{0,22}[a-z])/],
  ['zuplo_key', /\d/],
  ['litellm_key', /^(?=.{0,22}\d)(?=.{0,22}[A-Z])(?=.{0,22}[a-z])/],
  ['facebook_token', /^(?=.{0,300}[a-z])(?=.{0,300}[A-Z])/],
  ['asana_token', /^\d{10,20}:[0-9a-f]{32}$/],
  ['slack_token', /\d/],
  ['gitlab_token', /[\dA-Z]/],
  ['maxmind_key', /^$|[\dA-Z]/],
  ['azure_client_secret', /[\dA-Z]/],
]);

/** Types whose tokens have a first part before the prefix. */
const LEADS: ReadonlyMap<string, Lead> = new Map([
  ['telegram_token', { alphabet: DIGIT, lengthMin: 8, lengthMax: 10 }],
  ['terraform_token', { alphabet: ALPHABETS.alnum, lengthMin: 14, lengthMax: 14 }],
  ['azure_client_secret', { alphabet: ALPHABETS.tilde, lengthMin: 3, lengthMax: 3 }],
  ['tines_webhook', { alphabet: ALPHABETS.dashed, lengthMin: 3, lengthMax: 64 }],
]);

const GITHUB_BODY = 36;

/** Types whose tokens prove themselves. */
const PROOFS: ReadonlyMap<string, (body: string) => boolean> = new Map([
  ['github_token', (body: string) => body.length !== GITHUB_BODY || hasGithubChecksum(body)],
  ['sentry_token', (body: string) => !body.startsWith('eyJ') || decodedBase64(body.slice(0, 64)).startsWith('{"iat":')],
  [
    'onepassword_token',
    (body: string) =>
      /^\{"(?:signInAddress|email|userAuth|muk|secretKey|srpX|throttleSecret|deviceUuid)"/.test(decodedBase64(`eyJ${body.slice(0, 61)}`)),
  ],
  ['mapbox_token', (body: string) => /^\{"[ua]"/.test(decodedBase64(`eyJ${body.slice(0, 21)}`))],
  ['intercom_token', (body: string) => decodedBase64(`dG9rO${body.slice(0, 7)}`).startsWith('tok:')],
]);

/** Types whose prefix is the end of other words too. */
const ALONE: ReadonlySet<string> = new Set(
  'infracost_key modal_token exoscale_key mailgun_key firecrawl_key lob_key voyage_key onepassword_key octopus_key'.split(' '),
);

const TEST_PREFIX = /(?:^|[-_$])(?:test|sandbox|sbox|sdbx|development)(?:$|[-_])/i;

function compileRow(row: string): SecretFormat[] {
  const [type = '', alphabet = 'url', length = '1-1', ...prefixes] = row.split(' ');
  const [shortest = '1', longest = '1'] = length.split('-');
  const lengthMin = Number.parseInt(shortest, 10);
  const lengthMax = Number.parseInt(longest, 10);
  const bits = ALPHABETS[alphabet as Alphabet];
  const shape = SHAPES.get(type);
  const lead = LEADS.get(type);
  const proof = PROOFS.get(type);
  return prefixes.map((prefix) =>
    Object.assign(
      { type, prefix, alphabet: bits, lengthMin, lengthMax, alone: ALONE.has(type), test: TEST_PREFIX.test(prefix) },
      shape === undefined ? undefined : { shape },
      lead === undefined ? undefined : { lead },
      proof === undefined ? undefined : { proof },
    ),
  );
}

/** All formats, most specific prefix first among those that share one. */
export const SECRET_FORMATS: readonly SecretFormat[] = SECRET_FORMAT_ROWS.flatMap(compileRow);
