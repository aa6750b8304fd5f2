/**
 * @module Whom the operator lets sign policies: public keys by name, from the user-level configuration (and from what a composition root was
 * given), never from a request, a project file or a bundle. Without any no bundle is believed.
 */
import { CodedError, isJsonObject } from '@countersign/kernel';
import { RUNTIME_LIMITS } from './limits.ts';
import { readUserConfig, replaceUserConfig, type UserConfig, userConfigPath } from './user-config.ts';

/** Ed25519 public keys, 64 lower-case hex digits each, by name. */
export type PolicySigners = Readonly<Record<string, string>>;

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const KEY = /^[0-9a-f]{64}$/;

/** The file of the user-level configuration. `home` is the user's home directory; no variable of the environment moves it. */
export function policySignersPath(home?: string): string {
  return userConfigPath('policy-signers.json', home);
}

function invalid(message: string): CodedError {
  return new CodedError({ code: 'policy_signers_invalid', message, hint: 'write them with `countersign policy signer pin NAME KEY`' });
}

function checkSigners(value: unknown): PolicySigners {
  if (!isJsonObject(value)) throw invalid('policy signers are a map of names to public keys');
  const entries = Object.entries(value);
  if (entries.length > RUNTIME_LIMITS.policySignersMax)
    throw invalid(`at most ${RUNTIME_LIMITS.policySignersMax} keys are pinned at a time`);
  for (const [name, key] of entries) {
    if (!NAME.test(name)) throw invalid('a policy signer is named by lower-case letters, digits and `-`');
    if (typeof key !== 'string' || !KEY.test(key)) throw invalid(`the key of \`${name}\` is not 64 lower-case hex digits`);
  }
  return value as PolicySigners;
}

const CONFIG: UserConfig = {
  bytesMax: RUNTIME_LIMITS.policySignersBytesMax,
  unreadable: { code: 'policy_signers_unreadable', message: 'the policy signers of the user-level configuration cannot be read' },
  invalid,
};

/**
 * Reads who may sign; nobody where there is no file.
 * @throws {CodedError} `policy_signers_invalid`, `policy_signers_unreadable`.
 */
export function readPolicySigners(path: string = policySignersPath()): PolicySigners {
  const found = readUserConfig(path, CONFIG);
  return found === undefined ? {} : checkSigners(found);
}

/** Replaces who may sign, atomically. @throws {CodedError} `policy_signers_invalid`. */
export function writePolicySigners(signers: PolicySigners, path: string = policySignersPath()): void {
  replaceUserConfig(path, checkSigners(signers));
}
