/**
 * @module Whom the operator lets sign policies: public keys by name, from the user-level configuration (and from what a composition root was
 * given), never from a request, a project file or a bundle. Without any no bundle is believed.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, CodedError, isJsonObject, parseJson } from '@countersign/kernel';
import { RUNTIME_LIMITS } from './limits.ts';

/** Ed25519 public keys, 64 lower-case hex digits each, by name. */
export type PolicySigners = Readonly<Record<string, string>>;

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const KEY = /^[0-9a-f]{64}$/;

/** The file of the user-level configuration. `home` is the user's home directory; no variable of the environment moves it. */
export function policySignersPath(home: string = userInfo().homedir): string {
  return join(home, '.config', 'countersign', 'policy-signers.json');
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

/**
 * Reads who may sign; nobody where there is no file.
 * @throws {CodedError} `policy_signers_invalid`, `policy_signers_unreadable`.
 */
export function readPolicySigners(path: string = policySignersPath()): PolicySigners {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw new CodedError(
      { code: 'policy_signers_unreadable', message: 'the policy signers of the user-level configuration cannot be read' },
      { cause: error },
    );
  }
  const parsed = parseJson(bytes, { bytesMax: RUNTIME_LIMITS.policySignersBytesMax });
  if (!parsed.ok) throw invalid(parsed.error.message);
  return checkSigners(parsed.value.value);
}

/** Replaces who may sign, atomically. @throws {CodedError} `policy_signers_invalid`. */
export function writePolicySigners(signers: PolicySigners, path: string = policySignersPath()): void {
  const text = JSON.stringify(checkSigners(signers), null, 2);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, `${text}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
