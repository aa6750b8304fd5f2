/**
 * @module Values that a policy names and does not hold: `${NAME}` and `${secrets.NAME}`. They are looked up when the policy is put in force
 * and stand in no document, receipt or log.
 */
import { err, type Fault, ok, type Result } from '@countersign/kernel';

/** What the operator gave the process, by name; undefined where there is none. */
export type SecretSource = (name: string) => string | undefined;

const NAMED = /^\$\{(?:secrets\.)?([A-Za-z_][A-Za-z0-9_]{0,127})\}$/;

/** The variable that lists further names, separated by commas. */
const LISTED = 'COUNTERSIGN_SECRETS';

/** The text with its name filled in; a text that is no name stays as it is. */
export function namedValue(text: string, secrets: SecretSource, path: string): Result<string, Fault> {
  const name = NAMED.exec(text)?.[1];
  if (name === undefined) return ok(text);
  const value = secrets(name);
  if (value !== undefined && value !== '') return ok(value);
  return err({
    code: 'policy_secret_missing',
    message: `nothing is set for \`${name}\``,
    path,
    hint: `start the process with ${name} set`,
  });
}

/** Names that policies may use without being listed: what the documents of Clawdstrike call their keys, and ours. */
const KNOWN = /^(?:SPIDER_SENSE_|COUNTERSIGN_SECRET_|VT_|VIRUSTOTAL_|GSB_|SAFE_BROWSING_|SNYK_)[A-Z0-9_]+$/;

/**
 * The environment of a process as a source of secrets: only names that are made for it or that the operator listed. Otherwise whoever may write a
 * policy could have any variable sent to a server of his own.
 */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): SecretSource {
  const listed = new Set((env[LISTED] ?? '').split(',').map((name) => name.trim()));
  return (name) => (KNOWN.test(name) || listed.has(name) ? env[name] : undefined);
}
