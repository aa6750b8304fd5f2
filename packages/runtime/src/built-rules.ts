/**
 * @module The built-in rule set as the build resolved it, so that a start need not parse YAML. It is used only where it was made from
 * the very packs and the very rules package that are here: missing, stale or damaged, the packs are read instead.
 */
import { readdir, readFile } from 'node:fs/promises';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, CodedError, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { mergeRuleDocuments, type RuleDocument, ruleSetJson } from '@countersign/rules';
import { readBuiltinPacks } from './builtin.ts';
import { RUNTIME_LIMITS } from './limits.ts';

/** Where the build puts the rule set. */
export function builtRulesPath(): URL {
  return new URL('../../rules/dist/rules.json', import.meta.url);
}

/** What a rule set is made from: the packs, and the code that reads and merges them. */
const SOURCES = [
  { folder: new URL('../../rules/packs/', import.meta.url), ending: '.yaml' },
  { folder: new URL('../../rules/src/', import.meta.url), ending: '.ts' },
] as const;

/** One hash over the names and bytes of everything the rule set is made from. */
export async function hashRuleSources(): Promise<string> {
  const lines: string[] = [];
  for (const { folder, ending } of SOURCES) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).toSorted();
    lines.push(...(await Promise.all(names.map(async (name) => `${sha256Hex(await readFile(new URL(name, folder)))}  ${name}`))));
  }
  return sha256Hex(lines.join('\n'));
}

/** The packs, and documents beside them, merged. @throws {CodedError} `rules_invalid`, `builtin_missing`. */
export async function resolveRules(customRules: readonly RuleDocument[]): Promise<JsonValue> {
  const packs = await readBuiltinPacks();
  const merged = packs.ok ? mergeRuleDocuments([...packs.value, ...customRules]) : packs;
  if (!merged.ok) throw new CodedError({ ...(merged.error[0] ?? { message: 'the rules are refused' }), code: 'rules_invalid' });
  return ruleSetJson(merged.value);
}

/** The text of the built file: the rule set, its hash, and that of what it was made from. */
export function builtRulesText(rules: JsonValue, sources: string): string {
  return canonicalize({ hash: sha256Hex(canonicalize(rules)), rules, sources });
}

async function bytesOf(path: URL): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch {
    return undefined;
  }
}

function parseBuilt(bytes: Uint8Array): JsonObject | undefined {
  const { builtRulesBytesMax: bytesMax, builtRulesNodesMax: nodesMax } = RUNTIME_LIMITS;
  const parsed = parseJson(bytes, { bytesMax, nodesMax });
  return parsed.ok && parsed.value.exactNumbers.length === 0 && isJsonObject(parsed.value.value) ? parsed.value.value : undefined;
}

/** The last built file that was found whole, so that another installation in this process has the very same rule set, compiled once. */
let lastBuilt: { readonly digest: string; readonly sources: string; readonly rules: JsonValue } | undefined;

/** The rule set of the built file; undefined where there is none that was made from `sources`, whole. */
export async function readBuiltRules(path: URL, sources: string): Promise<JsonValue | undefined> {
  const bytes = await bytesOf(path);
  if (bytes === undefined) return undefined;
  const digest = sha256Hex(bytes);
  if (lastBuilt?.digest === digest && lastBuilt.sources === sources) return lastBuilt.rules;
  const built = parseBuilt(bytes);
  const rules = built === undefined ? undefined : getOwn(built, 'rules');
  if (built === undefined || rules === undefined || getOwn(built, 'sources') !== sources) return undefined;
  if (getOwn(built, 'hash') !== sha256Hex(canonicalize(rules))) return undefined;
  lastBuilt = { digest, sources, rules };
  return rules;
}

async function currentSources(): Promise<string | undefined> {
  try {
    return await hashRuleSources();
  } catch {
    // An installation without sources cannot say that the built file is of these packs.
    return undefined;
  }
}

/** The rule set that an installation starts with. @throws {CodedError} `rules_invalid`, `builtin_missing`. */
export async function readRules(customRules: readonly RuleDocument[], path: URL = builtRulesPath()): Promise<JsonValue> {
  const sources = customRules.length === 0 ? await currentSources() : undefined;
  const built = sources === undefined ? undefined : await readBuiltRules(path, sources);
  return built ?? resolveRules(customRules);
}
