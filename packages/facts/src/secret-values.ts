/**
 * @module Secrets told by their name: `password = "..."`, `"api_key": "..."`, `export TOKEN=...`, and parameters whose key says so.
 */
import { decodedBase64 } from './secret-checks.ts';
import { classesOf, entropyOf, isPlaceholder } from './placeholders.ts';

/** Words that make what is assigned to them a secret, and the type they give. */
export const SECRET_NAMES: ReadonlyMap<string, string> = new Map([
  ['password', 'password'],
  ['passwd', 'password'],
  ['passphrase', 'password'],
  ['pwd', 'password'],
  ['pass', 'password'],
  ['api_key', 'generic_api_key'],
  ['apikey', 'generic_api_key'],
  ['api-key', 'generic_api_key'],
  ['api_token', 'generic_api_key'],
  ['access_key', 'generic_api_key'],
  ['accesskey', 'generic_api_key'],
  ['access-key', 'generic_api_key'],
  ['auth_key', 'generic_api_key'],
  ['secret', 'generic_secret'],
  ['token', 'generic_secret'],
  ['credential', 'generic_secret'],
  ['private_key', 'generic_secret'],
  ['privatekey', 'generic_secret'],
  ['secretkey', 'generic_secret'],
  ['signing_key', 'generic_secret'],
  ['client_key', 'generic_secret'],
  ['encryption_key', 'generic_secret'],
  ['bearer ', 'bearer_token'],
  ['basic ', 'basic_auth'],
]);

const CODE =
  /^[\w.$]+[([]|^[{[(<]|^(?:process\.env|os\.|env\.|self\.|this\.|config\.|settings\.|req\.|request\.|params\.|args\.|ctx\.|data\.|var\.|local\.|secrets?\.|vault\.|getenv|import |new |await |null$|none$|true$|false$|undefined$|nil$|string$|str$|bool$|int$)/i;
const DOTTED_NAME = /^[A-Za-z_$]+(?:(?:\.|->|::)[A-Za-z_$]+)+$/;
const PLAIN_WORD = /^[a-z]+$|^[A-Z][a-z]+$|^[A-Z_]+$|^[a-z]+(?:[_-][a-z]+)+$|^[a-z]+(?:[A-Z][a-z]+)+$/;
const LOCATION = /^(?:https?:\/\/|\/|\.\/|~\/|\$|@|arn:|s3:|gs:|file:|projects\/)/;

const VALUE_MIN = 8;
const ENTROPY_MIN = { password: 2.2, generic_api_key: 3, generic_secret: 3.2 } as const;

/** A quoted value that is fetched from somewhere else. */
const REFERENCE = /^(?:[{[]|process\.env|os\.environ|secrets?\.|vars?\.|\$|#\{)/;

function isMixed(value: string, entropy: number): boolean {
  return classesOf(value) >= 2 && entropyOf(value) >= entropy;
}

const SIGNS_MIN = 4;

/** As many different signs as no word or expression has say what a digit says. */
function hasDigitOrSigns(value: string): boolean {
  return /\d/.test(value) || new Set(value.replaceAll(/[\w\s-]/g, '')).size >= SIGNS_MIN;
}

/** True where `value`, assigned to a name of `type`, is likely to open something. */
export function isLikelySecret(type: string, value: string, quoted: boolean): boolean {
  if (value.length < VALUE_MIN || isPlaceholder(value) || isReference(value, quoted)) return false;
  const blanks = /\s/.test(value);
  if (type === 'password') return blanks ? classesOf(value) >= 4 : isMixed(value, ENTROPY_MIN.password);
  if (blanks || !hasDigitOrSigns(value)) return false;
  if (type === 'generic_api_key') return value.length >= 16 && entropyOf(value) >= ENTROPY_MIN.generic_api_key;
  return value.length >= 12 && isMixed(value, ENTROPY_MIN.generic_secret);
}

/** A word, a place or an expression: what it stands for may be secret, it is not. */
export function isReference(value: string, quoted: boolean): boolean {
  if (LOCATION.test(value) || PLAIN_WORD.test(value)) return true;
  return quoted ? REFERENCE.test(value) : CODE.test(value) || DOTTED_NAME.test(value);
}

/** Names of what is meant to be seen, of what stands for something else, and of what only tries something out. */
const HARMLESS_NAME =
  /public|publish|mock|fake|dummy|sample|example|stub|csrf|xsrf|nonce|next|page|cursor|sync|continuation|idempot|hash|checksum|digest|fingerprint|sha\d|md5|encrypted|sealed|tokenizer|max_?token|(?:^|[_.-])test(?:$|[_.-])|key_?id|keyid|name|path|file|url|label|ref/;
const ENCRYPTED = /^(?:ENC[([]|AQICAH|\$ANSIBLE_VAULT|vault:v\d|\$2[aby]\$|\$argon2|\$[156]\$|\{(?:SSHA|bcrypt|noop)\})/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const HASH = /^(?:sha\d{1,3}[-:=]|[0-9a-f]{64}$|[0-9a-f]{128}$)/;

/** So long, and so random, a value is no accident. */
const STRONG = { length: 18, entropy: 3.5, hexLength: 32, hexEntropy: 3, passwordLength: 10, passwordEntropy: 3 } as const;

/** A value with the name it is given to. */
export interface GivenValue {
  readonly type: string;
  /** The whole name, lower case. */
  readonly label: string;
  readonly value: string;
}

/** True for a likely secret that is random enough to be one for certain, given to a name that does not say otherwise. */
export function isStrongSecret({ type, label, value }: GivenValue): boolean {
  if (HARMLESS_NAME.test(label) || standsForSomethingElse(value)) return false;
  if (type === 'password' && value.length < STRONG.hexLength) {
    return value.length >= STRONG.passwordLength && isVaried(value) && entropyOf(value) >= STRONG.passwordEntropy;
  }
  if (isGenerated(value)) return true;
  if (/^[0-9a-f]+$/i.test(value)) return value.length >= STRONG.hexLength && entropyOf(value) >= STRONG.hexEntropy;
  return value.length >= STRONG.length && entropyOf(value) >= STRONG.entropy;
}

/** Encrypted, an id, a hash, or a placeholder in base64. */
function standsForSomethingElse(value: string): boolean {
  return ENCRYPTED.test(value) || UUID.test(value) || HASH.test(value) || isPlaceholder(decodedBase64(value));
}

const GENERATED = { length: 12, entropy: 3.2, signs: 2 } as const;

/** Both cases, digits, and two signs that names, paths and dates do not have. */
function isGenerated(value: string): boolean {
  if (value.length < GENERATED.length || !/[a-z]/.test(value) || !/[A-Z]/.test(value) || !/\d/.test(value)) return false;
  return new Set(value.replaceAll(/[\w\s.:/=+-]/g, '')).size >= GENERATED.signs && entropyOf(value) >= GENERATED.entropy;
}

/** Both cases, and digits or signs: what a generator makes and a word is not. */
function isVaried(value: string): boolean {
  return /[a-z]/.test(value) && /[A-Z]/.test(value) && hasDigitOrSigns(value);
}
