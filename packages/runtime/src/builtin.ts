/**
 * @module The rule packs and rulesets that ship with Countersign, read from their packages. Data with a schema, not code.
 */
import { readdir, readFile } from 'node:fs/promises';
import { CodedError, err, type Fault, ok, type Result } from '@countersign/kernel';
import { BUILTIN_RULESETS, parsePolicy, type PolicyDocument } from '@countersign/policy';
import { parseRules, type RuleDocument } from '@countersign/rules';

const PACKS = new URL('../../rules/packs/', import.meta.url);
const RULESETS = new URL('../../policy/rulesets/', import.meta.url);

async function readText(url: URL): Promise<string> {
  try {
    return await readFile(url, 'utf8');
  } catch (error) {
    throw new CodedError(
      {
        code: 'builtin_missing',
        message: `the built-in document ${url.pathname.split('/').at(-1) ?? ''} cannot be read`,
        hint: 'reinstall Countersign',
      },
      { cause: error },
    );
  }
}

/** Every built-in rule pack, with its examples. @throws {CodedError} `builtin_missing` when the files are not there. */
export async function readBuiltinPacks(): Promise<Result<readonly RuleDocument[], readonly Fault[]>> {
  const names = (await readdir(PACKS)).filter((name) => name.endsWith('.yaml')).toSorted();
  const documents: RuleDocument[] = [];
  for (const name of names) {
    const parsed = parseRules(await readText(new URL(name, PACKS)), name);
    if (!parsed.ok) return parsed;
    documents.push(parsed.value);
  }
  return ok(documents);
}

/** Texts of known attacks for `policy patterns build`: a JSON list of `{id, category, stage, label, text}`. */
export async function readPatternTexts(): Promise<Uint8Array> {
  return readFile(new URL('../../policy/patterns/known-attacks.json', import.meta.url));
}

/** YAML of one built-in ruleset. */
export async function readRuleset(name: string): Promise<Result<string, readonly Fault[]>> {
  if (!BUILTIN_RULESETS.includes(name)) {
    return err([
      {
        code: 'ruleset_unknown',
        message: `there is no built-in ruleset \`${name.slice(0, 64)}\``,
        hint: `use one of ${BUILTIN_RULESETS.join(', ')}`,
      },
    ]);
  }
  return ok(await readText(new URL(`${name}.yaml`, RULESETS)));
}

async function parseRuleset(name: string): Promise<PolicyDocument> {
  const parsed = parsePolicy(await readText(new URL(`${name}.yaml`, RULESETS)), `${name}.yaml`);
  if (parsed.ok) return parsed.value;
  throw new CodedError({
    code: 'builtin_invalid',
    message: `the built-in ruleset ${name} is invalid: ${parsed.error[0]?.message ?? ''}`,
  });
}

/** They are part of the installation, so each is parsed once in a process. */
const parsedRulesets = new Map<string, PolicyDocument>();

/** One built-in ruleset, parsed; undefined where there is none of that name. */
export async function loadRuleset(name: string): Promise<PolicyDocument | undefined> {
  if (!BUILTIN_RULESETS.includes(name)) return undefined;
  const document = parsedRulesets.get(name) ?? (await parseRuleset(name));
  parsedRulesets.set(name, document);
  return document;
}

/** All built-in rulesets, parsed: what `extends` may name. */
export async function readRulesets(): Promise<ReadonlyMap<string, PolicyDocument>> {
  const rulesets = new Map<string, PolicyDocument>();
  for (const name of BUILTIN_RULESETS) {
    const document = await loadRuleset(name);
    if (document !== undefined) rulesets.set(name, document);
  }
  return rulesets;
}
