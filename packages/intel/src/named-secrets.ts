/**
 * @module Values that a policy names and does not hold: `${NAME}` and `${secrets.NAME}`. They are looked up when the policy is put in force
 * and stand in no document, receipt or log.
 */
import { err, type Fault, ok, type Result } from '@countersign/kernel';

/** What the operator gave the process, by name; undefined where there is none. */
export type SecretSource = (name: string) => string | undefined;

const NAMED = /^\$\{(?:secrets\.)?([A-Za-z_][A-Za-z0-9_]{0,127})\}$/;

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
